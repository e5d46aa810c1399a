import type { EngineParts } from './engine-parts.js'
import type { EngineStats } from './engine-stats.js'

/** Numbers of an engine's threads: those of nodes written in TypeScript counted along. */
export function threadStats({ workers, scripts: host }: Pick<EngineParts, 'workers' | 'scripts'>): EngineStats['workers'] {
  const pool = workers.stats(), scripts = host?.stats() ?? { count: 0, busy: 0, lost: 0, respawns: 0 }
  return {
    ...pool, count: pool.count + scripts.count, busy: pool.busy + scripts.busy, lost: pool.lost + scripts.lost,
    respawns: pool.respawns + scripts.respawns, scripts,
  }
}
