import { commonErrors } from '../errors/common-errors.js'
import { PASS, STATUS } from '../kernels/contract.js'
import type { CoreExports } from '../kernels/runtime.js'
import type { Arena } from '../memory/arena.js'
import { SLOT_PHASE, TASK_STATE } from '../memory/layout.js'
import type { Clock } from '../schedule/clock.js'
import { EngineSegment } from '../schedule/engine-segment.js'
import type { BuildProgram } from '../schedule/inline-executor.js'
import type { OpenSegment, OutputMode, RunScope, SegmentExecutor, ValueTask } from '../schedule/open-segment.js'
import type { BuiltProgram } from '../schedule/program.js'
import { releasePacket } from '../schedule/packet-data.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'
import { CANCEL_GRACE_MS, type LostWorker, type WorkerPool } from './pool.js'
import type { KernelBinding } from './protocol.js'
import { RunRecords } from './run-records.js'
import { RunTable, type TaskSpec } from './run-table.js'

/** What a shared executor works with. `kernels`: numbers of a plan's kernels. `workers`: how many to start. */
export interface SharedOptions {
  readonly pool: WorkerPool
  readonly arena: Arena
  readonly core: CoreExports
  readonly clock: Clock
  readonly workers: number
  readonly build: BuildProgram
  readonly kernels: (plans: readonly SegmentPlan[]) => readonly KernelBinding[]
}

/** Executes segments on workers that share the engine's memory: they take them from the task table by themselves (MW-31, MW-32); nothing is posted per task. */
export class SharedExecutor implements SegmentExecutor {
  readonly where = 'worker' as const
  readonly #o: SharedOptions
  readonly #runs = new Set<SharedRun>()
  readonly #records = new RunRecords()

  constructor(options: SharedOptions) { this.#o = options }

  async prepare(plans: readonly SegmentPlan[]): Promise<void> {
    await this.#o.pool.register(this.#o.kernels(plans))
    await this.#o.pool.ensure(this.#o.workers)
  }

  /** A worker is gone: the task that it held fails with the loss, and every run when it may have left a ring half-written. */
  lost(lost: LostWorker): void {
    for (const run of [...this.#runs]) run.lost(lost)
  }

  async open(plan: SegmentPlan, outputs: ReadonlyMap<number, OutputMode>, scope: RunScope): Promise<OpenSegment> {
    const { program } = this.#o.build(plan, scope)
    let run: SharedRun | undefined, retired: Promise<void> | undefined
    // All that lasts between activations is in the program: another record serves the next one as well.
    const retire = (): void => { retired = run?.close(); run = undefined }
    const segment: EngineSegment = new EngineSegment(this.#o.arena, plan, program, outputs, scope, async () => {
      this.#records.busy(retire)
      run ??= await this.#start([{ program: program.address, successors: [], pending: 0 }], [program], scope)
      const status = await run.activate(0)
      const { startUs, busyUs, queuedUs, slot } = run.table.times(0)
      // 0: cancelled before a thread took it.
      if (startUs > 0) segment.account(busyUs, queuedUs, (startUs - scope.startUs) >>> 0, slot)
      if (status > PASS.DONE) this.#records.idle(retire)
      if (status < 0) throw status === STATUS.CANCELLED ? scope.signal.reason ?? program.failed(status) : program.failed(status)
      return status
    }, async () => {
      this.#records.busy(retire)
      await Promise.all([run?.close(), retired])
    })
    return segment
  }

  async runValues(tasks: readonly ValueTask[], scope: RunScope): Promise<readonly OpenSegment[]> {
    const segments: EngineSegment[] = []
    let run: SharedRun | undefined
    const retire = (): Promise<void> => run?.close() ?? Promise.resolve()
    try {
      for (const { plan, outputs } of tasks) segments.push(new EngineSegment(this.#o.arena, plan, this.#o.build(plan, scope).program, outputs, scope, neverCalled, retire))
      for (const [t, { literals, links }] of tasks.entries()) {
        for (const [buffer, packet] of [...literals]) {
          await segments[t]!.feed(buffer, packet)
          literals.delete(buffer)
          segments[t]!.end(buffer)
        }
        for (const [buffer, { task, value }] of links) segments[t]!.follow(buffer, segments[task]!, value)
      }
      const after = tasks.map((_, t) => tasks.flatMap(({ links }, reader) => [...links.values()].some((link) => link.task === t) ? [reader] : []))
      run = await this.#start(tasks.map(({ links }, t) => ({ program: segments[t]!.program.address, successors: after[t]!, pending: new Set([...links.values()].map((link) => link.task)).size })), segments.map((segment) => segment.program), scope)
      await run.complete(tasks.flatMap(({ links }, t) => links.size === 0 ? [t] : []), segments)
      for (const [t, segment] of segments.entries()) {
        const { startUs, busyUs, slot } = run.table.times(t)
        segment.account(busyUs, 0, (startUs - scope.startUs) >>> 0, slot)
      }
      await run.close()
      return segments
    } catch (error) {
      for (const { literals } of tasks) for (const packet of literals.values()) releasePacket(packet)
      await Promise.all(segments.map((segment) => segment.close()))
      throw error
    }
  }

  /** A run in shared memory, once a record is free. */
  async #start(tasks: readonly TaskSpec[], programs: readonly BuiltProgram[], scope: RunScope): Promise<SharedRun> {
    await this.#records.acquire(scope.signal)
    try {
      return new SharedRun(this.#o, tasks, programs, scope, this.#runs, () => { this.#records.release() })
    } catch (error) {
      this.#records.release()
      throw error
    }
  }
}

/** Self-scheduled segments are executed by their task, never by the driver. */
function neverCalled(): Promise<number> {
  return Promise.reject(commonErrors.INTERNAL({ what: 'A self-scheduled segment was driven by hand.' }))
}

/** One run's tasks in shared memory, watched from the engine's thread. */
class SharedRun {
  readonly table: RunTable
  readonly #o: SharedOptions
  readonly #programs: readonly BuiltProgram[]
  readonly #scope: RunScope
  readonly #all: Set<SharedRun>
  readonly #letGo: () => void
  readonly #gone: () => void
  readonly #losses = new Map<number, LostWorker>()
  readonly #retired = new AbortController()
  readonly #cancel = (): void => { this.#stop() }
  #fatal: LostWorker | undefined
  #closing: Promise<void> | undefined

  /** `programs`: those of the tasks, for the errors of traps. `gone`: its record is free again. */
  constructor(options: SharedOptions, tasks: readonly TaskSpec[], programs: readonly BuiltProgram[], scope: RunScope, all: Set<SharedRun>, gone: () => void) {
    this.#o = options
    this.#programs = programs
    this.#scope = scope
    this.#all = all
    this.#gone = gone
    this.table = new RunTable(options.arena, options.core, tasks)
    this.#letGo = options.pool.hold()
    all.add(this)
    scope.signal.addEventListener('abort', this.#cancel, { once: true })
    if (scope.signal.aborted) this.#cancel()
  }

  /** Makes a task ready and waits until its thread suspends or ends it; gives the last pass's result. Throws `WORKER_LOST` or the trap. */
  async activate(task: number): Promise<number> {
    if (this.#scope.signal.aborted) throw this.#scope.signal.reason
    this.#requireWorkers()
    this.table.push(task, this.#o.clock.nowUs())
    await this.#until(() => {
      const state = this.table.state(task)
      return state === TASK_STATE.READY ? this.#scope.signal.aborted : state !== TASK_STATE.RUNNING
    })
    this.#throwLoss()
    const state = this.table.state(task)
    // READY, or RUNNING for a moment: cancelled before a thread took it; none will execute it.
    if (state === TASK_STATE.CANCELLED || state === TASK_STATE.READY || state === TASK_STATE.RUNNING) return STATUS.CANCELLED
    return state === TASK_STATE.DONE ? PASS.DONE : this.table.status(task)
  }

  /** Starts the first tasks and waits until all are done. A task whose output was too small gets more room and goes on. */
  async complete(first: readonly number[], segments: readonly EngineSegment[]): Promise<void> {
    const { clock } = this.#o
    this.#requireWorkers()
    for (const task of first) this.table.push(task, clock.nowUs())
    const open = new Set(segments.keys())
    await this.#until(() => {
      if (this.#scope.signal.aborted) return true
      for (const task of [...open]) {
        const state = this.table.state(task)
        if (state === TASK_STATE.WAITING && this.table.status(task) === PASS.OUTPUT_FULL) { segments[task]!.enlarge(); this.table.push(task, clock.nowUs()) }
        else if (state === TASK_STATE.DONE) open.delete(task)
        else if (state === TASK_STATE.FAILED || state === TASK_STATE.CANCELLED) return true
      }
      return open.size === 0
    })
    this.#throwLoss()
    if (this.#scope.signal.aborted) throw this.#scope.signal.reason
    const failed = segments.findIndex((_, task) => this.table.state(task) === TASK_STATE.FAILED)
    if (failed >= 0) throw segments[failed]!.program.failed(this.table.status(failed))
  }

  lost(lost: LostWorker): void {
    const { state } = lost
    if (state?.phase === SLOT_PHASE.QUEUE || this.#o.pool.workers.length === 0) this.#fatal = lost
    const task = lost.task !== undefined ? this.table.indexOf(lost.task) : state?.run === this.table.index ? state.task : -1
    if (task < 0) return
    this.#losses.set(task, lost)
    if (this.table.isRunning(task)) this.table.fail(task, STATUS.BAD_STATE)
  }

  /** Stops what runs, then frees the record. Blocks of a killed thread are free only once it is gone. */
  close(): Promise<void> { return this.#closing ??= this.#close() }

  async #close(): Promise<void> {
    this.#scope.signal.removeEventListener('abort', this.#cancel)
    this.#stop()
    await this.#stopped()
    this.#retired.abort()
    await Promise.all([...this.#losses.values()].map(({ cleaned }) => cleaned))
    await this.table.close(this.#o.clock)
    this.#all.delete(this)
    this.#letGo()
    this.#gone()
  }

  /** Writes the cancel words. A kernel that does not look at its word loses its thread after a grace (MW-50). */
  #stop(): void {
    const { clock, pool } = this.#o
    pool.cancelRun(this.table.index)
    void clock.sleep(CANCEL_GRACE_MS, this.#retired.signal).then(() => {
      if (!this.#retired.signal.aborted && this.table.anyRunning()) pool.cancelRun(this.table.index, 2)
    })
  }

  /** Waits until no thread executes a task of the run. */
  async #stopped(): Promise<void> {
    const { clock, pool, core, arena } = this.#o, { table } = this
    if (this.#fatal !== undefined) {
      // A thread that died while it took a task may have left it without an owner. Once nobody is taking, every running task has one, or is that one.
      while (core.queue_quiet(arena.base) === 0) await clock.yield()
      const owned = new Set(pool.workers.map(({ slot }) => pool.slots.state(slot)).filter(({ run }) => run === table.index).map(({ task }) => task))
      for (const task of this.#programs.keys()) if (table.isRunning(task) && !owned.has(task)) table.fail(task, STATUS.BAD_STATE)
    }
    await this.#until(() => !table.anyRunning(), false)
  }

  /** Waits for a condition over the records: looks, then waits for the host event or a cancellation, then looks again. A loss ends the wait, if it may. */
  async #until(reached: () => boolean, orLost = true): Promise<void> {
    if (reached()) return
    await new Promise<void>((resolve) => {
      const { signal } = this.#scope
      const look = (): void => {
        if (!reached() && !(orLost && this.#fatal !== undefined)) return
        stop()
        signal.removeEventListener('abort', look)
        resolve()
      }
      const stop = this.#o.pool.host.listen(look)
      signal.addEventListener('abort', look)
      if (reached()) look()
    })
  }

  #throwLoss(): void {
    const [first] = this.#losses
    if (first?.[1].reason === 'trap') throw this.#programs[first[0]]!.trapped(first[1].error.cause)
    const lost = this.#fatal ?? first?.[1]
    if (lost !== undefined) throw lost.error
  }

  /** Without workers nobody would take the task: those that were lost are started again by the next run. */
  #requireWorkers(): void {
    this.#throwLoss()
    if (this.#o.pool.workers.length === 0) throw commonErrors.CLOSED({ thing: 'Pool', event: 'run' })
  }
}
