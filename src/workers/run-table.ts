import { commonErrors } from '../errors/common-errors.js'
import type { CoreExports } from '../kernels/runtime.js'
import { isMillraceError } from '../errors/millrace-error.js'
import type { Arena } from '../memory/arena.js'
import { corrupt, expectMost, expectWord } from '../memory/arena-check.js'
import { ARENA, QUEUE, RUN, RUN_FLAG, SLOT, TASK, TASK_FLAG, TASK_STATE } from '../memory/layout.js'
import type { Address } from '../memory/memory-host.js'
import type { Clock } from '../schedule/clock.js'
import type { Recovery } from './recovery.js'

/** Lanes of a run, in the order in which they are looked at (EX-57). */
export const LANE = { high: 0, normal: 1, low: 2 } as const
export type Lane = keyof typeof LANE

/** One segment of a run as a task: its program, and the tasks that wait for it. */
export interface TaskSpec {
  readonly program: Address
  readonly successors: readonly number[]
  readonly pending: number
  readonly lane?: Lane | undefined
  /** Bits of what the executing thread must have (MW-36); default 0: every thread has it. */
  readonly facts?: number | undefined
}

/**
 * How a run stands among others: higher priority first, then the older one (default: as old as this table); `limit`: most tasks of it that
 * run at once, 0 as many as there are workers.
 */
export interface TableShare { readonly priority?: number; readonly limit?: number; readonly age?: number }

/** Times that the executing thread wrote, µs since the engine's clock began, and who it was. */
export interface TaskTimes { readonly startUs: number; readonly busyUs: number; readonly queuedUs: number; readonly slot: number }

/** Words of a run's record that stay as they are while it is open; the last one is nobody's. */
const FIXED = [
  RUN.EPOCH, RUN.PRIORITY_I32, RUN.RING_HIGH, RUN.RING_NORMAL, RUN.RING_LOW, RUN.LIMIT, RUN.TASKS, RUN.TASK_COUNT, RUN.AGE, 0x04,
] as const
/** Tasks whose states one check looks at; the next ones with the next. */
const TASKS_A_CHECK = 4

/** Records are told apart by a number that only grows; ready tasks too, below their lane. */
let epochs = 0, orders = 0

/**
 * A run in shared memory: its record, task table and three lanes of rings, in one block (MW-31). Engine thread only; workers reach the same
 * bytes through the core's `task_take` and `task_finish`. Throws `LIMIT_EXCEEDED` when all 64 run records are taken, and `ARENA_FULL`; then
 * nothing stays allocated.
 */
export class RunTable {
  readonly #arena: Arena
  readonly #core: CoreExports
  readonly #recovery: Recovery | undefined
  readonly #index: number
  readonly #tasks: Address
  readonly #count: number
  /** The most urgent lane of its tasks. */
  readonly #lane: number
  readonly #fixed: Uint32Array
  readonly #rings: (readonly [address: Address, capacity: number])[] = []
  #flags: number
  #checked = 0
  #closed = false

  constructor(
    arena: Arena, core: CoreExports, tasks: readonly TaskSpec[], { priority = 0, limit = 0, age }: TableShare = {}, recovery?: Recovery,
  ) {
    this.#arena = arena
    this.#core = core
    this.#index = freeRecord(arena)
    this.#count = tasks.length
    this.#lane = tasks.reduce<number>((least, { lane = 'normal' }) => Math.min(least, LANE[lane]), LANE.low)
    const rings = ringsOf(tasks), listBytes = aligned(4 * tasks.reduce((sum, { successors }) => sum + successors.length, 0))
    const own = arena.allocate(tasks.length * TASK.BYTES + listBytes + rings.reduce((sum, { bytes }) => sum + bytes, 0))
    this.#tasks = own
    let list = own + tasks.length * TASK.BYTES
    let next = list + listBytes
    const record = this.#record, { u32 } = arena
    tasks.forEach((task, i) => { this.#writeTask(i, task, list); list += 4 * task.successors.length })
    // Its last run left it marked as rebuilding, and so it stays until all is there: a worker that saw the last
    // run's epoch may read its flags only now.
    for (let field = 0; field < RUN.BYTES; field += 4) if (field !== RUN.FLAGS) u32[(record + field) >>> 2] = 0
    for (const { lane, facts, capacity, bytes } of rings) {
      const first = (record + RUN.RING_HIGH) / 4 + lane
      core.queue_init(next, capacity)
      this.#rings.push([next, capacity])
      u32[(next + QUEUE.FACTS) >>> 2] = facts
      u32[(next + QUEUE.NEXT) >>> 2] = u32[first]!
      u32[first] = next
      next += bytes
    }
    u32[(record + RUN.TASKS_LEFT) >>> 2] = tasks.length
    u32[(record + RUN.TASKS) >>> 2] = own
    u32[(record + RUN.TASK_COUNT) >>> 2] = tasks.length
    u32[(record + RUN.PRIORITY_I32) >>> 2] = priority
    u32[(record + RUN.LIMIT) >>> 2] = limit
    const epoch = ++epochs >>> 0 || ++epochs
    u32[(record + RUN.AGE) >>> 2] = age ?? epoch
    this.#order()
    this.#recovery = recovery
    recovery?.watch(this)
    Atomics.store(u32, (record + RUN.EPOCH) >>> 2, epoch)
    this.#fixed = Uint32Array.from(FIXED, (field) => u32[(record + field) >>> 2]!)
    Atomics.store(u32, (record + RUN.FLAGS) >>> 2, this.#flags = rings.some(({ facts }) => facts !== 0) ? RUN_FLAG.MIXED : 0)
  }

  get index(): number { return this.#index }
  get count(): number { return this.#count }
  task(index: number): Address { return this.#tasks + index * TASK.BYTES }
  /** Index of a task by its address, −1 for another run's. */
  indexOf(task: Address): number {
    const index = (task - this.#tasks) / TASK.BYTES
    return Number.isInteger(index) && index >= 0 && index < this.#count ? index : -1
  }

  /** Makes a task ready; `nowUs` is when. Nothing, where the record is damaged: then everything ends. */
  push(index: number, nowUs: number): void {
    if (!this.#sound()) return
    // Tasks that stand in one ring have their order there.
    if (this.#count === 1) this.#order()
    this.#arena.u32[(this.task(index) + TASK.QUEUED_US) >>> 2] = nowUs
    const pushed = this.#core.task_push(this.#arena.base, this.#index, this.task(index))
    if (pushed < 0) {
      throw commonErrors.INTERNAL({ what: `Run ${this.#index}: task ${index} cannot be pushed in state ${this.state(index)}.` })
    }
    // A thread that was ended in the middle of a pop took a cell with it: the next rebuild finds the task by its state.
    if (pushed > 0) this.#recovery?.request()
  }

  state(index: number): number { return Atomics.load(this.#arena.u32, (this.task(index) + TASK.STATE) >>> 2) }
  /** What the task's last pass returned. */
  status(index: number): number { return this.#arena.i32[(this.task(index) + TASK.STATUS_I32) >>> 2]! }
  /** How often a thread has taken the task since it was pushed. */
  deliveries(index: number): number { return this.#arena.u32[(this.task(index) + TASK.DELIVERIES) >>> 2]! }
  times(index: number): TaskTimes {
    const at = (field: number): number => this.#arena.u32[(this.task(index) + field) >>> 2]!
    return { startUs: at(TASK.START_US), busyUs: at(TASK.BUSY_US), queuedUs: at(TASK.QUEUED_US), slot: at(TASK.OWNER) }
  }

  /** Ends a task whose thread is gone, so that the run's count is right. */
  end(index: number, state: typeof TASK_STATE.FAILED | typeof TASK_STATE.CANCELLED, status: number): void {
    if (this.#sound()) this.#core.task_finish(this.#arena.base, -1, this.task(index), state, status)
  }

  /** True while a worker executes the task, or has died with it and it is not known yet who goes on. */
  isOpen(index: number): boolean {
    const state = this.state(index)
    return state === TASK_STATE.RUNNING || state === TASK_STATE.DONE_WRITTEN || state === TASK_STATE.DELAYED
  }
  /** True while any task is open. */
  anyOpen(): boolean {
    for (let index = 0; index < this.#count; index++) if (this.isOpen(index)) return true
    return false
  }

  /** True while no worker executes or may take a task: all have ended or wait for the engine. */
  get rests(): boolean {
    for (let index = 0; index < this.#count; index++) {
      const state = this.state(index)
      if (state !== TASK_STATE.WAITING && state !== TASK_STATE.DONE && state !== TASK_STATE.FAILED && state !== TASK_STATE.CANCELLED) {
        return false
      }
    }
    return true
  }

  /** Begins a rebuild ("raise"): no worker touches the rings once `queue_quiet` says so. */
  raise(): void { this.#flag(RUN_FLAG.REBUILDING, true) }
  /**
   * Makes counts and rings again and ends the rebuild ("states", "rings", "lower"). Gives how many tasks
   * lost their worker. < 1 ms per 10 000 tasks.
   */
  rebuild(): number {
    if (this.#closed || !this.#sound()) return 0
    const orphans = this.#core.run_rebuild(this.#arena.base, this.#index)
    this.#flag(RUN_FLAG.REBUILDING, false)
    return orphans
  }

  /**
   * Frees the record, once no thread touches its ring. `corrupt`: there is no thread any more, and what the arena says counts for nothing.
   */
  async close(clock: Clock, corrupt = (): boolean => false): Promise<void> {
    this.#closed = true
    this.raise()
    while (!corrupt() && this.#core.queue_quiet(this.#arena.base) === 0) await clock.yield()
    this.#recovery?.forget(this)
    Atomics.store(this.#arena.u32, (this.#record + RUN.EPOCH) >>> 2, 0)
    this.#arena.free(this.#tasks)
  }

  /**
   * Throws `ARENA_CORRUPT` when words of the record that only this thread writes are others, counts and rings hold what they
   * cannot, or a task is in no state. About 0.1 µs.
   */
  check(): void {
    const { u32, base } = this.#arena, record = ARENA.RUNS + this.#index * RUN.BYTES, at = (base + record) >>> 2
    for (let i = 0; i < FIXED.length; i++) {
      if (u32[at + FIXED[i]! / 4] !== this.#fixed[i]) expectWord(u32, base, record + FIXED[i]!, this.#fixed[i]!, `run ${this.#index}`)
    }
    expectWord(u32, base, record + RUN.FLAGS, this.#flags, 'flags of a run')
    expectMost(u32, base, record + RUN.CANCEL, 2, 'cancel word')
    expectMost(u32, base, record + RUN.TASKS_LEFT, this.#count, 'tasks left')
    expectMost(u32, base, record + RUN.TASKS_RUNNING, SLOT.COUNT, 'tasks running')
    expectMost(u32, base, record + RUN.FAILED_TASK, this.#count, 'failed task')
    for (const [ring, capacity] of this.#rings) {
      // The tail is looked at between two looks at the head: where nobody has popped meanwhile, it is at most a ring ahead.
      const head = Atomics.load(u32, (ring + QUEUE.HEAD) >>> 2), filled = (Atomics.load(u32, (ring + QUEUE.TAIL) >>> 2) - head) >>> 0
      expectWord(u32, base, ring - base + QUEUE.MASK, capacity - 1, 'mask of a ring')
      if (filled > capacity && Atomics.load(u32, (ring + QUEUE.HEAD) >>> 2) === head) {
        throw corrupt(`0…${capacity} tasks in a ring`, filled, ring - base)
      }
    }
    for (let n = Math.min(TASKS_A_CHECK, this.#count); n > 0; n--) {
      const state = u32[this.task(this.#checked) >>> 2]!
      if (state > TASK_STATE.CANCELLED && state !== TASK_STATE.DELAYED) {
        throw corrupt(`state of task ${this.#checked}`, state, this.task(this.#checked) - base)
      }
      if (++this.#checked === this.#count) this.#checked = 0
    }
  }

  /** Looks before the core believes the record: what would be followed may lead anywhere. */
  #sound(): boolean {
    try { this.check() } catch (error) {
      if (!isMillraceError(error) || this.#recovery === undefined) throw error
      this.#recovery.damaged(error)
      return false
    }
    return true
  }

  /** Behind what was made ready before, in its lane (EX-57). */
  #order(): void { this.#arena.u32[(this.#record + RUN.ORDER) >>> 2] = (this.#lane << 30) | (orders++ & 0x3fff_ffff) }

  get #record(): Address { return this.#arena.base + ARENA.RUNS + this.#index * RUN.BYTES }

  #flag(flag: number, on: boolean): void {
    const { u32, i32, base } = this.#arena, at = (this.#record + RUN.FLAGS) >>> 2
    this.#flags = on ? this.#flags | flag : this.#flags & ~flag
    if (on) { Atomics.or(u32, at, flag); return }
    Atomics.and(u32, at, ~flag)
    // Those that wait the rebuild out, and those that fell asleep over a run that they could not take from.
    Atomics.notify(i32, at)
    const event = (base + ARENA.READY_EVENT) >>> 2
    Atomics.add(u32, event, 1)
    Atomics.notify(i32, event)
  }

  #writeTask(index: number, { program, successors, pending, lane = 'normal', facts = 0 }: TaskSpec, list: Address): void {
    const { u32 } = this.#arena, at = this.task(index) >>> 2
    u32[at + TASK.STATE / 4] = TASK_STATE.PENDING
    u32[at + TASK.PENDING / 4] = pending
    u32[at + TASK.PROGRAM / 4] = program
    u32[at + TASK.LANE / 4] = LANE[lane]
    u32[at + TASK.FACTS / 4] = facts
    u32[at + TASK.FLAGS / 4] = pending > 0 ? TASK_FLAG.INNER : 0
    u32[at + TASK.SUCCESSOR_COUNT / 4] = successors.length
    u32[at + TASK.SUCCESSORS / 4] = list
    successors.forEach((successor, i) => { u32[(list >>> 2) + i] = successor })
  }
}

/**
 * One ring for each lane and set of facts that tasks have, with room for all of those at once; plain ones last, so
 * that they stand first in their lane's chain.
 */
function ringsOf(
  tasks: readonly TaskSpec[],
): { readonly lane: number; readonly facts: number; readonly capacity: number; readonly bytes: number }[] {
  const counts = new Map<string, { readonly lane: number; readonly facts: number; count: number }>()
  for (const { lane = 'normal', facts = 0 } of tasks) {
    const key = `${lane} ${facts}`, known = counts.get(key)
    if (known === undefined) counts.set(key, { lane: LANE[lane], facts: facts >>> 0, count: 1 })
    else known.count++
  }
  return [...counts.values()].sort((a, b) => b.facts - a.facts).map(({ count, ...one }) => {
    const capacity = 2 ** Math.max(1, Math.ceil(Math.log2(count)))
    return { ...one, capacity, bytes: aligned(QUEUE.CELLS + capacity * QUEUE.CELL_BYTES) }
  })
}

function aligned(bytes: number): number { return Math.ceil(bytes / 64) * 64 }

function freeRecord(arena: Arena): number {
  for (let index = 0; index < RUN.COUNT; index++) {
    if (Atomics.load(arena.u32, (arena.base + ARENA.RUNS + index * RUN.BYTES + RUN.EPOCH) >>> 2) === 0) return index
  }
  throw commonErrors.LIMIT_EXCEEDED({ what: 'Runs on workers at once', limit: RUN.COUNT, got: RUN.COUNT + 1 })
}
