/**
 * Priority, lanes and the limit of a run (MW-32, EX-55, EX-57) on shared and on private memory, for
 * whole values and for chunks. Node and Chromium.
 */
import { afterEach, describe, expect, test } from 'vitest'
import {
  audio, createEngine, defineNode, graphFrom, type AnyHandle, type AudioBuffer, type Engine, type RunOptions,
} from '../../src/index.js'
import { audioBuffer, resample } from '../../src/nodes/index.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { ARENA, RUN, TASK } from '../../src/memory/layout.js'
import { EngineSegment } from '../../src/schedule/engine-segment.js'
import type { RunShare } from '../../src/schedule/open-segment.js'
import type { SegmentPlan } from '../../src/schedule/segment-plan.js'
import { DispatchQueue } from '../../src/workers/dispatch-queue.js'
import type { JobRequest } from '../../src/workers/protocol.js'
import { RemoteSegment } from '../../src/workers/remote-segment.js'
import { RemoteWorker } from '../../src/workers/remote-worker.js'
import { RunTable } from '../../src/workers/run-table.js'
import { SharedExecutor } from '../../src/workers/shared-executor.js'
import { SharedRun } from '../../src/workers/shared-run.js'
import { threadEnder } from '../support/end-threads.js'
import { shares } from '../workers/support.js'

interface Loose { (...args: readonly unknown[]): AnyHandle; with(settings: object): Loose }
type Feed = 'whole' | 'chunks'
const MODES = [...(shares ? ['shared' as const] : []), 'transfer' as const], FEEDS = ['whole', 'chunks'] as const
const CASES = MODES.flatMap((mode) => FEEDS.map((feed) => [mode, feed] as const))
const open = (mode: 'shared' | 'transfer', workers: number): Promise<Engine> =>
  createEngine({ tier: mode === 'shared' ? 'wasm-threads' : 'wasm', workers, arenaBytes: 2 ** 27, logger: () => undefined })

const PIECE = 40_000, media = { kind: 'audio', rate: 16_000, channels: 1, format: 'f32', layout: 'planar' } as const
const samples = Float32Array.from({ length: PIECE }, (_, n) => Math.sin(n / 9) / 2)
/** The same piece again and again. */
const pieces = (count: number): AnyHandle => defineNode({
  type: 'test::pieces', version: '1.0.0', title: 'Pieces', doc: 'Samples in pieces.', family: 'test', params: {}, inputs: {},
  outputs: { out: { media: audio({ rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }) } },
  async *pull(_params, ctx) {
    for (let seq = 0; seq < count; seq++) {
      const data = await ctx.allocAudio({ rate: 16_000, channels: 1, frames: PIECE })
      data.makeMut().channel(0).set(samples)
      yield { out: { media, data, position: seq * PIECE, duration: PIECE, streamId: '', seq, arrivalUs: 0, metadata: {} } }
    }
  },
})() as unknown as AnyHandle
const LANES = ['high', 'normal', 'low'] as const
/** Segments that do not need each other, one per lane given; ms of work each. */
const branches = (engine: Engine, feed: Feed, lanes: readonly number[], count = 4): Record<string, AnyHandle> =>
  Object.fromEntries(lanes.map((lane, i) => [
    `out${i}`, (resample as unknown as Loose).with({ policy: { priority: LANES[lane]! } })(
      feed === 'chunks'
        ? pieces(count)
        : audioBuffer(engine.audio.from([samples], { rate: 16_000, channels: 1, layout: 'planar' }, { copy: true })),
      { rate: 22_050, quality: 'best' },
    ),
  ]))
const run = async (engine: Engine, outputs: Record<string, AnyHandle>, options: RunOptions = {}): Promise<void> => {
  (await engine.run(outputs as never, options)).close()
}

const kept: (() => void)[] = []
afterEach(() => { for (const restore of kept.splice(0)) restore() })
/** Sets a method until the test has ended. */
function patch<T extends object, K extends keyof T>(on: T, key: K, make: (was: T[K]) => T[K]): void {
  const was = on[key]
  on[key] = make(was)
  kept.push(() => { on[key] = was })
}

/**
 * Most of a run that workers have at once: on shared memory tasks and groups of one task that may be taken, on private memory workers that
 * were told to execute. `ended`: pieces so far, also told as they end.
 */
function most(end: (ended: number) => void = () => undefined): { now: () => number; ended: () => number } {
  let top = 0, shared = 0, ended = 0
  const count = (n: number): void => { top = Math.max(top, n) }, during = <T>(work: () => Promise<T>): Promise<T> => {
    count(++shared)
    return work().finally(() => { shared--; end(++ended) })
  }
  patch(SharedRun.prototype, 'activate', (was) => function (this: SharedRun, task) { return during(() => was.call(this, task)) })
  patch(SharedRun.prototype, 'complete', (was) => function (this: SharedRun) { return during(() => was.call(this)) })
  const busy = new Map<RemoteWorker, number>(), on = new Map<number, RemoteWorker>(), told = (worker: RemoteWorker, by: number): void => {
    busy.set(worker, (busy.get(worker) ?? 0) + by)
    count([...busy.values()].filter((n) => n > 0).length)
  }
  patch(RemoteWorker.prototype, 'post', (was) => function (this: RemoteWorker, message, move) {
    const { kind, job } = message as JobRequest
    if (kind === 'job-open') on.set(job, this)
    if (kind === 'advance') told(this, 1)
    was.call(this, message, move)
  })
  patch(RemoteSegment.prototype, 'receive', (was) => function (this: RemoteSegment, reply) {
    if (reply.kind === 'result') told(on.get(reply.job)!, -1)
    was.call(this, reply)
    if (reply.kind === 'result') end(++ended)
  })
  return { now: () => top, ended: () => ended }
}

/** Something that was executed: its run's priority and age, its lane; when it was ready, and when it was decided that it goes next. */
interface Done {
  readonly priority: number
  readonly age: number
  readonly lane: number
  readonly ready: number
  decided: number
  start: number
}
const outranks = (a: Done, b: Done): boolean => (b.priority - a.priority || a.age - b.age || a.lane - b.lane) < 0

/** Events in order, on the engine's thread. */
function traceTurns(): Done[] {
  const done: Done[] = []
  let at = 0
  patch(DispatchQueue.prototype, 'enter', (was) => function (this: DispatchQueue<unknown>, piece, readyUs, signal) {
    const { share: { priority, age }, lane } = piece
    const one = { priority, age, lane, ready: ++at, decided: 0, start: 0 }
    const handed = was.call(this, piece, readyUs, signal)
    const note = <T>(mine: T): T => { if (mine !== undefined) { one.decided = one.start = ++at; done.push(one) } return mine }
    return handed instanceof Promise ? handed.then(note) : note(handed)
  })
  return done
}

/** Times of the engine's clock, from the threads that execute; the one worker decides when it has ended what it did before. */
function traceTasks(engine: Engine): Done[] {
  const done: Done[] = [], ready = new Map<number, Pick<Done, 'priority' | 'age' | 'lane' | 'ready'>>(), { arena } = engine.parts,
    nowUs = (): number => engine.parts.clock.nowUs()
  // Whose a task is, by what the engine said of its run: what stands in the run's record is what is tested.
  const shares = new WeakMap<SegmentPlan, RunShare>()
  let saved: SegmentPlan | undefined
  patch(SharedExecutor.prototype, 'open', (was) =>
    function (this: SharedExecutor, plan, outputs, scope) { shares.set(plan, scope.share!); return was.call(this, plan, outputs, scope) })
  patch(SharedExecutor.prototype, 'runValues', (was) => function (this: SharedExecutor, tasks, scope) {
    for (const { plan } of tasks) shares.set(plan, scope.share!)
    return was.call(this, tasks, scope)
  })
  patch(EngineSegment.prototype, 'save', (was) => function (this: EngineSegment) { saved = this.plan; was.call(this) })
  patch(RunTable.prototype, 'push', (was) => function (this: RunTable, index, us) {
    was.call(this, index, us)
    const { priority, age } = shares.get(saved!)!, task = this.task(index)
    ready.set(task, { priority, age, lane: arena.u32[(task + TASK.LANE) >>> 2]!, ready: nowUs() })
  })
  let before = 0
  patch(RunTable.prototype, 'times', (was) => function (this: RunTable, index) {
    const times = was.call(this, index)
    done.push({ ...ready.get(this.task(index))!, decided: times.startUs + times.busyUs, start: times.startUs })
    return times
  })
  return new Proxy(done, { get: (target, key) => {
    // Ends become the decisions of who came next.
    if (key === 'sorted') return () => {
      const all = [...target].sort((a, b) => a.start - b.start)
      return all.map((one) => { const decided = before; before = one.decided; return { ...one, decided } })
    }
    return Reflect.get(target, key) as unknown
  } }) as Done[]
}

/**
 * What went although something more urgent had been ready for so long when that was decided; and how
 * many decisions there were between unequals.
 */
function judge(all: readonly Done[], margin: number): { wrong: number; choices: number } {
  let wrong = 0, choices = 0
  for (const one of all) for (const other of all) {
    if (other.ready > one.decided - margin || other.start <= one.start) continue
    if (outranks(other, one)) wrong++
    else if (outranks(one, other)) choices++
  }
  return { wrong, choices }
}

describe.each(CASES)('%s memory, %s', (mode, feed) => {
  const watch = (engine: Engine): (() => { wrong: number; choices: number }) => {
    // Two threads' clocks differ by less than a millisecond.
    if (mode === 'shared') { const done = traceTasks(engine) as Done[] & { sorted(): Done[] }; return () => judge(done.sorted(), 1_000) }
    const done = traceTurns()
    return () => judge(done, 0)
  }

  test('a limit of one with four workers: never two at once; without it there are', async () => {
    await using engine = await open(mode, 4)
    const outputs = (): Record<string, AnyHandle> => branches(engine, feed, [1, 1, 1, 1])
    if (mode === 'shared' && feed === 'whole') {
      const limits: number[] = []
      patch(RunTable.prototype, 'push', (was) => function (this: RunTable, index, us) {
        limits.push(engine.parts.arena.u32[(engine.parts.arena.base + ARENA.RUNS + this.index * RUN.BYTES + RUN.LIMIT) >>> 2]!)
        was.call(this, index, us)
      })
      await run(engine, outputs(), { workers: 1 })
      await run(engine, outputs(), { workers: 3 })
      // Who takes tasks holds them against this word: test/kernels/threads.
      expect(limits).toEqual([1, 1, 1, 1, 3, 3, 3, 3])
      return
    }
    const seen = most()
    await run(engine, outputs(), { workers: 1 })
    expect(seen.now()).toBe(1)
    await run(engine, outputs(), { workers: 2 })
    expect(seen.now()).toBeLessThanOrEqual(2)
    // One may end before the next one begins.
    for (let n = 0; n < 20 && seen.now() < 2; n++) await run(engine, outputs())
    expect(seen.now()).toBeGreaterThanOrEqual(2)
  }, 30_000)

  test('runs of unequal priority and age on one worker: nothing goes before what is more urgent', async () => {
    await using engine = await open(mode, 1)
    await run(engine, branches(engine, feed, [1]))
    const result = watch(engine)
    const runs = [[-5], [0], [0], [50]].map(([priority]) => run(engine, branches(engine, feed, [1, 1, 1]), { priority: priority! }))
    await Promise.all(runs)
    const { wrong, choices } = result()
    expect([wrong, choices > 0]).toEqual([0, true])
  }, 30_000)

  test('three lanes on one worker: nothing goes before what is in a higher lane', async () => {
    await using engine = await open(mode, 1)
    await run(engine, branches(engine, feed, [1]))
    const result = watch(engine)
    await run(engine, branches(engine, feed, [2, 1, 0, 2, 1, 0]))
    const { wrong, choices } = result()
    expect([wrong, choices > 0]).toEqual([0, true])
  }, 30_000)
})

describe('private memory, passes behind each other', () => {
  /**
   * What each segment was told and answered. `idle`: passes that ended while the next chunk was there and its pass had not been asked for;
   * `ahead`: those that ended with the next one asked for.
   */
  const watch = (): Map<number, { priority: number; given: number; asked: number; answered: number; idle: number; ahead: number }> => {
    const seen: ReturnType<typeof watch> = new Map()
    patch(RemoteWorker.prototype, 'post', (was) => function (this: RemoteWorker, message, move) {
      const { kind, job } = message as JobRequest, one = seen.get(job)
      if (kind === 'job-open') seen.set(job, { priority: NaN, given: 0, asked: 0, answered: 0, idle: 0, ahead: 0 })
      else if (kind === 'chunk') one!.given++
      else if (kind === 'advance') one!.asked++
      was.call(this, message, move)
    })
    patch(RemoteSegment.prototype, 'receive', (was) => function (this: RemoteSegment, reply) {
      const one = seen.get(reply.job)
      if (one !== undefined && reply.kind === 'result') {
        one.priority = this.share!.priority
        one.answered++
        if (one.asked > one.answered) one.ahead++
        else if (one.given > one.answered) one.idle++
      }
      was.call(this, reply)
    })
    return seen
  }

  test('beside a run of low priority the next pass of a high one is asked for while one runs, whenever its chunk is there', async () => {
    await using engine = await open('transfer', 1)
    await run(engine, branches(engine, 'chunks', [1]))
    const seen = watch(), stop = new AbortController()
    const passes = (priority: number): { given: number; idle: number; ahead: number } | undefined => [...seen.values()].find((one) =>
      one.priority === priority)
    const low = run(engine, branches(engine, 'chunks', [1], 10_000), { priority: -5, signal: stop.signal }).catch((error: unknown) => error)
    while (!((passes(-5)?.ahead ?? 0) > 0)) await engine.parts.clock.sleep(1)
    await run(engine, branches(engine, 'chunks', [1], 12), { priority: 5 })
    stop.abort()
    expect(await low).toMatchObject({ code: 'CANCELLED' })
    const { given, idle, ahead } = passes(5)!
    expect([given, idle, ahead > 0]).toEqual([12, 0, true])
  }, 30_000)

  test('two segments of one rank take turns, and each has its next pass behind the one that runs', async () => {
    await using engine = await open('transfer', 1)
    const seen = watch()
    await run(engine, branches(engine, 'chunks', [1, 1], 12))
    const all = [...seen.values()]
    expect(all.map(({ given }) => given)).toEqual([12, 12])
    for (const { ahead } of all) expect(ahead).toBeGreaterThan(0)
  }, 30_000)
})

describe.each(MODES)('%s memory', (mode) => {
  test('whole values and chunks of one run go by one limit', async () => {
    await using engine = await open(mode, 4)
    const seen = most()
    await run(engine, {
      ...Object.fromEntries(Object.entries(branches(engine, 'whole', [1, 1])).map(([name, output]) => [`${name}w`, output])),
      ...branches(engine, 'chunks', [1, 1]),
    }, { workers: 1 })
    expect(seen.now()).toBe(1)
    expect(seen.ended()).toBeGreaterThan(4)
  }, 30_000)

  test('what a run runs within it has its priority, its age and its limit', async () => {
    await using engine = await open(mode, 2)
    const inner = branches(engine, 'chunks', [1, 1])
    const expands = defineNode({
      type: 'test::expands', version: '1.0.0', title: 'Expands', doc: 'Runs a graph.', family: 'test', params: {}, inputs: {},
      outputs: { out0: { media: audio({ discovered: true }) }, out1: { media: audio({ discovered: true }) } },
      process: (_inputs, _params, ctx) => ctx.expand(graphFrom(inner as never)),
    })() as unknown as { out0: AnyHandle; out1: AnyHandle }
    const seen = most(), ages = new Set<number>(), turns = traceTurns()
    await run(engine, { ...branches(engine, 'chunks', [1]), x: expands.out0, y: expands.out1 }, { priority: 7, workers: 1 })
    for (const { priority, age } of turns) { expect(priority).toBe(7); ages.add(age) }
    expect([ages.size, seen.now()]).toEqual([1, 1])
    expect(seen.ended()).toBeGreaterThan(8)
  }, 30_000)

  test.runIf(
    hostFacts().node,
  )('workers that are lost under a limit: what they had is delivered again, and gives the same samples', async () => {
    await using engine = await open(mode, 2)
    const endAll = threadEnder()
    const plain = await engine.run(branches(engine, 'chunks', [1, 1, 1]) as never) as unknown as {
      outputs: Record<string, { data: AudioBuffer }>
      close(): void
    }
    const bits = ({ outputs }: typeof plain): unknown[] => Object.values(outputs).map(({ data }) =>
      [data.frames, (data.toArray() as Float32Array).reduce((sum, x, n) => Math.imul(sum ^ Math.round(x * 2 ** 30), 31) + n | 0, 7)])
    const expected = bits(plain)
    plain.close()
    let kills = 0
    most((ended) => { if (ended === 2 || ended === 6) { endAll(); kills++ } })
    const result = await (engine.run(branches(engine, 'chunks', [1, 1, 1]) as never, { workers: 1 }) as unknown as Promise<typeof plain>)
    expect([bits(result), kills]).toEqual([expected, 2])
    result.close()
  }, 30_000)
})
