import type { CompiledPlan } from '../compiled-plan.js'
import type { ValueId } from '../segment-plan.js'

/** What an output is connected to, by name: edges as `from.port->to.port`, then outputs of the run. O(edges). */
export function connectionsOf({ nodes, shown }: Pick<CompiledPlan, 'nodes' | 'shown'>, value: ValueId): readonly string[] {
  const edges = nodes.flatMap(({ id, inputs }) => inputs.flatMap(({ from, port }) => from === value ? [`${value}->${id}.${port}`] : []))
  return [...edges, ...[...shown].flatMap(([name, of]) => of === value ? [`output ${name}`] : [])]
}
