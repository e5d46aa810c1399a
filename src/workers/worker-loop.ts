import { NONE, PASS, PROGRAM, STATUS, TAKE, THREAD_ID } from '../kernels/contract.js'
import type { CoreExports } from '../kernels/runtime.js'
import { TASK, TASK_STATE } from '../memory/layout.js'
import type { Address } from '../memory/memory-host.js'
import { onePass, type SegmentInterpreter } from '../schedule/passes.js'

/** What the loop of a worker on shared memory needs; the clock is passed in. */
export interface LoopContext {
  readonly core: Pick<CoreExports, 'task_take' | 'task_finish' | 'segment_run' | 'segment_step'>
  readonly u32: Uint32Array
  readonly base: Address
  readonly slot: number
  /** The engine's time, µs. */
  readonly nowUs: () => number
  /** Longest sleep, ms; 0 never sleeps. */
  readonly idleMs: number
  /** Lets the event loop turn once. */
  readonly turn: () => Promise<void>
  /** Mail was announced: reads it; false ends the loop. */
  readonly mail: () => Promise<boolean>
  /** A task trapped or threw; the loop ends. */
  readonly failed: (task: Address, error: unknown) => void
  /** A task was ended or suspended. */
  readonly finished: () => void
}

/**
 * Takes tasks from shared memory and executes them until the arena is closed, mail says stop, or a task traps (MW-32). Nothing is posted per task.
 * While it sleeps in `task_take` no message is read, so mail is announced by the slot's mail flags, and now and then the event loop gets a turn (MW-67).
 */
export async function runLoop(c: LoopContext): Promise<void> {
  for (;;) {
    const task = c.core.task_take(c.base, c.slot, c.idleMs) >>> 0
    switch (task) {
      case TAKE.CLOSED: return
      case TAKE.TIMEOUT: await c.turn(); break
      case TAKE.MAIL: if (!await c.mail()) return; break
      default:
        if (!execute(c, task)) return
        c.finished()
    }
  }
}

/** Runs passes of a task's program until it needs something, and finishes the task. False when it threw: then the engine finishes it. */
function execute(c: LoopContext, task: Address): boolean {
  const { u32, core } = c, record = task >>> 2, start = c.nowUs()
  const pushed = u32[record + TASK.QUEUED_US / 4]!
  if (pushed !== 0) u32[record + TASK.QUEUED_US / 4] = start - pushed
  u32[record + TASK.START_US / 4] = start
  let code: number
  try {
    code = passes(c, record)
  } catch (error) {
    u32[record + TASK.BUSY_US / 4] = c.nowUs() - start
    c.failed(task, error)
    return false
  }
  u32[record + TASK.BUSY_US / 4] = c.nowUs() - start
  core.task_finish(c.base, c.slot, task, stateAfter(code), code)
  return true
}

function passes({ u32, core, slot, nowUs }: LoopContext, record: number): number {
  const program = u32[record + TASK.PROGRAM / 4]!, steps = u32[(program + PROGRAM.STEPS) >>> 2]!, count = u32[(program + PROGRAM.STEP_COUNT) >>> 2]!
  const interpreter: SegmentInterpreter = { run: core.segment_run, step: core.segment_step }
  for (;;) {
    const pass = u32[record + TASK.PASSES / 4]!++
    const code = onePass(interpreter, program, slot + THREAD_ID.FIRST_SLOT, pass, steps, count, u32, nowUs)
    if (code !== PASS.MORE) return code
  }
}

/** A pass that wants input or room suspends the task; the engine reads which from the task's status. */
function stateAfter(code: number): number {
  if (code === PASS.DONE) return TASK_STATE.DONE
  if (code === STATUS.CANCELLED) return TASK_STATE.CANCELLED
  return code < 0 ? TASK_STATE.FAILED : TASK_STATE.WAITING
}

/** Slot number that `task_finish` takes on the engine's thread. */
export const NO_SLOT = NONE | 0
