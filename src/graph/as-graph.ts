import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import type { Graph } from './graph.js'
import type { TypeSource } from './subgraph/origin.js'

/** A graph in memory has its inputs and outputs in maps; a document has them in objects. False for what throws when it is read. */
export function isGraph(value: unknown): value is Graph {
  try {
    const { nodes, edges, inputs, outputs } = (value ?? {}) as Partial<Graph>
    return Array.isArray(nodes) && Array.isArray(edges) && inputs instanceof Map && outputs instanceof Map
  } catch { return false }
}

/** Refuses what is no graph. Throws `INVALID_ARGUMENT` that says what makes one of it. */
export function demandGraph(value: unknown, where: string): void {
  if (!isGraph(value)) {
    throw commonErrors.INVALID_ARGUMENT({
      function: where, expected: 'a graph', got: show(value),
      hint: 'fromDocument(document, registry) or graphFrom(outputs) makes one.',
    })
  }
}

/** Refuses what looks up no types. Throws `INVALID_ARGUMENT`. */
export function demandTypes(value: TypeSource | undefined, where: string): void {
  if (typeof value?.get !== 'function') {
    throw commonErrors.INVALID_ARGUMENT({
      function: where, expected: 'a registry', got: show(value), hint: 'createRegistry(...builtinNodes) makes one.',
    })
  }
}
