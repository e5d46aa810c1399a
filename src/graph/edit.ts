import { graphErrors } from './errors.js'
import type { Graph, GraphEdge, GraphNode, PortRef } from './graph.js'

/** Adds a node at the end. Throws `DUPLICATE_ID`. */
export function addNode(graph: Graph, node: GraphNode): Graph {
  const first = graph.nodes.findIndex((other) => other.id === node.id)
  if (first >= 0) {
    throw graphErrors.DUPLICATE_ID({ thing: 'Node', id: node.id, first: `/nodes/${first}`, second: `/nodes/${graph.nodes.length}` })
  }
  return { ...graph, nodes: [...graph.nodes, node] }
}

/** Removes a node with its edges and every output and input that names it. Throws `NODE_NOT_FOUND`. */
export function removeNode(graph: Graph, id: string): Graph {
  demandNode(graph, id)
  const inputs = [...graph.inputs].map(([name, input]) => [name, { ...input, to: input.to.filter(([node]) => node !== id) }] as const)
  return {
    ...graph,
    nodes: graph.nodes.filter((node) => node.id !== id),
    edges: graph.edges.filter((edge) => edge.from[0] !== id && edge.to[0] !== id),
    inputs: new Map(inputs.filter(([, input]) => input.to.length > 0)),
    outputs: new Map([...graph.outputs].filter(([, [node]]) => node !== id)),
  }
}

/** Adds an edge at the end; whether it fits is `validate`'s to say. */
export function connect(graph: Graph, from: PortRef, to: PortRef, more: Omit<GraphEdge, 'from' | 'to'> = {}): Graph {
  return { ...graph, edges: [...graph.edges, { from, to, ...more }] }
}

/** Removes every edge between two ports. */
export function disconnect(graph: Graph, from: PortRef, to: PortRef): Graph {
  const same = (a: PortRef, b: PortRef): boolean => a[0] === b[0] && a[1] === b[1]
  return { ...graph, edges: graph.edges.filter((edge) => !(same(edge.from, from) && same(edge.to, to))) }
}

/** Sets one param; `undefined` removes it, so that the default holds again. Throws `NODE_NOT_FOUND`. */
export function setParam(graph: Graph, id: string, name: string, value: unknown): Graph {
  demandNode(graph, id)
  return { ...graph, nodes: graph.nodes.map((node) => node.id === id ? { ...node, params: withParam(node.params, name, value) } : node) }
}

function withParam(params: Readonly<Record<string, unknown>>, name: string, value: unknown): Record<string, unknown> {
  const rest = Object.entries(params).filter(([key]) => key !== name)
  return Object.fromEntries(value === undefined ? rest : [...rest, [name, value]])
}

function demandNode(graph: Graph, id: string): void {
  if (!graph.nodes.some((node) => node.id === id)) throw graphErrors.NODE_NOT_FOUND({ thing: 'Edit', id: 'node', node: id })
}
