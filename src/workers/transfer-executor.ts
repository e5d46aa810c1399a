import { commonErrors } from '../errors/common-errors.js'
import { decodeError } from '../errors/codec.js'
import { isMillraceError, type MillraceError } from '../errors/millrace-error.js'
import type { Arena } from '../memory/arena.js'
import type { Packet } from '../media/packet.js'
import type { Advance, OpenSegment, OutputMode, RunScope, SegmentExecutor, SegmentReport, ValueTask } from '../schedule/open-segment.js'
import { releasePacket, sharePacket } from '../schedule/packet-data.js'
import { nodeOf } from '../schedule/resolved-graph.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'
import type { Clock } from '../schedule/clock.js'
import { MOST_REDELIVERIES, redeliveryDelayMs } from '../schedule/policy/redelivery.js'
import { workerErrors } from './errors.js'
import { CANCEL_GRACE_MS, type WorkerPool } from './pool.js'
import type { JobReply, JobRequest, KernelBinding, WirePacket } from './protocol.js'
import type { RemoteWorker } from './remote-worker.js'
import { copyWire, packPacket, unpackPacket, wireBytes } from './wire-packet.js'

/** What a transfer executor works with. `kernels`: numbers of a plan's kernels. `workers`: how many to start. */
export interface TransferOptions {
  readonly pool: WorkerPool
  readonly arena: Arena
  readonly clock: Clock
  readonly workers: number
  readonly kernels: (plans: readonly SegmentPlan[]) => readonly KernelBinding[]
}

/** Whole-value jobs that a worker has at a time: one runs, one waits with its inputs (MW-57). */
const MOST_JOBS = 2
interface Place { readonly worker: RemoteWorker; readonly leave: () => void }

/** Executes segments on workers with memory of their own, the least busy worker first (MW-57). What one segment gives another is moved on without touching the engine's arena. */
export class TransferExecutor implements SegmentExecutor {
  readonly where = 'worker' as const
  readonly #o: TransferOptions
  readonly #open = new Map<number, RemoteSegment>()
  readonly #placed = new WeakMap<RemoteWorker, number>()
  readonly #waiting: (() => void)[] = []
  #jobs = 0

  constructor(options: TransferOptions) {
    this.#o = options
    options.pool.onEvent((_worker, event) => {
      if ('job' in event) this.#open.get(event.job)?.receive(event)
    })
  }

  async prepare(plans: readonly SegmentPlan[]): Promise<void> {
    await this.#o.pool.register(this.#o.kernels(plans))
    await this.#o.pool.ensure(this.#o.workers)
  }

  async open(plan: SegmentPlan, outputs: ReadonlyMap<number, OutputMode>, scope: RunScope, on?: RemoteWorker): Promise<OpenSegment> {
    const worker = on ?? await this.#leastBusy(), job = ++this.#jobs
    const segment = new RemoteSegment(job, plan, outputs, scope, worker, this.#o, () => { this.#open.delete(job) })
    this.#open.set(job, segment)
    try {
      await segment.start()
    } catch (error) {
      await segment.close()
      throw error
    }
    return segment
  }

  /** What a lost worker had is gone with its memory, and so is what was moved to it: the tasks begin again, with the inputs that are kept here until they are done (MW-47). */
  async runValues(tasks: readonly ValueTask[], scope: RunScope): Promise<readonly OpenSegment[]> {
    const kept = tasks.map(({ literals }) => new Map(literals))
    for (const { literals } of tasks) literals.clear()
    try {
      for (let delivery = 1; ; delivery++) {
        try {
          return await this.#deliver(tasks.map((task, t) => ({ ...task, literals: new Map([...kept[t]!].map(([buffer, packet]) => [buffer, sharePacket(packet)])) })), scope)
        } catch (error) {
          if (!(error instanceof LostTask)) throw error
          if (delivery > MOST_REDELIVERIES) throw error.final(delivery)
          await this.#o.clock.sleep(redeliveryDelayMs(delivery), scope.signal)
          if (scope.signal.aborted) throw scope.signal.reason
          await this.#o.pool.ensure(this.#o.workers)
        }
      }
    } finally { for (const literals of kept) for (const packet of literals.values()) releasePacket(packet) }
  }

  async #deliver(tasks: readonly ValueTask[], scope: RunScope): Promise<readonly OpenSegment[]> {
    const running: Promise<RemoteSegment>[] = [], readers = new Map<string, number>()
    for (const { links } of tasks) for (const { task, value } of links.values()) readers.set(`${task} ${value}`, (readers.get(`${task} ${value}`) ?? 0) + 1)
    for (const task of tasks) running.push(this.#runValue(task, running, readers, scope))
    const settled = await Promise.allSettled(running)
    const rejected = settled.filter((one) => one.status === 'rejected'), failed = rejected.find(({ reason }) => !(reason instanceof LostTask)) ?? rejected[0]
    if (failed === undefined) return settled.map((one) => (one as PromiseFulfilledResult<RemoteSegment>).value)
    await Promise.all(settled.map((one) => one.status === 'fulfilled' ? one.value.close() : undefined))
    throw failed.reason
  }

  async #runValue(task: ValueTask, running: readonly Promise<RemoteSegment>[], readers: Map<string, number>, scope: RunScope): Promise<RemoteSegment> {
    const inputs = task.literals, wires: [buffer: number, wire: WirePacket][] = []
    let segment: RemoteSegment | undefined, place: Place | undefined
    try {
      for (const { task: writer } of task.links.values()) await running[writer]
      place = await this.#place(scope.signal)
      // In one go: who reads a value last takes it, the others get copies.
      for (const [buffer, { task: writer, value }] of task.links) {
        const key = `${writer} ${value}`, left = readers.get(key)! - 1
        readers.set(key, left)
        wires.push([buffer, (await running[writer]!).hand(value, left === 0)])
      }
      segment = await this.open(task.plan, task.outputs, scope, place.worker) as RemoteSegment
      for (const [buffer, wire] of wires) segment.forward(buffer, wire)
      for (const [buffer, packet] of inputs) {
        inputs.delete(buffer)
        await segment.feed(buffer, packet)
        segment.end(buffer)
      }
      while (!(await segment.advance()).done);
      return segment
    } catch (error) {
      for (const packet of inputs.values()) releasePacket(packet)
      inputs.clear()
      await segment?.close()
      throw isMillraceError(error) && error.code === 'WORKER_LOST' ? new LostTask(error, task.plan, place?.worker.ordinal ?? 0) : error
    } finally { place?.leave() }
  }

  /** A worker that has room for a whole-value job: one that runs and one that waits with its inputs there (MW-57). */
  async #place(signal: AbortSignal): Promise<Place> {
    for (;;) {
      if (signal.aborted) throw signal.reason
      const [least] = [...this.#o.pool.workers].sort((a, b) => (this.#placed.get(a) ?? 0) - (this.#placed.get(b) ?? 0))
      // All are lost, and those that come for them have not started.
      if (least === undefined) { await this.#o.pool.ensure(this.#o.workers); continue }
      const jobs = this.#placed.get(least) ?? 0
      if (jobs < MOST_JOBS) {
        this.#placed.set(least, jobs + 1)
        return { worker: least, leave: () => {
          this.#placed.set(least, this.#placed.get(least)! - 1)
          for (const wake of this.#waiting.splice(0)) wake()
        } }
      }
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
        signal.addEventListener('abort', () => { resolve() }, { once: true })
      })
    }
  }

  async #leastBusy(): Promise<RemoteWorker> {
    if (this.#o.pool.workers.length === 0) await this.#o.pool.ensure(this.#o.workers)
    const [least] = [...this.#o.pool.workers].sort((a, b) => a.open - b.open)
    if (least === undefined) throw this.#o.pool.broken ?? commonErrors.CLOSED({ thing: 'Pool', event: 'open' })
    return least
  }
}

/** A task that lost its worker. */
class LostTask extends Error {
  readonly #plan: SegmentPlan
  readonly #worker: number

  constructor(cause: MillraceError, plan: SegmentPlan, worker: number) {
    super(cause.message, { cause })
    this.#plan = plan
    this.#worker = worker
  }

  /** The last delivery is lost too: the error names what was executed. */
  final(delivery: number): MillraceError {
    const { cause } = this as { readonly cause?: unknown }, lost = cause as MillraceError, { spec } = this.#plan.nodes[0]!
    return workerErrors.WORKER_LOST({ worker: this.#worker, reason: String(lost.details['reason']), node: spec.nodeId, delivery, deliveries: MOST_REDELIVERIES + 1 }, {
      cause: lost.cause ?? lost, nodeId: spec.nodeId, nodeType: spec.type, retryable: false })
  }
}

type Reply<K extends JobReply['kind']> = Extract<JobReply, { readonly kind: K }>

/** A segment that runs on a worker's own memory; the engine's side of it. One request at a time waits for its answer. */
class RemoteSegment implements OpenSegment {
  readonly plan: SegmentPlan
  readonly worker: RemoteWorker
  readonly #job: number
  readonly #modes: ReadonlyMap<number, OutputMode>
  readonly #scope: RunScope
  readonly #o: TransferOptions
  readonly #done: () => void
  readonly #letGo: () => void
  readonly #collected = new Map<number, WirePacket>()
  readonly #settled = new AbortController()
  readonly #cancel = (): void => { this.#stop() }
  #hungry = new Set<number>()
  #report: SegmentReport = { steps: [], passes: 0, busyUs: 0, queuedUs: 0, startUs: 0, worker: -1, copyBytes: 0 }
  #copied = 0
  #answer: { readonly kind: JobReply['kind']; readonly resolve: (reply: JobReply) => void; readonly reject: (error: unknown) => void } | undefined
  #failure: { readonly error: unknown } | undefined
  #closed = false

  constructor(job: number, plan: SegmentPlan, modes: ReadonlyMap<number, OutputMode>, scope: RunScope, worker: RemoteWorker, options: TransferOptions, done: () => void) {
    this.#job = job
    this.plan = plan
    this.worker = worker
    this.#modes = modes
    this.#scope = scope
    this.#o = options
    this.#done = done
    this.#letGo = options.pool.hold()
    worker.open++
    scope.signal.addEventListener('abort', this.#cancel, { once: true })
  }

  async start(): Promise<void> {
    const { runId, startUs } = this.#scope
    const reply = await this.#ask('job-opened', { kind: 'job-open', job: this.#job, plan: this.plan, outputs: [...this.#modes], runId, startUs })
    this.#hungry = new Set(reply.hungry)
  }

  hungry(): readonly number[] { return [...this.#hungry] }

  feed(buffer: number, packet: Packet): Promise<void> {
    const { wire, transfer, bytes } = packPacket(packet, this.plan.buffers[buffer]!.value)
    this.#hungry.delete(buffer)
    // One copy here, one on the worker's side.
    this.#copied += 2 * bytes
    this.#post({ kind: 'chunk', job: this.#job, buffer, packet: wire }, transfer)
    this.#scope.progressed(this.plan.index, wire.audio?.frames ?? wire.duration)
    return Promise.resolve()
  }

  end(buffer: number): void {
    this.#hungry.delete(buffer)
    this.#post({ kind: 'input-end', job: this.#job, buffer })
  }

  async advance(): Promise<Advance> {
    const { executing } = this.worker
    if (executing.size === 0) this.worker.beatUs = this.#o.clock.nowUs()
    executing.add(this)
    const reply = await this.#ask('result', { kind: 'advance', job: this.#job }).finally(() => { executing.delete(this) })
    this.#hungry = new Set(reply.hungry)
    const outputs = reply.outputs.map(({ buffer, packet }) => {
      this.#copied += wireBytes(packet)
      return { buffer, packet: this.#unpack(buffer, packet) }
    })
    for (const { buffer, packet } of reply.collected) {
      this.#copied += wireBytes(packet)
      this.#collected.set(buffer, packet)
    }
    this.#report = { ...reply.report, worker: this.worker.ordinal, copyBytes: 0 }
    return { done: reply.done, outputs }
  }

  collected(buffer: number): Packet {
    return this.#unpack(buffer, this.#take(buffer, true))
  }

  /** A collected value for another segment: itself for the last reader, when nobody else wants it, else a copy. */
  hand(value: string, last: boolean): WirePacket {
    const buffer = this.plan.buffers.findIndex((one) => one.kind === 'output' && one.value === value), mode = this.#modes.get(buffer)
    if (last && mode?.mode === 'collect' && mode.wanted === false) return this.#take(buffer, true)
    const wire = copyWire(this.#take(buffer, false))
    this.#copied += wireBytes(wire)
    return wire
  }

  /** Moves what another segment gave into this one. */
  forward(buffer: number, wire: WirePacket): void {
    this.#hungry.delete(buffer)
    this.#copied += wireBytes(wire)
    this.#post({ kind: 'chunk', job: this.#job, buffer, packet: wire }, wire.audio === undefined ? [] : [wire.audio.bytes])
    this.#scope.progressed(this.plan.index, wire.audio?.frames ?? wire.duration)
    this.end(buffer)
  }

  report(): SegmentReport { return { ...this.#report, copyBytes: this.#copied } }

  #take(buffer: number, last: boolean): WirePacket {
    const wire = this.#collected.get(buffer)
    if (wire === undefined) throw commonErrors.INTERNAL({ what: `Segment ${this.plan.index}: output ${buffer} was not collected.` })
    if (last) this.#collected.delete(buffer)
    return wire
  }

  #unpack(buffer: number, wire: WirePacket): Packet {
    const { value } = this.plan.buffers[buffer]!, { memory } = this.#scope
    this.#copied += wireBytes(wire)
    return unpackPacket(this.#o.arena, wire, value, memory && { holder: memory.holder(nodeOf(value)) })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#scope.signal.removeEventListener('abort', this.#cancel)
    this.#collected.clear()
    try {
      if (!this.worker.ended) {
        this.#stop()
        this.#failure = undefined
        await this.#ask('job-closed', { kind: 'job-close', job: this.#job })
      }
    } catch {
      // The worker is gone, and its memory with it.
    } finally {
      this.#settled.abort()
      this.worker.open--
      this.#done()
      this.#letGo()
    }
  }

  /** Tells the worker to stop; a kernel that does not return within the grace loses its thread (MW-50). */
  #stop(): void {
    this.#post({ kind: 'job-cancel', job: this.#job })
    void this.#o.clock.sleep(CANCEL_GRACE_MS, this.#settled.signal).then(() => {
      if (!this.#settled.signal.aborted && this.#answer !== undefined) this.#o.pool.lose(this.worker, 'terminated', 'did not stop when cancelled')
    })
  }

  /** A reply of the worker. */
  receive(reply: JobReply): void {
    if (reply.kind === 'job-failed') {
      const error = decodeError(reply.error)
      this.#failure ??= { error }
      if (this.#answer?.kind !== 'job-closed') {
        this.#answer?.reject(error)
        this.#answer = undefined
      }
      // Its stack and state are unknown now (MW-49). After the caller has the trap itself, else it would get the loss.
      if (isMillraceError(error) && error.code === 'KERNEL_TRAP') queueMicrotask(() => { this.#o.pool.lose(this.worker, 'trap', error.message, error) })
      return
    }
    if (this.#answer?.kind !== reply.kind) return
    const { resolve } = this.#answer
    this.#answer = undefined
    resolve(reply)
  }

  #ask<K extends Exclude<JobReply['kind'], 'job-failed'>>(kind: K, request: JobRequest): Promise<Reply<K>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error as Error)
    return this.worker.pending.call(() => new Promise<JobReply>((resolve, reject) => {
      this.#answer = { kind, resolve, reject }
      this.#post(request)
    })) as Promise<Reply<K>>
  }

  #post(request: JobRequest, move: readonly Transferable[] = []): void { if (!this.worker.ended) this.worker.post(request, move) }
}
