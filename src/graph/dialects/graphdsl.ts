import { errorOf } from '../../errors/error-of.js'
import { put } from '../defined.js'
import { exceeded } from '../document/check-document.js'
import type { Document, DocumentEdge, DocumentNode } from '../document/document.js'
import { jsonBytes } from '../document/scan-limits.js'
import { escapePointer } from '../pointer.js'
import { fitShape, fitterOf, isObject, takeKeys } from '../schema/fit-shape.js'
import { any, choice, integer, list, map, object, text, type Field, type Shape } from '../schema/shape.js'
import { noteLosses } from './losses.js'
import type { Report } from './report.js'
import {
  demandShape, foreignType, leftovers, present, resolveType, timestamp, type ImportContext, type Json, type ResolvedType,
} from './source.js'

const OWN = 'x-graphdsl'
/** The one version of GraphDSL that is read and written. */
export const GRAPHDSL_VERSION = '3.0.0'

const name = text({ min: 1, max: 64, noControl: true })
const needed = (shape: Shape): Field => ({ shape, required: true })
const port: Shape = { kind: 'tuple', items: [name, name], name: '[node, port]' }
const metaShape = object('meta', {
  name: { shape: text({ min: 1, max: 255 }) }, priority: { shape: integer(-100, 100) }, user_id: { shape: text({ max: 255 }) },
  tags: { shape: list(text({ min: 1, max: 255 }), undefined, 32) },
  created: { shape: text() }, modified: { shape: text() },
})
const paramShape = object('param', { type: { shape: text() }, value: needed(any) })
const nodeShape = object('node', {
  op_type: needed(text({ min: 1, max: 255 })), params: { shape: map(paramShape, name) }, ui: { shape: any },
})
const linkShape = object('link', { id: { shape: name }, source: needed(port), target: needed(port) })

const head = { version: needed(choice(GRAPHDSL_VERSION)), meta: { shape: metaShape } }
const headShape = object('graphdsl', head)
/** The whole format, field by field in the order in which it is written. */
export const graphdslShape = object('graphdsl', { ...head, nodes: needed(map(nodeShape, name)), links: needed(list(linkShape)) })

/** Type word of a param whose value says it all; other words are kept beside the node. */
function wordOf(value: unknown): string { return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value }

/** GraphDSL that was read as it was checked: `keys` counts those of all its objects, as `keysWithin` would. */
export interface QuickRead { readonly document: Document; readonly report: Report; readonly keys: number }

/**
 * Reads GraphDSL about which there is nothing to say, looking once at every part: without unknown fields, nesting at most `limits.depth`
 * levels, of so few bytes that no param can pass its limit. Anything else is undefined, for {@link importGraphdsl} to judge.
 */
export function quickGraphdsl(c: ImportContext, value: unknown, bytes: number): QuickRead | undefined {
  if (!isObject(value) || value['version'] !== GRAPHDSL_VERSION || bytes > c.limits.paramBytes) return undefined
  const { nodes, links, ...rest } = value, room = c.limits.depth - 2, isNode = fitterOf(nodeShape)
  const isLink = fitterOf(linkShape), isName = fitterOf(name)
  takeKeys()
  if (!isObject(nodes) || !Array.isArray(links) || room < 1 || fitShape(headShape, rest, c.limits.depth) < 2) return undefined
  const read: Reading = { nodes: [], edges: [] }, last: Last = {}
  for (const id of Object.keys(nodes)) {
    if (isName(id, 0) < 2 || isNode(nodes[id], room) < 2) return undefined
    read.nodes.push(readNode(c, id, nodes[id] as Json, false, last))
  }
  for (let i = 0; i < links.length; i++) {
    if (isLink(links[i], room) < 2) return undefined
    read.edges.push(readLink(links[i] as Json))
  }
  return { document: documentOf(c, value, read), report: c.report, keys: takeKeys() + read.nodes.length + 2 }
}

/** Reads GraphDSL 3.0.0. Throws `SCHEMA_INVALID`, `LIMIT_EXCEEDED` for a param above its limit. */
export function importGraphdsl(c: ImportContext, source: Json, bytes = Infinity): Document {
  demandShape(c, graphdslShape, source)
  const last: Last = {}
  const nodes = Object.entries(source['nodes'] as Readonly<Record<string, Json>>)
    .map(([id, node]) => readNode(c, id, node, bytes > c.limits.paramBytes, last))
  return documentOf(c, source, { nodes, edges: (source['links'] as readonly Json[]).map(readLink) })
}

interface Reading { readonly nodes: DocumentNode[]; readonly edges: DocumentEdge[] }
/** The type resolved last, when the report says nothing of it: types repeat, and a compared text costs a quarter of one looked up. */
interface Last { name?: string; type?: ResolvedType }

function documentOf(c: ImportContext, source: Json, { nodes, edges }: Reading): Document {
  const { meta, own } = readMeta(c, source['meta'] as Json | undefined)
  const kept = present({ ...leftovers(graphdslShape, source), meta: own })
  return { millrace: 1, ...(meta !== undefined && { meta }), nodes, edges, ...(hasAny(kept) && { [OWN]: kept }) }
}

function readLink(link: Json): DocumentEdge {
  const { source: from, target: to, id } = link, edge: Record<string, unknown> = id === undefined ? { from, to } : { from, to, id }
  for (const name in link) if (name !== 'id' && name !== 'source' && name !== 'target') put((edge[OWN] ??= {}) as Json, name, link[name])
  return edge as unknown as DocumentEdge
}

function readNode(c: ImportContext, id: string, node: Json, measured: boolean, last: Last): DocumentNode {
  let own: { types?: Json; params?: Json; empty?: true; rest?: Json } | undefined, values: Record<string, unknown> | undefined
  const params = node['params'] as Readonly<Record<string, Json>> | undefined, ui = node['ui'], written = node['op_type'] as string
  for (const key in params) {
    const param = params[key]!, value = param['value'], word = param['type']
    if (measured) demandSize(c, value, `Bytes of param ${key}`, `/nodes/${escapePointer(id)}/params/${escapePointer(key)}/value`)
    put(values ??= {}, key, value)
    if (word !== wordOf(value)) put((own ??= {}).types ??= {}, key, word ?? null)
    for (const name in param) if (name !== 'type' && name !== 'value') put(within((own ??= {}).params ??= {}, key), name, param[name])
  }
  if (params !== undefined && values === undefined) (own ??= {}).empty = true
  for (const name in node) if (name !== 'op_type' && name !== 'params' && name !== 'ui') put((own ??= {}).rest ??= {}, name, node[name])
  let resolved = last.type
  if (resolved === undefined || last.name !== written) {
    resolved = resolveType(c, written, `/nodes/${escapePointer(id)}/op_type`, 'graphdsl')
    // What is worth a line in the report gets one for every node.
    if (resolved.type === written && (resolved.definition !== undefined || c.registry === undefined)) {
      last.name = written
      last.type = resolved
    }
  }
  const read: Record<string, unknown> = { id, type: resolved.type }
  if (values !== undefined) read['params'] = values
  if (ui !== undefined) read['ui'] = ui
  if (resolved.fields['x-type'] !== undefined) read['x-type'] = resolved.fields['x-type']
  if (own !== undefined) read[OWN] = own
  return read as unknown as DocumentNode
}

/** The object at a field, made when there is none. */
function within(target: object, key: string): object {
  return Object.hasOwn(target, key) ? (target as Readonly<Record<string, object>>)[key]! : put(target, key, {})
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
  return {
    meta: present({ ...known, author, created: time('created', created), modified: time('modified', modified) }),
    ...(hasAny(own) && { own }),
  }
}

/** Writes GraphDSL 3.0.0; what it cannot say is in the report. */
export function exportGraphdsl(document: Document, aliasOf: (node: DocumentNode) => string, report: Report): Json {
  noteLosses(
    document,
    { document: [], node: ['ui'], edge: ['id'], meta: ['name', 'priority', 'author', 'tags', 'created', 'modified'], own: OWN },
    report,
  )
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
    links: (document.edges ?? []).map(({ from, to, id, ...edge }) => ({
      id: id ?? freshId(), source: from, target: to, ...edge[OWN] as Json | undefined,
    })),
    ...rest,
  })
}

function writeNode(node: DocumentNode, type: string): Json {
  const { types, params: more, empty, rest } = (node[OWN] ?? NOTHING) as {
    readonly types?: Json
    readonly params?: Readonly<Record<string, Json>>
    readonly empty?: true
    readonly rest?: Json
  }
  const params: Record<string, unknown> = {}, given = node.params
  let any = empty === true
  for (const key in given) {
    const value = given[key], word = types !== undefined && Object.hasOwn(types, key) ? types[key] : wordOf(value)
    any = true
    put(params, key, { ...(word !== null && { type: word }), value, ...(more !== undefined && Object.hasOwn(more, key) && more[key]) })
  }
  return { op_type: type, ...(any && { params }), ...(node.ui !== undefined && { ui: node.ui }), ...rest }
}
const NOTHING: Json = {}

function writeMeta(meta: Json | undefined, kept: Json | undefined): Json | undefined {
  if (meta === undefined && kept === undefined) return undefined
  const { name: title, priority, author, tags, created, modified } = meta ?? {}
  const { created: keptCreated, modified: keptModified, ...rest } = kept ?? {}
  const time = (now: unknown, before: unknown): unknown =>
    typeof before === 'string' && (now === undefined || timestamp(before) === now) ? before : now
  return present({
    name: title, priority, user_id: author, tags, created: time(created, keptCreated), modified: time(modified, keptModified), ...rest,
  })
}

function hasAny(value: object): boolean { for (const _ in value) return true; return false }

/** The type word of a node in GraphDSL: as imported, else the type itself. */
export function graphdslType(node: DocumentNode): string { return foreignType(node, undefined, () => false) }
