/** Leaf types of {@link metricsSchema}. */
const text = { type: 'string' }, count = { type: 'integer', minimum: 0 }, whole = { type: 'integer' }
const number = { type: 'number', minimum: 0 }
const error = object({ code: text, message: text })

/** An object whose fields are all required unless named in `optional`; no others. */
function object(properties: Readonly<Record<string, unknown>>, optional: readonly string[] = []): Readonly<Record<string, unknown>> {
  return {
    type: 'object', properties,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
    additionalProperties: false,
  }
}
function list(items: unknown): Readonly<Record<string, unknown>> { return { type: 'array', items } }

const node = object({
  id: text, type: text, version: text, runtime: text, tier: text, where: { enum: ['engine', 'worker'] }, worker: whole, segment: whole,
  start_time_us: count, queue_us: count, execution_time_us: count,
  memory_peak_mb: number, memory_peak_bytes: count, status: { enum: ['success', 'failed', 'skipped', 'retried', 'cached', 'cancelled'] },
  reason: text, attempts: count, deliveries: count, kernel_calls: count, items_in: count, items_out: count, frames_in: count,
  frames_out: count, copy_bytes: count, nonfinite: count, clipped: count, error,
}, ['reason', 'error'])
const edge = object({
  from: text, to: text, transport: text, items: count, frames: count, copy_bytes: count, dropped: count, blocked_us: count,
  depth_max: count,
})

/**
 * JSON Schema (2020-12) of what `exportMetrics` gives (spec execution.md, EX-64): the same for one
 * thread and many. Times in µs, sizes in bytes.
 */
export const metricsSchema: Readonly<Record<string, unknown>> = {
  $schema: 'https://json-schema.org/draft/2020-12/schema', $id: 'millrace/metrics', title: 'Metrics of one run',
  ...object({
    pipeline_id: text, run_id: text, graph_hash: text, driver: { enum: ['batch', 'stream', 'realtime'] }, version: text, start_time: text,
    end_time: text, total_time_us: count,
    status: { enum: ['success', 'partialfailure', 'failed', 'cancelled'] }, clock_resolution_us: number, metrics_overhead_us: count,
    peak_memory_bytes: count, copy_bytes: count,
    nodes_total: count, nodes_executed: count, nodes_cached: count, cache: object({ hits: count, misses: count, evicted: count }),
    arena: object({ capacity_bytes: count, used_peak_bytes: count, allocs: count, frees: count, evictions: count, fragmentation: number }),
    workers: object({ count, lost: count, respawned: count, busy_ratio: number, checkpoint_bytes: count }, ['checkpoint_bytes']),
    critical_path: list(text), nodes: list(node), edges: list(edge), error,
  }, ['error']),
}
