import type { SegmentExecutor } from '../schedule/open-segment.js'
import type { ModeChoice } from './mode.js'

/** Numbers of an engine's workers. */
export interface PoolStats {
  /** Workers started and alive. */
  readonly count: number
  readonly busy: number
  readonly lost: number
  /** Control messages sent so far; constant while runs go on (MW-41). */
  readonly messages: number
}

/** An engine's workers, whatever the mode: started lazily, closed with the engine. */
export interface WorkerHost {
  /** False where no worker can run (tier `js`, `workers: 0`). */
  readonly available: boolean
  /** Undefined where no worker can run. */
  readonly executor: SegmentExecutor | undefined
  stats(): PoolStats
  /** How blocks move between threads now, and why; undefined where no worker can run. */
  mode(): ModeChoice | undefined
  close(): Promise<void>
}
