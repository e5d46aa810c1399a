import { describe, expect, test } from 'vitest'
import { createEngine, type Engine } from '../../src/index.js'
import { audioBuffer, mix, resample, vad } from '../../src/nodes/index.js'

const FRAMES = 200_000
const planes = (channels: number): Float32Array[] => Array.from({ length: channels }, (_, c) =>
  Float32Array.from({ length: FRAMES }, (_, n) => Math.sin(n / (20 + c)) * 0.3))

/**
 * A signal mixed with itself after two resamplers, which hold frames back: the mixer reads the source later than the first resampler does.
 */
async function diamond(engine: Engine, channels: number, rate: number, whole: boolean): Promise<readonly Float32Array[]> {
  using given = whole
    ? engine.audio.from(planes(channels), { rate: 48_000, channels }, { copy: true })
    : { close: () => undefined, [Symbol.dispose]: () => undefined }
  const source = audioBuffer(whole ? given as never : planes(channels))
  const round = resample(resample(source, { rate, quality: 'high' }), { rate: 48_000, quality: 'high' })
  const { outputs } = await engine.run({ out: mix([round.out, source.out]) }, { signal: AbortSignal.timeout(20_000) })
  const made = Array.from({ length: channels }, (_, c) => outputs.out.data.channel(c).slice())
  outputs.out.data.close()
  return made
}

describe('an input of chunks with readers of different delay (KE-14, EX-05)', () => {
  test.each([
    ['workers: 0', { workers: 0 }], ['workers: 1', { workers: 1 }], ['workers: 3', { workers: 3 }],
    ['private memories', { workers: 2, shared: false }],
  ] as const)('%s: ends, with the bits of the whole value', async (_, options) => {
    await using engine = await createEngine(options)
    const before = engine.stats().arena.usedBytes
    for (const [channels, rate] of [[1, 44_100], [2, 16_000], [1, 96_000]] as const) {
      const chunks = await diamond(engine, channels, rate, false)
      expect(chunks[0]!.length).toBeGreaterThanOrEqual(FRAMES)
      expect(chunks).toEqual(await diamond(engine, channels, rate, true))
    }
    // What stays are tables of the resamplers; audio is given back.
    expect(engine.stats().arena.usedBytes - before).toBeLessThan(2 ** 21)
  })

  test('a reader that only counts beside a late one', async () => {
    await using engine = await createEngine({ workers: 0 })
    const source = audioBuffer(planes(1)), late = resample(resample(source, { rate: 16_000 }), { rate: 48_000 })
    const { outputs } =
      await engine.run({ segments: vad(source).segments, mixed: mix([late.out, source.out]) }, { signal: AbortSignal.timeout(20_000) })
    expect(outputs.mixed.data.frames).toBeGreaterThanOrEqual(FRAMES)
    outputs.mixed.data.close()
  })
})
