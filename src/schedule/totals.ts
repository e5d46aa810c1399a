import type { Feedback } from '../graph/resolve/feedback-loops.js'
import { mostFrames } from './segment-buffers.js'
import type { ResolvedNode } from './resolved-graph.js'
import { valueId } from './resolved-graph.js'
import type { ValueId } from './segment-plan.js'

/**
 * Upper bounds of the whole length of every value, frames, from the known lengths of sources (a file's header, a value at hand). Values
 * whose length depends on a node written in TypeScript or on an unknown source are absent: they grow while they are collected.
 */
export function totalFrames(
  nodes: readonly ResolvedNode[], origin: ReadonlyMap<ValueId, ValueId>, sources: ReadonlyMap<string, number>, feedback?: Feedback,
): Map<ValueId, number> {
  const totals = new Map<ValueId, number>()
  for (const node of nodes) {
    const own = sources.get(node.id)
    if (own !== undefined) for (const port of Object.keys(node.definition.outputs)) totals.set(valueId(node.id, port), own)
    if (node.tier === null) continue
    const inputs = node.inputs.filter((input) => input.from !== null && input.control === undefined && feedback?.weak(node, input) !== true)
      .map(({ from, delay }) => (totals.get(origin.get(from!) ?? from!) ?? NaN) + (delay ?? 0))
    if (inputs.length === 0) continue
    const longest = inputs.reduce((most, frames) => Math.max(most, frames))
    if (Number.isNaN(longest)) continue
    for (const port of Object.keys(node.definition.outputs)) {
      totals.set(valueId(node.id, port), mostFrames(node, port, longest) + mostFrames(node, port, 0))
    }
  }
  return totals
}
