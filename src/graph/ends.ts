import { edgeListOf } from './edge-list.js'
import type { Graph } from './graph.js'
import type { NodeDefinition } from './node-definition.js'
import { reaching } from './reach.js'

/** An output of a run: its declared name, or undefined when the graph declares none and every unconnected port is one. */
export interface RunOutput { readonly name: string | undefined; readonly node: number; readonly port: string }

/** What a run of a graph ends in. */
export interface GraphEnds {
  /** Declared outputs in order; else every unconnected output port, in document order. Outputs that name no node are left out. */
  readonly outputs: readonly RunOutput[]
  /** Nodes kept though no run output stands on them: `output: true`, and in a graph without declared outputs those that have no output port. */
  readonly sinks: readonly number[]
}

/** Definition of a node: its own, else the registry's. */
export type DefinitionOf = (node: number) => NodeDefinition | undefined

/**
 * Ends of a graph (spec graph.md section 1, `outputs`; GR-09). Without declared outputs a node that stands alone among others though it needs
 * input is no end: it could not run, and an isolated node is never an error.
 */
export function endsOf(graph: Graph, indexOf: ReadonlyMap<string, number>, definitionOf: DefinitionOf = (node) => graph.nodes[node]!.definition): GraphEnds {
  const sinks = graph.nodes.flatMap((node, index) => node.output === true ? [index] : [])
  if (graph.outputs.size > 0) {
    const outputs = [...graph.outputs].flatMap(([name, [id, port]]): RunOutput[] => {
      const node = indexOf.get(id)
      return node === undefined ? [] : [{ name, node, port }]
    })
    return { outputs, sinks }
  }
  const read = new Array<string[] | undefined>(graph.nodes.length), fed = new Uint8Array(graph.nodes.length)
  for (const { from, to } of graph.edges) {
    const node = indexOf.get(from[0]), target = indexOf.get(to[0])
    if (node !== undefined && read[node]?.includes(from[1]) !== true) (read[node] ??= []).push(from[1])
    if (target !== undefined) fed[target] = 1
  }
  for (const input of graph.inputs.values()) for (const [id] of input.to) { const node = indexOf.get(id); if (node !== undefined) fed[node] = 1 }
  const outputs: RunOutput[] = [], silent = new Set(sinks)
  graph.nodes.forEach((_, node) => {
    const definition = definitionOf(node)
    const ports = definition === undefined ? [] : Object.keys(definition.outputs)
    if (graph.nodes.length > 1 && fed[node] === 0 && read[node] === undefined && !silent.has(node) && definition !== undefined && needsInput(definition)) return
    for (const port of ports) if (read[node]?.includes(port) !== true) outputs.push({ name: undefined, node, port })
    if (ports.length === 0 && read[node] === undefined) silent.add(node)
  })
  return { outputs, sinks: [...silent].sort((a, b) => a - b) }
}

/** True when some input must be linked. */
export function needsInput(definition: NodeDefinition): boolean { return Object.values(definition.inputs).some((input) => input.optional !== true) }

/**
 * The graph without the nodes that reach none of its ends (GR-09), and their ids in document order. Edges and run-time inputs of left-out nodes go with
 * them. The same graph when nothing is left out.
 */
export function pruneGraph(graph: Graph): { readonly graph: Graph; readonly pruned: readonly string[] } {
  const edges = edgeListOf(graph)
  const { outputs, sinks } = endsOf(graph, edges.indexOf)
  const kept = reaching(edges, [...outputs.map((output) => output.node), ...sinks])
  if (!kept.includes(0)) return { graph, pruned: [] }
  return { graph: keepNodes(graph, (node) => kept[node] === 1), pruned: graph.nodes.flatMap((node, index) => kept[index] === 1 ? [] : [node.id]) }
}

/** The graph of some of its nodes: edges between them, run-time inputs into them, outputs on them. */
export function keepNodes(graph: Graph, keeps: (node: number) => boolean): Graph {
  const ids = new Set(graph.nodes.flatMap((node, index) => keeps(index) ? [node.id] : []))
  const inputs = [...graph.inputs].map(([name, input]) => [name, { ...input, to: input.to.filter(([node]) => ids.has(node)) }] as const)
  return {
    ...graph, nodes: graph.nodes.filter((_, index) => keeps(index)),
    edges: graph.edges.filter((edge) => ids.has(edge.from[0]) && ids.has(edge.to[0])),
    inputs: new Map(inputs.filter(([, input]) => input.to.length > 0)), outputs: new Map([...graph.outputs].filter(([, [node]]) => ids.has(node))),
  }
}
