import type { CopyEntry, CopyLedger, CopyReason } from '../../memory/copies.js'
import type { SegmentReport } from '../open-segment.js'
import type { PlanEdge } from '../plan.js'
import type { BatchOutcome } from './batch-types.js'

/**
 * What one edge of a run has carried and copied (MW-23). `from`, `to`: `node.port`, `to` empty for who
 * called; `transport` empty: no edge of the graph.
 */
export interface EdgeRow {
  readonly from: string
  readonly to: string
  readonly transport: PlanEdge['transport'] | ''
  /** A queue stood there; 0 packets and frames are carried by none. */
  queued: boolean
  items: number
  frames: number
  dropped: number
  blockedUs: number
  depthMax: number
  /** Bytes copied, by reason. What is copied for a value stands at the first edge that it leaves by. */
  readonly copyBytes: Record<CopyReason, number>
}

/** What a run has copied on this thread, and on the way to its workers and back. */
export function copiesOf(copies: CopyLedger, reports: readonly (SegmentReport | undefined)[]): CopyEntry[] {
  const moved = reports.flatMap((report) => [...report?.copied ?? []])
  return [...copies.entries(), ...moved.map(([edge, bytes]) => ({ edge, bytes, reason: 'thread' as const, copies: 1 }))]
}

/**
 * A row per edge of the plan, then one for each queue and copy that is none of them. A segment reads a value through one queue for all its
 * nodes: `apart`, that has a row of its own, else it counts for the first edge of the value. O(edges).
 */
export function edgeRows(
  edges: readonly PlanEdge[], carried: BatchOutcome['edges'], copies: readonly CopyEntry[], apart = false,
): EdgeRow[] {
  const rows: EdgeRow[] = [], byEnds = new Map<string, EdgeRow>(), first = new Map<string, EdgeRow>()
  const row = (from: string, to: string, transport: EdgeRow['transport']): EdgeRow => {
    const made: EdgeRow = {
      from, to, transport, queued: false, items: 0, frames: 0, dropped: 0, blockedUs: 0, depthMax: 0,
      copyBytes: { thread: 0, convert: 0, platform: 0, user: 0 },
    }
    rows.push(made)
    byEnds.set(`${from} ${to}`, made)
    // A segment's queue names the node that reads it.
    const reader = `${from} ${to.slice(0, to.lastIndexOf('.'))}`
    if (!byEnds.has(reader)) byEnds.set(reader, made)
    // By value, and by node for copies that are no single port's.
    for (const key of [from, `${from.slice(0, from.lastIndexOf('.'))}.*`]) if (!first.has(key)) first.set(key, made)
    return made
  }
  for (const { from, to, transport } of edges) row(from.join('.'), to.join('.'), transport)
  for (const { from, to, counters } of carried) {
    const one = byEnds.get(`${from} ${to}`) ?? (apart ? undefined : first.get(from)) ?? row(from, to, 'queue')
    one.queued = true
    one.items += counters.items
    one.frames += counters.frames
    one.dropped += counters.dropped
    one.blockedUs += counters.blockedUs
    one.depthMax = Math.max(one.depthMax, counters.depthMax)
  }
  for (const { edge, bytes, reason } of copies) (first.get(edge) ?? row(edge, '', '')).copyBytes[reason] += bytes
  return rows
}
