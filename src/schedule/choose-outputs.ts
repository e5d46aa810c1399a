import { edgeListOf } from '../graph/edge-list.js'
import { commonErrors } from '../errors/common-errors.js'
import type { Diagnostic } from '../errors/diagnostic.js'
import type { Graph, GraphEdge, GraphNode } from '../graph/graph.js'
import type { Limits } from '../graph/limits.js'
import { prunedNode } from '../graph/pruned-node.js'
import { reaching } from '../graph/reach.js'
import { flatGraph, flattenGraph } from '../graph/subgraph/flatten.js'
import { originOf, withOrigin, type TypeSource } from '../graph/subgraph/origin.js'
import { scheduleErrors } from './errors.js'

/** The part of a graph that some of its outputs need, and what is said of the rest. */
export interface ChosenOutputs {
  readonly graph: Graph
  /** `PRUNED_NODE` per node that is left out. */
  readonly found: readonly Diagnostic[]
}

/**
 * The graph with its subgraphs opened, and of that the part that the named outputs need. A subgraph that cannot be opened refuses the run
 * only when they need it (GR-10). Throws what {@link flatGraph} and {@link chooseOutputs} throw.
 */
export function openChosen(graph: Graph, names: readonly string[] | undefined, types: TypeSource, limits: Limits): ChosenOutputs {
  const flat = flattenGraph(graph, types, { limits })
  if (!flat.diagnostics.some(({ severity }) => severity === 'error')) return chooseOutputs(flat.graph, names)
  if (names === undefined || names.some((name) => graph.outputs.has(name) && !flat.graph.outputs.has(name))) {
    return chooseOutputs(flatGraph(graph, types, limits), names)
  }
  // What cannot be opened stands there closed.
  const { graph: part, found } = chooseOutputs(flat.graph, names), edges = edgeListOf(graph)
  // Ids of nodes and of all that they stand in: `a/b/c` stands in `a` and in `a/b`.
  const around = new Set(part.nodes.flatMap(({ id }) => Array.from(id.matchAll(/\/|$/g), ({ index }) => id.slice(0, index))))
  const few = keepNeeded(graph, edges.indexOf, reaching(edges, graph.nodes.flatMap(({ id }, n) => around.has(id) ? [n] : [])))
  return {
    graph: chooseOutputs(
      flatGraph({ ...few, outputs: new Map([...graph.outputs].filter(([name]) => names.includes(name))) }, types, limits),
      names,
    ).graph,
    found,
  }
}

/**
 * The graph for a partial run (GR-10): only what the named outputs, and nodes of `output: true`, need, so that nothing else is looked at.
 * Parts keep the pointers of the whole; run-time inputs of other nodes stay declared but need no value. No names: everything. Throws
 * `OUTPUT_NOT_FOUND`, `INVALID_ARGUMENT` for an empty list.
 */
export function chooseOutputs(graph: Graph, names: readonly string[] | undefined): ChosenOutputs {
  if (names === undefined) return { graph, found: [] }
  if (names.length === 0) {
    throw commonErrors.INVALID_ARGUMENT({ function: 'outputs', expected: 'at least one name of an output', got: 'none' })
  }
  for (const name of names) if (!graph.outputs.has(name)) throw scheduleErrors.OUTPUT_NOT_FOUND({ name, names: [...graph.outputs.keys()] })
  const outputs = new Map([...graph.outputs].filter(([name]) => names.includes(name))), edges = edgeListOf(graph)
  const ends = [...outputs.values()].flatMap(([id]) => edges.indexOf.get(id) ?? [])
  const kept = reaching(edges, [...ends, ...graph.nodes.flatMap(({ output }, n) => output === true ? [n] : [])])
  // Nothing to go by: what is wrong is told of the whole.
  if (ends.length < outputs.size || outputs.size === 0) return { graph: { ...graph, outputs }, found: [] }
  return {
    graph: { ...keepNeeded(graph, edges.indexOf, kept), outputs },
    found: graph.nodes.flatMap((node, n) => kept[edges.indexOf.get(node.id)!] === 1 ? [] : [prunedNode(node.id, pointerOf(node, n))]),
  }
}

function pointerOf(part: GraphNode | GraphEdge, index: number): string {
  return originOf(part) ?? `/${'from' in part ? 'edges' : 'nodes'}/${index}`
}

/** Nodes that are kept, edges into them, inputs of them and of ids that nothing has. */
function keepNeeded(graph: Graph, indexOf: ReadonlyMap<string, number>, kept: Uint8Array): Graph {
  const needed = (id: string): boolean => kept[indexOf.get(id) ?? -1] === 1
  return {
    ...graph, nodes: graph.nodes.flatMap((node, n) => needed(node.id) ? [withOrigin(node, pointerOf(node, n))] : []),
    edges: graph.edges.flatMap((edge, e) => needed(edge.to[0]) ? [withOrigin(edge, pointerOf(edge, e))] : []),
    inputs: new Map([...graph.inputs].map(([name, input]) => {
      const to = input.to.filter(([id]) => needed(id) || !indexOf.has(id))
      return [name, to.length > 0 || input.to.length === 0 ? { ...input, to } : { ...input, to, required: false }]
    })),
  }
}
