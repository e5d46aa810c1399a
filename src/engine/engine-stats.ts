import type { ArenaStats } from '../memory/block-store.js'
import type { Tier } from '../graph/tiers.js'
import type { EdgeStats } from './edge-log.js'
import type { PoolStats } from '../workers/worker-host.js'

/** How the engine holds and shares memory, and why (MW-55). */
export interface ModeFacts {
  readonly mode: 'shared' | 'transfer' | 'single'
  readonly tier: Tier
  readonly why: string
}

/** What `engine.stats()` gives. Bytes, counts. */
export interface EngineStats {
  readonly arena: ArenaStats
  readonly mode: ModeFacts
  readonly workers: PoolStats
  /** What the edges of the last 8 runs that ended carried and copied, oldest run first, after what was copied outside of runs. */
  readonly edges: readonly EdgeStats[]
  /** Runs under way. */
  readonly runs: number
}
