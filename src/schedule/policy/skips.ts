import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import type { Graph, GraphNode } from '../../graph/graph.js'
import { applyModes } from '../../graph/modes.js'
import { resolveParams } from '../../graph/params.js'

/** A node that does not run, and why. */
export interface SkippedNode { readonly id: string; readonly type: string; readonly version: string; readonly reason: string }

/**
 * Takes out what `policy.skipIf` says (EX-58), before anything else is decided: `true`; `{ param, is }`: a param has that value, defaults and run inputs counted in;
 * `{ absent }`: an input is linked to nothing. `not: true` turns the last two round; `reason` is what the metrics say. Dependents that need its outputs are skipped
 * with the reason `dependency`; optional inputs arrive absent. Throws `INVALID_ARGUMENT` for any other form.
 */
export function applySkips(graph: Graph): { readonly graph: Graph; readonly skipped: readonly SkippedNode[] } {
  const reasons = new Map<string, string>()
  for (const node of graph.nodes) {
    const reason = node.policy?.['skipIf'] === undefined ? undefined : reasonOf(node, graph)
    if (reason !== undefined) reasons.set(node.id, reason)
  }
  if (reasons.size === 0) return { graph, skipped: [] }
  const muted: Graph = { ...graph, nodes: graph.nodes.map((node) => reasons.has(node.id) ? { ...node, mode: 'mute' } : node) }
  for (const id of applyModes(muted).skipped) if (!reasons.has(id)) reasons.set(id, 'dependency')
  return { graph: muted, skipped: graph.nodes.flatMap(({ id, type, definition }) => reasons.has(id) ? [{ id, type, version: definition?.version ?? '', reason: reasons.get(id)! }] : []) }
}

function reasonOf(node: GraphNode, graph: Graph): string | undefined {
  const when = node.policy!['skipIf']
  if (typeof when === 'boolean') return when ? 'skipIf' : undefined
  const { param, is, absent, not = false, reason } = (typeof when === 'object' && when !== null ? when : {}) as { readonly param?: unknown; readonly is?: unknown; readonly absent?: unknown; readonly not?: unknown; readonly reason?: unknown }
  let holds: boolean, what: string
  if (typeof param === 'string' && node.definition !== undefined && Object.hasOwn(node.definition.params, param)) {
    const value = resolveParams(node.definition, node.params).values[param]
    holds = JSON.stringify(value) === JSON.stringify(is)
    what = `${param} is ${show(value)}`
  } else if (typeof absent === 'string' && Object.hasOwn(node.definition?.inputs ?? {}, absent)) {
    holds = !graph.edges.some(({ to }) => to[0] === node.id && to[1] === absent)
    what = `${absent} is ${holds ? 'absent' : 'linked'}`
  } else {
    throw commonErrors.INVALID_ARGUMENT({ function: `Node ${node.id} policy.skipIf`, expected: 'true, false, { param, is } or { absent } naming a param or input of the node', got: show(when) })
  }
  return holds !== (not === true) ? typeof reason === 'string' ? reason : `skipIf: ${what}` : undefined
}
