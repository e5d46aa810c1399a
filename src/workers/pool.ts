import { commonErrors } from '../errors/common-errors.js'
import type { MillraceError } from '../errors/millrace-error.js'
import { workerErrors } from './errors.js'
import type { HostEvent } from './host-event.js'
import type { ModeChoice } from './mode.js'
import { PoolMail, type EventListener } from './pool-mail.js'
import type { LostWorker, PoolOptions } from './pool-options.js'
import { poolReport, type PoolReport } from './pool-report.js'
import { PoolState } from './pool-state.js'
import type { KernelBinding, WorkerDump } from './protocol.js'
import { Recovery } from './recovery.js'
import type { RemoteWorker } from './remote-worker.js'
import { wakeWorkers, type Slots } from './slots.js'
import type { EndReason } from './spawn.js'
import { Supervisor } from './supervisor.js'
import { WaitHistogram } from './wait-histogram.js'
import { WorkerLosses } from './worker-losses.js'
import { WorkerSpares } from './worker-spares.js'
import { WorkerStarts, type Enough } from './worker-starts.js'

export type { LostWorker, PoolOptions } from './pool-options.js'

/** How long a worker may take for its last words when its engine closes, ms. */
const SHUTDOWN_GRACE_MS = 100
/** How long a cancelled kernel may go on before its thread is ended, ms (EX-52). Kernels look every 10 ms (KE-05). */
export const CANCEL_GRACE_MS = 2_000

/**
 * An engine's workers: started when first needed, told of kernels before a run uses them, watched, replaced while work is pending, and
 * ended with the engine. In shared mode they find work by themselves; the pool only wakes them. Lives on the engine's thread. Parts:
 * `worker-starts`, `worker-losses`, `worker-spares`, `pool-mail`.
 */
export class WorkerPool {
  readonly recovery: Recovery
  readonly waits = new WaitHistogram()
  readonly #s: PoolState
  readonly #supervisor: Supervisor
  readonly #mail: PoolMail
  readonly #losses: WorkerLosses
  readonly #starts: WorkerStarts
  #draining = false

  constructor(options: PoolOptions) {
    const { arena, runtime: { core }, clock } = options, s = this.#s = new PoolState(options), { slots } = s
    this.recovery = new Recovery({
      arena, core, clock, slots, corrupt: () => s.corrupt, damaged: (error) => { losses.corrupt(error) },
      stuck: (slot) => {
        const worker = s.workers.find((one) => one.slot === slot)
        if (worker !== undefined) this.lose(worker, 'hang', 'did not leave its ring')
      },
    })
    const losses: WorkerLosses = this.#losses = new WorkerLosses(s, this.recovery, (lost: LostWorker): Promise<void> =>
      spares.replace(lost))
    const mail = this.#mail = new PoolMail(s, losses)
    const starts = this.#starts = new WorkerStarts(s, losses, mail, {
      // Its last words may say more than its end.
      ended: (worker, reason, detail) => { this.lose(worker, reason, detail) }, heard: () => { s.messages++ },
      event: (worker, event) => { mail.receive(worker, event) }, posted: (worker) => { mail.posted(worker) },
    })
    const spares: WorkerSpares = new WorkerSpares(s, starts, losses)
    this.#supervisor = new Supervisor({
      check: () => { arena.checkHeader(); slots.check(); this.recovery.check() }, clock, slots,
      hangMs: (state) => (state && options.hangMsOf?.(state)) ?? options.hangMs, workers: () => s.workers,
      hung: (worker, ms, state) => {
        this.lose(worker, 'hang', `no heartbeat for ${ms} ms`, workerErrors.HEARTBEAT_LOST({
          worker: worker.ordinal, ms, node: losses.jobOf(state, worker),
        }))
      },
      corrupt: (error) => { losses.corrupt(error) }, looked: () => { spares.refill() },
    })
  }

  get host(): HostEvent { return this.#s.host }
  get slots(): Slots { return this.#s.slots }
  /** How blocks move now: a worker's answer may have changed it. */
  get mode(): ModeChoice { return this.#s.mode }
  /** Workers that have started and not ended, spares apart. */
  get workers(): readonly RemoteWorker[] { return this.#s.started }
  /** Why nothing is executed any more. */
  get broken(): MillraceError | undefined { return this.#s.broken }
  /** The arena is corrupt. */
  get corrupt(): boolean { return this.#s.corrupt }
  /** No thread is left, nor ending. */
  get gone(): boolean { return this.#s.gone }

  /**
   * Starts workers until `count` (at most the pool's size) run, or those that run are `enough` while others still end. Throws
   * `WORKER_SPAWN` with the step, `SLOTS_EXHAUSTED`, `CLOSED`.
   */
  ensure(count: number, enough?: Enough): Promise<void> { return this.#starts.ensure(count, enough) }

  /**
   * Gives kernels their numbers on every thread, before a run uses them. Kernels known already cost nothing; what
   * another call still announces is waited for.
   */
  async register(kernels: readonly KernelBinding[]): Promise<void> {
    const { kernels: known, announcing, closing } = this.#s, fresh: KernelBinding[] = []
    if (closing !== undefined || this.#draining) throw commonErrors.CLOSED({ thing: 'Pool', event: 'register' })
    for (const kernel of kernels) {
      if (known.some(({ id }) => id === kernel.id)) continue
      known.push(kernel)
      fresh.push(kernel)
    }
    if (fresh.length > 0) {
      const announced = this.#announce(fresh).finally(() => { for (const { id } of fresh) announcing.delete(id) })
      for (const { id } of fresh) announcing.set(id, announced)
    }
    if (announcing.size > 0) await Promise.all(kernels.map(({ id }) => announcing.get(id)))
  }

  async #announce(kernels: readonly KernelBinding[]): Promise<void> {
    // An answer that nobody is held for does not keep the process alive.
    const s = this.#s, letGo = this.hold()
    await s.starting
    await Promise.all([...s.started, ...s.spares.filter(({ report, ended }) => report !== undefined && !ended)].map((worker) =>
      worker.register(kernels).catch((error: unknown) => {
        // Who takes its place is told with its start.
        if (!worker.ended) throw error
      }))).finally(letGo)
  }

  /** Wakes up to `count` workers that sleep, after tasks were pushed. */
  wake(count?: number): void { wakeWorkers(this.#s.o.arena, count) }

  /**
   * Cancels a run: its word, then those of the slots that execute it. 1: kernels stop at their next
   * block; 2: their threads are ended now (MW-50).
   */
  cancelRun(run: number, word: 1 | 2 = 1): void {
    const on = this.slots.cancelRun(run, word)
    if (word === 2) {
      for (const worker of this.workers) if (on.includes(worker.slot)) this.lose(worker, 'terminated', 'did not stop when cancelled')
    }
  }

  /**
   * Keeps the process alive and the workers watched while work is pending (MW-52, MW-68). Returns how to let go; letting go twice is fine.
   */
  hold(): () => void {
    const s = this.#s
    if (s.holds++ === 0) {
      for (const worker of [...s.workers, ...s.spares]) worker.hold(true)
      this.#supervisor.start()
    }
    let held = true
    return () => {
      if (!held) return
      held = false
      if (--s.holds > 0) return
      for (const worker of [...s.workers, ...s.spares]) worker.hold(false)
      this.#supervisor.stop()
      s.host.ring()
    }
  }

  /** Hears what workers post on their ports (jobs of transfer mode). Returns how to stop. */
  onEvent(listener: EventListener): () => void { return this.#mail.listen(listener) }

  /** A task of a slot was executed: what its worker did, and how long it had waited. */
  account(slot: number, busyUs: number, queuedUs: number): void {
    const worker = this.#s.workers.find((one) => one.slot === slot)
    if (worker !== undefined) worker.busyUs += busyUs
    this.waits.add(queuedUs)
  }

  /** State of every worker. */
  dump(): Promise<WorkerDump[]> { return Promise.all(this.workers.map((worker) => worker.dump())).finally(this.hold()) }

  /** Numbers of the pool: cheap, at any time (MW-54). */
  stats(): PoolReport { return poolReport(this.#s, this.waits) }

  /** Ends a worker that must not go on, as if it had ended by itself. */
  lose(worker: RemoteWorker, reason: EndReason, detail: string, cause?: unknown): void {
    this.#mail.read(worker)
    this.#losses.lose(worker, reason, detail, cause)
  }

  /** Takes no new work, waits until what is under way has ended, at most `ms`, then closes (MW-51). */
  async drain(ms = 30_000): Promise<void> {
    this.#draining = true
    const stop = new AbortController(), { host, o: { clock } } = this.#s
    await new Promise<void>((resolve) => {
      const look = (): void => { if (this.#s.holds === 0 || stop.signal.aborted) { heard(); resolve() } }
      const heard = host.listen(look)
      void clock.sleep(ms, stop.signal).then(() => { stop.abort(); look() })
      look()
    })
    stop.abort()
    await this.close()
  }

  /** Ends all workers; everything pending is rejected with `CLOSED`. Idempotent. */
  close(): Promise<void> { return this.#s.closing ??= this.#close() }

  async #close(): Promise<void> {
    this.#supervisor.stop()
    for (const worker of [...this.#s.workers, ...this.#s.spares]) worker.pending.rejectAll(closed(worker))
    await this.#mail.shutdown(SHUTDOWN_GRACE_MS)
    // Workers that start now are stopped too; the start then fails, and may have left one more.
    await this.#stopAll()
    await this.#s.starting
    await this.#stopAll()
    const { cleaning } = this.#s
    while (cleaning.size > 0) await Promise.all(cleaning)
  }

  async #stopAll(): Promise<void> {
    const { workers, spares, slots, lives } = this.#s
    await Promise.all([...workers.splice(0), ...spares.splice(0)].map(async (worker) => {
      const { slot, life } = worker
      if (slot >= 0) slots.dismiss(slot)
      if (life.state === 'idle' || life.state === 'busy') life.on('drain')
      await this.#losses.end(worker, closed(worker))
      if (life.state === 'draining') life.on('release')
      lives.delete(slot)
    }))
  }
}

function closed({ ordinal }: RemoteWorker): MillraceError {
  return commonErrors.CLOSED({ thing: 'Worker', id: String(ordinal), event: 'call' })
}
