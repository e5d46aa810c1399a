import { ask, isWhole } from '../graph/ask.js'
import { passesThrough } from '../graph/node-definition.js'
import type { Media } from '../media/media-type.js'
import { alignedBytes } from './colouring.js'
import type { OwnBytes } from './estimates.js'
import { mediaBytes } from './media-bytes.js'
import { queueCapacity } from './packet-queue.js'
import type { ResolvedNode } from './resolved-graph.js'
import { valueId } from './resolved-graph.js'
import type { SegmentPlan, ValueId } from './segment-plan.js'

/** Passes that fit one room of an output that leaves packet by packet. */
export const PASSES_PER_ROOM = 16
/** Frames and bytes of a chunk when its source does not say (EX-05). */
const CHUNK_FRAMES = 65_536, CHUNK_BYTES = 10_000_000
/** Beside what waits in a queue: the packet that is being made and the one that is being read. */
const BEYOND_QUEUE = 2
/** Descriptors and state of a kernel instance, beside its tables, and records of a step and its buffers. */
const STEP_BYTES = 1_024

/** What the estimate of memory depends on. */
export interface PeakFacts {
  readonly nodes: readonly ResolvedNode[]
  readonly removed: ReadonlySet<string>
  readonly segments: readonly SegmentPlan[]
  readonly media: ReadonlyMap<ValueId, Media>
  readonly totals: ReadonlyMap<ValueId, number>
  /** Values that the run keeps. */
  readonly kept: ReadonlySet<ValueId>
  /** Values that somebody outside their writer's segment reads. */
  readonly readOutside: ReadonlySet<ValueId>
  /** What nodes written in TypeScript hold beside that, by index. */
  readonly own: ReadonlyMap<number, OwnBytes>
  /** True for a node that may never run. */
  readonly mayRest?: (node: number) => boolean
}

/**
 * Bytes that a run will hold at most, by the plan (EX-06): what is kept, working areas of segments, rooms of what leaves them, chunks of
 * sources that wait in full queues. `least`: without what waits, and without what is only supposed of nodes written in TypeScript; a run
 * that has not that much cannot go on. `rooms`: what is counted for packets of such nodes, by index. Values of unknown length count as
 * nothing.
 */
export function peakBytes(f: PeakFacts): { readonly most: number; readonly least: number; readonly rooms: ReadonlyMap<number, number> } {
  const rooms = new Map<number, number>()
  // What nodes declare they hold while they work: not all of them at a time, the largest for sure.
  let bytes = 0, queued = 0, resting = 0, declared = 0, largest = 0
  for (const segment of f.segments) {
    const before = bytes
    bytes += segment.workBytes + segment.nodes.length * STEP_BYTES
    for (const buffer of segment.buffers) {
      if (buffer.kind !== 'output') continue
      const total = f.totals.get(buffer.value), frame = buffer.frameBytes * buffer.channels
      const kept = f.kept.has(buffer.value), outside = f.readOutside.has(buffer.value)
      const zeros = buffer.late?.zeros ?? 0
      if (segment.feed === 'values' || (kept && total !== undefined && !outside)) {
        bytes += alignedBytes(((total ?? 0) + buffer.capacity + zeros) * frame)
        continue
      }
      const room = alignedBytes((buffer.capacity * PASSES_PER_ROOM + zeros) * frame)
      // What is collected in pieces is joined at the end: for a moment both are there.
      if (kept) bytes += 2 * (total ?? 0) * frame + (total === undefined ? room : 0)
      else queued += room * waiting(total, buffer.capacity * PASSES_PER_ROOM, buffer.media.kind)
    }
    if (f.mayRest?.(segment.nodes[0]!.node) === true) resting += bytes - before
  }
  for (const node of f.nodes) {
    if (node.tier !== null || f.removed.has(node.id)) continue
    const own = f.own.get(node.index)
    if (own?.declared === true) {
      declared += own.bytes
      if (f.mayRest?.(node.index) !== true) largest = Math.max(largest, own.bytes)
    } else queued += own?.bytes ?? 0
    if (isWhole(node.definition, node.params)) continue
    const before = bytes + queued
    for (const [port, output] of Object.entries(node.definition.outputs)) {
      const value = valueId(node.id, port), media = f.media.get(value), total = f.totals.get(value)
      if (media?.kind !== 'audio' || ask(node.definition, `outputs.${port}`, () => passesThrough(output, node.params, node.media))) continue
      const asked = node.params['chunkFrames'], most = Math.max(1, Math.floor(CHUNK_BYTES / mediaBytes(media, 1)))
      const chunk = Math.min(typeof asked === 'number' ? asked : CHUNK_FRAMES, most, total ?? Number.POSITIVE_INFINITY)
      if (f.kept.has(value)) bytes += 2 * mediaBytes(media, total ?? 0)
      else queued += alignedBytes(mediaBytes(media, chunk)) * waiting(total, chunk, media.kind)
    }
    rooms.set(node.index, bytes + queued - before)
  }
  return { most: bytes + queued + declared, least: bytes - resting + largest, rooms }
}

/** Packets of `frames` frames that are there at a time. */
function waiting(total: number | undefined, frames: number, kind: Media['kind']): number {
  return Math.min(
    total === undefined ? Number.POSITIVE_INFINITY : Math.ceil(total / Math.max(1, frames)),
    queueCapacity(kind) + BEYOND_QUEUE,
  )
}
