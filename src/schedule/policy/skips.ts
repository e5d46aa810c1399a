import type { Graph, GraphNode } from '../../graph/graph.js'
import { applyModes } from '../../graph/modes.js'
import { resolveParams } from '../../graph/params.js'
import { portKey } from '../../graph/port-key.js'
import { skipReason } from '../../graph/skip-if.js'

/** A node that does not run, and why. */
export interface SkippedNode { readonly id: string; readonly type: string; readonly version: string; readonly reason: string }

/**
 * Takes out what `policy.skipIf` says (EX-58), before anything else is decided, defaults and run inputs counted in. Dependents that need
 * its outputs are skipped with the reason `dependency`; optional inputs arrive absent. What is none of the forms of {@link skipReason}
 * validation refuses.
 */
export function applySkips(graph: Graph): { readonly graph: Graph; readonly skipped: readonly SkippedNode[] } {
  const reasons = new Map<string, string>(), asking = graph.nodes.filter(({ policy }) => policy?.['skipIf'] !== undefined)
  const linked = new Set(asking.length === 0 ? [] : graph.edges.map(({ to }) => portKey(to)))
  for (const node of asking) {
    const reason = reasonOf(node, linked)
    if (reason !== undefined) reasons.set(node.id, reason)
  }
  if (reasons.size === 0) return { graph, skipped: [] }
  const muted: Graph = { ...graph, nodes: graph.nodes.map((node) => reasons.has(node.id) ? { ...node, mode: 'mute' } : node) }
  for (const id of applyModes(muted).skipped) if (!reasons.has(id)) reasons.set(id, 'dependency')
  return {
    graph: muted,
    skipped: graph.nodes.flatMap(({ id, type, definition }) =>
      reasons.has(id) ? [{ id, type, version: definition?.version ?? '', reason: reasons.get(id)! }] : []),
  }
}

function reasonOf({ id, definition, params, policy }: GraphNode, linkedPorts: ReadonlySet<string>): string | undefined {
  return skipReason(policy!['skipIf'], definition, {
    value: (param) => ({ is: resolveParams(definition!, params).values[param] }), linked: (input) => linkedPorts.has(portKey([id, input])),
  }) || undefined
}
