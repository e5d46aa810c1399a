/** Metrics of one run (spec execution.md section 8). Times are whole µs of a monotonic clock; `startTime`, `endTime` ISO-8601 UTC. */
export interface RunMetrics {
  readonly pipelineId: string
  readonly runId: string
  readonly graphHash: string
  readonly driver: 'batch' | 'stream' | 'realtime'
  readonly version: string
  readonly startTime: string
  readonly endTime: string
  readonly totalTimeUs: number
  readonly status: 'success' | 'partialfailure' | 'failed' | 'cancelled'
  readonly clockResolutionUs: number
  readonly metricsOverheadUs: number
  readonly peakMemoryBytes: number
  readonly copyBytes: number
  readonly nodesTotal: number
  readonly nodesExecuted: number
  readonly nodesCached: number
  readonly cache: { readonly hits: number; readonly misses: number; readonly evicted: number }
  readonly arena: {
    readonly capacityBytes: number
    readonly usedPeakBytes: number
    readonly allocs: number
    readonly frees: number
    readonly evictions: number
    readonly fragmentation: number
  }
  /** Threads; `lost` and `respawned` in the engine while the run was under way. */
  readonly workers: {
    readonly count: number
    readonly lost: number
    readonly respawned: number
    readonly busyRatio: number
    /** States that came out of private memories so that a lost worker's chunks can go on; no part of `copyBytes`. */
    readonly checkpointBytes?: number
  }
  readonly criticalPath: readonly string[]
  readonly nodes: readonly NodeMetrics[]
  readonly edges: readonly EdgeMetrics[]
  readonly error?: { readonly code: string; readonly message: string }
}

/**
 * One node, in execution order. Kernel nodes of one segment share its time: `executionTimeUs` is the segment's measured time divided by the
 * shares that sampled passes measured. `tier` is read from the tag that the code itself wrote and the memory that it stands in;
 * `kernelCalls` from its own counter (GR-45).
 */
export interface NodeMetrics {
  readonly id: string
  readonly type: string
  readonly version: string
  readonly runtime: string
  readonly tier: string
  readonly where: 'engine' | 'worker'
  /** Worker slot; −1: the engine's own thread. */
  readonly worker: number
  readonly segment: number
  readonly startTimeUs: number
  readonly queueUs: number
  readonly executionTimeUs: number
  readonly memoryPeakMb: number
  readonly memoryPeakBytes: number
  readonly status: 'success' | 'failed' | 'skipped' | 'retried' | 'cached' | 'cancelled'
  readonly reason?: string
  readonly attempts: number
  readonly deliveries: number
  readonly kernelCalls: number
  readonly itemsIn: number
  readonly itemsOut: number
  readonly framesIn: number
  readonly framesOut: number
  readonly copyBytes: number
  readonly nonfinite: number
  readonly clipped: number
  readonly error?: { readonly code: string; readonly message: string }
}

/**
 * One edge that carried packets through a queue, or whose value was copied; `to` is empty where the caller gets it. Edges inside a segment
 * pass addresses and are listed in the plan.
 */
export interface EdgeMetrics {
  readonly from: string
  readonly to: string
  /** As in the plan; empty: no edge of the graph. */
  readonly transport: string
  readonly items: number
  readonly frames: number
  readonly copyBytes: number
  readonly dropped: number
  readonly blockedUs: number
  readonly depthMax: number
}

/** JSON form with snake_case keys, as metrics leave the process (EX-64). */
export function exportMetrics(metrics: RunMetrics): Record<string, unknown> {
  return snake(metrics) as Record<string, unknown>
}

function snake(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snake)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`), snake(v)]))
}
