import type { RunMetrics } from '../../schedule/metrics.js'
import { table } from './table.js'

/** Metrics as a table, one row per node, with the run's sums beneath. */
export function metricsTable(metrics: RunMetrics, mode: string): string {
  const rows = metrics.nodes.map((node) => [
    node.id, node.type, node.tier, node.worker < 0 ? node.where : `worker ${node.worker}`, (node.executionTimeUs / 1000).toFixed(2),
    node.kernelCalls, node.framesIn, node.copyBytes])
  return [table([['node', 'type', 'tier', 'where', 'ms', 'calls', 'frames in', 'copied'], ...rows]),
    `total ${(metrics.totalTimeUs / 1000).toFixed(1)} ms, ${metrics.workers.count} worker${metrics.workers.count === 1 ? '' : 's'}, ${mode} memory, arena peak ${(metrics.arena.usedPeakBytes / 1_048_576).toFixed(2)} MiB, copied ${metrics.copyBytes} bytes`].join('\n')
}
