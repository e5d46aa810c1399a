import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import { defined } from '../defined.js'
import { HARD_LIMITS } from '../limits.js'
import type { Extras, Graph, GraphConfig, GraphEdge, GraphInput, GraphNode } from '../graph.js'
import type { Document, DocumentEdge, DocumentInput, DocumentNode } from './document.js'

/**
 * The JSON form of a graph. Large seeds become decimal strings, URLs their text, numeric typed arrays lists. Throws `INVALID_ARGUMENT` for a param that
 * has no JSON form (bytes, a Blob, an engine's audio): give such values at run time through an input; `LIMIT_EXCEEDED` beyond 256 levels.
 */
export function toDocument(graph: Graph): Document {
  const { nodes, edges, inputs, outputs, config, extras, ...rest } = graph
  return {
    ...extras, millrace: 1, ...defined(rest),
    ...(inputs.size === 0 ? {} : { inputs: record([...inputs].map(([name, input]) => [name, inputOf(input)])) }),
    nodes: nodes.map(nodeOf),
    ...(edges.length === 0 ? {} : { edges: edges.map(edgeOf) }),
    ...(outputs.size === 0 ? {} : { outputs: record([...outputs]) }),
    ...(Object.keys(config).length === 0 ? {} : { config: configOf(config) }),
  } as Document
}

function nodeOf(node: GraphNode): DocumentNode {
  const document: Record<string, unknown> = { ...node.extras }
  for (const name in node) {
    const value = node[name as keyof GraphNode]
    if (value !== undefined && name !== 'params' && name !== 'definition' && name !== 'extras') document[name] = value
  }
  const params = paramsOf(node)
  for (const _ in params) { document['params'] = params; break }
  return document as unknown as DocumentNode
}

/** The params themselves when all of them are plain, as nearly all are. */
function paramsOf({ id, params }: GraphNode): Readonly<Record<string, unknown>> {
  for (const name in params) {
    const value = params[name]
    if (typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) continue
    const values = Object.entries(params).filter(([, one]) => one !== undefined)
    return record(values.map(([key, one]): [string, unknown] => [key, jsonOf(one, `param ${key} of node ${id}`)]))
  }
  return params
}

function edgeOf(edge: GraphEdge): DocumentEdge {
  const document: Record<string, unknown> = { ...edge.extras }
  for (const name in edge) {
    const value = edge[name as keyof GraphEdge]
    if (value !== undefined && name !== 'extras') document[name] = value
  }
  return document as unknown as DocumentEdge
}
function inputOf({ extras, ...input }: GraphInput): DocumentInput { return { ...extras, ...defined(input) } as DocumentInput }
function configOf({ extras, ...config }: GraphConfig): Extras { return { ...extras, ...defined(config) } }

function jsonOf(value: unknown, what: string, depth = 1): unknown {
  if (depth > HARD_LIMITS.depth) throw commonErrors.LIMIT_EXCEEDED({ what: `Nesting of ${what}`, limit: HARD_LIMITS.depth, got: depth })
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'string' || typeof value === 'boolean' || value === null || (typeof value === 'number' && Number.isFinite(value))) return value
  if (value instanceof Float32Array || value instanceof Float64Array) return Array.from(value)
  if (Array.isArray(value)) return value.map((item) => jsonOf(item, what, depth + 1))
  if (typeof value === 'object') {
    if (Object.prototype.toString.call(value) === '[object URL]') return (value as { readonly href: string }).href
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === null || Object.getPrototypeOf(prototype) === null) {
      return record(Object.entries(value).filter(([, item]) => item !== undefined).map(([key, item]) => [key, jsonOf(item, what, depth + 1)]))
    }
  }
  throw commonErrors.INVALID_ARGUMENT({ function: 'toDocument', expected: `a JSON value for ${what}`, got: show(value), hint: 'Give it at run time through an input.' })
}

/** `Object.fromEntries` defines keys, so that `__proto__` stays an ordinary one. */
function record<V>(entries: readonly (readonly [string, V])[]): Record<string, V> { return Object.fromEntries(entries) }
