/**
 * Jobs on a worker's own memory, seen from the engine, by a clock that the test moves: whose grace it is (MW-50), and what a
 * close does to a segment that is placed again.
 */
import { describe, expect, test } from 'vitest'
import { encodeError } from '../../src/errors/codec.js'
import { isMillraceError } from '../../src/errors/millrace-error.js'
import type { Packet } from '../../src/media/packet.js'
import type { RunScope } from '../../src/schedule/open-segment.js'
import { releasePacket } from '../../src/schedule/packet-data.js'
import type { SegmentPlan } from '../../src/schedule/segment-plan.js'
import { BufferPool } from '../../src/workers/buffer-pool.js'
import { ChunkedSegment } from '../../src/workers/chunked-segment.js'
import { DispatchQueue, type Handed } from '../../src/workers/dispatch-queue.js'
import { workerErrors } from '../../src/workers/errors.js'
import { PendingCalls } from '../../src/workers/pending.js'
import type { JobReply, JobRequest } from '../../src/workers/protocol.js'
import { RemoteSegment } from '../../src/workers/remote-segment.js'
import type { RemoteWorker } from '../../src/workers/remote-worker.js'
import { TransferExecutor, type TransferOptions } from '../../src/workers/transfer-executor.js'

const plan = { index: 0, nodes: [{ spec: { nodeId: 'n', type: 't' } }], buffers: [] } as unknown as SegmentPlan
const ticks = async (): Promise<void> => { for (let n = 0; n < 20; n++) await Promise.resolve() }

/** Engine's side of jobs on one worker; `pass`: lets all that sleep wake up. */
function bench(): { options: TransferOptions; worker: RemoteWorker; posted: JobRequest[]; lost: string[]; pass: () => Promise<void> } {
  const sleeping = new Set<() => void>(), posted: JobRequest[] = [], lost: string[] = []
  const worker = {
    ordinal: 1, open: 0, beatUs: 0, ended: false, executing: new Set(), pending: new PendingCalls(),
    post: (request: JobRequest) => { posted.push(request) },
  }
  const options = {
    workers: 1, buffers: new BufferPool(),
    pool: {
      hold: () => () => undefined, ensure: () => Promise.resolve(),
      lose: (_worker: unknown, _reason: string, detail: string) => { lost.push(detail) },
    },
    clock: {
      nowUs: () => 0,
      sleep: (_ms: number, signal: AbortSignal) =>
        new Promise<void>((resolve) => { sleeping.add(resolve); signal.addEventListener('abort', () => { resolve() }) }),
    },
  }
  return {
    options: options as unknown as TransferOptions, worker: worker as unknown as RemoteWorker, posted, lost,
    pass: async () => { for (const wake of sleeping) wake(); sleeping.clear(); await ticks() },
  }
}
const scopeOf = (signal: AbortSignal): RunScope => ({ signal, progressed: () => undefined, runId: 'r', startUs: 0 }) as unknown as RunScope

describe('jobs that share a worker', () => {
  test('the grace of a job that waits begins when it runs: the worker of another is not ended for it', async () => {
    const { options, worker, posted, lost, pass } = bench(), stop = new AbortController()
    const [a, b] = [new AbortController(), stop].map(({ signal }, job) => new RemoteSegment(plan, new Map(), {
      job, scope: scopeOf(signal), worker, options, done: () => undefined,
    })) as [RemoteSegment, RemoteSegment]
    const done = a.advance(), never = b.advance()
    never.catch(() => undefined)
    stop.abort()
    expect(posted.at(-1)).toEqual({ kind: 'job-cancel', job: 1 })
    for (let n = 0; n < 3; n++) await pass()
    expect(lost).toEqual([])
    a.receive({
      kind: 'result', job: 0, done: true, hungry: [], outputs: [], collected: [], spent: [],
      report: { steps: [], passes: 0, busyUs: 0, queuedUs: 0, startUs: 0, worker: -1, copyBytes: 0 },
    })
    await done
    // The sleep in which it came to run is not its grace.
    await pass()
    expect(lost).toEqual([])
    await pass()
    expect(lost).toEqual(['did not stop when cancelled'])
  })
})

describe('a segment that is placed again', () => {
  const lost = workerErrors.WORKER_LOST({ worker: 1, reason: 'test', node: 'n', delivery: 1, deliveries: 4 })
  const report = { steps: [], passes: 0, busyUs: 0, queuedUs: 0, startUs: 0, worker: -1, copyBytes: 0 }
  const codeOf = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'settled', (error: unknown) =>
    isMillraceError(error) && error.code)

  test('is closed meanwhile: the new job is closed, what was asked for is rejected', async () => {
    const { options, pass } = bench(), said: string[] = []
    let place: () => void = () => undefined, placed = 0
    const job = (n: number): RemoteSegment => ({
      worker: { ordinal: n }, hungry: () => [], report: () => report, close: () => { said.push(`close ${n}`); return Promise.resolve() },
      advance: () => { said.push(`advance ${n}`); return n === 1 ? Promise.reject(lost) : new Promise(() => undefined) },
    }) as unknown as RemoteSegment
    const segment = new ChunkedSegment(plan, new Map(), scopeOf(new AbortController().signal), options, async () => {
      const n = ++placed
      if (n > 1) await new Promise<void>((resolve) => { place = resolve })
      return job(n)
    })
    await segment.open()
    const ended = codeOf(segment.advance())
    await ticks()
    await pass()
    await segment.close()
    place()
    await ticks()
    // A never settling one would end the test by its timeout.
    expect([await ended, said, placed]).toEqual(['CLOSED', ['advance 1', 'close 1', 'close 2'], 2])
  }, 2_000)

  test('what is asked of a closed job is rejected, not posted', async () => {
    const { options, worker, posted } = bench()
    const segment =
      new RemoteSegment(plan, new Map(), { job: 5, scope: scopeOf(new AbortController().signal), worker, options, done: () => undefined })
    const closing = segment.close()
    segment.receive({ kind: 'job-closed', job: 5 })
    await closing
    expect([await codeOf(segment.advance()), posted.map(({ kind }) => kind)]).toEqual(['CLOSED', ['job-cancel', 'job-close']])
  }, 2_000)
})

describe('chunks ahead', () => {
  const inputs = {
    ...plan,
    buffers: [0, 1].map((n) => ({ kind: 'input', value: `x${n}.out`, media: { kind: 'json' }, channels: 1, frameBytes: 4, readers: [0] })),
  } as unknown as SegmentPlan
  const report = { steps: [], passes: 0, busyUs: 0, queuedUs: 0, startUs: 0, worker: -1, copyBytes: 0 }
  const result = (job: number, hungry: readonly number[], done = false): JobReply => ({
    kind: 'result', job, done, hungry, outputs: [], collected: [], spent: [], report,
  })
  /** A packet of audio as far as owners see it: counts what was given back. */
  const tracked = (closed: string[], name: string): Packet => {
    const data = (id: string): object => ({
      handle: 1, channel: () => undefined, close: () => { closed.push(id) }, clone: () => data(`${id}'`),
    })
    return { media: { kind: 'json' }, data: data(name), position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {} }
  }

  test('an input is hungry when the worker says so, whatever was sent ahead; what is asked for ahead is answered in order; past the end and after a close nobody waits', async () => {
    const { options, worker, posted } = bench(), closed: string[] = []
    const make = (job: number): RemoteSegment =>
      new RemoteSegment(inputs, new Map(), { job, scope: scopeOf(new AbortController().signal), worker, options, done: () => undefined })
    const segment = make(1), first = segment.advance()
    segment.end(1, true)
    segment.goOnWith(false)
    expect([segment.goesOn, worker.executing.size]).toEqual([true, 1])
    segment.receive(result(1, [0]))
    await first
    // What comes in between.
    void segment.feed(0, tracked(closed, 'a'), true)
    expect([segment.hungry(), worker.executing.size]).toEqual([[0], 1])
    const second = segment.advance(false, false, [0])
    expect(segment.goesOn).toBe(false)
    segment.goOnWith(true)
    segment.receive(result(1, [], true))
    expect((await second).done).toBe(true)
    await ticks()
    // The third is never answered, and nobody heard of it.
    expect(worker.executing.size).toBe(0)
    expect(posted).toMatchObject([
      { kind: 'advance', take: [] },
      { kind: 'input-end', buffer: 1, ahead: true },
      { kind: 'advance', snapshot: false },
      { kind: 'chunk', buffer: 0, ahead: true },
      { kind: 'advance', snapshot: true },
    ])
    expect(posted.flatMap((request) => request.kind === 'advance' ? ['take' in request] : [])).toEqual([true, false, false])
    const other = make(2), asked = other.advance().then(() => 'given', (error: unknown) => isMillraceError(error) && error.code)
    other.goOnWith(false)
    const closing = other.close()
    other.receive(result(2, [0]))
    other.receive({ kind: 'job-closed', job: 2 })
    await closing
    expect([await asked, worker.executing.size]).toEqual(['CLOSED', 0])
  }, 2_000)

  test.each(['behind another pass', 'alone'])(
    'a pass that waits for its turn lets none be asked for behind it; when it is what runs, its driver is told and may: %s',
    async (how) => {
      const { options, worker, posted } = bench(), share = { priority: 0, limit: 1, age: 0 }
      const said: boolean[] = [], { signal } = new AbortController()
      const queue = new DispatchQueue(() => [worker], 2)
      const hand = (limit: number): Handed<RemoteWorker> =>
        queue.enter({ share: limit === 1 ? share : { ...share, limit }, lane: 1, index: 9 }, 0, signal) as Handed<RemoteWorker>
      const other = hand(1), first = how === 'alone' ? undefined : hand(0)
      const segment = new RemoteSegment(inputs, new Map(), {
        job: 1, scope: { ...scopeOf(signal), share }, worker, options, done: () => undefined, turns: queue,
        room: () => { said.push(segment.mayGoOn()) },
      })
      segment.advance().catch(() => undefined)
      await ticks()
      expect([segment.mayGoOn(), posted, said]).toEqual([false, [], []])
      // Its run may use one worker: it has its turn now.
      other.leave()
      await ticks()
      expect(posted.map(({ kind }) => kind)).toEqual(['advance'])
      first?.leave()
      expect(said).toEqual([false, true])
      segment.goOnWith(false)
      expect(posted.length).toBe(2)
    },
    2_000,
  )

  test('what was fed ahead and not read is given back with the segment, once', async () => {
    const { options } = bench(), closed: string[] = [], fed: [number, boolean][] = []
    let answer: (hungry: readonly number[]) => void = () => undefined, hungry: readonly number[] = [0, 1]
    const job = {
      worker: { ordinal: 1 }, goesOn: false, hungry: () => hungry, report: () => report, close: () => Promise.resolve(),
      feed: (
        buffer: number, packet: Packet, ahead: boolean,
      ) => { fed.push([buffer, ahead]); releasePacket(packet); return Promise.resolve() },
      advance: () =>
        new Promise((resolve) => { answer = (next) => { hungry = next; resolve({ done: false, outputs: [], snapshot: undefined }) } }),
    } as unknown as RemoteSegment
    const segment = new ChunkedSegment(inputs, new Map(), scopeOf(new AbortController().signal), options, () => Promise.resolve(job))
    await segment.open()
    expect([segment.hungry(), segment.ahead()]).toEqual([[0, 1], []])
    for (const n of [0, 1]) await segment.feed(n, tracked(closed, `now ${n}`))
    const advanced = segment.advance()
    await ticks()
    expect(segment.ahead()).toEqual([0, 1])
    for (const n of [0, 1]) await segment.feed(n, tracked(closed, `next ${n}`))
    expect([segment.ahead(), fed]).toEqual([[], [[0, false], [1, false], [0, true], [1, true]]])
    answer([1])
    await advanced
    expect([segment.hungry(), segment.ahead()]).toEqual([[], []])
    const again = segment.advance()
    await ticks()
    // The one that was hungry has read it; the other one's waits.
    expect(segment.ahead()).toEqual([1])
    answer([])
    await again
    expect(closed.filter((name) => !name.endsWith("'"))).toEqual([])
    await segment.close()
    expect(closed.filter((name) => !name.endsWith("'")).sort()).toEqual(['next 0', 'next 1', 'now 0', 'now 1'])
  }, 2_000)
})

test('deliveries are counted for each task: five that lose their worker once each do not fail together', async () => {
  const { options, worker } = bench(), toLose = [0, 1, 2, 3, 4], jobs = new Map<number, number>()
  const lost = workerErrors.WORKER_LOST({ worker: 1, reason: 'test', node: 'n', delivery: 1, deliveries: 4 })
  let say: (worker: RemoteWorker, event: JobReply) => void = () => undefined
  const answer = (request: JobRequest): JobReply | undefined => {
    const { job } = request
    if (request.kind === 'job-open') { jobs.set(job, request.plan.index); return { kind: 'job-opened', job, hungry: [] } }
    if (request.kind === 'job-close') return { kind: 'job-closed', job }
    if (request.kind !== 'advance') return undefined
    if (jobs.get(job) !== toLose[0]) {
      return {
        kind: 'result', job, done: true, hungry: [], outputs: [], collected: [], spent: [],
        report: { steps: [], passes: 0, busyUs: 0, queuedUs: 0, startUs: 0, worker: -1, copyBytes: 0 },
      }
    }
    toLose.shift()
    return { kind: 'job-failed', job, error: encodeError(lost) }
  }
  worker.post = (request) => {
    const reply = answer(request as JobRequest)
    if (reply !== undefined) queueMicrotask(() => { say(worker, reply) })
  }
  const executor = new TransferExecutor({
    ...options, clock: { ...options.clock, sleep: () => Promise.resolve() },
    pool: { ...options.pool, workers: [worker], onEvent: (hear: typeof say) => { say = hear } },
  } as unknown as TransferOptions)
  const tasks = toLose.map((index) => ({ plan: { ...plan, index }, outputs: new Map(), literals: new Map(), links: new Map() }))
  const segments = await executor.runValues(tasks, scopeOf(new AbortController().signal))
  expect(toLose).toEqual([])
  for (const segment of segments) expect(segment.report().deliveries).toBeGreaterThanOrEqual(2)
  await expect(executor.runValues(tasks, scopeOf(AbortSignal.abort(new Error('stopped'))))).rejects.toThrow('stopped')
}, 2_000)
