/**
 * The row of GR-42's matrix for a host that lacks something: what is taken away before the first engine is opened,
 * because a realm is probed once. One file per host.
 */
import { describe, expect, test } from 'vitest'
import { createEngine, hostFacts, type EngineOptions, type Tier } from '../../../src/index.js'
import { audioBuffer, gain, toPcm16, vad } from '../../../src/nodes/index.js'
import { speechLike } from '../../support/speech-like.js'

const RATE = 16_000, SAMPLES = speechLike({ rate: RATE, seconds: 1, seed: 3 })

interface Ran {
  readonly pcm: ArrayLike<number>
  readonly segments: unknown
  readonly tiers: readonly string[]
  readonly where: readonly string[]
  readonly warnings: readonly string[]
}

async function run(engine: Awaited<ReturnType<typeof createEngine>>): Promise<Ran> {
  const louder = gain(audioBuffer({ data: [SAMPLES], rate: RATE }), { gainDb: 3 })
  using result = await engine.run({ pcm: toPcm16(louder), segments: vad(louder).segments })
  const kernels = result.metrics.nodes.filter(({ kernelCalls }) => kernelCalls > 0)
  const all = (list: readonly string[]): readonly string[] => [...new Set(list)]
  return {
    pcm: Array.from(result.outputs.pcm.data.toArray()), segments: result.outputs.segments.data, tiers: all(kernels.map(({ tier }) => tier)),
    where: all(kernels.map(({ where }) => where)),
    warnings: result.diagnostics.flatMap(({ severity, code, message }) => severity === 'warning' ? [`${code} ${message}`] : []),
  }
}

/** `tier`: what `auto` comes to; `lacks`: by tier, words of what is told of a tier that the host has not. */
export function testHost(name: string, tier: Tier, lacks: Partial<Record<Tier, string>>, facts: Readonly<Record<string, boolean>>): void {
  describe(`a host with ${name} (GR-42)`, () => {
    test(`auto is ${tier}: it opens, runs, and says once that it fell back`, async () => {
      expect(hostFacts()).toMatchObject(facts)
      await using reference = await createEngine({ arenaBytes: 2 ** 24, workers: 0, tier: 'js' })
      const wanted = await run(reference)
      for (const options of [{}, { workers: 2 }] satisfies EngineOptions[]) {
        await using engine = await createEngine({ arenaBytes: 2 ** 24, ...options })
        expect(engine.stats().mode.tier).toBe(tier)
        const [first, second] = [await run(engine), await run(engine)]
        expect(first.tiers).toEqual([tier])
        if (facts['worker'] === false || tier === 'js') expect(first.where).toEqual(['engine'])
        expect(first.warnings).toEqual([expect.stringMatching(/^TIER_FALLBACK /)])
        expect(first.warnings[0]).toContain(lacks['wasm-threads'])
        expect(second).toEqual({ ...first, warnings: [] })
        expect(second.segments).not.toEqual([])
        expect({ ...wanted, tiers: [], where: [] }).toEqual({ ...second, tiers: [], where: [] })
      }
    })

    test('named tiers: those that it has run without a warning, the others are refused with what is missing', async () => {
      for (const named of ['wasm-threads', 'wasm', 'js'] as const) {
        const missing = lacks[named], opened = createEngine({ arenaBytes: 2 ** 24, workers: 0, tier: named })
        if (missing !== undefined) {
          await expect(opened).rejects.toMatchObject({ code: 'TIER_UNAVAILABLE', message: expect.stringContaining(missing) })
          continue
        }
        await using engine = await opened
        expect(await run(engine)).toMatchObject({ tiers: [named], warnings: [] })
      }
    })
  })
}
