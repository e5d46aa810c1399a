import { edgeListOf, type GraphEdgeList } from './edge-list.js'
import type { Graph } from './graph.js'
import type { NodeDefinition } from './node-definition.js'
import { reaching } from './reach.js'

/** An output of a run: its declared name, or undefined when the graph declares none and every unconnected port is one. */
export interface RunOutput { readonly name: string | undefined; readonly node: number; readonly port: string }

/** What a run of a graph ends in. */
export interface GraphEnds {
  /** Declared outputs in order; else every unconnected output port, in document order. Outputs that name no node are left out. */
  readonly outputs: readonly RunOutput[]
  /**
   * Nodes kept though no run output stands on them: `output: true`, and in a graph without declared outputs those that have no output port.
   */
  readonly sinks: readonly number[]
}

/** Definition of a node: its own, else the registry's. */
export type DefinitionOf = (node: number) => NodeDefinition | undefined

/**
 * Ends of a graph (spec graph.md section 1, `outputs`; GR-09). Without declared outputs a node that stands alone among others though it
 * needs input is no end: it could not run, and an isolated node is never an error.
 */
export function endsOf(
  graph: Graph, { indexOf, fromAt, toAt }: Pick<GraphEdgeList, 'indexOf' | 'fromAt' | 'toAt'>,
  definitionOf: DefinitionOf = (node) => graph.nodes[node]!.definition,
  portOf = (edge: number): string => graph.edges[edge]!.from[1],
): GraphEnds {
  const { nodes, edges } = graph, sinks: number[] = []
  for (let n = 0; n < nodes.length; n++) if (nodes[n]!.output === true) sinks.push(n)
  if (graph.outputs.size > 0) {
    const outputs = [...graph.outputs].flatMap(([name, [id, port]]): RunOutput[] => {
      const node = indexOf.get(id)
      return node === undefined ? [] : [{ name, node, port }]
    })
    return { outputs, sinks }
  }
  // Ports read of each node: nearly always one, of which no list is made.
  const read = new Array<string | string[] | undefined>(nodes.length), fed = new Uint8Array(nodes.length)
  for (let e = 0; e < edges.length; e++) {
    const node = fromAt[e]!, target = toAt[e]!, port = portOf(e), mine = node < 0 ? port : read[node]
    if (mine === undefined) read[node] = port
    else if (!holds(mine, port)) read[node] = [...typeof mine === 'string' ? [mine] : mine, port]
    if (target >= 0) fed[target] = 1
  }
  for (const input of graph.inputs.values()) {
    for (const [id] of input.to) { const node = indexOf.get(id); if (node !== undefined) fed[node] = 1 }
  }
  const outputs: RunOutput[] = [], silent = new Set(sinks)
  for (let node = 0; node < nodes.length; node++) {
    const definition = definitionOf(node), mine = read[node]
    if (nodes.length > 1 && fed[node] === 0 && mine === undefined && definition !== undefined && !silent.has(node)
      && needsInput(definition)) {
      continue
    }
    let ports = 0
    for (const port in definition?.outputs) {
      ports++
      if (mine === undefined || !holds(mine, port)) outputs.push({ name: undefined, node, port })
    }
    if (ports === 0 && mine === undefined) silent.add(node)
  }
  return { outputs, sinks: [...silent].sort((a, b) => a - b) }
}

function holds(ports: string | readonly string[], port: string): boolean {
  return typeof ports === 'string' ? ports === port : ports.includes(port)
}

/** True when some input must be linked. */
export function needsInput(definition: NodeDefinition): boolean {
  return Object.values(definition.inputs).some((input) => input.optional !== true)
}

/**
 * The graph without the nodes that reach none of its ends (GR-09), and their ids in document order. Edges and run-time inputs of left-out
 * nodes go with them. The same graph when nothing is left out.
 */
export function pruneGraph(graph: Graph): { readonly graph: Graph; readonly pruned: readonly string[] } {
  const edges = edgeListOf(graph)
  const { outputs, sinks } = endsOf(graph, edges)
  const kept = reaching(edges, [...outputs.map((output) => output.node), ...sinks])
  if (!kept.includes(0)) return { graph, pruned: [] }
  return {
    graph: keepNodes(graph, (node) => kept[node] === 1),
    pruned: graph.nodes.flatMap((node, index) => kept[index] === 1 ? [] : [node.id]),
  }
}

/** The graph of some of its nodes: edges between them, run-time inputs into them, outputs on them. */
export function keepNodes(graph: Graph, keeps: (node: number) => boolean): Graph {
  const ids = new Set(graph.nodes.flatMap((node, index) => keeps(index) ? [node.id] : []))
  const inputs = [...graph.inputs].map(([name, input]) => [name, { ...input, to: input.to.filter(([node]) => ids.has(node)) }] as const)
  return {
    ...graph, nodes: graph.nodes.filter((_, index) => keeps(index)),
    edges: graph.edges.filter((edge) => ids.has(edge.from[0]) && ids.has(edge.to[0])),
    inputs: new Map(inputs.filter(([, input]) => input.to.length > 0)),
    outputs: new Map([...graph.outputs].filter(([, [node]]) => ids.has(node))),
  }
}
