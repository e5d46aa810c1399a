import type { Arena } from '../memory/arena.js'
import { ARENA, RUN, SLOT_STATUS, TASK } from '../memory/layout.js'
import type { ModeChoice } from './mode.js'
import type { PoolState } from './pool-state.js'
import type { SlotState } from './slots.js'
import type { WaitHistogram } from './wait-histogram.js'

/**
 * What one worker has done. `idleUs` + `busyUs` = µs since it started; busy with tasks that have ended, and with the one it executes now.
 */
export interface WorkerReport {
  readonly worker: number
  readonly slot: number
  readonly state: SlotState | undefined
  readonly idleUs: number
  readonly busyUs: number
}

/** Numbers of a pool. */
export interface PoolReport {
  readonly size: number
  readonly mode: ModeChoice
  /** Workers started and alive, spares apart. */
  readonly count: number
  readonly busy: number
  /** Workers lost and workers put in a lost one's place, so far. */
  readonly lost: number
  readonly respawns: number
  /** Workers that wait for someone's place. */
  readonly spares: number
  /** Control messages posted so far, and packets over rings, both ways; constant while runs go on on shared memory (MW-41). */
  readonly messages: number
  readonly packets: number
  /** Share of the workers' time that was busy, 0…1. */
  readonly utilisation: number
  /** How long tasks waited: `queueWaitUs[n]` of less than 2ⁿ µs, and not of less than 2ⁿ⁻¹. */
  readonly queueWaitUs: readonly number[]
  readonly workers: readonly WorkerReport[]
}

/** Reads the slots; nothing is asked of a worker. */
export function poolReport(s: PoolState, waits: WaitHistogram): PoolReport {
  const { o: { size, arena }, mode, slots, nowUs, lost, respawns, messages, packets } = s
  const spares = s.spares.filter(({ report }) => report !== undefined).length
  const workers = s.started.map((worker): WorkerReport => {
    const state = worker.slot < 0 ? undefined : slots.state(worker.slot), wallUs = Math.max(0, nowUs - worker.startedUs)
    const busyUs = Math.min(wallUs, worker.busyUs + (state?.status === SLOT_STATUS.BUSY ? sinceStart(arena, state, nowUs) : 0))
    return { worker: worker.ordinal, slot: worker.slot, state, busyUs, idleUs: wallUs - busyUs }
  })
  const busyUs = workers.reduce((sum, worker) => sum + worker.busyUs, 0)
  const allUs = busyUs + workers.reduce((sum, worker) => sum + worker.idleUs, 0)
  return {
    size, mode, count: workers.length, lost, respawns, spares, messages, packets, workers, utilisation: allUs === 0 ? 0 : busyUs / allUs,
    queueWaitUs: waits.counts,
    busy: workers.filter(({ state }) => state?.status === SLOT_STATUS.BUSY).length
      + s.started.filter(({ executing }) => executing.size > 0).length,
  }
}

/** µs since the task that a slot executes was begun. */
function sinceStart({ u32, base }: Arena, { run, task }: SlotState, nowUs: number): number {
  if (run < 0 || task < 0) return 0
  const table = u32[(base + ARENA.RUNS + run * RUN.BYTES + RUN.TASKS) >>> 2]!
  const startUs = table === 0 ? 0 : u32[(table + task * TASK.BYTES + TASK.START_US) >>> 2]!
  return startUs === 0 ? 0 : Math.max(0, (nowUs - startUs) | 0)
}
