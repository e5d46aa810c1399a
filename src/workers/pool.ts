import { commonErrors } from '../errors/common-errors.js'
import type { MillraceError } from '../errors/millrace-error.js'
import { isMillraceError } from '../errors/millrace-error.js'
import type { CompiledModules } from '../kernels/compiled-modules.js'
import { THREAD_SPAN_BYTES, type KernelRuntime } from '../kernels/runtime.js'
import type { Arena } from '../memory/arena.js'
import { memoryErrors } from '../memory/errors.js'
import type { Holder } from '../memory/leases.js'
import { MIN_ARENA_BYTES } from '../memory/config.js'
import { MAIL, RECORD_KIND, SCRATCH_SPAN_BYTES, SLOT_PHASE } from '../memory/layout.js'
import type { Address } from '../memory/memory-host.js'
import { readRecords, record, type FlightRecord } from '../memory/recorder.js'
import type { Clock } from '../schedule/clock.js'
import { workerErrors } from './errors.js'
import { faultError } from './fault.js'
import { canWaitAsync, HostEvent } from './host-event.js'
import type { ModeChoice } from './mode.js'
import { poolReport, type PoolReport } from './pool-report.js'
import type { KernelBinding, StartOptions, StartReport, WorkerDump, WorkerEvent } from './protocol.js'
import { Recovery } from './recovery.js'
import { RemoteWorker } from './remote-worker.js'
import { RespawnBudget } from './respawn-budget.js'
import type { SlotLife } from './slot-life.js'
import { Slots, wakeWorkers, type SlotState } from './slots.js'
import type { EndReason, SpawnWorker } from './spawn.js'
import { Supervisor } from './supervisor.js'
import { WaitHistogram } from './wait-histogram.js'

/** A worker that ended by itself, was killed, hung, or trapped. */
export interface LostWorker {
  readonly worker: number
  /** −1 in transfer mode. */
  readonly slot: number
  readonly reason: EndReason
  readonly detail: string
  /** What its slot said when it was found: run and task indices, −1 without a job. */
  readonly state: SlotState | undefined
  /** Address of the task that trapped. */
  readonly task: Address | undefined
  /** `WORKER_LOST`; the cause of a trap is what the kernel threw, of a hang `HEARTBEAT_LOST`. */
  readonly error: MillraceError
  /** Last entries of its slot in the flight recorder (MW-06). */
  readonly records: readonly FlightRecord[]
  /** Settles when the thread is gone and its slot is free: from then on its blocks may be freed. */
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
  /** Workers that wait, booted, to take a lost one's place; default 1 (MW-48). They boot while work is pending. */
  readonly warmSpares?: number
  /** Replacements within 60 s after which no more are made; default 10. */
  readonly respawns?: number
  /** How long a busy worker's heartbeat may stand still, ms; default 3 000. */
  readonly hangMs?: number
  /** As {@link hangMs}, of what a slot executes now. */
  readonly hangMsOf?: (state: SlotState) => number | undefined
  /** Bits of what a worker has, by its ordinal (MW-36); default all. */
  readonly facts?: (worker: number) => number
  /** A worker is lost: at once. */
  readonly onLost?: (lost: LostWorker) => void
  /** It is gone and the runs are rebuilt: tasks that it held are DELAYED. */
  readonly onRecovered?: (lost: LostWorker) => void
  /** No worker is replaced any more, or the arena is corrupt: nothing will be executed. */
  readonly onBroken?: (error: MillraceError) => void
}

/** How long a cancelled kernel may go on before its thread is ended, ms (EX-52). Kernels look every 10 ms (KE-05). */
export const CANCEL_GRACE_MS = 2_000
/** Time in which a number of replacements is a loop of crashes, ms. */
const RESPAWN_WINDOW_MS = 60_000
/** Arena of a transfer worker when nothing is said. */
const OWN_BYTES = 2 * MIN_ARENA_BYTES
/** Entries of the flight recorder that a loss tells. */
const RECORDS_TOLD = 16

/**
 * An engine's workers: started when first needed, told of kernels before a run uses them, watched, replaced while work is pending, and ended with the engine. In shared
 * mode they find work by themselves; the pool only wakes them. Lives on the engine's thread.
 */
export class WorkerPool {
  readonly host: HostEvent
  readonly slots: Slots
  readonly recovery: Recovery
  readonly waits = new WaitHistogram()
  readonly #o: PoolOptions
  readonly #supervisor: Supervisor
  readonly #budget: RespawnBudget
  readonly #workers: RemoteWorker[] = []
  readonly #spares: RemoteWorker[] = []
  readonly #kernels: KernelBinding[] = []
  readonly #holders = new Map<RemoteWorker, Holder>()
  /** States of slots that have had a worker that was lost or lives. */
  readonly #lives = new Map<number, SlotLife>()
  readonly #cleaning = new Set<Promise<void>>()
  readonly #listeners = new Set<(worker: RemoteWorker, event: WorkerEvent) => void>()
  #mode: ModeChoice
  #starting: Promise<void> = Promise.resolve()
  #target = 0
  #donated = 0
  #ordinals = 0
  #holds = 0
  #messages = 0
  #lost = 0
  #respawns = 0
  #sparing = false
  #startsUnderWay = 0
  #draining = false
  #broken: MillraceError | undefined
  #closing: Promise<void> | undefined

  constructor(options: PoolOptions) {
    const { arena, runtime, clock } = options
    this.#o = options
    this.#mode = options.mode
    this.#budget = new RespawnBudget(options.respawns ?? 10, RESPAWN_WINDOW_MS)
    this.host = new HostEvent(arena)
    this.slots = new Slots(arena)
    this.recovery = new Recovery({ arena, core: runtime.core, clock, slots: this.slots, stuck: (slot) => {
      const worker = this.#workers.find((one) => one.slot === slot)
      if (worker !== undefined) this.lose(worker, 'hang', 'did not leave its ring')
    } })
    this.#supervisor = new Supervisor({
      arena, clock, slots: this.slots, hangMs: (state) => (state && options.hangMsOf?.(state)) ?? options.hangMs, workers: () => this.#workers,
      hung: (worker, ms, state) => { this.lose(worker, 'hang', `no heartbeat for ${ms} ms`, workerErrors.HEARTBEAT_LOST({ worker: worker.ordinal, ms, node: describeJob(state, worker) })) },
      corrupt: (error) => { this.#corrupt(error) }, looked: () => { this.#refill() },
    })
  }

  /** How blocks move now: a worker's answer may have changed it. */
  get mode(): ModeChoice { return this.#mode }
  /** Workers that have started and not ended, spares apart. */
  get workers(): readonly RemoteWorker[] { return this.#workers.filter((worker) => worker.report !== undefined && !worker.ended) }
  /** Why nothing is executed any more. */
  get broken(): MillraceError | undefined { return this.#broken }

  /** Starts workers until `count` (at most the pool's size) run. Throws `WORKER_SPAWN` with the step, `SLOTS_EXHAUSTED`, `CLOSED`. */
  ensure(count: number): Promise<void> {
    this.#target = Math.max(this.#target, Math.min(count, this.#o.size))
    this.#startsUnderWay++
    const next = this.#starting.then(() => this.#startMissing(this.#target)).finally(() => { this.#startsUnderWay-- })
    this.#starting = next.catch(() => undefined)
    return next
  }

  /** Gives kernels their numbers on every thread, before a run uses them. Kernels known already cost nothing. */
  async register(kernels: readonly KernelBinding[]): Promise<void> {
    this.#requireOpen('register')
    const fresh = kernels.filter(({ id }) => !this.#kernels.some((known) => known.id === id))
    if (fresh.length === 0) return
    this.#kernels.push(...fresh)
    // An answer that nobody is held for does not keep the process alive.
    const letGo = this.hold()
    await this.#starting
    await Promise.all([...this.workers, ...this.#spares.filter(({ report, ended }) => report !== undefined && !ended)].map((worker) => worker.register(fresh).catch((error: unknown) => {
      // Who takes its place is told with its start.
      if (!worker.ended) throw error
    }))).finally(letGo)
  }

  /** Wakes up to `count` workers that sleep, after tasks were pushed. */
  wake(count?: number): void { wakeWorkers(this.#o.arena, count) }

  /** Cancels a run: its word, then those of the slots that execute it. 1: kernels stop at their next block; 2: their threads are ended now (MW-50). */
  cancelRun(run: number, word: 1 | 2 = 1): void {
    const on = this.slots.cancelRun(run, word)
    if (word === 2) for (const worker of this.workers) if (on.includes(worker.slot)) this.lose(worker, 'terminated', 'did not stop when cancelled')
  }

  /** Keeps the process alive and the workers watched while work is pending (MW-52, MW-68). Returns how to let go; letting go twice is fine. */
  hold(): () => void {
    if (this.#holds++ === 0) {
      for (const worker of [...this.#workers, ...this.#spares]) worker.hold(true)
      this.#supervisor.start()
    }
    let held = true
    return () => {
      if (!held) return
      held = false
      if (--this.#holds > 0) return
      for (const worker of [...this.#workers, ...this.#spares]) worker.hold(false)
      this.#supervisor.stop()
      this.host.ring()
    }
  }

  /** Hears what workers post on their ports (jobs of transfer mode). Returns how to stop. */
  onEvent(listener: (worker: RemoteWorker, event: WorkerEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** A task of a slot was executed: what its worker did, and how long it had waited. */
  account(slot: number, busyUs: number, queuedUs: number): void {
    const worker = this.#workers.find((one) => one.slot === slot)
    if (worker !== undefined) worker.busyUs += busyUs
    this.waits.add(queuedUs)
  }

  /** State of every worker. */
  dump(): Promise<WorkerDump[]> { return Promise.all(this.workers.map((worker) => worker.dump())).finally(this.hold()) }
  /** The flight recorder's entries, oldest first. */
  records(): FlightRecord[] { return readRecords(this.#o.arena.u32, this.#o.arena.base) }

  /** Numbers of the pool: cheap, at any time (MW-54). */
  stats(): PoolReport {
    return poolReport({ size: this.#o.size, mode: this.#mode, workers: this.workers, slots: this.slots, arena: this.#o.arena, nowUs: this.#o.clock.nowUs(), waits: this.waits, lost: this.#lost, respawns: this.#respawns,
      spares: this.#spares.filter(({ report }) => report !== undefined).length, messages: this.#messages })
  }

  /** Ends a worker that must not go on, as if it had ended by itself. */
  lose(worker: RemoteWorker, reason: EndReason, detail: string, cause?: unknown): void { this.#lose(worker, reason, detail, undefined, cause) }

  /** Takes no new work, waits until what is under way has ended, at most `ms`, then closes (MW-51). */
  async drain(ms = 30_000): Promise<void> {
    this.#draining = true
    const stop = new AbortController()
    await new Promise<void>((resolve) => {
      const look = (): void => { if (this.#holds === 0 || stop.signal.aborted) { heard(); resolve() } }
      const heard = this.host.listen(look)
      void this.#o.clock.sleep(ms, stop.signal).then(() => { stop.abort(); look() })
      look()
    })
    stop.abort()
    await this.close()
  }

  /** Ends all workers; everything pending is rejected with `CLOSED`. Idempotent. */
  close(): Promise<void> { return this.#closing ??= this.#close() }

  async #close(): Promise<void> {
    this.#supervisor.stop()
    // Workers that start now are stopped too; the start then fails, and may have left one more.
    await this.#stopAll()
    await this.#starting
    await this.#stopAll()
    while (this.#cleaning.size > 0) await Promise.all(this.#cleaning)
  }

  async #stopAll(): Promise<void> {
    await Promise.all([...this.#workers.splice(0), ...this.#spares.splice(0)].map(async (worker) => {
      const { slot } = worker
      if (slot >= 0) this.slots.dismiss(slot)
      if (worker.life.state === 'idle' || worker.life.state === 'busy') worker.life.on('drain')
      await this.#end(worker, commonErrors.CLOSED({ thing: 'Worker', id: String(worker.ordinal), event: 'call' }))
      if (worker.life.state === 'draining') worker.life.on('release')
      this.#lives.delete(slot)
    }))
  }

  async #startMissing(count: number): Promise<void> {
    if (this.#closing !== undefined) throw commonErrors.CLOSED({ thing: 'Pool', event: 'start' })
    // A loop of crashes is forgiven with time, a corrupt arena is not.
    if (this.#broken?.code === 'WORKER_LOST' && this.#budget.hasRoom(this.#o.clock.nowUs())) this.#broken = undefined
    if (this.#broken !== undefined) throw this.#broken
    let before: string | undefined
    for (let missing = count - this.workers.length; missing > 0 && !this.#closing; missing = count - this.workers.length) {
      const { mode } = this.#mode, shared = mode === 'shared'
      // Another round in the same mode: some have ended while others started. That may be a loop of crashes too (MW-48).
      if (mode === before && !this.#budget.take(this.#o.clock.nowUs())) throw workerErrors.WORKER_SPAWN({ worker: this.#ordinals, timeoutMs: this.#o.startTimeoutMs, cause: 'workers end as soon as they have started', step: 'loop' })
      before = mode
      if (shared && this.#workers.length + missing > this.slots.limit) throw workerErrors.SLOTS_EXHAUSTED({ limit: this.slots.limit })
      const compiled = await this.#o.compiled(shared)
      const fresh: RemoteWorker[] = []
      try {
        while (fresh.length < missing) fresh.push(this.#spawn(this.#workers))
        const greeted = await Promise.allSettled(fresh.map((worker) => worker.greeting(this.#o.clock, this.#o.startTimeoutMs)))
        const failed = greeted.find((one) => one.status === 'rejected')
        if (failed !== undefined) throw failed.reason
        // One start at a time: the core's allocator gives each thread its stack (PK-24).
        for (const worker of fresh) if (!await this.#start(worker, compiled, shared)) break
      } catch (error) {
        await Promise.all(fresh.filter((worker) => worker.report === undefined).map((worker) => this.#discard(worker, error)))
        // Those that live can do the work; the supervisor goes on trying.
        if (isMillraceError(error) && error.code === 'WORKER_SPAWN' && this.workers.length > 0 && !this.#closing) return
        throw error
      }
      const unused = fresh.filter((worker) => worker.report === undefined)
      await Promise.all(unused.map((worker) => this.#discard(worker, commonErrors.CLOSED({ thing: 'Worker', id: String(worker.ordinal), event: 'start' }))))
    }
  }

  #spawn(into: RemoteWorker[]): RemoteWorker {
    const ordinal = ++this.#ordinals, { startTimeoutMs: timeoutMs } = this.#o
    try {
      const worker = new RemoteWorker(ordinal, this.#o.spawn, {
        ended: (one, reason, detail) => { this.#lose(one, reason, detail) },
        event: (one, event) => { this.#receive(one, event) },
        posted: (one) => { this.#posted(one) },
      })
      into.push(worker)
      return worker
    } catch (cause) {
      throw workerErrors.WORKER_SPAWN({ worker: ordinal, timeoutMs, cause: cause instanceof Error ? cause.message : String(cause), step: 'script' }, { cause })
    }
  }

  /** Starts one worker. False when its answer turned the pool to transfer mode: then it is not started. */
  async #start(worker: RemoteWorker, compiled: CompiledModules, shared: boolean): Promise<boolean> {
    const { arena, clockOriginMs, clock } = this.#o
    const base = { compiled, kernels: [...this.#kernels], clockOriginMs }
    let report: StartReport | undefined
    if (!shared) report = await this.#startWith(worker, { ...base, own: { bytes: this.#o.ownBytes ?? OWN_BYTES, arenaId: 1 + worker.ordinal % 255 } })
    else {
      this.#donate()
      if (this.#workers.includes(worker)) this.#reserve(worker)
      this.#o.runtime.core.alloc_watch(1)
      worker.starts = true
      const options = { ...base, shared: { memory: arena.memory!, slot: worker.slot, doorbell: !canWaitAsync(), facts: this.#o.facts?.(worker.ordinal) ?? -1 } }
      report = await this.#startWith(worker, options).catch((error: unknown) => {
        if (!refusesMemory(error)) throw error
        return undefined
      })
      if (report !== undefined) this.#o.runtime.core.alloc_watch(0)
    }
    if (shared && report?.shared !== true) {
      this.#giveUpSharing()
      worker.report = undefined
      return false
    }
    worker.startedUs = clock.nowUs()
    if (worker.slot >= 0) this.#ready(worker)
    worker.hold(this.#holds > 0)
    return true
  }

  /** The supervisor may have seen it work already. */
  #ready({ life }: RemoteWorker): void { if (life.state === 'booting' || life.state === 'respawning') life.on('ready') }

  /** A slot and a scratch span, leased to the slot (MW-07, MW-13). */
  #reserve(worker: RemoteWorker): void {
    const holder = this.#o.arena.openHolder(`worker ${worker.ordinal}`)
    this.#holders.set(worker, holder)
    worker.slot = this.slots.reserve(holder.allocate(SCRATCH_SPAN_BYTES))
    if (worker.slot < 0) throw workerErrors.SLOTS_EXHAUSTED({ limit: this.slots.limit })
    const before = this.#lives.get(worker.slot)
    if (before !== undefined) worker.life = before
    this.#lives.set(worker.slot, worker.life)
    worker.life.on(before === undefined ? 'boot' : 'respawn')
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

  /** Boots spares up to, but without, their slots (MW-48), one after the other, while work is pending. */
  #keepSpares(): void {
    const { warmSpares = 1 } = this.#o
    if (this.#sparing || this.#spares.length >= warmSpares || !this.#replaces || this.workers.length < this.#target || this.#mode.mode !== 'shared') return
    this.#sparing = true
    this.#starting = this.#starting.then(async () => {
      const compiled = await this.#o.compiled(true)
      if (!this.#replaces || this.#mode.mode !== 'shared') return
      const spare = this.#spawn(this.#spares)
      try {
        await spare.greeting(this.#o.clock, this.#o.startTimeoutMs)
        await this.#start(spare, compiled, true)
      } catch (error) { await this.#discard(spare, error) }
    }).catch(() => undefined).finally(() => { this.#sparing = false })
  }

  /** Starts workers again that could not be started, and spares. */
  #refill(): void {
    if (this.#replaces && this.workers.length < this.#target && this.#cleaning.size === 0 && this.#startsUnderWay === 0 && this.#budget.take(this.#o.clock.nowUs())) {
      this.#respawns++
      this.ensure(this.#target).catch(() => undefined)
    }
    this.#keepSpares()
  }

  /** Are lost workers replaced now? Without pending work the next {@link ensure} does it. */
  get #replaces(): boolean { return this.#holds > 0 && this.#closing === undefined && this.#broken === undefined }

  /** Puts another worker in a lost one's place: a spare at once, else a new one. */
  async #replace(lost: LostWorker): Promise<void> {
    if (!this.#replaces || this.workers.length >= this.#target) return
    if (!this.#budget.take(this.#o.clock.nowUs())) { this.#break(lost.error); return }
    this.#respawns++
    const spare = this.#spares.find(({ report, ended }) => report !== undefined && !ended)
    try {
      if (spare === undefined) { await this.ensure(this.#target); return }
      this.#spares.splice(this.#spares.indexOf(spare), 1)
      this.#workers.push(spare)
      this.#reserve(spare)
      await spare.claim(spare.slot)
      spare.startedUs = this.#o.clock.nowUs()
      this.#ready(spare)
    } catch (error) {
      if (spare !== undefined && !spare.ended) this.#lose(spare, 'error', String(error))
      else if (spare === undefined) await this.#replace(lost)
    } finally { this.#keepSpares() }
  }

  #break(error: MillraceError): void {
    if (this.#broken !== undefined) return
    this.#broken = error
    this.#o.onBroken?.(error)
    this.host.ring()
  }

  /** The arena is not what it was: nothing in it can be trusted, and no thread may go on in it (MW-02). */
  #corrupt(error: MillraceError): void {
    this.#break(error)
    for (const worker of [...this.#workers]) this.lose(worker, 'terminated', 'the arena is corrupt', error)
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
    if (this.#workers.length + this.#spares.length <= this.#donated) return
    runtime.core.alloc_donate(arena.allocate(THREAD_SPAN_BYTES), THREAD_SPAN_BYTES)
    this.#donated++
  }

  #posted(worker: RemoteWorker): void {
    this.#messages++
    if (worker.slot >= 0 && worker.report !== undefined) this.slots.announce(worker.slot, MAIL.MESSAGES)
  }

  #receive(worker: RemoteWorker, event: WorkerEvent): void {
    if (worker.slot < 0) worker.beatUs = this.#o.clock.nowUs()
    switch (event.kind) {
      case 'doorbell': this.host.ring(); break
      case 'beat': break
      case 'task-failed': this.#lose(worker, 'trap', event.fault.message, event.task, faultError(event.fault)); break
      case 'worker-failed': this.#lose(worker, 'error', event.fault.message, undefined, faultError(event.fault)); break
      case 'corrupt': this.#corrupt(memoryErrors.ARENA_CORRUPT(event)); break
      case 'job-opened': case 'result': case 'job-failed': case 'job-closed':
        for (const listener of [...this.#listeners]) listener(worker, event)
        break
      default: event satisfies never
    }
  }

  /** The loss of a worker, in the order of MW-47. */
  #lose(worker: RemoteWorker, reason: EndReason, detail: string, task?: Address, cause?: unknown): void {
    const spare = this.#spares.indexOf(worker)
    if (spare >= 0) { this.#spares.splice(spare, 1); this.#clean(this.#end(worker, this.#lossOf(worker, reason, detail, undefined, [], cause))); return }
    const at = this.#workers.indexOf(worker)
    if (at < 0) return
    this.#workers.splice(at, 1)
    const { arena, clock } = this.#o, { slot } = worker, started = worker.report !== undefined, state = slot < 0 ? undefined : this.slots.state(slot)
    if (slot >= 0) {
      worker.life.on('lose')
      record(arena.u32, arena.base, clock.nowUs(), slot, RECORD_KIND.LOST, (state?.run ?? -1) + 1, (state?.task ?? -1) + 1, worker.ordinal)
      this.slots.dismiss(slot)
    }
    const records = slot < 0 ? [] : readRecords(arena.u32, arena.base, RECORDS_TOLD, slot), error = this.#lossOf(worker, reason, detail, state, records, cause)
    if (!started) { this.#clean(this.#end(worker, error)); return }
    this.#lost++
    let cleaned: () => void
    const lost: LostWorker = { worker: worker.ordinal, slot, reason, detail, state, task, error, records, cleaned: new Promise((resolve) => { cleaned = resolve }) }
    this.#o.onLost?.(lost)
    this.#clean(this.#end(worker, error).then(async () => {
      cleaned()
      // Beside each other: the replacement finds what was rebuilt, or sleeps until it is.
      await Promise.all([this.#recover(lost), this.#replace(lost)])
    }))
    this.host.ring()
  }

  async #recover(lost: LostWorker): Promise<void> {
    if (lost.slot >= 0) await this.recovery.rebuild()
    this.#o.onRecovered?.(lost)
    this.host.ring()
  }

  /** Ends the thread; when it is gone its slot, leases and stack come back, once: it may be lost while its start fails. */
  #end(worker: RemoteWorker, error: unknown): Promise<void> {
    return worker.end ??= worker.stop(error).then(() => {
      if (worker.slot >= 0) this.slots.markDead(worker.slot)
      this.#release(worker)
    })
  }

  #clean(work: Promise<void>): void {
    this.#cleaning.add(work)
    void work.finally(() => this.#cleaning.delete(work))
  }

  #lossOf(worker: RemoteWorker, reason: EndReason, detail: string, state: SlotState | undefined, records: readonly FlightRecord[], cause: unknown): MillraceError {
    if (worker.report === undefined) return workerErrors.WORKER_SPAWN({ worker: worker.ordinal, timeoutMs: this.#o.startTimeoutMs, cause: `${reason}: ${detail}`, step: 'script' })
    return workerErrors.WORKER_LOST({ worker: worker.ordinal, reason: `${reason}: ${detail}`, node: describeJob(state, worker), delivery: 1, deliveries: 1, records }, { cause })
  }

  /** Ends a worker that never came into use. */
  async #discard(worker: RemoteWorker, error: unknown): Promise<void> {
    for (const list of [this.#workers, this.#spares]) if (list.includes(worker)) list.splice(list.indexOf(worker), 1)
    if (worker.slot >= 0 && worker.end === undefined) worker.life.on('lose')
    await this.#end(worker, error)
  }

  /** Gives back what a thread that is gone had: stack, leases, slot (PK-25). What a thread had taken that was ended while it started is known to the core's allocator. */
  #release(worker: RemoteWorker): void {
    const { runtime } = this.#o
    if (this.#mode.mode === 'shared') {
      if (worker.report !== undefined) runtime.destroyThread(worker.report.stack)
      else if (worker.starts) runtime.core.alloc_undo()
    }
    if (worker.slot >= 0) this.slots.clear(worker.slot)
    this.#holders.get(worker)?.drop()
    this.#holders.delete(worker)
    worker.slot = -1
  }

  #requireOpen(event: string): void {
    if (this.#closing !== undefined || this.#draining) throw commonErrors.CLOSED({ thing: 'Pool', event })
  }
}

/** A host that constructs shared memory may still refuse to post it. */
function refusesMemory(error: unknown): boolean { return error instanceof Error && error.name === 'DataCloneError' }

function describeJob(state: SlotState | undefined, { executing }: RemoteWorker): string {
  if (executing.size > 0) return [...executing].flatMap(({ plan }) => plan.nodes.map(({ spec }) => spec.nodeId)).join(', ')
  if (state === undefined || state.task < 0) return 'no task'
  return `task ${state.task} of run ${state.run}${state.phase === SLOT_PHASE.QUEUE ? ' (taking it)' : ''}`
}
