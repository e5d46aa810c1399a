import { commonErrors } from '../errors/common-errors.js'
import type { MillraceError } from '../errors/millrace-error.js'
import type { Arena } from '../memory/arena.js'
import type { OpenSegment, OutputMode, RunScope, RunShare, SegmentExecutor, ValueTask } from '../schedule/open-segment.js'
import { releasePacket, sharePacket } from '../schedule/packet-data.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'
import type { Clock } from '../schedule/clock.js'
import { MOST_REDELIVERIES, redeliveryDelayMs } from '../schedule/policy/redelivery.js'
import { ChunkedSegment } from './chunked-segment.js'
import { isLoss, poisonSegment } from './lost-job.js'
import type { BufferPool } from './buffer-pool.js'
import { DispatchQueue, pieceOf, type Handed } from './dispatch-queue.js'
import type { FactBits } from './facts.js'
import { onAbort } from '../schedule/on-abort.js'
import type { WorkerPool } from './pool.js'
import type { KernelBinding, WirePacket } from './protocol.js'
import { RemoteSegment, type RemoteJob } from './remote-segment.js'
import type { RemoteWorker } from './remote-worker.js'

/**
 * What a transfer executor works with. `kernels`: numbers of a plan's kernels. `workers`: how many
 * to start. `buffers`: in which chunks travel.
 */
export interface TransferOptions {
  readonly pool: WorkerPool
  readonly arena: Arena
  readonly clock: Clock
  readonly buffers: BufferPool
  readonly workers: number
  /** What segments need and workers have; absent: all are equal. */
  readonly facts?: FactBits
  readonly kernels: (plans: readonly SegmentPlan[]) => readonly KernelBinding[]
}

/** What a worker has at a time, passes and whole-value jobs: one runs, one waits with its inputs (MW-57). */
const MOST_JOBS = 2
type Place = Handed<RemoteWorker>

/**
 * Executes segments on workers with memory of their own, the least busy worker first (MW-57). What one segment gives another is
 * moved on without touching the engine's arena.
 */
export class TransferExecutor implements SegmentExecutor {
  readonly where = 'worker' as const
  readonly #o: TransferOptions
  readonly #open = new Map<number, RemoteSegment>()
  readonly #turns: DispatchQueue<RemoteWorker>
  #jobs = 0

  constructor(options: TransferOptions) {
    this.#o = options
    this.#turns = new DispatchQueue(() => options.pool.workers, MOST_JOBS)
    options.pool.onEvent((_worker, event) => {
      if ('job' in event) this.#open.get(event.job)?.receive(event)
    })
  }

  async prepare(plans: readonly SegmentPlan[]): Promise<void> {
    await this.#o.pool.register(this.#o.kernels(plans))
    await this.#start(plans)
  }

  async open(plan: SegmentPlan, outputs: ReadonlyMap<number, OutputMode>, scope: RunScope): Promise<OpenSegment> {
    const segment = new ChunkedSegment(plan, outputs, scope, this.#o, async (_plan, modes, more) => {
      if (this.#fitting(plan).length === 0) await this.#start([plan])
      // In one go with the job, which makes its worker busier: runs that begin together go to different ones.
      return this.#remote(this.#leastBusy(plan, scope.share), plan, modes, { ...more, turns: this.#turns })
    })
    await segment.open()
    return segment
  }

  async #remote(
    worker: RemoteWorker, plan: SegmentPlan, outputs: ReadonlyMap<number, OutputMode>,
    more: Pick<RemoteJob, 'scope' | 'from' | 'collected' | 'turns' | 'room'>,
  ): Promise<RemoteSegment> {
    // Nobody would tell it any more.
    if (more.scope.signal.aborted) throw more.scope.signal.reason
    const job = ++this.#jobs
    const segment = new RemoteSegment(plan, outputs, { ...more, job, worker, options: this.#o, done: () => { this.#open.delete(job) } })
    this.#open.set(job, segment)
    try {
      await segment.start()
    } catch (error) {
      await segment.close()
      throw error
    }
    return segment
  }

  /**
   * What a lost worker had is gone with its memory, and so is what was moved to it: the tasks begin again, with the inputs that
   * are kept here until they are done (MW-47).
   */
  async runValues(tasks: readonly ValueTask[], scope: RunScope): Promise<readonly OpenSegment[]> {
    const kept = tasks.map(({ literals }) => new Map(literals)), given = tasks.map(() => 0), losses = tasks.map(() => 0)
    for (const { literals } of tasks) literals.clear()
    try {
      for (;;) {
        try {
          const segments = await this.#deliver(
            tasks.map((task, t) =>
              ({ ...task, literals: new Map([...kept[t]!].map(([buffer, packet]) => [buffer, sharePacket(packet)])) })),
            scope, given,
          )
          for (const [t, segment] of segments.entries()) segment.deliveries = given[t]!
          return segments
        } catch (error) {
          if (!(error instanceof LostTask)) throw error
          const lost = losses[error.task]! += 1
          if (lost > MOST_REDELIVERIES) throw error.final(lost)
          await this.#o.clock.sleep(redeliveryDelayMs(lost), scope.signal)
          if (scope.signal.aborted) throw scope.signal.reason
          await this.#o.pool.ensure(this.#o.workers)
        }
      }
    } finally { for (const literals of kept) for (const packet of literals.values()) releasePacket(packet) }
  }

  /** The first failure stops the others: what they do is lost with it. */
  async #deliver(tasks: readonly ValueTask[], scope: RunScope, given: number[]): Promise<readonly RemoteSegment[]> {
    const running: Promise<RemoteSegment>[] = [], readers = new Map<string, number>(), stop = new AbortController(), { signal } = stop
    for (const { links } of tasks) {
      for (const { task, value } of links.values()) readers.set(`${task} ${value}`, (readers.get(`${task} ${value}`) ?? 0) + 1)
    }
    const forward = (): void => { stop.abort(scope.signal.reason) }, deaf = onAbort(scope.signal, forward)
    if (scope.signal.aborted) forward()
    for (const [t, task] of tasks.entries()) {
      const one = this.#runValue(t, task, running, readers, { ...scope, signal }, given)
      // The first reason stays.
      one.catch((error: unknown) => { stop.abort(error) })
      running.push(one)
    }
    const settled = await Promise.allSettled(running)
    deaf()
    if (settled.every((one) => one.status === 'fulfilled')) return settled.map(({ value }) => value)
    await Promise.all(settled.map((one) => one.status === 'fulfilled' ? one.value.close() : undefined))
    throw signal.reason
  }

  async #runValue(
    t: number, task: ValueTask, running: readonly Promise<RemoteSegment>[], readers: Map<string, number>, scope: RunScope, given: number[],
  ): Promise<RemoteSegment> {
    const inputs = task.literals, wires: [buffer: number, wire: WirePacket][] = []
    let segment: RemoteSegment | undefined, place: Place | undefined
    try {
      for (const { task: writer } of task.links.values()) await running[writer]
      place = await this.#place(task.plan, scope)
      // In one go: who reads a value last takes it, the others get copies.
      for (const [buffer, { task: writer, value }] of task.links) {
        const key = `${writer} ${value}`, left = readers.get(key)! - 1
        readers.set(key, left)
        wires.push([buffer, (await running[writer]!).hand(value, left === 0)])
      }
      given[t]! += 1
      segment = await this.#remote(place.worker, task.plan, task.outputs, { scope })
      for (const [buffer, wire] of wires) segment.forward(buffer, wire)
      for (const [buffer, packet] of inputs) {
        inputs.delete(buffer)
        await segment.feedWhole(buffer, packet)
        segment.end(buffer)
      }
      while (!(await segment.advance()).done);
      return segment
    } catch (error) {
      for (const packet of inputs.values()) releasePacket(packet)
      inputs.clear()
      await segment?.close()
      throw isLoss(error) ? new LostTask(error, t, task.plan, place?.worker.ordinal ?? 0) : error
    } finally { place?.leave() }
  }

  /** Workers have come or gone. */
  look(): void { this.#turns.look() }

  /** A worker for a whole-value job: at once one that has nothing to do, else behind what one executes (MW-57). */
  async #place(plan: SegmentPlan, scope: RunScope): Promise<Place> {
    const need = this.#needs(plan)
    const piece = pieceOf<RemoteWorker>(plan, scope, { fits: ({ facts }) => (need & ~facts) === 0 })
    const readyUs = this.#o.clock.nowUs()
    for (;;) {
      const place = await this.#turns.enter(piece, readyUs, scope.signal)
      if (place !== undefined) return place
      // All are lost, and those that come for them have not started.
      await this.#start([plan])
    }
  }

  #needs(plan: SegmentPlan): number { return this.#o.facts?.ofSegment(plan) ?? 0 }

  /** Workers that have what a segment needs (MW-36). */
  #fitting(plan: SegmentPlan): RemoteWorker[] {
    const need = this.#needs(plan)
    return this.#o.pool.workers.filter(({ facts }) => (need & ~facts) === 0)
  }

  async #start(plans: readonly SegmentPlan[]): Promise<void> {
    const { pool, workers, facts } = this.#o
    await pool.ensure(workers, (live) => live.length > 0 && facts?.met(plans, live) !== false)
    facts?.require(plans, pool.workers)
  }

  /**
   * The worker with fewest segments. A run that may use only so many stays on those that it has: there its
   * passes need not wait for each other's workers.
   */
  #leastBusy(plan: SegmentPlan, share: RunShare | undefined): RemoteWorker {
    const fitting = this.#fitting(plan).sort((a, b) => a.open - b.open),
      used = new Set([...this.#open.values()].flatMap((segment) => share !== undefined && segment.share === share ? [segment.worker] : []))
    const least = share !== undefined && share.limit > 0 && used.size >= share.limit
      ? fitting.find((worker) => used.has(worker)) ?? fitting[0]
      : fitting[0]
    if (least === undefined) throw this.#o.pool.broken ?? commonErrors.CLOSED({ thing: 'Pool', event: 'open' })
    return least
  }
}

/** A task that lost its worker. */
class LostTask extends Error {
  readonly task: number
  readonly #plan: SegmentPlan
  readonly #worker: number

  constructor(cause: MillraceError, task: number, plan: SegmentPlan, worker: number) {
    super(cause.message, { cause })
    this.task = task
    this.#plan = plan
    this.#worker = worker
  }

  final(delivery: number): MillraceError {
    return poisonSegment((this as { readonly cause?: unknown }).cause as MillraceError, this.#plan, this.#worker, delivery)
  }
}
