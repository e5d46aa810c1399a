import type { Graph } from '../graph.js'
import type { NodeDefinition } from '../node-definition.js'
import { flattenGraph, SUBGRAPH } from './flatten.js'
import type { TypeSource } from './origin.js'

/**
 * A definition of a graph as a node type: input ports, chosen params, outputs, for an editor's cards and palette. It has no code. Undefined
 * for no such name and for what is no document.
 * @example
 * const card = subgraphType(graph, 'clean', registry)?.inputs
 */
export function subgraphType(graph: Graph, name: string, types: TypeSource): NodeDefinition | undefined {
  // A muted node stays closed, with its ports.
  const closed: Graph = {
    ...graph,
    nodes: [{ id: 'node', type: SUBGRAPH + name, params: {}, mode: 'mute' }],
    edges: [], inputs: new Map(), outputs: new Map(),
  }
  return flattenGraph(closed, types).graph.nodes[0]?.definition
}
