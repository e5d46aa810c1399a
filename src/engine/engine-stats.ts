import type { ArenaStats } from '../memory/block-store.js'
import type { Tier } from '../graph/tiers.js'
import type { EdgeStats } from './edge-log.js'
import type { ScriptStats } from '../schedule/batch/script-host.js'
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
  /** Memories of tiers that nodes named beside the engine's; each is made when it is first needed. */
  readonly guests: readonly { readonly tier: Tier; readonly arena: ArenaStats }[]
  readonly mode: ModeFacts
  /**
   * `count`, `busy`, `lost` and `respawns` count threads of nodes written in TypeScript along; `scripts` those alone.
   * The rest is of workers that run kernels.
   */
  readonly workers: PoolStats & { readonly scripts: ScriptStats }
  /** What the edges of the last 8 runs that ended carried and copied, oldest run first, after what was copied outside of runs. */
  readonly edges: readonly EdgeStats[]
  /** Runs under way. */
  readonly runs: number
}
