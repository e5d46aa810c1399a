import type { Document, DocumentEdge, DocumentNode } from '../../document/document.js'
import type { NodeDefinition } from '../../node-definition.js'
import { escapePointer } from '../../pointer.js'
import { isObject } from '../../schema/fit-shape.js'
import { noteLosses } from '../losses.js'
import { portNamed } from '../ports.js'
import type { Report } from '../report.js'
import { demandShape, foreignType, present, resolveType, type ImportContext, type Json } from '../source.js'
import { bareNumbers, seedsBare } from './big-integers.js'
import { isClassName, isOutputClass } from './classes.js'
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
  const types = new Map(entries.map(([id, node]) => [id, resolveType(c, node['class_type'] as string, `/${escapePointer(id)}/class_type`, 'comfyui')]))
  const edges: DocumentEdge[] = []
  const nodes = entries.map(([id, node]): DocumentNode => {
    const { type, definition, fields } = types.get(id)!, params: [string, unknown][] = [], wrapped: string[] = []
    for (const [name, value] of Object.entries((node['inputs'] ?? {}) as Json)) {
      if (isLink(value)) {
        const to = portNamed(definition, 'inputs', name), from = slotName(Object.keys(types.get(value[0])?.definition?.outputs ?? {}), value[1])
        c.report.rename(`/${escapePointer(id)}/inputs/${escapePointer(name)}`, name, to)
        edges.push({ from: [value[0], from], to: [id, to], ...(to !== name && { [OWN]: name }) })
      } else if (isWrapped(value)) { params.push([name, value.__value__]); wrapped.push(name) } else params.push([name, value])
    }
    const { class_type: name, inputs, _meta: meta, ...rest } = node
    const { title, ...moreMeta } = (meta ?? {}) as Json, hasTitle = typeof title === 'string'
    const api = present({ ...rest, _meta: meta !== undefined && (Object.keys(moreMeta).length > 0 || !hasTitle) ? hasTitle ? moreMeta : meta : undefined, inputs: inputs === undefined ? null : undefined })
    const isBig = c.big?.has(node) === true, kept: KeptApiNode = { api, ...(wrapped.length > 0 && { wrapped }), ...(isBig && { big: true as const }) }
    return present({
      id, type, params: params.length > 0 ? Object.fromEntries(params) : undefined, output: isOutputClass(name as string, definition) ? true : undefined,
      ui: hasTitle ? { title } : undefined, ...fields, [OWN]: Object.keys(api).length > 0 || wrapped.length > 0 || isBig ? kept : undefined,
    })
  })
  return { millrace: 1, nodes, edges }
}

/** Writes ComfyUI's API format; the graph has no modes and no subgraphs any more. What it cannot say is in the report. */
export function exportApi(document: Document, definitionOf: (id: string) => NodeDefinition | undefined, report: Report): Json {
  noteLosses(document, { document: [], node: ['output', 'ui'], edge: ['id', 'order'], own: OWN }, report)
  const inputs = new Map<string, [string, unknown][]>(document.nodes.map((node, i) => [node.id, literals(node, definitionOf(node.id), report.node(i), report)]))
  const outputs = new Map(document.nodes.map((node) => [node.id, outputNames(node, definitionOf(node.id))]))
  document.edges?.forEach(({ from, to, ...edge }, e) => {
    const slot = slotNumber(outputs.get(from[0]) ?? [], from[1]), list = inputs.get(to[0])
    if (slot < 0 || list === undefined) { report.drop(report.edge(e), `${from.join('.')} has no number among the outputs`); return }
    const name = typeof edge[OWN] === 'string' ? edge[OWN] : to[1], at = list.findIndex(([given]) => given === name)
    if (at >= 0) list.splice(at, 1)
    list.push([name, [from[0], slot]])
  })
  return Object.fromEntries(document.nodes.map((node, i): [string, Json] => {
    const type = foreignType(node, definitionOf(node.id), isClassName), kept = keptOf(node), title = isObject(node.ui) ? node.ui['title'] : undefined
    report.rename(`${report.node(i)}/type`, node.type, type)
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
    if (name === UNNAMED && node[OWN] !== undefined && kept === undefined) { report.drop(`${pointer}/params/${name}`, 'widgets of an unknown type have no names'); return [] }
    return [[name, isLink(value) || wrapped.includes(name) || isWrapped(value) ? { __value__: value } : value]]
  })
}

/** Output names by number: the type's, else those of the workflow it came from. */
function outputNames(node: DocumentNode, definition: NodeDefinition | undefined): readonly string[] {
  if (definition !== undefined) return Object.keys(definition.outputs)
  const kept = node[OWN]
  return isObject(kept) && isObject(kept['raw']) ? fileSlots(kept['raw']).outputs : []
}
