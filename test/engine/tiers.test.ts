import { describe, expect, inject, test } from 'vitest'
import { createEngine, hostFacts, isMillraceError, type Tier } from '../../src/index.js'
import { audioBuffer, gain, mix, toPcm16, vad } from '../../src/nodes/index.js'
import { speechLike } from '../support/speech-like.js'

const RATE = 16_000, SAMPLES = speechLike({ rate: RATE, seconds: 3, seed: 7 })

/** The same small graph in every tier: fan-out, a join, events, a conversion. */
async function runIn(
  tier: Tier, workers: number,
): Promise<{ pcm: Int16Array; segments: unknown; frames: Uint8Array; tiers: Set<string>; where: Set<string>; left: number }> {
  await using engine = await createEngine({ tier, workers, arenaBytes: 16 * 1_048_576 })
  const source = audioBuffer({ data: [SAMPLES], rate: RATE })
  const louder = gain(source, { gainDb: 3 })
  const both = mix([louder, gain(source, { gainDb: -9 })])
  const detector = vad(louder), target = { pcm: toPcm16(both), segments: detector.segments, frames: detector.frames }
  // The first run starts workers and fills caches that stay: what is used after it must be used after every other.
  for (let warm = 0; warm < 1; warm++) (await engine.run(target)).close()
  const before = engine.stats().arena.usedBytes
  using result = await engine.run(target)
  const pcm = result.outputs.pcm.data.toArray() as Int16Array, frames = result.outputs.frames.data as Uint8Array
  const kernels = result.metrics.nodes.filter((node) => node.kernelCalls > 0)
  result.close()
  return {
    pcm, segments: result.outputs.segments.data, frames, tiers: new Set(kernels.map((node) => node.tier)),
    where: new Set(kernels.map((node) => node.where)), left: engine.stats().arena.usedBytes - before,
  }
}

const isolated = typeof window === 'undefined' || inject('isolated')
const cases = [...(isolated ? [['wasm-threads', 0], ['wasm-threads', 2]] as const : []), ['wasm', 0], ['wasm', 2], ['js', 0]] as const

describe('tiers', () => {
  test.each(cases)('%s with %i workers: the kernels say so themselves, and nothing stays allocated', async (tier, workers) => {
    const { tiers, where, left } = await runIn(tier, workers)
    expect(tiers).toEqual(new Set([tier]))
    expect(where).toEqual(new Set([workers > 0 ? 'worker' : 'engine']))
    expect(left).toBe(0)
  })

  test('all tiers give the same bits', async () => {
    const [first, ...rest] = await Promise.all(cases.map(([tier, workers]) => runIn(tier, workers)))
    expect(first!.frames.some((bit) => bit === 1)).toBe(true)
    for (const other of rest) {
      expect(other.pcm).toEqual(first!.pcm)
      expect(other.segments).toEqual(first!.segments)
      expect(other.frames).toEqual(first!.frames)
    }
  })

  test('a named tier fails where the host lacks it, and says why', async () => {
    if (isolated) return expect(hostFacts().sab).toBe(true)
    const error: unknown = await createEngine({ tier: 'wasm-threads' }).catch((e: unknown) => e)
    expect(isMillraceError(error) && error.code).toBe('TIER_UNAVAILABLE')
    expect((error as Error).message).toContain('Cross-Origin-Opener-Policy')
  })

  test('shared: true is refused without shared memory, shared: false moves blocks', async () => {
    await using transfer = await createEngine({ shared: false })
    expect(transfer.stats().mode).toMatchObject({ mode: 'transfer', tier: 'wasm' })
    if (!isolated) await expect(createEngine({ shared: true })).rejects.toMatchObject({ code: 'SHARED_MEMORY' })
    else { await using shared = await createEngine({ shared: true }); expect(shared.stats().mode.mode).toBe('shared') }
  })

  test('a node\'s own tier', async () => {
    await using engine = await createEngine({ tier: 'wasm', workers: 0 })
    const soft = gain.with({ tier: 'js' })(audioBuffer({ data: [SAMPLES], rate: RATE }), { gainDb: -6 })
    using result = await engine.run({ pcm: toPcm16(soft) })
    expect(result.metrics.nodes.filter((node) => node.kernelCalls > 0).map((node) => node.tier)).toEqual(['js', 'wasm'])
  })
})
