import type { MillraceError } from '../errors/millrace-error.js'
import { RECORD_KIND, RECORD_THREAD, SLOT_PHASE } from '../memory/layout.js'
import type { Address } from '../memory/memory-host.js'
import { readRecords, record, type FlightRecord } from '../memory/recorder.js'
import { workerErrors } from './errors.js'
import { RECORDS_TOLD } from './lost-job.js'
import { nameNodes } from './name-nodes.js'
import type { LostWorker } from './pool-options.js'
import type { PoolState } from './pool-state.js'
import type { Recovery } from './recovery.js'
import type { RemoteWorker } from './remote-worker.js'
import type { SlotState } from './slots.js'
import type { EndReason } from './spawn.js'

/**
 * Ends of workers and what follows: told, dismissed, ended, given back, runs rebuilt, replaced, in the order of MW-47. Engine thread only.
 */
export class WorkerLosses {
  readonly #s: PoolState
  readonly #recovery: Recovery
  readonly #replace: (lost: LostWorker) => Promise<void>

  constructor(state: PoolState, recovery: Recovery, replace: (lost: LostWorker) => Promise<void>) {
    this.#s = state
    this.#recovery = recovery
    this.#replace = replace
  }

  /** Ends a worker that must not go on, or has ended by itself. `task`: the one that trapped. */
  lose(worker: RemoteWorker, reason: EndReason, detail: string, cause?: unknown, task?: Address): void {
    const { workers, spares, slots, places, mode, o: { arena } } = this.#s
    const spare = spares.indexOf(worker), at = workers.indexOf(worker), { slot } = worker
    if (spare >= 0) {
      spares.splice(spare, 1)
      this.clean(this.end(worker, this.#lossOf(worker, reason, detail, undefined, [], cause)))
    }
    if (at < 0) return
    workers.splice(at, 1)
    // Of a memory of its own nobody is in the way.
    if (slot < 0 && mode.mode === 'transfer') places.leave(worker)
    const state = slot < 0 ? undefined : slots.state(slot)
    if (slot >= 0) {
      worker.life.on('lose')
      slots.dismiss(slot)
    }
    const { flights } = arena, { ordinal } = worker, own = slot < 0
    record(
      flights, this.#s.nowUs, slot, own ? RECORD_KIND.LOST | RECORD_THREAD.WORKER : RECORD_KIND.LOST,
      own ? ordinal : (state?.run ?? -1) + 1, (state?.task ?? -1) + 1, ordinal,
    )
    // What a spare did before it had its slot, too.
    const records = readRecords(flights, RECORDS_TOLD, ({ slot: at, thread }) =>
      thread === undefined ? at === slot : thread === `worker ${ordinal}`)
    const error = this.#lossOf(worker, reason, detail, state, records, cause)
    if (worker.report === undefined) { this.clean(this.end(worker, error)); return }
    this.#s.lost++
    this.#s.vacant.set(worker.place, worker.ordinal)
    let cleaned: () => void
    const lost: LostWorker = {
      worker: worker.ordinal, slot, reason, detail, state, task, error, records,
      cleaned: new Promise((resolve) => { cleaned = resolve }),
    }
    // What it was told to do, or what it said, is no reason of its host's.
    const idle = cause === undefined && (state === undefined ? worker.open === 0 && worker.executing.size === 0 : state.task < 0)
    this.#s.budget.owe(lost, this.#s.nowUs, idle ? worker.startedUs : undefined)
    // Ended first: whatever those who are told do, what follows does.
    const gone = this.end(worker, error)
    this.#s.o.onLost?.(lost)
    // What it did in a memory of its own is in nobody's way: another takes its place while the thread ends.
    const replaced = slot < 0 ? this.#replace(lost) : undefined
    this.clean(gone.then(async () => {
      cleaned()
      // Beside each other: the replacement finds what was rebuilt, or sleeps until it is.
      await Promise.all([this.#recover(lost), replaced ?? this.#replace(lost)])
    }))
    this.#s.host.ring()
  }

  /** The arena is not what it was: nothing in it can be trusted, and no thread may go on in it (MW-02). */
  corrupt(error: MillraceError): void {
    this.#s.break(error)
    for (const worker of [...this.#s.workers, ...this.#s.spares]) this.lose(worker, 'terminated', 'the arena is corrupt', error)
  }

  /** Ends a worker that never came into use. */
  async discard(worker: RemoteWorker, error: unknown): Promise<void> {
    for (const list of [this.#s.workers, this.#s.spares]) if (list.includes(worker)) list.splice(list.indexOf(worker), 1)
    if (worker.slot >= 0 && worker.end === undefined) worker.life.on('lose')
    await this.end(worker, error)
  }

  /** Ends the thread; when it is gone its slot, leases and stack come back, once: it may be lost while its start fails. */
  end(worker: RemoteWorker, error: unknown): Promise<void> {
    return worker.end ??= worker.stop(error).then(() => {
      if (worker.slot >= 0) this.#s.slots.markDead(worker.slot)
      this.#release(worker)
    })
  }

  /** Closing waits for it. */
  clean(work: Promise<void>): void {
    this.#s.cleaning.add(work)
    void work.finally(() => {
      this.#s.cleaning.delete(work)
      if (this.#s.corrupt) this.#s.host.ring()
    })
  }

  /** What a worker does, for errors: its nodes where the executor knows them. */
  jobOf(state: SlotState | undefined, { executing }: RemoteWorker): string {
    if (executing.size > 0) return nameNodes([...executing].map(({ plan }) => plan))
    if (state === undefined || state.task < 0) return 'no task'
    return `${this.#s.o.nodesOf?.(state) ?? `task ${state.task} of run ${state.run}`}${state.phase === SLOT_PHASE.QUEUE ? ' (taking it)' : ''}`
  }

  async #recover(lost: LostWorker): Promise<void> {
    if (lost.slot >= 0) await this.#recovery.rebuild()
    if (!this.#s.corrupt) this.#s.o.onRecovered?.(lost)
    this.#s.host.ring()
  }

  #lossOf(
    worker: RemoteWorker, reason: EndReason, detail: string, state: SlotState | undefined, records: readonly FlightRecord[], cause: unknown,
  ): MillraceError {
    if (worker.report === undefined) {
      return workerErrors.WORKER_SPAWN({
        worker: worker.ordinal, timeoutMs: this.#s.o.startTimeoutMs, cause: `${reason}: ${detail}`, step: 'script',
      }, { cause })
    }
    return workerErrors.WORKER_LOST({
      worker: worker.ordinal, reason: `${reason}: ${detail}`, node: this.jobOf(state, worker), delivery: 1, deliveries: 1, records,
    }, { cause })
  }

  /**
   * Gives back what a thread that is gone had: stack, leases, slot (PK-25). What a thread had taken that was ended while it
   * started is known to the core's allocator.
   */
  #release(worker: RemoteWorker): void {
    const { slots, holders, mode, places, o: { runtime } } = this.#s
    if (!this.#s.corrupt) {
      // Also once the pool has turned to transfer.
      if (worker.report?.shared === true) runtime.destroyThread(worker.report.stack)
      else if (mode.mode === 'shared' && worker.starts) runtime.core.alloc_undo()
    }
    if (worker.slot >= 0) slots.clear(worker.slot)
    worker.channel?.close()
    holders.get(worker)?.drop()
    holders.delete(worker)
    worker.slot = -1
    places.leave(worker)
  }
}
