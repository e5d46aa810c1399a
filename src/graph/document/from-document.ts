import type { Diagnostic } from '../../errors/diagnostic.js'
import { errorOf } from '../../errors/error-of.js'
import { demandTypes } from '../as-graph.js'
import {
  createGraph, type Extras, type Graph, type GraphConfig, type GraphEdge, type GraphInput, type GraphNode, type PortRef,
} from '../graph.js'
import { resolveLimits } from '../limits.js'
import { migrateGraph } from '../migrate-node.js'
import type { Registry } from '../registry.js'
import { configShape, documentShape, edgeShape, idShape, inputShape, nodeShape, portShape, portsShape } from '../schema/document-shape.js'
import { fitShape, isObject } from '../schema/fit-shape.js'
import type { NumberShape, ObjectShape } from '../schema/shape.js'
import { withTypes, type TypeSource } from '../subgraph/origin.js'
import { checkDocument, unreadable } from './check-document.js'
import { migrateDocument } from './migrations.js'
import type { ParseOptions } from './parse-document.js'

/** A document read as far as it can be. */
export interface DocumentReading {
  /** Absent when the document stops at stage 1 or 2. Holds everything that could be read. */
  readonly graph?: Graph
  /** Stages 1 to 3, in document order. */
  readonly diagnostics: readonly Diagnostic[]
  /** Ids of nodes with schema errors: later stages skip them, and links to them are no fault of the link. */
  readonly broken: ReadonlySet<string>
  /** Place in the document's `nodes` and `edges` of each node and edge of the graph. */
  readonly nodeIndex: readonly number[]
  readonly edgeIndex: readonly number[]
}

type Json = Readonly<Record<string, unknown>>

/**
 * Builds the graph of a document, never throwing: parts that break the schema are left out or marked as broken, nodes of unknown types stay
 * as opaque nodes (GR-04), aliases become canonical type ids, nodes that name an older version of their type are migrated.
 */
export function readDocument(given: unknown, registry: TypeSource, o: ParseOptions = {}): DocumentReading {
  const limits = resolveLimits(o.limits)
  let document: unknown, checked: ReturnType<typeof checkDocument>
  try {
    document = migrateDocument(given)
    checked = checkDocument(document, { limits, strict: o.strict ?? false })
  } catch (cause) { checked = { usable: false, diagnostics: [unreadable(cause)] } }
  const { usable, diagnostics } = checked
  return usable && isObject(document)
    ? readParts(document, registry, diagnostics)
    : { diagnostics, broken: new Set(), nodeIndex: [], edgeIndex: [] }
}

/** {@link readDocument} for a value that was checked. */
export function readParts(document: Json, registry: TypeSource, diagnostics: readonly Diagnostic[]): DocumentReading {
  const broken = new Set<string>(), nodeIndex: number[] = [], edgeIndex: number[] = []
  const nodes: GraphNode[] = [], edges: GraphEdge[] = []
  listOf(document['nodes']).forEach((value, i) => {
    const id = isObject(value) && fitShape(idShape, value['id']) > 0 ? value['id'] as string : undefined
    if (id === undefined) return
    if (fitShape(nodeShape, value) === 0) broken.add(id)
    nodes.push(readNode(value as Json, id, registry))
    nodeIndex.push(i)
  })
  listOf(document['edges']).forEach((value, i) => {
    if (!isObject(value) || fitShape(portShape, value['from']) === 0 || fitShape(portShape, value['to']) === 0) return
    const edge = readFields(edgeShape, value)
    // A delay that breaks the schema makes a feedback edge all the same: it closes no cycle beside its own fault.
    edges.push((value['delayFrames'] === undefined
      ? edge
      : { delayFrames: (edgeShape.fields['delayFrames']!.shape as NumberShape).min, ...edge }) as unknown as GraphEdge)
    edgeIndex.push(i)
  })
  const { nodes: _nodes, edges: _edges, inputs: _inputs, outputs: _outputs, config: _config, millrace: _version, ...rest } =
    readFields(documentShape, document)
  const graph = migrateGraph(createGraph({
    ...rest, nodes, edges,
    // A definition with a fault somewhere is still opened: what is sound in it is checked.
    ...(isObject(document['definitions']) && { definitions: document['definitions'] }),
    inputs: new Map(entriesOf(document['inputs']).flatMap(([name, input]): [string, GraphInput][] =>
      isObject(input) && fitShape(portsShape, input['to']) > 0 ? [[name, readFields(inputShape, input) as unknown as GraphInput]] : [])),
    outputs: new Map(entriesOf(document['outputs']).filter(([, port]) => fitShape(portShape, port) > 0) as [string, PortRef][]),
    config: isObject(document['config']) ? readFields(configShape, document['config']) as GraphConfig : {},
  }))
  return { graph: graph.definitions === undefined ? graph : withTypes(graph, registry), diagnostics, broken, nodeIndex, edgeIndex }
}

/**
 * The graph of a document. Unknown node types are kept as opaque nodes; what else is wrong with the graph is `validate`'s to say.
 * Throws the first problem of syntax, limits, version or schema as an error (`VERSION_MISMATCH`, `SCHEMA_INVALID`, `LIMIT_EXCEEDED`); use
 * {@link readDocument} to have all of them as diagnostics. Throws `INVALID_ARGUMENT` without a registry.
 */
export function fromDocument(document: unknown, registry: Registry, o: ParseOptions = {}): Graph {
  demandTypes(registry, 'fromDocument')
  const { graph, diagnostics } = readDocument(document, registry, o)
  const first = diagnostics.find((diagnostic) => diagnostic.severity === 'error')
  if (first !== undefined) throw errorOf(first)
  return graph!
}

/** A broken type or params object is read as empty: the node is marked, and no later stage looks at it. */
function readNode(value: Json, id: string, registry: TypeSource): GraphNode {
  const fields = readFields(nodeShape, value)
  const written = typeof fields['type'] === 'string' ? fields['type'] : ''
  const definition = registry.get(written)
  return {
    ...fields, id, type: definition?.type ?? written, params: isObject(fields['params']) ? fields['params'] : {},
    ...(definition === undefined ? {} : { definition }),
  } as GraphNode
}

/** Declared fields that fit; everything else goes to `extras`. */
function readFields(shape: ObjectShape, value: Json): Record<string, unknown> {
  const fields: [string, unknown][] = [], extras: [string, unknown][] = []
  for (const name of Object.keys(value)) {
    const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined
    if (field === undefined) extras.push([name, value[name]])
    else if (fitShape(field.shape, value[name]) > 0) fields.push([name, value[name]])
  }
  return { ...Object.fromEntries(fields), ...(extras.length === 0 ? {} : { extras: Object.fromEntries(extras) as Extras }) }
}

function listOf(value: unknown): readonly unknown[] { return Array.isArray(value) ? value : [] }
function entriesOf(value: unknown): [string, unknown][] { return isObject(value) ? Object.entries(value) : [] }
