import { defined } from '../defined.js'
import type { Graph, GraphNode } from '../graph.js'
import { checkShape, type Findings } from '../schema/check-shape.js'
import { configShape, documentShape, edgeShape, idShape, inputShape, nodeShape, portShape } from '../schema/document-shape.js'
import { fitShape, isObject } from '../schema/fit-shape.js'
import type { ObjectShape } from '../schema/shape.js'
import { typesOf, withTypes } from '../subgraph/origin.js'
import { readParts, type DocumentReading } from './from-document.js'

type Json = Record<string, unknown>

/**
 * Stage 3 for a graph in memory (GR-53): what a document of it would be told, or undefined when there is nothing to say. Values of params
 * and defaults may be anything there (sound, bytes, functions), and definitions are checked when they are opened.
 */
export function checkGraph(graph: Graph, strict: boolean): DocumentReading | undefined {
  if (isSound(graph)) return undefined
  const { nodes, edges, inputs, outputs, config, definitions: _definitions, ...rest } = graph
  const view = {
    ...plain(rest), millrace: 1,
    nodes: Array.from(nodes, (node) => isObject(node) ? { ...plain(node), params: (node as GraphNode).params ?? null } : plain(node)),
    edges: Array.from(edges, plain), config: plain(config),
    inputs: Object.fromEntries([...inputs].map(([name, input]) => [name, plain(input)])), outputs: Object.fromEntries(outputs),
  }
  const findings: Findings = { diagnostics: [], strict }
  checkShape(documentShape, view, '', findings)
  if (findings.diagnostics.length === 0) return undefined
  const reading = readParts(view, NO_TYPES, findings.diagnostics), { broken, nodeIndex, edgeIndex } = reading
  const read: Graph = {
    ...reading.graph!, ...(graph.definitions !== undefined && { definitions: graph.definitions }),
    nodes: reading.graph!.nodes.map((node, i) => broken.has(node.id) ? node : nodes[nodeIndex[i]!]!),
    edges: reading.graph!.edges.map((edge, i) => fitShape(edgeShape, edges[edgeIndex[i]!]) > 0 ? edges[edgeIndex[i]!]! : edge),
  }
  const types = typesOf(graph)
  return { ...reading, graph: types === undefined ? read : withTypes(read, types) }
}

/** Nodes of a graph have their definitions. */
const NO_TYPES = { get: (): undefined => undefined }

/** True when every part fits. Fields that are not the format's do not count: a graph's own, like the definition of a node. */
function isSound({ nodes, edges, inputs, outputs, config, definitions: _definitions, ...rest }: Graph): boolean {
  if (Object.keys(rest).length > 0 && fitShape(documentShape, { ...rest, millrace: 1, nodes: [] }) !== 2) return false
  for (const node of nodes) if (!isObject(node) || (node as GraphNode).extras !== undefined || !isObject((node as GraphNode).params)
    || fitShape(nodeShape, node) === 0) {
    return false
  }
  for (const edge of edges) if (!fits(edgeShape, edge)) return false
  for (const [name, input] of inputs) if (fitShape(idShape, name) === 0 || !fits(inputShape, input)) return false
  for (const [name, port] of outputs) if (fitShape(idShape, name) === 0 || fitShape(portShape, port) === 0) return false
  return fits(configShape, config)
}

function fits(shape: ObjectShape, part: object): boolean { return fitShape(shape, part) === 2 }

/** A part as a document has it: no fields that are undefined, unknown ones in their place. */
function plain(part: object): Json {
  if (!isObject(part)) return part as unknown as Json
  const { extras, definition: _definition, ...fields } = part as { readonly extras?: Json; readonly definition?: unknown }
  return { ...defined(fields), ...extras }
}
