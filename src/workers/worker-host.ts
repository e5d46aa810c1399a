import type { SegmentExecutor } from '../schedule/open-segment.js'
import type { ModeChoice } from './mode.js'
import type { PoolReport } from './pool-report.js'

/** Numbers of an engine's workers. */
export type PoolStats = Omit<PoolReport, 'mode'>

/** An engine's workers, whatever the mode: started lazily, closed with the engine. */
export interface WorkerHost {
  /** False where no worker can run (tier `js`, `workers: 0`). */
  readonly available: boolean
  /** Undefined where no worker can run. */
  readonly executor: SegmentExecutor | undefined
  stats(): PoolStats
  /** How blocks move between threads now, and why; undefined where no worker can run. */
  mode(): ModeChoice | undefined
  /** Takes no new work, lets what is under way end, at most `ms`, then closes (MW-51). */
  drain(ms?: number): Promise<void>
  close(): Promise<void>
}
