import { commonErrors } from '../errors/common-errors.js'
import type { MillraceError } from '../errors/millrace-error.js'
import { isMillraceError } from '../errors/millrace-error.js'
import type { CompiledModules } from '../kernels/compiled-modules.js'
import { THREAD_SPAN_BYTES, type KernelRuntime } from '../kernels/runtime.js'
import type { Arena } from '../memory/arena.js'
import { memoryErrors } from '../memory/errors.js'
import { MIN_ARENA_BYTES } from '../memory/config.js'
import { MAIL, SCRATCH_SPAN_BYTES, SLOT_PHASE, SLOT_STATUS } from '../memory/layout.js'
import type { Address } from '../memory/memory-host.js'
import type { Clock } from '../schedule/clock.js'
import { workerErrors } from './errors.js'
import { faultError } from './fault.js'
import { canWaitAsync, HostEvent } from './host-event.js'
import type { ModeChoice } from './mode.js'
import type { KernelBinding, StartOptions, StartReport, WorkerDump, WorkerEvent } from './protocol.js'
import { RemoteWorker } from './remote-worker.js'
import { Slots, wakeWorkers, type SlotState } from './slots.js'
import type { EndReason, SpawnWorker } from './spawn.js'

/** A worker that ended by itself, was killed, or trapped. */
export interface LostWorker {
  readonly worker: number
  /** −1 in transfer mode. */
  readonly slot: number
  readonly reason: EndReason
  readonly detail: string
  /** What its slot said when it was found: run and task indices, −1 without a job. Phase `QUEUE`: it may have left a ring half-written, so no run may go on. */
  readonly state: SlotState | undefined
  /** Address of the task that trapped. */
  readonly task: Address | undefined
  /** `WORKER_LOST`; the cause of a trap is what the kernel threw. */
  readonly error: MillraceError
  /** Settles when the thread is gone: from then on its blocks may be freed. */
  readonly cleaned: Promise<void>
}

/** How a pool is made. */
export interface PoolOptions {
  readonly arena: Arena
  /** The engine thread's instances: it came first, and frees the stacks of threads that are gone. */
  readonly runtime: KernelRuntime
  /** Modules for shared or for private memory; asked for once per kind. */
  readonly compiled: (shared: boolean) => Promise<CompiledModules>
  readonly mode: ModeChoice
  /** May a worker's answer turn shared mode into transfer (option `auto`)? */
  readonly mayTransfer: boolean
  readonly spawn: SpawnWorker
  /** Most workers. */
  readonly size: number
  readonly startTimeoutMs: number
  readonly clock: Clock
  /** Milliseconds since 1970 at which `clock.nowUs()` was 0. */
  readonly clockOriginMs: number
  /** Bytes of the arena of a worker with private memory; default 32 MiB. */
  readonly ownBytes?: number
  readonly onLost?: (lost: LostWorker) => void
}

/** Numbers of a pool. */
export interface PoolReport {
  readonly size: number
  readonly mode: ModeChoice
  readonly count: number
  readonly busy: number
  readonly lost: number
  readonly messages: number
  readonly workers: readonly { readonly worker: number; readonly slot: number; readonly state: SlotState | undefined }[]
}

/** How long a cancelled kernel may go on before its thread is ended, ms. Kernels look every 10 ms (KE-05). */
export const CANCEL_GRACE_MS = 1_000

/** Arena of a transfer worker when nothing is said. */
const OWN_BYTES = 2 * MIN_ARENA_BYTES

/**
 * An engine's workers: started when first needed, told of kernels before a run uses them, watched, and ended with the engine. In shared mode they find
 * work by themselves; the pool only wakes them. Lives on the engine's thread. Respawning is the supervisor's; here a lost worker's slot is cleaned and
 * the next {@link ensure} starts another.
 */
export class WorkerPool {
  readonly host: HostEvent
  readonly slots: Slots
  readonly #o: PoolOptions
  readonly #workers: RemoteWorker[] = []
  readonly #kernels: KernelBinding[] = []
  readonly #scratch = new Map<RemoteWorker, Address>()
  readonly #cleaning = new Set<Promise<void>>()
  readonly #listeners = new Set<(worker: RemoteWorker, event: WorkerEvent) => void>()
  #mode: ModeChoice
  #starting: Promise<void> = Promise.resolve()
  #donated = 0
  #ordinals = 0
  #holds = 0
  #messages = 0
  #lost = 0
  #closing: Promise<void> | undefined

  constructor(options: PoolOptions) {
    this.#o = options
    this.#mode = options.mode
    this.host = new HostEvent(options.arena)
    this.slots = new Slots(options.arena)
  }

  /** How blocks move now: a worker's answer may have changed it. */
  get mode(): ModeChoice { return this.#mode }
  /** Workers that have started and not ended. */
  get workers(): readonly RemoteWorker[] { return this.#workers.filter((worker) => worker.report !== undefined && !worker.ended) }

  /** Starts workers until `count` (at most the pool's size) run. Throws `WORKER_SPAWN` with the step, `SLOTS_EXHAUSTED`, `CLOSED`. */
  ensure(count: number): Promise<void> {
    const next = this.#starting.then(() => this.#startMissing(Math.min(count, this.#o.size)))
    this.#starting = next.catch(() => undefined)
    return next
  }

  /** Gives kernels their numbers on every thread, before a run uses them. Kernels known already cost nothing. */
  async register(kernels: readonly KernelBinding[]): Promise<void> {
    this.#requireOpen('register')
    const fresh = kernels.filter(({ id }) => !this.#kernels.some((known) => known.id === id))
    if (fresh.length === 0) return
    this.#kernels.push(...fresh)
    await this.#starting
    await Promise.all(this.workers.map((worker) => worker.register(fresh)))
  }

  /** Wakes up to `count` workers that sleep, after tasks were pushed. */
  wake(count?: number): void { wakeWorkers(this.#o.arena, count) }

  /** Cancels a run: its word, then those of the slots that execute it. 1: kernels stop at their next block; 2: their threads are ended now (MW-50). */
  cancelRun(run: number, word: 1 | 2 = 1): void {
    const on = this.slots.cancelRun(run, word)
    if (word === 2) for (const worker of this.workers) if (on.includes(worker.slot)) this.#lose(worker, 'terminated', 'did not stop when cancelled')
  }

  /** Keeps the process alive while work is pending (MW-52, MW-68). Returns how to let go; letting go twice is fine. */
  hold(): () => void {
    if (this.#holds++ === 0) for (const worker of this.#workers) worker.hold(true)
    let held = true
    return () => {
      if (!held) return
      held = false
      if (--this.#holds === 0) for (const worker of this.#workers) worker.hold(false)
    }
  }

  /** Hears what workers post on their ports (jobs of transfer mode). Returns how to stop. */
  onEvent(listener: (worker: RemoteWorker, event: WorkerEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** State of every worker. */
  dump(): Promise<WorkerDump[]> { return Promise.all(this.workers.map((worker) => worker.dump())) }

  stats(): PoolReport {
    const workers = this.workers.map((worker) => ({ worker: worker.ordinal, slot: worker.slot, state: worker.slot < 0 ? undefined : this.slots.state(worker.slot) }))
    return {
      size: this.#o.size, mode: this.#mode, count: workers.length, lost: this.#lost, messages: this.#messages, workers,
      busy: workers.filter(({ state }) => state?.status === SLOT_STATUS.BUSY).length + this.workers.filter(({ executing }) => executing > 0).length,
    }
  }

  /** Ends a worker that must not go on, as if it had ended by itself. */
  lose(worker: RemoteWorker, reason: EndReason, detail: string, cause?: unknown): void { this.#lose(worker, reason, detail, undefined, cause) }

  /** Ends all workers; everything pending is rejected with `CLOSED`. Idempotent. */
  close(): Promise<void> { return this.#closing ??= this.#close() }

  async #close(): Promise<void> {
    // Workers that start now are stopped too; the start then fails, and may have left one more.
    await this.#stopAll()
    await this.#starting
    await this.#stopAll()
    await Promise.all(this.#cleaning)
  }

  async #stopAll(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map(async (worker) => {
      await worker.stop(commonErrors.CLOSED({ thing: 'Worker', id: String(worker.ordinal), event: 'call' }))
      this.#release(worker)
    }))
  }

  async #startMissing(count: number): Promise<void> {
    this.#requireOpen('start')
    for (let missing = count - this.workers.length; missing > 0 && !this.#closing; missing = count - this.workers.length) {
      const shared = this.#mode.mode === 'shared'
      if (shared && this.#workers.length + missing > this.slots.limit) throw workerErrors.SLOTS_EXHAUSTED({ limit: this.slots.limit })
      const compiled = await this.#o.compiled(shared)
      const fresh = Array.from({ length: missing }, () => this.#spawn())
      const greeted = await Promise.allSettled(fresh.map((worker) => worker.greeting(this.#o.clock, this.#o.startTimeoutMs)))
      try {
        const failed = greeted.find((one) => one.status === 'rejected')
        if (failed !== undefined) throw failed.reason
        // One start at a time: the core's allocator gives each thread its stack (PK-24).
        for (const worker of fresh) if (!await this.#start(worker, compiled, shared)) break
      } catch (error) {
        await Promise.all(fresh.filter((worker) => worker.report === undefined).map((worker) => this.#discard(worker, error)))
        throw error
      }
      const unused = fresh.filter((worker) => worker.report === undefined)
      await Promise.all(unused.map((worker) => this.#discard(worker, commonErrors.CLOSED({ thing: 'Worker', id: String(worker.ordinal), event: 'start' }))))
    }
  }

  #spawn(): RemoteWorker {
    const ordinal = ++this.#ordinals, { startTimeoutMs: timeoutMs } = this.#o
    try {
      const worker = new RemoteWorker(ordinal, this.#o.spawn, {
        ended: (one, reason, detail) => { this.#lose(one, reason, detail) },
        event: (one, event) => { this.#receive(one, event) },
        posted: (one) => { this.#posted(one) },
      })
      this.#workers.push(worker)
      return worker
    } catch (cause) {
      throw workerErrors.WORKER_SPAWN({ worker: ordinal, timeoutMs, cause: cause instanceof Error ? cause.message : String(cause), step: 'script' }, { cause })
    }
  }

  /** Starts one worker. False when its answer turned the pool to transfer mode: then it is not started. */
  async #start(worker: RemoteWorker, compiled: CompiledModules, shared: boolean): Promise<boolean> {
    const { arena, clockOriginMs } = this.#o
    const base = { compiled, kernels: [...this.#kernels], clockOriginMs }
    if (!shared) {
      await this.#startWith(worker, { ...base, own: { bytes: this.#o.ownBytes ?? OWN_BYTES, arenaId: 1 + worker.ordinal % 255 } })
      worker.hold(this.#holds > 0)
      return true
    }
    this.#donate()
    const scratch = arena.allocate(SCRATCH_SPAN_BYTES)
    this.#scratch.set(worker, scratch)
    worker.slot = this.slots.reserve(scratch)
    if (worker.slot < 0) throw workerErrors.SLOTS_EXHAUSTED({ limit: this.slots.limit })
    const options = { ...base, shared: { memory: arena.memory!, slot: worker.slot, doorbell: !canWaitAsync() } }
    const report = await this.#startWith(worker, options).catch((error: unknown) => {
      if (!refusesMemory(error)) throw error
      return undefined
    })
    if (report?.shared === true) {
      worker.hold(this.#holds > 0)
      return true
    }
    this.#giveUpSharing()
    worker.report = undefined
    return false
  }

  async #startWith(worker: RemoteWorker, options: Omit<StartOptions, 'port' | 'protocol' | 'ordinal' | 'timeoutMs'>): Promise<StartReport> {
    const { clock, startTimeoutMs: timeoutMs } = this.#o
    try {
      return await worker.start(options, clock, timeoutMs)
    } catch (error) {
      if (isMillraceError(error) || refusesMemory(error)) throw error
      throw workerErrors.WORKER_SPAWN({ worker: worker.ordinal, timeoutMs, cause: error instanceof Error ? error.message : String(error), step: 'start' }, { cause: error })
    }
  }

  /** MW-55, MW-73: construction succeeded, but the worker did not get shared memory. */
  #giveUpSharing(): void {
    const reason = 'a worker did not get the shared memory'
    if (!this.#o.mayTransfer) throw memoryErrors.SHARED_MEMORY({ bytes: this.#o.arena.buffer.byteLength, cause: reason })
    this.#mode = { mode: 'transfer', reason }
  }

  /** A thread's start needs room in the core's allocator; without it, it traps. Spans stay there for the next thread (PK-26). */
  #donate(): void {
    const { arena, runtime } = this.#o
    if (this.#workers.length <= this.#donated) return
    runtime.core.alloc_donate(arena.allocate(THREAD_SPAN_BYTES), THREAD_SPAN_BYTES)
    this.#donated++
  }

  #posted(worker: RemoteWorker): void {
    this.#messages++
    if (worker.slot >= 0 && worker.report !== undefined) this.slots.announce(worker.slot, MAIL.MESSAGES)
  }

  #receive(worker: RemoteWorker, event: WorkerEvent): void {
    switch (event.kind) {
      case 'doorbell': this.host.ring(); break
      case 'task-failed': this.#lose(worker, 'trap', event.fault.message, event.task, faultError(event.fault)); break
      case 'worker-failed': this.#lose(worker, 'error', event.fault.message, undefined, faultError(event.fault)); break
      case 'job-opened': case 'result': case 'job-failed': case 'job-closed':
        for (const listener of [...this.#listeners]) listener(worker, event)
        break
      default: event satisfies never
    }
  }

  #lose(worker: RemoteWorker, reason: EndReason, detail: string, task?: Address, cause?: unknown): void {
    const at = this.#workers.indexOf(worker)
    if (at < 0) return
    this.#workers.splice(at, 1)
    const started = worker.report !== undefined, state = worker.slot < 0 ? undefined : this.slots.state(worker.slot)
    const error = started
      ? workerErrors.WORKER_LOST({ worker: worker.ordinal, reason: `${reason}: ${detail}`, node: describeJob(state), delivery: 1, deliveries: 1 }, { cause })
      : workerErrors.WORKER_SPAWN({ worker: worker.ordinal, timeoutMs: this.#o.startTimeoutMs, cause: `${reason}: ${detail}`, step: 'script' })
    if (worker.slot >= 0) this.slots.markDead(worker.slot)
    const cleaned = worker.stop(error).then(() => { this.#release(worker) })
    this.#cleaning.add(cleaned)
    void cleaned.finally(() => this.#cleaning.delete(cleaned))
    if (!started) return
    this.#lost++
    this.#o.onLost?.({ worker: worker.ordinal, slot: worker.slot, reason, detail, state, task, error, cleaned })
    this.host.ring()
  }

  /** Ends a worker that never came into use. */
  async #discard(worker: RemoteWorker, error: unknown): Promise<void> {
    const at = this.#workers.indexOf(worker)
    if (at >= 0) this.#workers.splice(at, 1)
    await worker.stop(error)
    this.#release(worker)
  }

  /** Gives back what a thread that is gone had: stack, scratch, slot (PK-25). */
  #release(worker: RemoteWorker): void {
    const { arena, runtime } = this.#o, scratch = this.#scratch.get(worker)
    if (worker.slot >= 0 && worker.report !== undefined) runtime.destroyThread(worker.report.stack)
    if (worker.slot >= 0) this.slots.clear(worker.slot)
    if (scratch !== undefined) arena.free(scratch)
    this.#scratch.delete(worker)
    worker.slot = -1
  }

  #requireOpen(event: string): void {
    if (this.#closing !== undefined) throw commonErrors.CLOSED({ thing: 'Pool', event })
  }
}

/** A host that constructs shared memory may still refuse to post it. */
function refusesMemory(error: unknown): boolean { return error instanceof Error && error.name === 'DataCloneError' }

function describeJob(state: SlotState | undefined): string {
  if (state === undefined || state.task < 0) return 'no task'
  return `task ${state.task} of run ${state.run}${state.phase === SLOT_PHASE.QUEUE ? ' (taking it)' : ''}`
}
