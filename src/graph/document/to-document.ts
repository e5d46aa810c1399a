import { commonErrors } from '../../errors/common-errors.js'
import { isInstance } from '../../errors/is-instance.js'
import { isMillraceError } from '../../errors/millrace-error.js'
import { show } from '../../errors/show.js'
import { MOST_OBJECTS } from '../check-text.js'
import { demandGraph } from '../as-graph.js'
import { defined, put } from '../defined.js'
import { HARD_LIMITS } from '../limits.js'
import type { Extras, Graph, GraphConfig, GraphEdge, GraphInput, GraphNode } from '../graph.js'
import type { Document, DocumentEdge, DocumentInput, DocumentNode } from './document.js'

/**
 * The JSON form of a graph. Large seeds become decimal strings, URLs their text, numeric typed arrays lists. Throws `INVALID_ARGUMENT` for
 * a param that has no JSON form (bytes, a Blob, an engine's audio) or cannot be read: give such values at run time through an input;
 * `LIMIT_EXCEEDED` beyond 256 levels and some millions of objects. What many places share they share in the document too.
 */
export function toDocument(graph: Graph): Document {
  demandGraph(graph, 'toDocument')
  const { nodes, edges, inputs, outputs, config, extras, ...rest } = graph, made: Made = new Map()
  return {
    ...extras, millrace: 1, ...defined(rest),
    ...(inputs.size === 0 ? {} : { inputs: record([...inputs].map(([name, input]) => [name, inputOf(input)])) }),
    nodes: nodes.map((node) => nodeOf(node, made)),
    ...(edges.length === 0 ? {} : { edges: edges.map(edgeOf) }),
    ...(outputs.size === 0 ? {} : { outputs: record([...outputs]) }),
    ...(Object.keys(config).length === 0 ? {} : { config: configOf(config) }),
  } as Document
}

function nodeOf(node: GraphNode, made: Made): DocumentNode {
  const document: Record<string, unknown> = {}
  for (const name in node) {
    const value = node[name as keyof GraphNode]
    if (value !== undefined && name !== 'params' && name !== 'definition' && name !== 'extras') document[name] = value
  }
  const params = paramsOf(node, made)
  for (const _ in params) { document['params'] = params; break }
  return withExtras(document, node.extras) as unknown as DocumentNode
}

/** Unknown fields behind the known ones: an object that starts as a copy of theirs takes ten times as long to fill. */
function withExtras(document: Record<string, unknown>, extras: Extras | undefined): Record<string, unknown> {
  for (const name in extras) if (!Object.hasOwn(document, name)) put(document, name, extras[name])
  return document
}

/** The params themselves when all of them are plain, as nearly all are. */
function paramsOf({ id, params }: GraphNode, made: Made): Readonly<Record<string, unknown>> {
  for (const name in params) {
    const value = params[name]
    if (typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) continue
    const values = Object.entries(params).filter(([, one]) => one !== undefined)
    return record(values.map(([key, one]): [string, unknown] => [key, jsonOf(one, `param ${key} of node ${id}`, made)]))
  }
  return params
}

function edgeOf(edge: GraphEdge): DocumentEdge {
  const document: Record<string, unknown> = {}
  for (const name in edge) {
    const value = edge[name as keyof GraphEdge]
    if (value !== undefined && name !== 'extras') document[name] = value
  }
  return withExtras(document, edge.extras) as unknown as DocumentEdge
}
function inputOf({ extras, ...input }: GraphInput): DocumentInput { return { ...extras, ...defined(input) } as DocumentInput }
function configOf({ extras, ...config }: GraphConfig): Extras { return { ...extras, ...defined(config) } }

/** The JSON form of each object met. */
type Made = Map<object, unknown>

function jsonOf(value: unknown, what: string, made: Made, depth = 1): unknown {
  if (depth > HARD_LIMITS.depth) throw commonErrors.LIMIT_EXCEEDED({ what: `Nesting of ${what}`, limit: HARD_LIMITS.depth, got: depth })
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'string' || typeof value === 'boolean' || value === null || (typeof value === 'number' && Number.isFinite(value))) {
    return value
  }
  let form = typeof value === 'object' ? made.get(value) : undefined
  if (form === undefined && typeof value === 'object') {
    try { form = formOf(value, (item) => jsonOf(item, what, made, depth + 1)) } catch (cause) { if (isMillraceError(cause)) throw cause }
    if (made.set(value, form).size > MOST_OBJECTS) {
      throw commonErrors.LIMIT_EXCEEDED({ what: `Objects in ${what}`, limit: MOST_OBJECTS, got: MOST_OBJECTS + 1 })
    }
  }
  if (form !== undefined) return form
  throw commonErrors.INVALID_ARGUMENT({
    function: 'toDocument', expected: `a JSON value for ${what}`, got: show(value), hint: 'Give it at run time through an input.',
  })
}

/** Undefined for what has no JSON form. */
function formOf(value: object, part: (value: unknown) => unknown): unknown {
  if (value instanceof Float32Array || value instanceof Float64Array) return Array.from(value)
  if (Array.isArray(value)) return value.length > MOST_OBJECTS ? undefined : value.map(part)
  if (Object.prototype.toString.call(value) === '[object URL]') return (value as { readonly href: string }).href
  return isInstance(value)
    ? undefined
    : record(Object.entries(value).filter(([, item]) => item !== undefined).map(([key, item]) => [key, part(item)]))
}

/** `Object.fromEntries` defines keys, so that `__proto__` stays an ordinary one. */
function record<V>(entries: readonly (readonly [string, V])[]): Record<string, V> { return Object.fromEntries(entries) }
