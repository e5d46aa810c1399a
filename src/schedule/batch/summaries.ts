import type { Packet } from '../../media/packet.js'
import type { CompiledPlan } from '../compiled-plan.js'
import type { OpenSegment } from '../open-segment.js'
import { nodeOf, portOf } from '../resolved-graph.js'
import type { ValueId } from '../segment-plan.js'

/** Adds to a run output what its node says about the whole stream (KE-09, `summary`): counts of a detector. */
export function summarise(packet: Packet, value: ValueId, compiled: CompiledPlan, segments: readonly (OpenSegment | undefined)[]): Packet {
  const node = compiled.nodes.find((n) => n.id === nodeOf(value))
  if (node?.definition.summary === undefined || !isNumbers(packet.data)) return packet
  const port = portOf(value)
  const report = segments.flatMap((segment) => segment?.report().steps ?? []).find((step) => step.nodeId === node.id)
  const summary =
    node.definition.summary({ inputFrames: report?.framesIn ?? 0, outputs: { [port]: [packet.data] } }, node.params, node.media)
  return { ...packet, metadata: { ...packet.metadata, ...summary[port] } }
}

function isNumbers(data: unknown): data is ArrayLike<number> {
  return ArrayBuffer.isView(data) && 'length' in data
}
