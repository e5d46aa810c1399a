import type { Document, DocumentEdge, DocumentNode } from '../../document/document.js'
import type { NodeDefinition } from '../../node-definition.js'
import { escapePointer } from '../../pointer.js'
import { isObject } from '../../schema/fit-shape.js'
import { noteChanged, noteLosses } from '../losses.js'
import { portNamed } from '../ports.js'
import type { Report } from '../report.js'
import { demandShape, foreignType, present, resolveType, type ImportContext, type Json } from '../source.js'
import { bareNumbers, seedsBare } from './big-integers.js'
import { isClassName, isOutputClass, noteOutput } from './classes.js'
import { OWN } from './import-workflow.js'
import { apiNodeShape } from './shapes.js'
import { fileSlots, slotName, slotNumber } from './slots.js'
import { UNNAMED } from './widgets.js'
import { map, text } from '../../schema/shape.js'

/** A whole prompt: nodes by id. */
const shape = map(apiNodeShape, text({ min: 1, max: 64, noControl: true }))

/** What is kept of an API node: fields beside class, inputs and title; names of inputs whose list stood in a `__value__`. */
interface KeptApiNode { readonly api: Json; readonly wrapped?: readonly string[]; readonly big?: true }

/** A link: node id and number of an output. Lists of that form are what ComfyUI itself takes for links. */
function isLink(value: unknown): value is readonly [string, number] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'number'
}

/** A list that is no link though it may look like one: `{ "__value__": [...] }`. */
function isWrapped(value: unknown): value is { readonly __value__: unknown } {
  return isObject(value) && Object.keys(value).length === 1 && Object.hasOwn(value, '__value__')
}

/** Reads ComfyUI's API format (GR-18). Throws `SCHEMA_INVALID`. */
export function importApi(c: ImportContext, source: Json): Document {
  demandShape(c, shape, source, '', true)
  const entries = Object.entries(source as Readonly<Record<string, Json>>)
  const types =
    new Map(entries.map(([id, node]) => [id, resolveType(c, node['class_type'] as string, `/${escapePointer(id)}/class_type`, 'comfyui')]))
  const edges: DocumentEdge[] = []
  const nodes = entries.map(([id, node]): DocumentNode => {
    const { type, definition, fields } = types.get(id)!, params: [string, unknown][] = [], wrapped: string[] = []
    const given = (node['inputs'] ?? {}) as Json, links: { readonly nth: number; readonly edge: DocumentEdge }[] = []
    for (const [name, value] of Object.entries(given)) {
      if (isLink(value)) {
        const { base, nth } = nthLink(given, name, definition)
        const to = portNamed(definition, 'inputs', base)
        const from = slotName(Object.keys(types.get(value[0])?.definition?.outputs ?? {}), value[1])
        c.report.rename(`/${escapePointer(id)}/inputs/${escapePointer(name)}`, name, to)
        links.push({ nth, edge: { from: [value[0], from], to: [id, to], ...(to !== base && { [OWN]: base }) } })
      } else if (isWrapped(value)) { params.push([name, value.__value__]); wrapped.push(name) } else params.push([name, value])
    }
    for (const { edge } of links.sort((a, b) => a.nth - b.nth)) edges.push(edge)
    const { class_type: name, inputs, _meta: meta, ...rest } = node
    const { title, ...moreMeta } = (meta ?? {}) as Json, hasTitle = typeof title === 'string'
    const api = present({
      ...rest,
      _meta: meta !== undefined && (Object.keys(moreMeta).length > 0 || !hasTitle) ? hasTitle ? moreMeta : meta : undefined,
      inputs: inputs === undefined ? null : undefined,
    })
    const isBig = c.big?.has(node) === true
    const kept: KeptApiNode = { api, ...(wrapped.length > 0 && { wrapped }), ...(isBig && { big: true as const }) }
    return present({
      id, type, params: params.length > 0 ? Object.fromEntries(params) : undefined,
      output: isOutputClass(name as string, definition) ? true : undefined,
      ui: hasTitle ? { title } : undefined, ...fields, [OWN]: Object.keys(api).length > 0 || wrapped.length > 0 || isBig ? kept : undefined,
    })
  })
  return { millrace: 1, nodes, edges }
}

/**
 * ComfyUI has one link per input. Further links of an input that takes several are written as inputs `name:2`, `name:3` and so on, which
 * ComfyUI passes over; they count as such only behind all that come before.
 */
function nthLink(inputs: Json, name: string, definition: NodeDefinition | undefined): { readonly base: string; readonly nth: number } {
  const match = /^(.+):([2-9]|[1-9]\d{1,2})$/su.exec(name), first = { base: name, nth: 1 }
  if (match === null || (definition !== undefined && Object.hasOwn(definition.inputs, name))) return first
  const [, base, digits] = match as unknown as readonly [string, string, string], nth = Number(digits)
  for (let n = nth - 1; n >= 1; n--) if (!isLink(inputs[n === 1 ? base : `${base}:${n}`])) return first
  return { base, nth }
}

/** Writes ComfyUI's API format; the graph has no modes and no subgraphs any more. What it cannot say is in the report. */
export function exportApi(document: Document, definitionOf: (id: string) => NodeDefinition | undefined, report: Report): Json {
  noteLosses(document, { document: [], node: ['output', 'ui'], edge: [], own: OWN }, report)
  const inputs = new Map<string, [string, unknown][]>(document.nodes.map((node, i) =>
    [node.id, literals(node, definitionOf(node.id), report.node(i), report)]))
  const outputs = new Map(document.nodes.map((node) => [node.id, outputNames(node, definitionOf(node.id))]))
  const edges = (document.edges ?? []).map((edge, e) => [edge, e] as const).sort(([a, i], [b, j]) =>
    (a.order ?? i) - (b.order ?? j) || i - j)
  const counts = new Map<string, number>(), places = new Map(document.nodes.map((node, i) => [node.id, report.node(i)]))
  edges.forEach(([{ from, to, ...edge }, e]) => {
    const slot = slotNumber(outputs.get(from[0]) ?? [], from[1]), list = inputs.get(to[0])
    if (slot < 0 || list === undefined) { report.drop(report.edge(e), `${from.join('.')} has no number among the outputs`); return }
    const base = typeof edge[OWN] === 'string' ? edge[OWN] : to[1], port = JSON.stringify([to[0], base]), nth = (counts.get(port) ?? 0) + 1
    const name = nth === 1 ? base : `${base}:${nth}`, at = list.findIndex(([given]) => given === name)
    counts.set(port, nth)
    if (nth > 1) report.substitute(report.edge(e), `link ${nth} to ${to.join('.')}`, `input ${name}`)
    if (at >= 0) {
      list.splice(at, 1)
      report.drop(`${places.get(to[0])}/params/${escapePointer(name)}`, 'a link stands at this param')
    }
    list.push([name, [from[0], slot]])
  })
  return Object.fromEntries(document.nodes.map((node, i): [string, Json] => {
    const type = foreignType(node, definitionOf(node.id), isClassName)
    const kept = keptOf(node)
    const title = isObject(node.ui) ? node.ui['title'] : undefined
    report.rename(`${report.node(i)}/type`, node.type, type)
    noteChanged(node.ui, typeof title === 'string' ? { title } : undefined, `${report.node(i)}/ui`, report)
    noteOutput(node, type, isOutputClass(type, definitionOf(node.id)), report.node(i), report)
    const { _meta: meta, inputs: none, ...rest } = kept?.api ?? {}, list = inputs.get(node.id)!
    return [node.id, present({
      inputs: none === null && list.length === 0 ? undefined : Object.fromEntries(list), class_type: type,
      _meta: typeof title === 'string' ? { ...meta as Json | undefined, title } : meta, ...rest,
    })]
  }))
}

function keptOf(node: DocumentNode): KeptApiNode | undefined {
  const kept = node[OWN]
  return isObject(kept) && isObject(kept['api']) ? kept as unknown as KeptApiNode : undefined
}

/** Params as inputs; a list that would read as a link is wrapped. */
function literals(node: DocumentNode, definition: NodeDefinition | undefined, pointer: string, report: Report): [string, unknown][] {
  const kept = keptOf(node), wrapped = kept?.wrapped ?? [], params = seedsBare(node.params ?? {}, definition)
  return Object.entries(kept?.big === true ? bareNumbers(params) as Json : params).flatMap(([name, value]): [string, unknown][] => {
    if (name === UNNAMED && node[OWN] !== undefined && kept === undefined) {
      report.drop(`${pointer}/params/${name}`, 'widgets of an unknown type have no names')
      return []
    }
    return [[name, isLink(value) || wrapped.includes(name) || isWrapped(value) ? { __value__: value } : value]]
  })
}

/** Output names by number: the type's, else those of the workflow it came from. */
function outputNames(node: DocumentNode, definition: NodeDefinition | undefined): readonly string[] {
  if (definition !== undefined) return Object.keys(definition.outputs)
  const kept = node[OWN]
  return isObject(kept) && isObject(kept['raw']) ? fileSlots(kept['raw']).outputs : []
}
