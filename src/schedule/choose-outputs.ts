import { edgeListOf } from '../graph/edge-list.js'
import { graphErrors } from '../graph/errors.js'
import type { Diagnostic } from '../errors/diagnostic.js'
import type { Graph } from '../graph/graph.js'
import { prunedNode } from '../graph/pruned-node.js'
import { reaching } from '../graph/reach.js'
import { originOf, withOrigin } from '../graph/subgraph/origin.js'

/** The part of a graph that some of its outputs need, and what is said of the rest. */
export interface ChosenOutputs { readonly graph: Graph; /** `PRUNED_NODE` per node that is left out. */ readonly found: readonly Diagnostic[] }

/**
 * The graph for a partial run (GR-10): only what the named outputs, and nodes of `output: true`, need, so that nothing else is looked at. Parts keep the pointers of the whole;
 * run-time inputs of other nodes stay declared but need no value. No names: everything. Throws `OUTPUT_NOT_FOUND`.
 */
export function chooseOutputs(graph: Graph, names: readonly string[] | undefined): ChosenOutputs {
  if (names === undefined) return { graph, found: [] }
  for (const name of names) if (!graph.outputs.has(name)) throw graphErrors.OUTPUT_NOT_FOUND({ name, names: [...graph.outputs.keys()] })
  const outputs = new Map([...graph.outputs].filter(([name]) => names.includes(name))), edges = edgeListOf(graph)
  const ends = [...outputs.values()].flatMap(([id]) => edges.indexOf.get(id) ?? []), kept = reaching(edges, [...ends, ...graph.nodes.flatMap(({ output }, n) => output === true ? [n] : [])])
  // Nothing to go by: what is wrong is told of the whole.
  if (ends.length < outputs.size || outputs.size === 0) return { graph: { ...graph, outputs }, found: [] }
  const needed = (id: string): boolean => { const n = edges.indexOf.get(id); return n === undefined || kept[n] === 1 }
  const at = graph.nodes.map((node, n) => originOf(node) ?? `/nodes/${n}`)
  return {
    graph: {
      ...graph, outputs, nodes: graph.nodes.flatMap((node, n) => needed(node.id) ? [withOrigin(node, at[n]!)] : []),
      edges: graph.edges.flatMap((edge, e) => kept[edges.indexOf.get(edge.to[0]) ?? -1] === 1 ? [withOrigin(edge, originOf(edge) ?? `/edges/${e}`)] : []),
      inputs: new Map([...graph.inputs].map(([name, input]) => {
        const to = input.to.filter(([id]) => needed(id))
        return [name, to.length > 0 || input.to.length === 0 ? { ...input, to } : { ...input, to, required: false }]
      })),
    },
    found: graph.nodes.flatMap(({ id }, n) => needed(id) ? [] : [prunedNode(id, at[n]!)]),
  }
}
