import { commonErrors } from '../errors/common-errors.js'
import { isMillraceError, type MillraceError } from '../errors/millrace-error.js'
import type { CompiledModules } from '../kernels/compiled-modules.js'
import { THREAD_SPAN_BYTES } from '../kernels/runtime.js'
import { collectMemories, MIN_ARENA_BYTES } from '../memory/config.js'
import { memoryErrors } from '../memory/errors.js'
import { RECORD_KIND, RECORD_THREAD, SCRATCH_SPAN_BYTES } from '../memory/layout.js'
import { postable, threadNotes } from '../memory/recorder.js'
import { MOST_REDELIVERIES } from '../schedule/policy/redelivery.js'
import { workerErrors } from './errors.js'
import { canWaitAsync } from './host-event.js'
import type { ChannelAddresses } from './codec/ring-channel.js'
import type { PoolMail } from './pool-mail.js'
import type { PoolState } from './pool-state.js'
import type { StartOptions, StartReport } from './protocol.js'
import { RemoteWorker, type RemoteEvents } from './remote-worker.js'
import type { WorkerLosses } from './worker-losses.js'

/** Arena of a transfer worker when nothing is said. */
const OWN_BYTES = 2 * MIN_ARENA_BYTES

/** Can these workers do what is to be done? */
export type Enough = (workers: readonly RemoteWorker[]) => boolean

/** Starts of workers: threads, slots, what they are given, and what a start that fails leaves (MW-42 to MW-44). Engine thread only. */
export class WorkerStarts {
  readonly #s: PoolState
  readonly #losses: WorkerLosses
  readonly #mail: PoolMail
  readonly #events: RemoteEvents
  #donated = 0

  constructor(state: PoolState, losses: WorkerLosses, mail: PoolMail, events: RemoteEvents) {
    this.#s = state
    this.#losses = losses
    this.#mail = mail
    this.#events = events
  }

  /**
   * Starts workers until `count` (at most the pool's size) run; of those in whose place a lost one's thread still ends it waits only when
   * those that live are not `enough`. A thread that ends by itself while it starts is replaced like any other, 3 times (MW-47, MW-48); a
   * step that fails is not tried again (MW-42). Throws `WORKER_SPAWN` with the step, `SLOTS_EXHAUSTED`, `CLOSED`.
   */
  async ensure(count: number, enough: Enough = (workers) => workers.length > 0): Promise<void> {
    const s = this.#s
    s.target = Math.max(s.target, Math.min(count, s.o.size))
    for (let ends = 0; ;) {
      const { mode } = s.mode, some = s.places.free(s.target) > 0
      s.startsUnderWay++
      const turn = s.starting.then(() => this.#startMissing()).finally(() => { s.startsUnderWay-- })
      s.starting = turn.then(() => undefined, () => undefined)
      const failed = await turn
      if (failed !== undefined) {
        // Those that live can do the work; the supervisor goes on trying.
        if (enough(s.started) && !s.closing) { s.failed = failed.error; return }
        if (!failed.again || ++ends > MOST_REDELIVERIES) throw failed.error
      } else {
        const open = s.places.free(s.target) > 0, ending = s.places.ends
        if (!open && (ending.length === 0 || enough(s.started))) return
        if (!open) await Promise.race(ending)
      }
      // Another round in the same mode, which may be a loop of crashes (MW-48). Those that ended once they had
      // started are losses, and counted as such.
      if (failed !== undefined && some && mode === s.mode.mode && !s.budget.take(s.nowUs)) throw failed.error
    }
  }

  /**
   * Starts a worker in every place that nobody has. Gives why one of them did not start, and whether another might: its
   * thread ended, it did not say what is wrong.
   */
  async #startMissing(): Promise<{ readonly error: MillraceError; readonly again: boolean } | undefined> {
    const s = this.#s, { clock, startTimeoutMs } = s.o
    if (s.closing !== undefined) throw commonErrors.CLOSED({ thing: 'Pool', event: 'start' })
    // A loop of crashes is forgiven with time, a corrupt arena is not.
    if (s.broken !== undefined && !s.corrupt && s.budget.hasRoom(s.nowUs)) s.broken = undefined
    if (s.broken !== undefined) throw s.broken
    if (s.places.free(s.target) === 0) return undefined
    // Nobody has replaced them while nothing was to be done: this start does, and they may be the loop.
    const unpaid = s.budget.settle(s.nowUs)
    if (unpaid !== undefined) {
      s.break(unpaid.error)
      throw unpaid.error
    }
    const shared = s.mode.mode === 'shared'
    if (shared && s.target > s.slots.limit) throw workerErrors.SLOTS_EXHAUSTED({ limit: s.slots.limit })
    const compiled = await s.o.compiled(shared), fresh: RemoteWorker[] = []
    let at: RemoteWorker | undefined
    try {
      while (s.places.free(s.target) > 0) fresh.push(this.spawn(s.workers))
      const greeted = await Promise.allSettled(fresh.map((worker) => worker.greeting(clock, startTimeoutMs)))
      const failed = greeted.findIndex((one) => one.status === 'rejected')
      at = fresh[failed]
      if (at !== undefined) throw (greeted[failed] as PromiseRejectedResult).reason
      // One start at a time: the core's allocator gives each thread its stack (PK-24).
      for (at of fresh) if (!await this.start(at, compiled, shared)) break
    } catch (error) {
      // Before those that did not come to it are ended.
      const again = at !== undefined && at.ended && at.broke === undefined
      await Promise.all(fresh.filter((worker) => worker.report === undefined).map((worker) => this.#losses.discard(worker, error)))
      if (isMillraceError(error) && error.code === 'WORKER_SPAWN') return { error, again }
      throw error
    }
    const unused = fresh.filter((worker) => worker.report === undefined)
    await Promise.all(unused.map((worker) =>
      this.#losses.discard(worker, commonErrors.CLOSED({ thing: 'Worker', id: String(worker.ordinal), event: 'start' }))))
    return undefined
  }

  /** A thread whose code loads, in a place unless it is a spare. Throws `WORKER_SPAWN`. */
  spawn(into: RemoteWorker[]): RemoteWorker {
    const ordinal = ++this.#s.ordinals, { startTimeoutMs: timeoutMs, spawn } = this.#s.o
    try {
      const worker = new RemoteWorker(ordinal, spawn, this.#events)
      into.push(worker)
      if (into === this.#s.workers) this.#s.places.take(worker)
      return worker
    } catch (cause) {
      throw workerErrors.WORKER_SPAWN({
        worker: ordinal, timeoutMs, cause: cause instanceof Error ? cause.message : String(cause), step: 'script',
      }, { cause })
    }
  }

  /** Starts one worker. False when its answer turned the pool to transfer mode: then it is not started. */
  async start(worker: RemoteWorker, compiled: CompiledModules, shared: boolean): Promise<boolean> {
    const s = this.#s, { arena, clockOriginMs, runtime: { core } } = s.o, base = { compiled, kernels: [...s.kernels], clockOriginMs }
    let report: StartReport | undefined
    worker.modules = compiled.modules.map(({ name }) => name)
    if (!shared) {
      this.equip(worker)
      const log = postable(arena.flights)
      if (log === undefined) worker.note = threadNotes(arena.flights, () => s.nowUs, RECORD_THREAD.WORKER, worker.ordinal)
      worker.note?.(RECORD_KIND.BOOT, -1, worker.ordinal)
      report = await this.#startWith(worker, {
        ...base,
        own: { bytes: s.o.ownBytes ?? OWN_BYTES, arenaId: 1 + worker.ordinal % 255, ...(log && { log }) },
      })
      worker.note?.(RECORD_KIND.END_BOOT, -1, worker.ordinal)
    } else {
      this.#donate()
      const rings = s.workers.includes(worker) ? this.reserve(worker) : undefined
      core.alloc_watch(1)
      worker.starts = true
      const options = {
        ...base,
        shared: { memory: arena.memory!, slot: worker.slot, rings, doorbell: !canWaitAsync(), facts: worker.facts },
      }
      report = await this.#startWith(worker, options).catch((error: unknown) => {
        if (!refusesMemory(error)) throw error
        return undefined
      })
      if (report !== undefined) core.alloc_watch(0)
    }
    if (shared && report?.shared !== true) {
      this.#giveUpSharing()
      worker.report = undefined
      return false
    }
    if (worker.slot >= 0) this.greeted(worker)
    if (worker.place >= 0) this.ready(worker)
    worker.hold(s.holds > 0)
    return true
  }

  /** It works. The supervisor may have seen that already. */
  ready(worker: RemoteWorker): void {
    worker.startedUs = this.#s.nowUs
    this.#s.failed = undefined
    if (worker.life.state === 'booting' || worker.life.state === 'respawning') worker.life.on('ready')
    this.#s.tellStart(worker)
  }

  /** It has answered its start or claim, so its first message is there. Throws `WORKER_SPAWN` when it is not. */
  greeted(worker: RemoteWorker): void {
    this.#mail.read(worker)
    if (worker.shook && worker.end === undefined) return
    const cause = worker.broke ?? workerErrors.IPC_ERROR({ channel: `worker ${worker.ordinal}`, reason: 'no handshake' })
    this.#losses.lose(worker, 'messageerror', String(cause), cause)
    throw workerErrors.WORKER_SPAWN({
      worker: worker.ordinal, timeoutMs: this.#s.o.startTimeoutMs, cause: cause instanceof Error ? cause.message : String(cause),
      step: 'handshake',
    }, { cause })
  }

  /** Its place's slot, a scratch span and rings, leased to the slot (MW-07, MW-13, MW-39). */
  reserve(worker: RemoteWorker): ChannelAddresses {
    const { slots, holders, lives, o: { arena } } = this.#s, holder = arena.openHolder(`worker ${worker.ordinal}`)
    holders.set(worker, holder)
    const scratch = holder.allocate(SCRATCH_SPAN_BYTES)
    worker.slot = worker.place
    slots.reserve(worker.slot, scratch)
    const before = lives.get(worker.slot)
    if (before !== undefined) worker.life = before
    lives.set(worker.slot, worker.life)
    worker.life.on(before === undefined ? 'boot' : 'respawn')
    this.equip(worker)
    return this.#mail.open(worker, holder)
  }

  /** What it has depends on its place, which those that come after it take over (MW-36). */
  equip(worker: RemoteWorker): void { worker.facts = this.#s.o.facts?.(worker.place, worker.modules) ?? worker.facts }

  async #startWith(worker: RemoteWorker, options: Omit<StartOptions, 'port' | 'protocol' | 'ordinal' | 'timeoutMs'>): Promise<StartReport> {
    const { clock, startTimeoutMs: timeoutMs } = this.#s.o
    try {
      return await worker.start(options, clock, timeoutMs).catch((error: unknown) => {
        if (options.own === undefined || !isMillraceError(error) || error.details['step'] !== 'arena'
          || !collectMemories(options.own.bytes)) {
          throw error
        }
        return worker.start(options, clock, timeoutMs)
      })
    } catch (error) {
      if (isMillraceError(error) || refusesMemory(error)) throw error
      throw workerErrors.WORKER_SPAWN({
        worker: worker.ordinal, timeoutMs, cause: error instanceof Error ? error.message : String(error), step: 'start',
      }, { cause: error })
    }
  }

  /** MW-55, MW-73: construction succeeded, but the worker did not get shared memory. Spares that did can take nobody's place any more. */
  #giveUpSharing(): void {
    const reason = 'a worker did not get the shared memory'
    if (!this.#s.o.mayTransfer) {
      throw this.#s.o.refused?.(reason) ?? memoryErrors.SHARED_MEMORY({ bytes: this.#s.o.arena.buffer.byteLength, cause: reason })
    }
    this.#s.mode = { mode: 'transfer', reason }
    for (const spare of [...this.#s.spares]) if (spare.report?.shared === true) {
      this.#losses.clean(this.#losses.discard(spare, commonErrors.CLOSED({ thing: 'Worker', id: String(spare.ordinal), event: 'start' })))
    }
  }

  /** A thread's start needs room in the core's allocator; without it, it traps. Spans stay there for the next thread (PK-26). */
  #donate(): void {
    const { workers, spares, o: { arena, runtime } } = this.#s
    if (workers.length + spares.length <= this.#donated) return
    runtime.core.alloc_donate(arena.allocate(THREAD_SPAN_BYTES), THREAD_SPAN_BYTES)
    this.#donated++
  }
}

/** A host that constructs shared memory may still refuse to post it. */
function refusesMemory(error: unknown): boolean { return error instanceof Error && error.name === 'DataCloneError' }
