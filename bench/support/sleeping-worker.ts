/** A pool of one worker, and a task of no steps that it is given over and over. */
import { hostClock } from '../../src/engine/host-clock.js'
import { ARENA, RUN, TASK, TASK_STATE } from '../../src/memory/layout.js'
import { RunTable } from '../../src/workers/run-table.js'
import { emptyProgram, makePool, type Bench } from '../../test/workers/support.js'

export interface SleepingWorker extends Bench {
  /** Gives the task again; the worker may sleep. */
  readonly push: () => void
  /** Settles once the worker is in its wait, and stays there for a while that differs from call to call. */
  readonly asleep: () => Promise<void>
  /** Looks at the task's record until it is done. */
  readonly lookOn: () => void
  readonly close: () => Promise<void>
}

/** Shared memory only. The worker is held: watched, as during a run. */
export async function sleepingWorker(): Promise<SleepingWorker> {
  const made = await makePool({ size: 1, warmSpares: 0 }, true), { arena, runtime, pool } = made, letGo = pool.hold()
  await pool.ensure(1)
  const table = new RunTable(arena, runtime.core, [{ program: emptyProgram(arena), pending: 0, successors: [] }])
  // The run always has one task left, so its end is announced.
  const state = (table.task(0) + TASK.STATE) >>> 2
  const left = (arena.base + ARENA.RUNS + table.index * RUN.BYTES + RUN.TASKS_LEFT) >>> 2
  const sleepers = (arena.base + ARENA.READY_SLEEPERS) >>> 2
  let round = 0
  return {
    ...made,
    push() { Atomics.store(arena.u32, left, 1); Atomics.store(arena.u32, state, TASK_STATE.PENDING); table.push(0, 0) },
    async asleep() {
      while (Atomics.load(arena.u32, sleepers) !== 1) await hostClock.sleep(1)
      await hostClock.sleep(1 + round++ % 4)
    },
    lookOn() { while (Atomics.load(arena.u32, state) !== TASK_STATE.DONE); },
    async close() { letGo(); await table.close(hostClock); await pool.close() },
  }
}
