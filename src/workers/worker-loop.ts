import { NONE, PASS, PROGRAM, STATUS, TAKE, THREAD_ID } from '../kernels/contract.js'
import type { CoreExports } from '../kernels/runtime.js'
import { slotAddress } from '../memory/arena-header.js'
import { ARENA, RECORD_KIND, RUN, SLOT, TASK, TASK_STATE } from '../memory/layout.js'
import type { Address } from '../memory/memory-host.js'
import { record } from '../memory/recorder.js'
import { onePass, type SegmentInterpreter } from '../schedule/passes.js'

/** What the loop of a worker on shared memory needs; the clock is passed in. */
export interface LoopContext {
  readonly core: Pick<CoreExports, 'task_take' | 'task_finish' | 'segment_run' | 'segment_step'>
  readonly u32: Uint32Array
  readonly base: Address
  readonly slot: number
  /** Bits of what this thread has (MW-36). */
  readonly facts: number
  /** The engine's time, µs. */
  readonly nowUs: () => number
  /** Longest sleep, ms; 0 never sleeps. */
  readonly idleMs: number
  /** Lets the event loop turn once. */
  readonly turn: () => Promise<void>
  /** Mail was announced: reads it; false ends the loop. */
  readonly mail: () => Promise<boolean>
  /** A task trapped or threw (0: it is another's fault, and the task is delivered again); the loop ends. */
  readonly failed: (task: Address, error: unknown) => void
  /** A task was ended or suspended; false ends the loop. */
  readonly finished: () => boolean
  /** The arena is not what it was; the loop ends. `offset`: where, from its start. */
  readonly corrupt: (expected: string, offset: number) => void
}

/**
 * Takes tasks from shared memory and executes them until the arena is closed, mail says stop, or a task traps (MW-32). Nothing is posted
 * per task. While it sleeps in `task_take` no message is read, so mail is announced by the slot's mail flags, and now and then the event
 * loop gets a turn (MW-67).
 */
export async function runLoop(c: LoopContext): Promise<void> {
  const scratchAt = slotAddress(c.base, c.slot) + SLOT.SCRATCH, scratch = c.u32[scratchAt >>> 2]!, guard = (c.base + ARENA.GUARD) >>> 2
  for (let said = false; ;) {
    const task = c.core.task_take(c.base, c.slot, c.facts, c.idleMs) >>> 0
    switch (task) {
      case TAKE.CLOSED: return
      case TAKE.CORRUPT: c.corrupt('magic', ARENA.MAGIC_LOW); return
      case TAKE.TIMEOUT: await c.turn(); break
      case TAKE.MAIL: if (!await c.mail()) return; break
      default:
        // Kernels write there, and the supervisor looks only now and then (MW-02).
        if (c.u32[scratchAt >>> 2] !== scratch) { c.corrupt(`scratch span 0x${scratch.toString(16)}`, scratchAt - c.base); return }
        for (let at = guard; at < guard + 16; at++) if (c.u32[at] !== 0) { c.corrupt('a guard of zeros', at * 4 - c.base); return }
        if (!execute(c, task, said)) return
        said = true
        if (!c.finished()) return
    }
  }
}

/**
 * Runs passes of a task's program until it needs something, and finishes the task. False when it threw, or its thread
 * is being ended: then the engine finishes it.
 */
function execute(c: LoopContext, task: Address, again: boolean): boolean {
  const { u32, core, base, slot } = c, words = task >>> 2, own = slotAddress(base, slot) >>> 2, start = c.nowUs()
  const run = u32[own + SLOT.RUN / 4]!, index = u32[own + SLOT.TASK / 4]!
  if (again) record(c, start, slot, RECORD_KIND.END_QUEUE, run, index, 0)
  record(c, start, slot, RECORD_KIND.KERNEL, run, index, 0)
  const pushed = u32[words + TASK.QUEUED_US / 4]!
  if (pushed !== 0) u32[words + TASK.QUEUED_US / 4] = start - pushed
  u32[words + TASK.START_US / 4] = start
  u32[own + SLOT.JOB_LOW / 4] = index
  u32[own + SLOT.JOB_HIGH / 4] = u32[(base + ARENA.RUNS + (run - 1) * RUN.BYTES + RUN.EPOCH) >>> 2]!
  u32[own + SLOT.BLOCKS / 4] = 0
  let code: number
  try {
    code = passes(c, words)
  } catch (error) {
    const end = c.nowUs()
    u32[words + TASK.BUSY_US / 4] = end - start
    record(c, end, slot, RECORD_KIND.TRAP, run, index, u32[(u32[words + TASK.PROGRAM / 4]! + PROGRAM.FAILED_STEP) >>> 2]!)
    c.failed(task, error)
    return false
  }
  const end = c.nowUs()
  u32[words + TASK.BUSY_US / 4] = end - start
  u32[own + SLOT.KERNEL_STATUS / 4] = code
  record(c, end, slot, RECORD_KIND.END_KERNEL, run, index, code)
  // This thread is being ended, its run goes on: the task stays open, and is delivered again when the thread is gone.
  if (code === STATUS.CANCELLED && !runCancelled(c)) {
    // A kernel that another run's word stopped half way cannot go on; from its checkpoint it can.
    if (Atomics.load(u32, own + SLOT.CANCEL / 4) !== 2) c.failed(0, new Error('a kernel stopped that nobody cancelled'))
    return false
  }
  record(c, end, slot, RECORD_KIND.QUEUE, run, index, 0)
  core.task_finish(base, slot, task, stateAfter(code), code)
  return true
}

function passes(c: LoopContext, record: number): number {
  const { u32, core, base, slot, nowUs } = c, program = u32[record + TASK.PROGRAM / 4]!
  const steps = u32[(program + PROGRAM.STEPS) >>> 2]!
  const count = u32[(program + PROGRAM.STEP_COUNT) >>> 2]!
  const blocks = (slotAddress(base, slot) + SLOT.BLOCKS) >>> 2
  const interpreter: SegmentInterpreter = { run: core.segment_run, step: core.segment_step }
  for (;;) {
    const pass = u32[record + TASK.PASSES / 4]!++
    u32[blocks]!++
    const code = onePass(interpreter, program, slot + THREAD_ID.FIRST_SLOT, pass, steps, count, u32, nowUs)
    if (code === PASS.MORE) continue
    // Another run's word came when its task had just been finished. Cleared first, then the run is asked: a word that is
    // this run's is written after the run's.
    if (code !== STATUS.CANCELLED || Atomics.compareExchange(u32, (slotAddress(base, slot) + SLOT.CANCEL) >>> 2, 1, 0) !== 1
      || runCancelled(c)) {
      return code
    }
    // No step has begun: the pass does now.
    if (u32[(program + PROGRAM.FAILED_STEP) >>> 2] !== NONE) return code
  }
}

/** The run that this slot executes is cancelled. */
function runCancelled({ u32, base, slot }: LoopContext): boolean {
  return Atomics.load(
    u32,
    (base + ARENA.RUNS + (u32[(slotAddress(base, slot) + SLOT.RUN) >>> 2]! - 1) * RUN.BYTES + RUN.CANCEL) >>> 2,
  ) !== 0
}

/** A pass that wants input or room suspends the task; the engine reads which from the task's status. */
function stateAfter(code: number): number {
  if (code === PASS.DONE) return TASK_STATE.DONE
  if (code === STATUS.CANCELLED) return TASK_STATE.CANCELLED
  return code < 0 ? TASK_STATE.FAILED : TASK_STATE.WAITING
}
