import { commonErrors } from '../errors/common-errors.js'
import { isMillraceError } from '../errors/millrace-error.js'
import type { CompiledModules } from '../kernels/compiled-modules.js'
import { THREAD_SPAN_BYTES } from '../kernels/runtime.js'
import { MIN_ARENA_BYTES } from '../memory/config.js'
import { memoryErrors } from '../memory/errors.js'
import { SCRATCH_SPAN_BYTES } from '../memory/layout.js'
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

  /** Starts workers until `count` (at most the pool's size) run. Throws `WORKER_SPAWN` with the step, `SLOTS_EXHAUSTED`, `CLOSED`. */
  ensure(count: number): Promise<void> {
    const s = this.#s
    s.target = Math.max(s.target, Math.min(count, s.o.size))
    s.startsUnderWay++
    const next = s.starting.then(() => this.#startMissing(s.target)).finally(() => { s.startsUnderWay-- })
    s.starting = next.catch(() => undefined)
    return next
  }

  async #startMissing(count: number): Promise<void> {
    const s = this.#s, { clock, startTimeoutMs } = s.o
    if (s.closing !== undefined) throw commonErrors.CLOSED({ thing: 'Pool', event: 'start' })
    // A loop of crashes is forgiven with time, a corrupt arena is not.
    if (s.broken?.code === 'WORKER_LOST' && s.budget.hasRoom(s.nowUs)) s.broken = undefined
    if (s.broken !== undefined) throw s.broken
    let before: string | undefined
    for (let missing = count - s.started.length; missing > 0 && !s.closing; missing = count - s.started.length) {
      const { mode } = s.mode, shared = mode === 'shared'
      // Another round in the same mode: some have ended while others started. That may be a loop of crashes too (MW-48).
      if (mode === before && !s.budget.take(s.nowUs)) throw workerErrors.WORKER_SPAWN({ worker: s.ordinals, timeoutMs: startTimeoutMs, cause: 'workers end as soon as they have started', step: 'loop' })
      before = mode
      if (shared && s.workers.length + missing > s.slots.limit) throw workerErrors.SLOTS_EXHAUSTED({ limit: s.slots.limit })
      const compiled = await s.o.compiled(shared)
      const fresh: RemoteWorker[] = []
      try {
        while (fresh.length < missing) fresh.push(this.spawn(s.workers))
        const greeted = await Promise.allSettled(fresh.map((worker) => worker.greeting(clock, startTimeoutMs)))
        const failed = greeted.find((one) => one.status === 'rejected')
        if (failed !== undefined) throw failed.reason
        // One start at a time: the core's allocator gives each thread its stack (PK-24).
        for (const worker of fresh) if (!await this.start(worker, compiled, shared)) break
      } catch (error) {
        await Promise.all(fresh.filter((worker) => worker.report === undefined).map((worker) => this.#losses.discard(worker, error)))
        // Those that live can do the work; the supervisor goes on trying.
        if (isMillraceError(error) && error.code === 'WORKER_SPAWN' && s.started.length > 0 && !s.closing) return
        throw error
      }
      const unused = fresh.filter((worker) => worker.report === undefined)
      await Promise.all(unused.map((worker) => this.#losses.discard(worker, commonErrors.CLOSED({ thing: 'Worker', id: String(worker.ordinal), event: 'start' }))))
    }
  }

  /** A thread whose code loads. Throws `WORKER_SPAWN`. */
  spawn(into: RemoteWorker[]): RemoteWorker {
    const ordinal = ++this.#s.ordinals, { startTimeoutMs: timeoutMs, spawn } = this.#s.o
    try {
      const worker = new RemoteWorker(ordinal, spawn, this.#events)
      into.push(worker)
      return worker
    } catch (cause) {
      throw workerErrors.WORKER_SPAWN({ worker: ordinal, timeoutMs, cause: cause instanceof Error ? cause.message : String(cause), step: 'script' }, { cause })
    }
  }

  /** Starts one worker. False when its answer turned the pool to transfer mode: then it is not started. */
  async start(worker: RemoteWorker, compiled: CompiledModules, shared: boolean): Promise<boolean> {
    const s = this.#s, { arena, clockOriginMs, runtime: { core } } = s.o, base = { compiled, kernels: [...s.kernels], clockOriginMs }
    let report: StartReport | undefined
    worker.modules = compiled.modules.map(({ name }) => name)
    if (!shared) this.place(worker)
    if (!shared) report = await this.#startWith(worker, { ...base, own: { bytes: s.o.ownBytes ?? OWN_BYTES, arenaId: 1 + worker.ordinal % 255 } })
    else {
      this.#donate()
      const rings = s.workers.includes(worker) ? this.reserve(worker) : undefined
      core.alloc_watch(1)
      worker.starts = true
      const options = { ...base, shared: { memory: arena.memory!, slot: worker.slot, rings, doorbell: !canWaitAsync(), facts: worker.facts } }
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
    if (worker.slot >= 0 || !shared) this.ready(worker)
    worker.hold(s.holds > 0)
    return true
  }

  /** It works. The supervisor may have seen that already. */
  ready(worker: RemoteWorker): void {
    worker.startedUs = this.#s.nowUs
    if (worker.life.state === 'booting' || worker.life.state === 'respawning') worker.life.on('ready')
    this.#s.tellStart(worker)
  }

  /** It has answered its start or claim, so its first message is there. Throws `WORKER_SPAWN` when it is not. */
  greeted(worker: RemoteWorker): void {
    this.#mail.read(worker)
    if (worker.shook && worker.end === undefined) return
    const cause = worker.broke ?? workerErrors.IPC_ERROR({ channel: `worker ${worker.ordinal}`, reason: 'no handshake' })
    this.#losses.lose(worker, 'messageerror', String(cause), cause)
    throw workerErrors.WORKER_SPAWN({ worker: worker.ordinal, timeoutMs: this.#s.o.startTimeoutMs, cause: cause instanceof Error ? cause.message : String(cause), step: 'handshake' }, { cause })
  }

  /** A slot, a scratch span and rings, leased to the slot (MW-07, MW-13, MW-39). */
  reserve(worker: RemoteWorker): ChannelAddresses {
    const { slots, holders, lives, o: { arena } } = this.#s, holder = arena.openHolder(`worker ${worker.ordinal}`)
    holders.set(worker, holder)
    worker.slot = slots.reserve(holder.allocate(SCRATCH_SPAN_BYTES))
    if (worker.slot < 0) throw workerErrors.SLOTS_EXHAUSTED({ limit: slots.limit })
    const before = lives.get(worker.slot)
    if (before !== undefined) worker.life = before
    lives.set(worker.slot, worker.life)
    worker.life.on(before === undefined ? 'boot' : 'respawn')
    this.place(worker)
    return this.#mail.open(worker, holder)
  }

  /** What it has depends on its place, which those that come after it take over (MW-36). */
  place(worker: RemoteWorker): void {
    const { workers, o: { facts } } = this.#s, taken = new Set(workers.map((one) => one === worker ? -1 : one.place))
    let free = 0
    while (taken.has(free)) free++
    worker.place = worker.slot < 0 ? free : worker.slot
    if (facts !== undefined) worker.facts = facts(worker.place, worker.modules)
  }

  async #startWith(worker: RemoteWorker, options: Omit<StartOptions, 'port' | 'protocol' | 'ordinal' | 'timeoutMs'>): Promise<StartReport> {
    const { clock, startTimeoutMs: timeoutMs } = this.#s.o
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
    if (!this.#s.o.mayTransfer) throw memoryErrors.SHARED_MEMORY({ bytes: this.#s.o.arena.buffer.byteLength, cause: reason })
    this.#s.mode = { mode: 'transfer', reason }
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
