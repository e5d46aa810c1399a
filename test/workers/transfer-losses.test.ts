/**
 * Workers with private memories that end or hang in the middle of a run: delivered again, at most three times (MW-45,
 * MW-47 in transfer mode). Node and Chromium.
 */
import { afterAll, describe, expect, test } from 'vitest'
import {
  audio, createEngine, defineNode, isMillraceError, type AnyHandle, type AudioBuffer, type Engine, type MillraceError,
} from '../../src/index.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { layoutHash } from '../../src/memory/layout.js'
import type { FlightRecord } from '../../src/memory/recorder.js'
import { audioBuffer, gain, mix, resample } from '../../src/nodes/index.js'
import { craftModule } from '../kernels/craft-module.js'

/** Ends a thread behind the pool's back, as a host might. */
const threads: { terminate(): unknown }[] = []
interface Host { Worker: new (...words: never[]) => { terminate(): unknown } }
const host = (hostFacts().node ? process.getBuiltinModule('node:worker_threads') : globalThis) as unknown as Host, Real = host.Worker
host.Worker = class extends Real {
  constructor(...words: never[]) { super(...words); threads.push(this) }
}
afterAll(() => { host.Worker = Real })

const EXPORTS = ['millrace_abi', 'millrace_layout', 'bad_size', 'bad_init', 'bad_reset', 'bad_process']
const stuck = defineNode({
  type: 'test::stuck', version: '1.0.0', title: 'Stuck', doc: 'Never returns.', family: 'test', params: {}, hangMs: 300,
  inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } }, outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: { module: 'stuck', export: 'bad' }, parity: 'exact',
  reference: { init: () => ({}), process: (_state, io) => io.frames, reset: () => undefined },
}) as unknown as (input: AnyHandle) => AnyHandle
const FRAMES = 1_200_000, tone = Float32Array.from({ length: FRAMES }, (_, i) => Math.sin(i / 30) / 4)
const open = (): Promise<Engine> => createEngine({
  tier: 'wasm', workers: 2, logger: () => undefined,
  kernels: { stuck: craftModule({ exports: EXPORTS, body: [0x03, 0x40, 0x0c, 0x00, 0x0b], layout: layoutHash() }) },
})
const untilBusy = async (engine: Engine): Promise<void> => {
  while (engine.stats().workers.busy === 0) await new Promise((resolve) => { setTimeout(resolve, 1) })
}
/** Audio that is whole before the run. */
const whole = (data: AudioBuffer): Parameters<typeof gain>[0] => audioBuffer({ data }) as never
const ownAudio = (engine: Engine, data: Float32Array): AudioBuffer => engine.audio.from(data, { rate: 44_100, channels: 1 }, { copy: true })
/** Samples that differ; comparing arrays of this size by `toEqual` takes seconds. */
const differing = (a: readonly Float32Array[], b: readonly Float32Array[]): number => a.reduce((sum, one, i) =>
  sum + (one.length === b[i]?.length ? one.reduce((n, x, j) => n + (Object.is(x, b[i]![j]) ? 0 : 1), 0) : one.length), 0)
/** Two branches that are worth a thread each, and their join. */
const work = (data: AudioBuffer): Record<string, AnyHandle> => {
  const source = whole(data)
  const [a, b] = [-6, -3].map((gainDb) => resample(gain(source, { gainDb }), { rate: 48_000, quality: 'best' }))
  const both = mix([a!, b!])
  return { both, a: a! }
}
const samples = async (engine: Engine, data: AudioBuffer): Promise<Float32Array[]> => {
  using result = await engine.run(work(data))
  return Object.values(result.outputs).map(({ data }) => (data as { toArray(): Float32Array }).toArray())
}

describe('private memories', () => {
  test('all workers end in the middle of a run: it is done again, bit for bit, and nothing stays', async () => {
    await using engine = await open()
    const data = ownAudio(engine, tone), expected = await samples(engine, data), used = engine.stats().arena
    for (let round = 0; round < 2; round++) {
      const run = samples(engine, data)
      await untilBusy(engine)
      for (const thread of threads.splice(0)) await thread.terminate()
      expect(differing(expected, await run)).toBe(0)
      expect(engine.stats().arena).toMatchObject({ usedBytes: used.usedBytes, blocks: used.blocks })
    }
    // A busy thread may have come to its end first.
    expect(engine.stats().workers.lost).toBeGreaterThan(0)
  }, 60_000)

  test('a kernel that never returns is found by its silence, delivered three times more, and then named', async () => {
    await using engine = await open()
    const error: unknown = await engine.run({ out: stuck(whole(ownAudio(engine, tone.subarray(0, 50_000))) as unknown as AnyHandle) })
      .then(() => undefined, (e: unknown) => e)
    expect(isMillraceError(error) && error)
      .toMatchObject({ code: 'WORKER_LOST', retryable: false, details: { delivery: 4, deliveries: 4 }, cause: { code: 'HEARTBEAT_LOST' } })
    // Its last entries: what the thread wrote itself, or, where nothing is shared, what the engine saw of it (MW-06).
    const {
      records, worker,
    } = (error as MillraceError).details as unknown as { readonly records: readonly FlightRecord[]; readonly worker: number }
    expect(records.map(({ kind }) => kind))
      .toEqual(['boot', 'end boot', 'queue', ...(hostFacts().sab ? ['end queue', 'kernel'] : []), 'lost'])
    expect(new Set(records.map(({ thread }) => thread))).toEqual(new Set([`worker ${worker}`]))
    expect(engine.stats().workers.lost).toBe(4)
  }, 60_000)

  test('a long run that only works is not taken for a hang', async () => {
    await using engine = await createEngine({ tier: 'wasm', workers: 1, hangMs: 600, arenaBytes: 2 ** 28, logger: () => undefined })
    let sound = whole(ownAudio(engine, new Float32Array(6_000_000).fill(0.1)))
    for (let n = 0; n < 6; n++) sound = resample(sound, { rate: n % 2 === 0 ? 48_000 : 44_100, quality: 'best' }) as never
    using result = await engine.run({ out: sound as unknown as AnyHandle })
    expect(result.outputs['out']!.duration).toBeGreaterThan(5_000_000)
    expect(engine.stats().workers.lost).toBe(0)
  }, 60_000)

  test('a failure ends the run at once: what else it executes is stopped, not waited for', async () => {
    const traps = craftModule({ exports: EXPORTS, body: [0x00], layout: layoutHash() })
    await using engine = await createEngine({
      tier: 'wasm', workers: 2, arenaBytes: 2 ** 27, logger: () => undefined, kernels: { stuck: traps },
    })
    const data = ownAudio(engine, new Float32Array(3_000_000).fill(0.1))
    let long = whole(data)
    // Minutes of work.
    for (let n = 0; n < 600; n++) long = resample(long, { rate: n % 2 === 0 ? 48_000 : 44_100, quality: 'best' }) as never
    const error: unknown = await engine.run({ trap: stuck(whole(data) as unknown as AnyHandle), long: long as unknown as AnyHandle })
      .then(() => undefined, (e: unknown) => e)
    expect(isMillraceError(error) && error.code).toBe('KERNEL_TRAP')
    expect(engine.stats().workers.lost).toBe(1)
  }, 20_000)
})
