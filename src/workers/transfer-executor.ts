import { commonErrors } from '../errors/common-errors.js'
import { decodeError } from '../errors/codec.js'
import { isMillraceError } from '../errors/millrace-error.js'
import type { Arena } from '../memory/arena.js'
import type { Packet } from '../media/packet.js'
import type { Advance, OpenSegment, OutputMode, RunScope, SegmentExecutor, SegmentReport, ValueTask } from '../schedule/open-segment.js'
import { releasePacket, sharePacket } from '../schedule/packet-data.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'
import type { Clock } from '../schedule/clock.js'
import { CANCEL_GRACE_MS, type WorkerPool } from './pool.js'
import type { JobReply, JobRequest, KernelBinding } from './protocol.js'
import type { RemoteWorker } from './remote-worker.js'
import { packPacket, unpackPacket } from './wire-packet.js'

/** What a transfer executor works with. `kernels`: numbers of a plan's kernels. `workers`: how many to start. */
export interface TransferOptions {
  readonly pool: WorkerPool
  readonly arena: Arena
  readonly clock: Clock
  readonly workers: number
  readonly kernels: (plans: readonly SegmentPlan[]) => readonly KernelBinding[]
}

/** Executes segments on workers with memory of their own: one segment at a time per worker, the least busy worker first (MW-57, simple form). */
export class TransferExecutor implements SegmentExecutor {
  readonly where = 'worker' as const
  readonly #o: TransferOptions
  readonly #open = new Map<number, RemoteSegment>()
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

  async open(plan: SegmentPlan, outputs: ReadonlyMap<number, OutputMode>, scope: RunScope): Promise<OpenSegment> {
    const worker = this.#leastBusy(), job = ++this.#jobs
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

  async runValues(tasks: readonly ValueTask[], scope: RunScope): Promise<readonly OpenSegment[]> {
    const running: Promise<RemoteSegment>[] = []
    for (const task of tasks) running.push(this.#runValue(task, running, scope))
    const settled = await Promise.allSettled(running)
    const failed = settled.find((one) => one.status === 'rejected')
    if (failed === undefined) return settled.map((one) => (one as PromiseFulfilledResult<RemoteSegment>).value)
    await Promise.all(settled.map((one) => one.status === 'fulfilled' ? one.value.close() : undefined))
    throw failed.reason
  }

  async #runValue(task: ValueTask, running: readonly Promise<RemoteSegment>[], scope: RunScope): Promise<RemoteSegment> {
    const inputs = new Map(task.literals)
    let segment: RemoteSegment | undefined
    try {
      for (const [buffer, { task: writer, value }] of task.links) inputs.set(buffer, (await running[writer]!).share(value))
      segment = await this.open(task.plan, task.outputs, scope) as RemoteSegment
      for (const [buffer, packet] of inputs) {
        inputs.delete(buffer)
        await segment.feed(buffer, packet)
        segment.end(buffer)
      }
      while (!(await segment.advance()).done);
      return segment
    } catch (error) {
      for (const packet of inputs.values()) releasePacket(packet)
      await segment?.close()
      throw error
    }
  }

  #leastBusy(): RemoteWorker {
    const [least] = [...this.#o.pool.workers].sort((a, b) => a.open - b.open)
    if (least === undefined) throw commonErrors.CLOSED({ thing: 'Pool', event: 'open' })
    return least
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
  readonly #collected = new Map<number, Packet>()
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
    this.worker.executing++
    const reply = await this.#ask('result', { kind: 'advance', job: this.#job }).finally(() => { this.worker.executing-- })
    this.#hungry = new Set(reply.hungry)
    const unpack = ({ buffer, packet }: (typeof reply.outputs)[number]): { buffer: number; packet: Packet } => {
      this.#copied += 2 * (packet.audio?.bytes.byteLength ?? 0)
      return { buffer, packet: unpackPacket(this.#o.arena, packet, this.plan.buffers[buffer]!.value) }
    }
    const outputs = reply.outputs.map(unpack)
    for (const { buffer, packet } of reply.collected.map(unpack)) this.#collected.set(buffer, packet)
    this.#report = { ...reply.report, worker: this.worker.ordinal, copyBytes: this.#copied }
    return { done: reply.done, outputs }
  }

  collected(buffer: number): Packet {
    const packet = this.#collected.get(buffer)
    if (packet === undefined) throw commonErrors.INTERNAL({ what: `Segment ${this.plan.index}: output ${buffer} was not collected.` })
    this.#collected.delete(buffer)
    return packet
  }

  /** Another reference to a collected value, for a segment that reads it. */
  share(value: string): Packet {
    const buffer = this.plan.buffers.findIndex((one) => one.kind === 'output' && one.value === value), packet = this.#collected.get(buffer)
    if (packet === undefined) throw commonErrors.INTERNAL({ what: `Segment ${this.plan.index}: value ${value} was not collected.` })
    return sharePacket(packet)
  }

  report(): SegmentReport { return this.#report }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#scope.signal.removeEventListener('abort', this.#cancel)
    for (const packet of this.#collected.values()) releasePacket(packet)
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
