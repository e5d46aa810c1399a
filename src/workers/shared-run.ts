import { commonErrors } from '../errors/common-errors.js'
import type { MillraceError } from '../errors/millrace-error.js'
import { PASS, PROGRAM, STATUS } from '../kernels/contract.js'
import { TASK_STATE } from '../memory/layout.js'
import type { EngineSegment } from '../schedule/engine-segment.js'
import type { RunScope } from '../schedule/open-segment.js'
import { MOST_REDELIVERIES, redeliveryDelayMs } from '../schedule/policy/redelivery.js'
import { workerErrors } from './errors.js'
import { CANCEL_GRACE_MS, type LostWorker } from './pool.js'
import { nameNodes } from './name-nodes.js'
import { onAbort } from '../schedule/on-abort.js'
import { RunTable, type TaskSpec } from './run-table.js'
import type { SharedOptions } from './shared-executor.js'

/** A task of a run and the segment that it executes. `turn`: what the engine lets it go by, when its run may use only so many workers. */
export interface RunTask { readonly spec: TaskSpec; readonly segment: EngineSegment; readonly turn?: Gate | undefined }
/** A lost task gives its turn back while it waits, and waits for another one. */
export interface Gate { readonly leave: () => void; readonly enter: () => Promise<void> }

/**
 * One run's tasks in shared memory, watched from the engine's thread: suspended ones go on, those
 * that lost their worker are delivered again.
 */
export class SharedRun {
  readonly table: RunTable
  readonly #o: SharedOptions
  readonly #tasks: readonly RunTask[]
  readonly #scope: RunScope
  readonly #all: Set<SharedRun>
  readonly #letGo: () => void
  readonly #gone: () => void
  /** Tasks that have failed with their worker. */
  readonly #failures = new Map<number, MillraceError>()
  /** Tasks that trapped, with the loss that this made. */
  readonly #traps = new Map<number, LostWorker>()
  /** Tasks that wait for their next delivery. */
  readonly #delayed = new Set<number>()
  readonly #retired = new AbortController()
  readonly #deaf: () => void
  #broken: MillraceError | undefined
  #stopping = false
  #closing: Promise<void> | undefined

  /**
   * `limit`: most of its tasks that run at once, 0 as many as there are workers. `all`: the executor's runs, which this one
   * joins. `gone`: its record is free again.
   */
  constructor(options: SharedOptions, tasks: readonly RunTask[], scope: RunScope, limit: number, all: Set<SharedRun>, gone: () => void) {
    this.#o = options
    this.#tasks = tasks
    this.#scope = scope
    this.#all = all
    this.#gone = gone
    this.table = new RunTable(options.arena, options.core, tasks.map(({ spec }) => spec), { ...scope.share, limit }, options.pool.recovery)
    this.#letGo = options.pool.hold()
    all.add(this)
    this.#deaf = onAbort(scope.signal, () => { this.#stop() })
    if (scope.signal.aborted) this.#stop()
  }

  /** Makes a task ready and waits until its thread suspends or ends it; gives the last pass's result. Throws `WORKER_LOST` or the trap. */
  async activate(task: number): Promise<number> {
    if (this.#scope.signal.aborted) throw this.#scope.signal.reason
    this.#throwLoss()
    this.#tasks[task]!.segment.save()
    this.table.push(task, this.#o.clock.nowUs())
    await this.#until(() => {
      const state = this.table.state(task)
      return state === TASK_STATE.READY ? this.#scope.signal.aborted : !this.table.isOpen(task)
    })
    this.#throwLoss()
    const state = this.table.state(task)
    // READY: cancelled before a thread took it; none will execute it.
    if (state === TASK_STATE.CANCELLED || state === TASK_STATE.READY || this.table.isOpen(task)) return STATUS.CANCELLED
    this.#account(task)
    return state === TASK_STATE.DONE ? PASS.DONE : this.table.status(task)
  }

  /** Starts the first tasks and waits until all are done. A task whose output was too small gets more room and goes on. */
  async complete(): Promise<void> {
    const { clock } = this.#o
    this.#throwLoss()
    // Tasks are made ready by each other: all are saved before the first one is.
    for (const { segment } of this.#tasks) segment.save()
    for (const [task, { spec }] of this.#tasks.entries()) if (spec.pending === 0) this.table.push(task, clock.nowUs())
    const open = new Set(this.#tasks.keys())
    await this.#until(() => {
      if (this.#scope.signal.aborted) return true
      for (const task of [...open]) {
        const state = this.table.state(task)
        if (state === TASK_STATE.WAITING && this.table.status(task) === PASS.OUTPUT_FULL) this.#enlarge(task)
        else if (state === TASK_STATE.DONE) { open.delete(task); this.#account(task) }
        else if (state === TASK_STATE.FAILED || state === TASK_STATE.CANCELLED) return true
      }
      return open.size === 0
    })
    this.#throwLoss()
    if (this.#scope.signal.aborted) throw this.#scope.signal.reason
    // A task that ended without being done is never taken for one that is.
    const failed = [TASK_STATE.FAILED, TASK_STATE.CANCELLED].map((ended) => this.#tasks.findIndex((_, task) =>
      this.table.state(task) === ended)).find((task) => task >= 0) ?? -1
    if (failed >= 0) throw this.#tasks[failed]!.segment.program.failed(this.table.status(failed))
  }

  /** How long a task may be silent, ms; undefined: as the pool says. */
  hangMs(task: number): number | undefined { return this.#tasks[task]?.segment.plan.hangMs }
  /** Its nodes, for errors. */
  nodesOf(task: number): string | undefined {
    const plan = this.#tasks[task]?.segment.plan
    return plan && nameNodes([plan])
  }

  lost(lost: LostWorker): void {
    const task = lost.task === undefined ? -1 : this.table.indexOf(lost.task)
    if (task >= 0) this.#traps.set(task, lost)
  }

  /** The run is rebuilt after a loss: every DELAYED task that is not cared for yet had that worker, or one that was lost with it. */
  recovered(lost: LostWorker): void {
    for (const task of this.#tasks.keys()) {
      if (this.table.state(task) !== TASK_STATE.DELAYED || this.#delayed.has(task)) continue
      if (this.#stopping) { this.table.end(task, TASK_STATE.CANCELLED, STATUS.CANCELLED); continue }
      const { program } = this.#tasks[task]!.segment, deliveries = Math.max(1, this.table.deliveries(task)), trap = this.#traps.get(task)
      if (trap !== undefined) this.#fail(task, program.trapped(trap.error.cause))
      else if (deliveries > MOST_REDELIVERIES) this.#fail(task, this.#poison(task, lost, deliveries))
      else void this.#deliverAgain(task, deliveries)
    }
  }

  broken(error: MillraceError): void { this.#broken = error }

  /**
   * Stops what runs, then frees the record. Blocks of a killed thread are free only once it is gone,
   * which is when its task is not open any more.
   */
  close(): Promise<void> { return this.#closing ??= this.#close() }

  async #close(): Promise<void> {
    this.#deaf()
    const { pool, clock } = this.#o
    if (!pool.corrupt) this.#stop()
    // What a corrupt arena says of tasks counts for nothing: the threads' end is theirs.
    await this.#until(() => pool.corrupt ? pool.gone : !this.table.anyOpen(), false)
    this.#retired.abort()
    await this.table.close(clock, () => pool.corrupt)
    this.#all.delete(this)
    this.#letGo()
    this.#gone()
  }

  async #deliverAgain(task: number, deliveries: number): Promise<void> {
    this.#tasks[task]!.segment.restore()
    this.#delayed.add(task)
    const { turn } = this.#tasks[task]!
    turn?.leave()
    await this.#o.clock.sleep(redeliveryDelayMs(deliveries), this.#retired.signal)
    // Cancelled: it has ended.
    if (turn !== undefined && this.#delayed.has(task)) await turn.enter().catch(() => undefined)
    // Cancelled meanwhile: it has ended.
    if (this.#delayed.delete(task)) this.table.push(task, this.#o.clock.nowUs())
  }

  #enlarge(task: number): void {
    const { segment } = this.#tasks[task]!
    this.#account(task)
    segment.enlarge()
    segment.save()
    this.table.push(task, this.#o.clock.nowUs())
  }

  #account(task: number): void {
    const { startUs, busyUs, queuedUs, slot } = this.table.times(task)
    this.#o.pool.account(slot, busyUs, queuedUs)
    this.#tasks[task]!.segment.account(busyUs, queuedUs, (startUs - this.#scope.startUs) >>> 0, slot)
  }

  #fail(task: number, error: MillraceError): void {
    this.#failures.set(task, error)
    this.table.end(task, TASK_STATE.FAILED, STATUS.BAD_STATE)
  }

  /** The last delivery is lost too: the error names what was executed. */
  #poison(task: number, { worker, reason, detail, error, records }: LostWorker, delivery: number): MillraceError {
    const { program, plan } = this.#tasks[task]!.segment
    const step = this.#o.arena.u32[(program.address + PROGRAM.FAILED_STEP) >>> 2]!
    const { spec } = plan.nodes[step] ?? plan.nodes[0]!
    return workerErrors.WORKER_LOST({
      worker, reason: `${reason}: ${detail}`, node: spec.nodeId, delivery, deliveries: MOST_REDELIVERIES + 1, records,
    }, {
      cause: error.cause ?? error, nodeId: spec.nodeId, nodeType: spec.type, retryable: false })
  }

  /** Writes the cancel words. A kernel that does not look at its word loses its thread after a grace (MW-50). */
  #stop(): void {
    const { clock, pool } = this.#o
    if (this.#stopping) return
    this.#stopping = true
    for (const task of this.#delayed) {
      this.#delayed.delete(task)
      this.table.end(task, TASK_STATE.CANCELLED, STATUS.CANCELLED)
    }
    // A slot that has just left this run may have another run's task by the time its word is written.
    if (this.table.rests) return
    pool.cancelRun(this.table.index)
    void clock.sleep(CANCEL_GRACE_MS, this.#retired.signal).then(() => {
      if (!this.#retired.signal.aborted && this.table.anyOpen()) pool.cancelRun(this.table.index, 2)
    })
  }

  /**
   * Waits for a condition over the records: looks, then waits for the host event or a cancellation, then looks again. The end
   * of all workers ends the wait, if it may.
   */
  async #until(reached: () => boolean, orBroken = true): Promise<void> {
    if (this.#o.pool.host.soon(reached)) return
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        try {
          if (!reached() && !(orBroken && this.#broken !== undefined)) return
          resolve()
        } catch (error) { reject(error as Error) }
        stop()
        deaf()
      }
      const stop = this.#o.pool.host.listen(look), deaf = onAbort(this.#scope.signal, look)
      look()
    })
  }

  #throwLoss(): void {
    const [first] = this.#failures.values(), error = first ?? this.#broken
    if (error !== undefined) throw error
    if (this.#o.pool.broken !== undefined) throw this.#o.pool.broken
    if (this.#closing !== undefined) throw commonErrors.CLOSED({ thing: 'Run', event: 'used' })
  }
}
