import type { Graph, GraphEdge, GraphNode } from '../graph.js'
import type { NodeDefinition } from '../node-definition.js'

/**
 * Key of the JSON pointer at which a node or edge of a flattened graph stands in the document. A symbol, so
 * that copies carry it and no document holds it.
 */
const ORIGIN: unique symbol = Symbol('millrace.origin') as never

/** Where a node or edge that came out of flattening was written, or undefined for any other. */
export function originOf(part: GraphNode | GraphEdge): string | undefined {
  return (part as { readonly [ORIGIN]?: string })[ORIGIN]
}

/** The same node or edge with the pointer at which it was written. */
export function withOrigin<T extends GraphNode | GraphEdge>(part: T, pointer: string): T {
  return { ...part, [ORIGIN]: pointer }
}

/** Key of the pointers of params that the node around a subgraph gave. */
const GIVEN: unique symbol = Symbol('millrace.given') as never
interface Given { readonly [GIVEN]?: ReadonlyMap<string, string> }

/** Where a param's value was written when that is not at its node, or undefined. */
export function paramOriginOf(node: GraphNode, param: string): string | undefined { return (node as Given)[GIVEN]?.get(param) }

/** The same node, a param of which was written at `pointer`. */
export function withParamOrigin(node: GraphNode, param: string, pointer: string): GraphNode {
  return { ...node, [GIVEN]: new Map([...(node as Given)[GIVEN] ?? [], [param, pointer]]) } as GraphNode
}

/** The node or edge without the pointers. */
export function withoutOrigin<T extends GraphNode | GraphEdge>(part: T): T {
  const { [ORIGIN]: _pointer, [GIVEN]: _given, ...rest } = part as T & Given & { readonly [ORIGIN]?: string }
  return rest as unknown as T
}

/** Finds node types by id or alias; a registry is one. */
export interface TypeSource { get(type: string): NodeDefinition | undefined }
/** Key of the registry that a document was read with: the types inside its definitions are looked up when subgraphs are opened. */
const TYPES: unique symbol = Symbol('millrace.types') as never

/** The types that a graph was read with, if its document has definitions. */
export function typesOf(graph: Graph): TypeSource | undefined { return (graph as { readonly [TYPES]?: TypeSource })[TYPES] }

/** The same graph, remembering the types that it was read with. */
export function withTypes(graph: Graph, types: TypeSource): Graph {
  return { ...graph, [TYPES]: types } as Graph
}
