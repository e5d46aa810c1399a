/** Chunks sent ahead to private memories: one pass runs, the next one's inputs are there (MW-57). Node and Chromium. */
import { afterEach, describe, expect, test } from 'vitest'
import { createEngine, feedback, isMillraceError, type AnyHandle, type Engine } from '../../src/index.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { gain, mix, resample, vad } from '../../src/nodes/index.js'
import { ChunkedSegment } from '../../src/workers/chunked-segment.js'
import { RemoteSegment } from '../../src/workers/remote-segment.js'
import { chunked, drawFrom, drawGraph, outcome, type Audio } from '../soak/random-run.js'
import { threadEnder } from '../support/end-threads.js'

const nodeHost = hostFacts().node
const KILLS = nodeHost ? Number(process.env['MILLRACE_KILLS'] ?? 6) : 2
const GRAPHS = nodeHost ? Number(process.env['MILLRACE_GRAPHS'] ?? 2) : 1

const endAll = threadEnder()

const { ahead, goOn, advance } = ChunkedSegment.prototype, { goOnWith } = RemoteSegment.prototype
/** What segments did: packets that left them, passes, those asked for while another ran, and the most of these that waited. */
const seen = { packets: [] as string[], passes: 0, early: 0, most: 0 }
const watch = (): void => {
  Object.assign(seen, { packets: [], passes: 0, early: 0, most: 0 })
  const waiting = new Map<ChunkedSegment, number>()
  ChunkedSegment.prototype.advance = async function () {
    seen.passes++
    const result = await advance.call(this)
    waiting.set(this, 0)
    for (const { buffer, packet: { position, duration } } of result.outputs) {
      seen.packets.push(`${this.plan.nodes[0]!.spec.nodeId} ${buffer} ${position} ${duration}`)
    }
    return result
  }
  ChunkedSegment.prototype.goOn = function () {
    const before = seen.early
    goOn.call(this)
    if (seen.early === before) return
    waiting.set(this, (waiting.get(this) ?? 0) + 1)
    seen.most = Math.max(seen.most, waiting.get(this)!)
  }
  RemoteSegment.prototype.goOnWith = function (snapshot) { seen.early++; goOnWith.call(this, snapshot) }
}
const inTurns = (): void => { ChunkedSegment.prototype.ahead = () => []; ChunkedSegment.prototype.goOn = () => undefined }
const restore = (): void => {
  Object.assign(ChunkedSegment.prototype, { ahead, goOn, advance })
  RemoteSegment.prototype.goOnWith = goOnWith
}
afterEach(restore)

const open = (more: object = {}): Promise<Engine> =>
  createEngine({ tier: 'wasm', workers: 2, logger: () => undefined, respawns: Number.POSITIVE_INFINITY, arenaBytes: 2 ** 26, ...more })
const left = (engine: Engine): object => { const { usedBytes, blocks } = engine.stats().arena; return { usedBytes, blocks } }
const tone = Float32Array.from({ length: 60_000 }, (_, n) => (n % 9_000 < 4_000 ? Math.sin(n / 7) / 2 : Math.sin(n / 50) / 1e3))
/** Readers of different delay and a join that waits for the later one: inputs are hungry at different times. */
const work = (): Record<string, AnyHandle> => {
  const [source, other] = [chunked(tone), chunked(tone.subarray(0, 47_123))]
  const slow = resample(resample(source, { rate: 22_050, quality: 'best' }), { rate: 16_000 })
  return {
    joined: mix([slow as Audio, source, other]), quiet: gain(vad(source).audio, { gainDb: -3 }),
  } as unknown as Record<string, AnyHandle>
}
/** One source is slow: some inputs are fed ahead, others when they are asked for. */
const uneven = (): Record<string, AnyHandle> => {
  const source = chunked(tone)
  const other = chunked(tone.subarray(0, 52_000), () => new Promise((resolve) => { setTimeout(resolve, 2) }))
  const slow = resample(resample(source, { rate: 22_050, quality: 'best' }), { rate: 16_000 })
  return { joined: mix([slow as Audio, source, other]) } as unknown as Record<string, AnyHandle>
}
const comb = (): Record<string, AnyHandle> => {
  const source = chunked(tone)
  return { out: feedback({ delayFrames: 3_000 }, (late) => mix([source as never, gain(late, { gainDb: -6 })])) as unknown as AnyHandle }
}
const sorted = (packets: readonly string[]): string[] => [...packets].sort()

describe('chunks sent ahead', () => {
  test('the same packets, samples and counters as when each pass waits for the one before it; one pass is asked for ahead at most', {
    timeout: 60_000,
  }, async () => {
    await using engine = await open()
    const draw = drawFrom(11), graphs = [work, comb, uneven, ...Array.from({ length: GRAPHS }, () => drawGraph(draw, chunked))]
    for (const graph of graphs) {
      watch()
      const now = await outcome(engine, graph), { packets, early, passes, most } = { ...seen }
      expect([early > 0, early < passes + 1, most]).toEqual([true, true, 1])
      restore()
      watch()
      inTurns()
      expect([await outcome(engine, graph), sorted(seen.packets), seen.passes, seen.early]).toEqual([now, sorted(packets), passes, 0])
      restore()
    }
  })

  test('edges hold no more than they did: what was taken ahead counts until it is read', async () => {
    await using engine = await open()
    let given = 0, read = 0, most = 0
    const graph = (): Record<string, AnyHandle> => ({
      out: gain(gain(chunked(tone, () => { most = Math.max(most, ++given - read) }), { gainDb: -1 }), {
        gainDb: 3,
      }) as unknown as AnyHandle,
    })
    ChunkedSegment.prototype.advance = async function () {
      const result = await advance.call(this)
      read++
      return result
    }
    for (const turns of [false, true]) {
      if (turns) inTurns()
      given = read = most = 0
      using result = await engine.run(graph())
      expect(result.outputs['out']!.duration).toBe(60_000)
      // Eight wait on the edge, one is read, one waits for room, one is being made.
      expect(most).toBeLessThanOrEqual(11)
      for (const { depthMax } of result.metrics.edges) expect(depthMax).toBeLessThanOrEqual(8)
    }
  })

  test('a node with a time limit has a turn for each pass: its chunks go ahead, its passes do not', async () => {
    await using engine = await open()
    const limited = (gain as unknown as { with(o: object): typeof gain }).with({ policy: { timeoutMs: 30_000 } })
    const graph = (): Record<string, AnyHandle> => ({ out: limited(chunked(tone), { gainDb: -2 }) as unknown as AnyHandle })
    watch()
    let fed = 0
    const { feed } = RemoteSegment.prototype
    RemoteSegment.prototype.feed = function (buffer, packet, early) {
      if (early === true) fed++
      return feed.call(this, buffer, packet, early)
    }
    try {
      const now = await outcome(engine, graph)
      // The first chunk is asked for; every other one may be there before.
      expect([seen.early, fed > 0, fed < 12]).toEqual([0, true, true])
      inTurns()
      expect(await outcome(engine, graph)).toBe(now)
    } finally { RemoteSegment.prototype.feed = feed }
  }, 20_000)

  test('an engine that is cancelled while one pass runs and one waits is as ever afterwards', async () => {
    await using engine = await open()
    const expected = await outcome(engine, work), before = left(engine)
    for (const at of [1, 3, 6]) {
      const abort = new AbortController()
      let count = 0
      RemoteSegment.prototype.goOnWith = function (snapshot) {
        goOnWith.call(this, snapshot)
        if (++count === at) abort.abort()
      }
      await expect(engine.run(work() as never, { signal: abort.signal })).rejects.toMatchObject({ code: 'CANCELLED' })
      expect(left(engine)).toEqual(before)
      restore()
    }
    expect(await outcome(engine, work)).toBe(expected)
    expect(engine.stats().workers.lost).toBe(0)
  }, 30_000)

  test('a source that fails while a pass runs and one waits: its error, and everything comes back', async () => {
    await using engine = await open()
    const before = left(engine)
    const failing = (): Audio => chunked(tone, (position) => { if (position === 40_000) throw new Error('torn tape') })
    for (const turns of [false, true]) {
      if (turns) inTurns()
      const error: unknown = await engine.run({ out: gain(failing()) as unknown as AnyHandle }).then(() => undefined, (e: unknown) => e)
      expect(isMillraceError(error) && String(error.message)).toContain('torn tape')
      expect(left(engine)).toEqual(before)
    }
  })

  test('a worker that ends with one pass under way and one waiting: each is done once', { timeout: 120_000 }, async () => {
    await using engine = await open()
    const graphs = [work, comb, uneven], expected: string[] = []
    for (const graph of graphs) expected.push(await outcome(engine, graph))
    const used = left(engine)
    for (let kill = 0; kill < KILLS; kill++) {
      // One graph has more passes than the other; past the last one nobody is ended.
      const at = 1 + kill % 9
      let count = 0
      RemoteSegment.prototype.goOnWith = function (snapshot) {
        goOnWith.call(this, snapshot)
        if (++count === at) endAll()
      }
      expect(await outcome(engine, graphs[kill % 3]!)).toBe(expected[kill % 3])
      expect(left(engine)).toEqual(used)
    }
    expect(engine.stats().workers.lost).toBeGreaterThan(KILLS / 2)
  })
})
