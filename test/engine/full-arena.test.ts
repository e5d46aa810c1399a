/**
 * EX-28, MW-07: an arena that fills in the middle of a run: the error is coded, everything comes back, the engine goes
 * on. On workers, shared and private memory.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { audio, createEngine, defineNode, isMillraceError, type Engine, type RunFailure } from '../../src/index.js'
import { audioBuffer, gain, resample, vad } from '../../src/nodes/index.js'
import type { Loose } from '../support/loose.js'

const MEDIA = { kind: 'audio', rate: 48_000, channels: 2, format: 'f32', layout: 'planar' } as const, FRAMES = 65_536, CHUNKS = 80
/** A stream that does not tell its length: about 40 MB. */
const long = defineNode({
  type: 'test::long', version: '1.0.0', title: 'Long', doc: 'A long stream.', family: 'test', params: {}, inputs: {},
  outputs: { out: { media: audio({ rate: 48_000, channels: 2, format: 'f32', layout: 'planar' }) } },
  pull: async function* (_params, ctx) {
    for (let n = 0; n < CHUNKS; n++) {
      const data = await ctx.allocAudio({ rate: 48_000, channels: 2, frames: FRAMES })
      yield { out: { media: MEDIA, data, position: n * FRAMES, duration: FRAMES, streamId: '', seq: n, arrivalUs: 0, metadata: {} } }
    }
  },
})
const json = (data: unknown): object => ({
  out: { media: { kind: 'json' }, data, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
})
const greedy = (process: (ctx: Loose) => Promise<unknown>): Loose => defineNode({
  type: 'test::greedy', version: '1.0.0', title: 'Greedy', doc: 'Takes memory.', family: 'test', params: {}, inputs: {},
  outputs: { out: { media: { kind: 'json' } } },
  process: async (_inputs: unknown, _params: unknown, ctx: Loose) => json(await process(ctx)),
} as never)

describe.each(['auto', 'wasm'] as const)('tier %s', (tier) => {
  let engine: Engine, used: number
  const good = async (): Promise<unknown> => {
    using result = await engine.run({
      frames: vad(gain(audioBuffer({ data: [Float32Array.from({ length: 60_000 }, (_, i) => Math.sin(i / 7))], rate: 16_000 }))).frames,
    })
    return result.outputs.frames.data
  }
  const failureOf = async (outputs: object): Promise<RunFailure> => {
    const error: unknown = await engine.run(outputs as never).then(() => undefined, (e: unknown) => e)
    if (!isMillraceError(error)) throw error ?? new Error('expected a failure')
    ;(error as RunFailure).result?.close()
    return error as RunFailure
  }
  beforeEach(async () => {
    engine = await createEngine({ tier, workers: 2, arenaBytes: 2 ** 24, warmSpares: 0, logger: () => undefined })
    await good()
    // Tables of kernels that no run uses stay for the next one, until room is wanted.
    engine.parts.shared.trim()
    used = engine.stats().arena.usedBytes
  })
  afterEach(async () => {
    engine.parts.shared.trim()
    expect(engine.stats()).toMatchObject({ runs: 0, workers: { count: 2, lost: 0 }, arena: { usedBytes: used } })
    await engine.close()
  })

  test('an output that does not fit, of a stream that did not tell its length', async () => {
    const before = await good()
    const error = await failureOf({ pcm: gain(long()) })
    expect(['ARENA_FULL', 'RESOURCE_EXHAUSTED']).toContain(error.code)
    expect(error.httpStatus).toBe(507)
    expect(await good()).toEqual(before)
  })

  test('an output grows while the worker resamples: the kernel is stopped, its room comes back', async () => {
    const before = await good()
    const error = await failureOf({ pcm: resample(long(), { rate: 96_000 }), frames: vad(resample(long(), { rate: 16_000 })).frames })
    expect(['ARENA_FULL', 'RESOURCE_EXHAUSTED']).toContain(error.code)
    expect(await good()).toEqual(before)
  })

  test('ctx.alloc: more than there is, and many small ones until nothing is left', async () => {
    const before = await good()
    expect(await failureOf({ out: greedy((ctx) => ctx.alloc(12_000_000))() })).toMatchObject({ code: 'ARENA_FULL', nodeId: 'greedy-1' })
    let blocks = 0
    const error = await failureOf({ out: greedy(async (ctx) => { for (;; blocks++) await ctx.alloc(100_000) })() })
    expect(error).toMatchObject({ code: 'ARENA_FULL', nodeId: 'greedy-1' })
    expect(blocks).toBeGreaterThan(20)
    expect(await good()).toEqual(before)
  })

  test('one run fills the arena while another works: that one fails alone or gives its result', async () => {
    const before = await good()
    const [full, other] = await Promise.allSettled([failureOf({ pcm: gain(long()) }), good()])
    expect(full).toMatchObject({ status: 'fulfilled', value: { httpStatus: 507 } })
    if (other.status === 'fulfilled') expect(other.value).toEqual(before)
    else expect(other.reason).toMatchObject({ httpStatus: 507 })
    expect(await good()).toEqual(before)
  })
})
