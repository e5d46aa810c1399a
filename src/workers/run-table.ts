import { commonErrors } from '../errors/common-errors.js'
import type { CoreExports } from '../kernels/runtime.js'
import type { Arena } from '../memory/arena.js'
import { ARENA, QUEUE, RUN, RUN_FLAG, TASK, TASK_STATE } from '../memory/layout.js'
import type { Address } from '../memory/memory-host.js'
import type { Clock } from '../schedule/clock.js'

/** One segment of a run as a task: its program, and the tasks that wait for it. */
export interface TaskSpec { readonly program: Address; readonly successors: readonly number[]; readonly pending: number }

/** Times that the executing thread wrote, µs since the engine's clock began, and who it was. */
export interface TaskTimes { readonly startUs: number; readonly busyUs: number; readonly queuedUs: number; readonly slot: number }

/** Lane of tasks without a wish (EX-57). */
const NORMAL_LANE = 1

/** Runs are told apart, and aged, by a number that only grows. */
let epochs = 0

/**
 * A run in shared memory: its record, task table and ring (MW-31). Engine thread only; workers reach the same bytes through the core's `task_take` and
 * `task_finish`. Throws `LIMIT_EXCEEDED` when all 64 run records are taken, and `ARENA_FULL`; then nothing stays allocated.
 */
export class RunTable {
  readonly #arena: Arena
  readonly #core: CoreExports
  readonly #index: number
  readonly #own: Address[] = []
  readonly #tasks: Address
  readonly #count: number

  constructor(arena: Arena, core: CoreExports, tasks: readonly TaskSpec[]) {
    this.#arena = arena
    this.#core = core
    this.#index = freeRecord(arena)
    this.#count = tasks.length
    const capacity = 2 ** Math.max(1, Math.ceil(Math.log2(tasks.length)))
    let ring: Address
    try {
      this.#tasks = this.#allocate(tasks.length * TASK.BYTES)
      ring = this.#allocate(QUEUE.CELLS + capacity * QUEUE.CELL_BYTES)
      core.queue_init(ring, capacity)
      tasks.forEach((task, i) => { this.#writeTask(i, task) })
    } catch (error) {
      this.#giveBack()
      throw error
    }
    const record = this.#record, { u32 } = arena
    for (let field = 0; field < RUN.BYTES; field += 4) u32[(record + field) >>> 2] = 0
    u32[(record + RUN.RING_NORMAL) >>> 2] = ring
    u32[(record + RUN.TASKS_LEFT) >>> 2] = tasks.length
    u32[(record + RUN.TASKS) >>> 2] = this.#tasks
    u32[(record + RUN.TASK_COUNT) >>> 2] = tasks.length
    Atomics.store(u32, (record + RUN.EPOCH) >>> 2, ++epochs >>> 0 || ++epochs)
  }

  get index(): number { return this.#index }
  task(index: number): Address { return this.#tasks + index * TASK.BYTES }
  /** Index of a task by its address, −1 for another run's. */
  indexOf(task: Address): number {
    const index = (task - this.#tasks) / TASK.BYTES
    return Number.isInteger(index) && index >= 0 && index < this.#count ? index : -1
  }

  /** Makes a task ready; `nowUs` is when. */
  push(index: number, nowUs: number): void {
    this.#arena.u32[(this.task(index) + TASK.QUEUED_US) >>> 2] = nowUs
    if (this.#core.task_push(this.#arena.base, this.#index, this.task(index)) < 0) throw commonErrors.INTERNAL({ what: `Run ${this.#index}: task ${index} cannot be pushed in state ${this.state(index)}.` })
  }

  state(index: number): number { return Atomics.load(this.#arena.u32, (this.task(index) + TASK.STATE) >>> 2) }
  /** What the task's last pass returned. */
  status(index: number): number { return this.#arena.i32[(this.task(index) + TASK.STATUS_I32) >>> 2]! }
  times(index: number): TaskTimes {
    const at = (field: number): number => this.#arena.u32[(this.task(index) + field) >>> 2]!
    return { startUs: at(TASK.START_US), busyUs: at(TASK.BUSY_US), queuedUs: at(TASK.QUEUED_US), slot: at(TASK.OWNER) }
  }

  /** Ends a task whose thread is gone, so that the run's count is right. */
  fail(index: number, status: number): void { this.#core.task_finish(this.#arena.base, -1, this.task(index), TASK_STATE.FAILED, status) }

  /** True while a worker executes the task. */
  isRunning(index: number): boolean { return this.state(index) === TASK_STATE.RUNNING }
  /** True while a worker executes any task. */
  anyRunning(): boolean {
    for (let index = 0; index < this.#count; index++) if (this.isRunning(index)) return true
    return false
  }

  /** Frees the record, once no thread touches its ring. */
  async close(clock: Clock): Promise<void> {
    const { u32 } = this.#arena
    Atomics.or(u32, (this.#record + RUN.FLAGS) >>> 2, RUN_FLAG.REBUILDING)
    while (this.#core.queue_quiet(this.#arena.base) === 0) await clock.yield()
    Atomics.store(u32, (this.#record + RUN.EPOCH) >>> 2, 0)
    this.#giveBack()
  }

  #giveBack(): void { for (const block of this.#own.splice(0)) this.#arena.free(block) }

  get #record(): Address { return this.#arena.base + ARENA.RUNS + this.#index * RUN.BYTES }

  #writeTask(index: number, { program, successors, pending }: TaskSpec): void {
    const { u32 } = this.#arena, at = this.task(index)
    u32[(at + TASK.STATE) >>> 2] = TASK_STATE.PENDING
    u32[(at + TASK.PENDING) >>> 2] = pending
    u32[(at + TASK.PROGRAM) >>> 2] = program
    u32[(at + TASK.LANE) >>> 2] = NORMAL_LANE
    u32[(at + TASK.SUCCESSOR_COUNT) >>> 2] = successors.length
    if (successors.length === 0) return
    const list = this.#allocate(successors.length * 4)
    successors.forEach((successor, i) => { u32[(list >>> 2) + i] = successor })
    u32[(at + TASK.SUCCESSORS) >>> 2] = list
  }

  #allocate(bytes: number): Address {
    const address = this.#arena.allocate(Math.max(bytes, 64))
    this.#own.push(address)
    return address
  }
}

function freeRecord(arena: Arena): number {
  for (let index = 0; index < RUN.COUNT; index++) {
    if (Atomics.load(arena.u32, (arena.base + ARENA.RUNS + index * RUN.BYTES + RUN.EPOCH) >>> 2) === 0) return index
  }
  throw commonErrors.LIMIT_EXCEEDED({ what: 'Runs on workers at once', limit: RUN.COUNT, got: RUN.COUNT + 1 })
}
