import { frameBytes, type PortSpec } from '../kernels/kernel-spec.js'
import type { ResolvedNode } from './resolved-graph.js'
import type { SegmentNode } from './segment-plan.js'

/** A buffer as colouring sees it. */
export interface ColourBuffer {
  readonly kind: 'internal' | 'input' | 'output'
  readonly spec: PortSpec
  readonly capacity: number
  readonly readers: readonly number[]
  readonly writer: number
  readonly skip: number
}

/** Offsets of internal buffers in a working area; external ones have −1. Live ranges are step indices, both ends included. */
export interface Colouring {
  readonly offsets: readonly number[]
  readonly live: readonly (readonly [number, number])[]
  readonly bytes: number
}

/**
 * Shares memory between buffers whose live ranges do not meet (spec execution.md, EX-04). A buffer that only steps with one stream input
 * read is empty at the end of a pass, so it lives from its writer to its last reader; one that a join reads may keep frames and lives
 * always. A step that may work in place writes over its input when nothing else reads it. First fit by address over live ranges sorted by
 * start, largest first within a start: for buffers of equal size this is the optimum for interval graphs. O(n²) in buffers of one segment.
 */
export function colour(
  nodes: readonly SegmentNode[], buffers: readonly ColourBuffer[], all: readonly ResolvedNode[], joins: ReadonlySet<number>,
): Colouring {
  const strides = buffers.map(stride), bytes = buffers.map((b, i) => alignedBytes(strides[i]! * b.spec.channels))
  const live = buffers.map((b): [number, number] => b.readers.some((step) => joins.has(nodes[step]!.node)) || b.skip > 0
    ? [0, nodes.length] : [Math.max(b.writer, 0), b.readers.reduce((last, reader) => Math.max(last, reader), b.writer)])
  const host = inPlaceHosts(nodes, buffers, all, live, strides, bytes)
  const offsets = buffers.map(() => -1)
  let total = 0, placed: number[] = []
  const order = buffers.map((_, i) => i).filter((i) => buffers[i]!.kind === 'internal').sort((a, b) =>
    live[a]![0] - live[b]![0] || bytes[b]! - bytes[a]! || a - b)
  for (const i of order) {
    const guest = host.get(i)
    if (guest !== undefined) { offsets[i] = offsets[guest]!; continue } // its host's live range holds its own
    // Ranges come by start: what ended before this one is never in the way again. Kept sorted by address.
    placed = placed.filter((j) => live[j]![1] >= live[i]![0])
    let at = 0
    for (const j of placed) { if (offsets[j]! - at >= bytes[i]!) break; at = Math.max(at, offsets[j]! + bytes[j]!) }
    offsets[i] = at
    const after = placed.findIndex((j) => offsets[j]! > at)
    placed.splice(after < 0 ? placed.length : after, 0, i)
    total = Math.max(total, at + bytes[i]!)
  }
  return { offsets, live, bytes: total }
}

/** Bytes from one channel to the next. */
export function stride(b: Pick<ColourBuffer, 'capacity' | 'spec'>): number { return alignedBytes(b.capacity * frameBytes(b.spec)) }

/** Rounded up to whole lines of 64 bytes. */
export function alignedBytes(bytes: number): number { return Math.ceil(bytes / 64) * 64 }

/** Output buffer → input buffer whose memory it takes over. The host's live range grows over the guest's. */
function inPlaceHosts(
  nodes: readonly SegmentNode[], buffers: readonly ColourBuffer[], all: readonly ResolvedNode[], live: [number, number][],
  strides: readonly number[], bytes: readonly number[],
): Map<number, number> {
  const host = new Map<number, number>()
  nodes.forEach((step, s) => {
    for (const [i, o] of all[step.node]!.definition.kernel?.inPlace ?? []) {
      const from = step.inputs[i] ?? -1, to = step.outputs[o] ?? -1
      if (from < 0 || to < 0) continue
      const a = buffers[from]!, b = buffers[to]!
      const fits = a.kind === 'internal' && b.kind === 'internal' && a.readers.length === 1 && a.skip === 0 && b.skip === 0
        && live[from]![1] === s &&
        strides[from] === strides[to] && bytes[from] === bytes[to] && live[to]![0] === s
      if (!fits) continue
      host.set(to, host.get(from) ?? from)
      const root = host.get(to)!
      live[root] = [live[root]![0], Math.max(live[root]![1], live[to]![1])]
    }
  })
  return host
}
