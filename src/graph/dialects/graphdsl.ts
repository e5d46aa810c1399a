import { errorOf } from '../../errors/error-of.js'
import { exceeded } from '../document/check-document.js'
import type { Document, DocumentEdge, DocumentNode } from '../document/document.js'
import { jsonBytes } from '../document/scan-limits.js'
import { escapePointer } from '../pointer.js'
import { isObject } from '../schema/fit-shape.js'
import { any, choice, integer, list, map, object, text, type Field, type Shape } from '../schema/shape.js'
import { noteLosses } from './losses.js'
import type { Report } from './report.js'
import { demandShape, foreignType, leftovers, present, resolveType, timestamp, type ImportContext, type Json } from './source.js'

const OWN = 'x-graphdsl'
/** The one version of GraphDSL that is read and written. */
export const GRAPHDSL_VERSION = '3.0.0'

const name = text({ min: 1, max: 64, noControl: true })
const needed = (shape: Shape): Field => ({ shape, required: true })
const port: Shape = { kind: 'tuple', items: [name, name], name: '[node, port]' }
const metaShape = object('meta', {
  name: { shape: text({ min: 1, max: 255 }) }, priority: { shape: integer(-100, 100) }, user_id: { shape: text({ max: 255 }) }, tags: { shape: list(text({ min: 1, max: 255 }), undefined, 32) },
  created: { shape: text() }, modified: { shape: text() },
})
const paramShape = object('param', { type: { shape: text() }, value: needed(any) })
const nodeShape = object('node', { op_type: needed(text({ min: 1, max: 255 })), params: { shape: map(paramShape, name) }, ui: { shape: any } })
const linkShape = object('link', { id: { shape: name }, source: needed(port), target: needed(port) })

/** The whole format, field by field in the order in which it is written. */
export const graphdslShape = object('graphdsl', {
  version: needed(choice(GRAPHDSL_VERSION)), meta: { shape: metaShape }, nodes: needed(map(nodeShape, name)), links: needed(list(linkShape)),
})

/** Type word of a param whose value says it all; other words are kept beside the node. */
function wordOf(value: unknown): string { return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value }

/** Reads GraphDSL 3.0.0. Throws `SCHEMA_INVALID`, `LIMIT_EXCEEDED` for a param above its limit. */
export function importGraphdsl(c: ImportContext, source: Json, bytes = Infinity): Document {
  demandShape(c, graphdslShape, source)
  const map = source['nodes'] as Readonly<Record<string, Json>>, nodes: DocumentNode[] = []
  for (const id in map) if (Object.hasOwn(map, id)) nodes.push(readNode(c, id, map[id]!, bytes > c.limits.paramBytes))
  const edges = (source['links'] as readonly Json[]).map((link): DocumentEdge => {
    const { id, source: from, target: to, ...rest } = link
    return { from, to, ...(id !== undefined && { id }), ...(hasAny(rest) && { [OWN]: rest }) } as DocumentEdge
  })
  const { meta, own } = readMeta(c, source['meta'] as Json | undefined)
  const kept = present({ ...leftovers(graphdslShape, source), meta: own })
  return { millrace: 1, ...(meta !== undefined && { meta }), nodes, edges, ...(hasAny(kept) && { [OWN]: kept }) }
}

function readNode(c: ImportContext, id: string, node: Json, measured: boolean): DocumentNode {
  const { op_type: type, params, ui, ...rest } = node, values: [string, unknown][] = [], types: [string, unknown][] = [], more: [string, Json][] = []
  for (const key in params as Json | undefined) {
    const { type: word, value, ...others } = (params as Readonly<Record<string, Json>>)[key]!
    if (measured) demandSize(c, value, `Bytes of param ${key}`, `/nodes/${escapePointer(id)}/params/${escapePointer(key)}/value`)
    values.push([key, value])
    if (word !== wordOf(value)) types.push([key, word ?? null])
    if (hasAny(others)) more.push([key, others])
  }
  const own = present({
    types: types.length > 0 ? Object.fromEntries(types) : undefined, params: more.length > 0 ? Object.fromEntries(more) : undefined,
    empty: params !== undefined && values.length === 0 ? true : undefined, rest: hasAny(rest) ? rest : undefined,
  })
  const resolved = resolveType(c, type as string, `/nodes/${escapePointer(id)}/op_type`, 'graphdsl')
  return {
    id, type: resolved.type, ...(values.length > 0 && { params: Object.fromEntries(values) }), ...(ui !== undefined && { ui }), ...resolved.fields, ...(hasAny(own) && { [OWN]: own }),
  }
}

function demandSize(c: ImportContext, value: unknown, what: string, pointer: string): void {
  const size = jsonBytes(value, c.limits.paramBytes)
  if (size > c.limits.paramBytes) throw errorOf(exceeded(what, c.limits.paramBytes, size, pointer))
}

/** Times that are written otherwise than the document's are kept as they stand. */
function readMeta(c: ImportContext, source: Json | undefined): { readonly meta?: Json; readonly own?: Json } {
  if (source === undefined) return {}
  const { user_id: author, created, modified, ...rest } = source
  const unknown = leftovers(metaShape, source), own: Record<string, unknown> = { ...unknown }
  const known = Object.fromEntries(Object.entries(rest).filter(([key]) => Object.hasOwn(metaShape.fields, key)))
  const time = (field: 'created' | 'modified', given: unknown): string | undefined => {
    const read = given === undefined ? undefined : timestamp(given as string)
    if (given !== read) own[field] = given
    if (given !== undefined && read === undefined) c.report.warn(`/meta/${field}`, 'no ISO-8601 time: kept, but not as the document\'s')
    return read
  }
  return { meta: present({ ...known, author, created: time('created', created), modified: time('modified', modified) }), ...(hasAny(own) && { own }) }
}

/** Writes GraphDSL 3.0.0; what it cannot say is in the report. */
export function exportGraphdsl(document: Document, aliasOf: (node: DocumentNode) => string, report: Report): Json {
  noteLosses(document, { document: [], node: ['ui'], edge: ['id'], meta: ['name', 'priority', 'author', 'tags', 'created', 'modified'], own: OWN }, report)
  const { meta: keptMeta, ...rest } = (document[OWN] ?? {}) as { readonly meta?: Json }
  const taken = new Set((document.edges ?? []).map((edge) => edge.id))
  let next = 1
  const freshId = (): string => { while (taken.has(`link-${next}`)) next++; return `link-${next++}` }
  return present({
    version: GRAPHDSL_VERSION, meta: writeMeta(document.meta as Json | undefined, keptMeta),
    nodes: Object.fromEntries(document.nodes.map((node, i): [string, Json] => {
      const type = aliasOf(node)
      report.rename(`${report.node(i)}/type`, node.type, type)
      return [node.id, writeNode(node, type)]
    })),
    links: (document.edges ?? []).map(({ from, to, id, ...edge }) => ({ id: id ?? freshId(), source: from, target: to, ...edge[OWN] as Json | undefined })),
    ...rest,
  })
}

function writeNode(node: DocumentNode, type: string): Json {
  const { types, params: more, empty, rest } = (node[OWN] ?? {}) as { readonly types?: Json; readonly params?: Readonly<Record<string, Json>>; readonly empty?: true; readonly rest?: Json }
  const own = <T>(of: Readonly<Record<string, T>> | undefined, key: string): T | undefined => of !== undefined && Object.hasOwn(of, key) ? of[key] : undefined
  const params = Object.entries(node.params ?? {}).map(([key, value]): [string, Json] => {
    const word = own(types, key)
    return [key, present({ type: word === null ? undefined : word ?? wordOf(value), value, ...own(more, key) })]
  })
  return present({ op_type: type, params: params.length > 0 || empty === true ? Object.fromEntries(params) : undefined, ui: node.ui, ...rest })
}

function writeMeta(meta: Json | undefined, kept: Json | undefined): Json | undefined {
  if (meta === undefined && kept === undefined) return undefined
  const { name: title, priority, author, tags, created, modified } = meta ?? {}, { created: keptCreated, modified: keptModified, ...rest } = kept ?? {}
  const time = (now: unknown, before: unknown): unknown => typeof before === 'string' && (now === undefined || timestamp(before) === now) ? before : now
  return present({ name: title, priority, user_id: author, tags, created: time(created, keptCreated), modified: time(modified, keptModified), ...rest })
}

function hasAny(value: object): boolean { for (const _ in value) return true; return false }

/** The type word of a node in GraphDSL: as imported, else the type itself. */
export function graphdslType(node: DocumentNode): string { return foreignType(node, undefined, () => false) }

/** True for a value of this dialect. */
export function isGraphdsl(value: unknown): boolean { return isObject(value) && value['version'] === GRAPHDSL_VERSION && Object.hasOwn(value, 'links') }
