import type { Document, DocumentEdge, DocumentNode } from '../document/document.js'
import type { PortRef } from '../graph.js'
import type { NodeDefinition } from '../node-definition.js'
import { sameValue } from '../edit/same-value.js'
import { escapePointer } from '../pointer.js'
import { isObject } from '../schema/fit-shape.js'
import type { ObjectShape } from '../schema/shape.js'
import { defaultPort, portNamed } from './ports.js'
import { PYTHON } from './remotemedia-shapes.js'
import type { Report } from './report.js'
import { present, resolveType, type ImportContext, type Json } from './source.js'

/** What both RemoteMedia dialects share: types by alias, ports by key or default, runtime hints. */

/** The `x-` field that holds what a Millrace document has no place for. */
export const OWN = 'x-remotemedia'

/** Definitions of the nodes read so far, by id: the first of equal ids. */
export type Known = Map<string, NodeDefinition | undefined>

/** A node's id, type and params; the rest is the dialect's. */
export function readNode(
  c: ImportContext, known: Known, id: string, type: string, params: unknown, pointer: string, rest: Json,
): DocumentNode {
  const resolved = resolveType(c, type, pointer, 'remotemedia')
  if (!known.has(id)) known.set(id, resolved.definition)
  return present({ id, type: resolved.type, params: params as Json | undefined, ...rest, ...resolved.fields })
}

/** An edge; keys are optional, and `default` may stand for a port of another name. */
export function readEdge(c: ImportContext, known: Known, edge: Json, pointer: string, extras: Json | undefined): DocumentEdge {
  const end = (side: 'inputs' | 'outputs', id: unknown, field: string): PortRef => {
    const definition = known.get(id as string), key = edge[field] as string | undefined
    if (key === undefined) return [id as string, defaultPort(definition, side)]
    const named = portNamed(definition, side, key)
    const port = key === 'default' && definition !== undefined && !Object.hasOwn(definition[side], named)
      ? defaultPort(definition, side)
      : named
    c.report.rename(`${pointer}/${field}`, key, port)
    return [id as string, port]
  }
  return {
    from: end('outputs', edge['from'], 'output_key'), to: end('inputs', edge['to'], 'input_key'),
    ...(extras !== undefined && { [OWN]: extras }),
  }
}

/** An edge as written: a key wherever a node has several ports and its name is not `default`. */
export function writeEdge({ from, to, ...edge }: DocumentEdge, definitionOf: (id: string) => NodeDefinition | undefined): Json {
  const key = (side: 'inputs' | 'outputs', [node, port]: PortRef): string | undefined => {
    const definition = definitionOf(node), isOnly = Object.keys(definition?.[side] ?? {}).length < 2
    return port === 'default' || (isOnly && port === defaultPort(definition, side)) ? undefined : port
  }
  return present({
    from: from[0], to: to[0], output_key: key('outputs', from), input_key: key('inputs', to), ...edge[OWN] as Json | undefined,
  })
}

/** Tier of a runtime hint; nothing for `auto`. A hint of several for one tier is kept beside it. */
export function readHint(
  c: ImportContext, hint: unknown, pointer: string,
): { readonly tier?: DocumentNode['tier']; readonly kept?: string } {
  if (typeof hint !== 'string' || hint === 'auto') return {}
  const tier = tierOf(hint)
  c.report.substitute(pointer, `runtime_hint ${hint}`, `tier ${String(tier)}`)
  return { tier, ...(hint !== 'rust' && hint !== 'python' && { kept: hint }) }
}

/** What a hint means to a reader. */
const tierOf = (hint: string): DocumentNode['tier'] => hint === 'rust' ? ['wasm-threads', 'wasm'] : 'js'
const isScript = (tier: string): boolean => tier === 'js' || tier === 'python'

/** Runtime hint of a tier: `auto` for a list of both kinds. `pointer`: of the node, to note a hint that is read as another tier. */
export function writeHint(tier: DocumentNode['tier'], kept: unknown, pointer: string, report: Report): string | undefined {
  if (tier === undefined || tier === 'auto') return undefined
  const all = typeof tier === 'string' ? [tier] : tier
  const word = typeof kept === 'string' && (PYTHON as readonly string[]).includes(kept) ? kept : 'python'
  const hint = all.every(isScript) ? word : all.some(isScript) ? 'auto' : 'rust'
  if (hint === 'auto' || !sameValue(tierOf(hint), tier)) {
    report.substitute(`${pointer}/tier`, `tier ${String(tier)}`, `runtime_hint ${hint}`)
  }
  return hint
}

/** RemoteMedia names end in `Node`. */
export const isOwnName = (name: string): boolean => name.endsWith('Node')

/** What an importer kept of an object. */
export function keptOf(value: object): Json {
  const kept = (value as Json)[OWN]
  return isObject(kept) ? kept : {}
}

/** True for a document that was read from the seed dialect: only that keeps a `version`. */
export const isFromSeed = (document: Document): boolean => keptOf(document)['version'] !== undefined

/**
 * What was kept by the one dialect, for a document of the other: what neither of them knows goes along, the rest is dropped in the report.
 */
export function carryOver(kept: Json, known: readonly ObjectShape[], pointer: string, report: Report): Json {
  return Object.fromEntries(Object.entries(kept).filter(([name]) => {
    const isKnown = known.some(({ fields }) => Object.hasOwn(fields, name))
    if (isKnown) report.drop(`${pointer}/${OWN}/${escapePointer(name)}`, `${name} has no place in ${report.dialect}`)
    return !isKnown
  }))
}
