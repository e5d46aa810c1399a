import { commonErrors } from '../errors/common-errors.js'
import { PASS, STATUS } from '../kernels/contract.js'
import type { MillraceError } from '../errors/millrace-error.js'
import type { CoreExports } from '../kernels/runtime.js'
import type { Arena } from '../memory/arena.js'
import type { Clock } from '../schedule/clock.js'
import { EngineSegment } from '../schedule/engine-segment.js'
import type { BuildProgram } from '../schedule/inline-executor.js'
import type { OpenSegment, OutputMode, RunScope, SegmentExecutor, ValueTask } from '../schedule/open-segment.js'
import { releasePacket } from '../schedule/packet-data.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'
import { DispatchQueue, laneOf, pieceOf, type Handed, type Piece } from './dispatch-queue.js'
import type { FactBits } from './facts.js'
import type { LostWorker, WorkerPool } from './pool.js'
import type { KernelBinding } from './protocol.js'
import { RunRecords } from './run-records.js'
import { SharedRun, type Gate, type RunTask } from './shared-run.js'
import type { SlotState } from './slots.js'

/** What a shared executor works with. `kernels`: numbers of a plan's kernels. `workers`: how many to start. */
export interface SharedOptions {
  readonly pool: WorkerPool
  readonly arena: Arena
  readonly core: CoreExports
  readonly clock: Clock
  readonly workers: number
  readonly build: BuildProgram
  /** What segments need and workers have. */
  readonly facts: FactBits
  readonly kernels: (plans: readonly SegmentPlan[]) => readonly KernelBinding[]
}

/**
 * Executes segments on workers that share the engine's memory: they take them from the task table by themselves
 * (MW-31, MW-32); nothing is posted per task.
 */
export class SharedExecutor implements SegmentExecutor {
  readonly where = 'worker' as const
  readonly #o: SharedOptions
  readonly #runs = new Set<SharedRun>()
  readonly #records = new RunRecords()
  /** Runs that may use only so many workers: others go by their records alone. */
  readonly #turns: DispatchQueue<WorkerPool>

  constructor(options: SharedOptions) {
    this.#o = options
    this.#turns = new DispatchQueue(() => [options.pool])
  }

  async prepare(plans: readonly SegmentPlan[]): Promise<void> {
    const { pool, kernels, workers, facts } = this.#o
    await pool.register(kernels(plans))
    await pool.ensure(workers, (live) => live.length > 0 && facts.met(plans, live))
    facts.require(plans, pool.workers)
  }

  /** A worker is lost: whose task trapped is known now. */
  lost(lost: LostWorker): void { for (const run of this.#runs) run.lost(lost) }
  /** A worker is gone and the runs are rebuilt: tasks that it held are delivered again, or fail. */
  recovered(lost: LostWorker): void { for (const run of [...this.#runs]) run.recovered(lost) }
  /** Nothing is executed any more: every run fails. */
  broken(error: MillraceError): void { for (const run of [...this.#runs]) run.broken(error) }
  /** How long what a slot executes may be silent, ms. */
  hangMsOf({ run, task }: SlotState): number | undefined { return this.#runOf(run)?.hangMs(task) }
  /** The nodes that a slot executes, for errors. */
  nodesOf({ run, task }: SlotState): string | undefined { return this.#runOf(run)?.nodesOf(task) }

  async open(plan: SegmentPlan, outputs: ReadonlyMap<number, OutputMode>, scope: RunScope): Promise<OpenSegment> {
    const { program } = this.#o.build(plan, scope)
    const turn = this.#gate([plan], scope)
    let run: SharedRun | undefined, retired: Promise<void> | undefined
    // All that lasts between activations is in the program: another record serves the next one as well.
    const retire = (): void => { retired = run?.close(); run = undefined }
    const segment: EngineSegment = new EngineSegment(this.#o.arena, plan, program, outputs, scope, async () => {
      await turn?.enter()
      let status: number
      try {
        this.#records.busy(retire)
        run ??= await this.#start([{
          segment, turn,
          spec: { program: program.address, successors: [], pending: 0, lane: plan.lane, facts: this.#o.facts.recorded(plan) },
        }], scope)
        status = await run.activate(0)
      } finally { turn?.leave() }
      if (status > PASS.DONE) this.#records.idle(retire)
      // Its segment may be open for long yet, and others wait for a record.
      else if (status === PASS.DONE) retire()
      if (status < 0) throw status === STATUS.CANCELLED ? scope.signal.reason ?? program.failed(status) : program.failed(status)
      return status
    }, async () => {
      turn?.withdraw()
      this.#records.busy(retire)
      await Promise.all([run?.close(), retired])
    })
    return segment
  }

  async runValues(tasks: readonly ValueTask[], scope: RunScope): Promise<readonly OpenSegment[]> {
    const { share } = scope
    const segments: EngineSegment[] = []
    const permits = share === undefined ? 0 : Math.min(share.limit, widthOf(tasks))
    const turn = this.#gate(tasks.map(({ plan }) => plan), scope, permits)
    let run: SharedRun | undefined
    const retire = (): Promise<void> => run?.close() ?? Promise.resolve()
    try {
      for (const { plan, outputs } of tasks) {
        segments.push(new EngineSegment(this.#o.arena, plan, this.#o.build(plan, scope).program, outputs, scope, neverCalled, retire))
      }
      for (const [t, { literals, links }] of tasks.entries()) {
        for (const [buffer, packet] of [...literals]) {
          await segments[t]!.feed(buffer, packet)
          literals.delete(buffer)
          segments[t]!.end(buffer)
        }
        for (const [buffer, { task, value }] of links) segments[t]!.follow(buffer, segments[task]!, value)
      }
      const after = tasks.map((_, t) => tasks.flatMap(({ links }, reader) =>
        [...links.values()].some((link) => link.task === t) ? [reader] : []))
      // Whatever they wait for is here: they end, and give their permits back.
      await turn?.enter()
      run = await this.#start(tasks.map(({ plan, links }, t) => ({ segment: segments[t]!, spec: {
        program: segments[t]!.program.address, successors: after[t]!, pending: new Set([...links.values()].map((link) => link.task)).size,
        lane: plan.lane, facts: this.#o.facts.recorded(plan),
      } })), scope, permits)
      await run.complete()
      await run.close()
      return segments
    } catch (error) {
      for (const { literals } of tasks) for (const packet of literals.values()) releasePacket(packet)
      await Promise.all(segments.map((segment) => segment.close()))
      throw error
    } finally { turn?.leave() }
  }

  /** Where a piece of a run waits that may use only so many workers; undefined for others. */
  #gate(plans: readonly SegmentPlan[], scope: RunScope, permits = 1): (Gate & { readonly withdraw: () => void }) | undefined {
    const [plan] = [...plans].sort((a, b) => laneOf(a) - laneOf(b))
    if (plan === undefined || !scope.share?.limit) return undefined
    const piece: Piece<WorkerPool> = pieceOf(plan, scope, { permits }), { signal } = scope
    let mine: Handed<WorkerPool> | undefined
    return {
      enter: async () => { mine = await this.#turns.enter(piece, this.#o.clock.nowUs(), signal) },
      leave: () => { mine?.leave() },
      withdraw: () => { this.#turns.withdraw(piece, commonErrors.CLOSED({ thing: 'Segment', id: String(piece.index), event: 'advance' })) },
    }
  }

  #runOf(index: number): SharedRun | undefined { return [...this.#runs].find(({ table }) => table.index === index) }

  /** A run in shared memory, once a record is free. */
  async #start(tasks: readonly RunTask[], scope: RunScope, limit = 0): Promise<SharedRun> {
    await this.#records.acquire(scope.signal)
    try {
      return new SharedRun(this.#o, tasks, scope, limit, this.#runs, () => { this.#records.release() })
    } catch (error) {
      this.#records.release()
      throw error
    }
  }
}

/** Most tasks that can be ready at once, or a few more: of each chain one. */
function widthOf(tasks: readonly ValueTask[]): number {
  const depth: number[] = []
  // Writers come first.
  for (const { links } of tasks) depth.push(1 + [...links.values()].reduce((most, { task }) => Math.max(most, depth[task]!), 0))
  return tasks.length + 1 - depth.reduce((most, one) => Math.max(most, one), 0)
}

/** Self-scheduled segments are executed by their task, never by the driver. */
function neverCalled(): Promise<number> {
  return Promise.reject(commonErrors.INTERNAL({ what: 'A self-scheduled segment was driven by hand.' }))
}

