import type { Graph, GraphNode } from './graph.js'
import { migrateGraph } from './migrate-node.js'
import type { NodeDefinition } from './node-definition.js'

/**
 * Types that only `types` knows (a document was read with a smaller registry) get their definitions;
 * their nodes are migrated as by reading.
 */
export function withDefinitions(graph: Graph, types: { get(type: string): NodeDefinition | undefined }): Graph {
  if (graph.nodes.every((node) => (node.definition ?? undefined) !== undefined)) return graph
  return migrateGraph({ ...graph, nodes: graph.nodes.map((node) => {
    const definition = node.definition ?? types.get(node.type)
    return definition === node.definition ? node : { ...node, definition } as GraphNode
  }) }, graph.nodes)
}
