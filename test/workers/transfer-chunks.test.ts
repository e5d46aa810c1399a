/**
 * Segments fed by chunks on private memories whose workers end: another one goes on from the last states (MW-34, MW-47, MW-57). Node and
 * Chromium. Random graphs and instants: kill-runs.
 */
import { describe, expect, test } from 'vitest'
import { audio, createEngine, defineNode, isMillraceError, type AnyHandle, type Engine } from '../../src/index.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { layoutHash } from '../../src/memory/layout.js'
import { gain, mix, resample, vad } from '../../src/nodes/index.js'
import { craftModule } from '../kernels/craft-module.js'
import { chunked, outcome, type Audio } from '../soak/random-run.js'
import { threadEnder } from '../support/end-threads.js'

const nodeHost = hostFacts().node

const endAll = threadEnder()

const open = (more: object = {}): Promise<Engine> =>
  createEngine({ tier: 'wasm', workers: 2, logger: () => undefined, respawns: Number.POSITIVE_INFINITY, ...more })
const tone = Float32Array.from({ length: 60_000 }, (_, n) => (n % 9_000 < 4_000 ? Math.sin(n / 7) / 2 : Math.sin(n / 50) / 1e3))
/** Readers of different delay, a join that waits for the later one, events, and a resampler with much state. */
const work = (source: Audio): Record<string, AnyHandle> => {
  const slow = resample(resample(source, { rate: 22_050, quality: 'best' }), { rate: 16_000 }), found = vad(source)
  return {
    joined: mix([slow as Audio, source]), segments: found.segments, quiet: gain(found.audio, { gainDb: -3 }),
  } as unknown as Record<string, AnyHandle>
}
const audible = (source: Audio) => (): Record<string, AnyHandle> => { const { segments: _events, ...rest } = work(source); return rest }
const left = (engine: Engine): object => { const { usedBytes, blocks } = engine.stats().arena; return { usedBytes, blocks } }

describe('segments fed by chunks on private memories', () => {
  test('a loss before each of the chunks in turn: the same samples, events and counters; nothing stays', async () => {
    await using engine = await open()
    const expected = await outcome(engine, audible(chunked(tone)))
    const events = async (source: Audio): Promise<unknown> => {
      using result = await engine.run({ segments: work(source)['segments']! })
      return result.outputs['segments']!.data
    }
    const known = await events(chunked(tone)), used = left(engine)
    expect(known).not.toEqual([])
    for (const at of nodeHost ? [0, 15_000, 55_000] : [15_000]) {
      // When the second piece after it is asked for, the one before it is on its worker.
      const source = (): Audio => chunked(tone, (position) => { if (position === at) endAll() })
      expect(await outcome(engine, audible(source()))).toBe(expected)
      expect(left(engine)).toEqual(used)
    }
    expect(await events(chunked(tone, (position) => { if (position === 20_000) endAll() }))).toEqual(known)
    expect(left(engine)).toEqual(used)
    expect(engine.stats().workers.lost).toBeGreaterThan(0)
  }, 120_000)

  test('copies equal the plan\'s estimate when nothing is lost; what is sent again counts, states are counted apart', async () => {
    await using engine = await open()
    const graph = (source: Audio): Record<string, AnyHandle> => ({ out: gain(gain(source, { gainDb: -1 }), { gainDb: 3 }) as never })
    const plain = chunked(tone, undefined, true), plan = await engine.plan(graph(plain))
    expect(plan.segments).toMatchObject([{ feed: 'chunks', where: 'worker' }])
    using result = await engine.run(graph(plain))
    // The source's own copies are no crossings.
    const crossed = ({ metrics: { nodes } }: typeof result): number => nodes.filter(({ tier }) => tier === 'wasm')
      .reduce((sum, { copyBytes }) => sum + copyBytes, 0)
    expect([plan.estCopyBytes, crossed(result)]).toEqual([4 * 60_000 * 4, 4 * 60_000 * 4])
    // Two gains hold little: what comes back with chunks is nothing beside them.
    expect(result.metrics.workers.checkpointBytes).toBeGreaterThan(0)
    expect(result.metrics.workers.checkpointBytes).toBeLessThan(plan.estCopyBytes / 20)
    let ended = 0
    const lossy = chunked(tone, (position) => { if (position === 30_000) { endAll(); ended++ } }, true)
    using again = await engine.run(graph(lossy))
    expect(ended).toBe(1)
    const [one, two] = [result, again].map(({ outputs }) => (outputs['out']!.data as { toArray(): Float32Array })
      .toArray()) as [Float32Array, Float32Array]
    expect([two.length, two.findIndex((x, n) => !Object.is(x, one[n]))]).toEqual([60_000, -1])
    expect(crossed(again)).toBeGreaterThanOrEqual(crossed(result))
  }, 60_000)

  test('runs that begin together go to different workers', async () => {
    await using engine = await open()
    const results = await Promise.all([1, 2].map((gainDb) => engine.run({ out: gain(chunked(tone), { gainDb }) as unknown as AnyHandle })))
    const used = results.map(({ metrics }) => metrics.nodes.find(({ type }) => type === gain.definition.type)!.worker)
    for (const result of results) result.close()
    expect(new Set(used).size).toBe(2)
  })

  test('a chunk that hangs its kernel is delivered three times more, then its node is named', async () => {
    const body = [0x03, 0x40, 0x0c, 0x00, 0x0b]
    const names = ['millrace_abi', 'millrace_layout', 'bad_size', 'bad_init', 'bad_reset', 'bad_process']
    await using engine = await open({ kernels: { stuck: craftModule({ exports: names, body, layout: layoutHash() }) } })
    const before = left(engine), stuck = defineNode({
      type: 'test::stuck', version: '1.0.0', title: 'Stuck', doc: 'Never returns.', family: 'test', params: {}, hangMs: 300,
      inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } },
      outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
      kernel: { module: 'stuck', export: 'bad' }, parity: 'exact',
      reference: { init: () => ({}), process: (_state, io) => io.frames, reset: () => undefined },
    }) as unknown as (input: Audio) => AnyHandle
    const error: unknown = await engine.run({ out: stuck(chunked(tone)) }).then(() => undefined, (e: unknown) => e)
    expect(isMillraceError(error) && error)
      .toMatchObject({ code: 'WORKER_LOST', retryable: false, details: { delivery: 4, deliveries: 4 }, cause: { code: 'HEARTBEAT_LOST' } })
    expect(engine.stats().workers.lost).toBe(4)
    expect(left(engine)).toEqual(before)
  }, 60_000)

  test('a cancel while a lost chunk waits for its next delivery ends the run at once', async () => {
    await using engine = await open()
    const abort = new AbortController(), before = left(engine)
    const run = engine.run(
      audible(chunked(tone, (position) => { if (position === 20_000) { endAll(); setTimeout(() => { abort.abort() }, 30) } }))() as never,
      { signal: abort.signal },
    )
    await expect(run).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(left(engine)).toEqual(before)
  }, 60_000)
})
