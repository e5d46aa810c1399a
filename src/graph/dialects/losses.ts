import type { Document } from '../document/document.js'
import { escapePointer } from '../pointer.js'
import { documentShape, edgeShape, nodeShape } from '../schema/document-shape.js'
import { isObject } from '../schema/fit-shape.js'
import type { ObjectShape } from '../schema/shape.js'
import type { Report } from './report.js'

/** Fields of a document that an exporter carries over; everything else is a loss. */
export interface Carried {
  readonly document: readonly string[]
  readonly node: readonly string[]
  readonly edge: readonly string[]
  readonly meta?: readonly string[]
  readonly config?: readonly string[]
  /** Name of the `x-` field that the dialect's own importer leaves behind. */
  readonly own: string
}

const META = documentShape.fields['meta']!.shape as ObjectShape
const CONFIG = documentShape.fields['config']!.shape as ObjectShape

/** Notes everything that the document says and the dialect cannot, with pointers into the document; `base`: that of a definition. */
export function noteLosses(document: Document, carried: Carried, report: Report, base = ''): void {
  const own = [carried.own, 'x-type']
  losses(documentShape, document, base, [...carried.document, 'millrace', 'nodes', 'edges', ...(carried.meta === undefined ? [] : ['meta']), ...(carried.config === undefined ? [] : ['config']), ...own], report)
  if (carried.meta !== undefined) losses(META, document.meta ?? {}, `${base}/meta`, carried.meta, report)
  if (carried.config !== undefined) losses(CONFIG, document.config ?? {}, `${base}/config`, carried.config, report)
  document.nodes.forEach((node, i) => losses(nodeShape, node, base === '' ? report.node(i) : `${base}/nodes/${i}`, ['id', 'type', 'params', ...carried.node, ...own], report))
  document.edges?.forEach((edge, i) => losses(edgeShape, edge, base === '' ? report.edge(i) : `${base}/edges/${i}`, ['from', 'to', ...carried.edge, ...own], report))
}

function losses(shape: ObjectShape, value: Readonly<Record<string, unknown>>, pointer: string, carried: readonly string[], report: Report): void {
  for (const [name, field] of Object.entries(value)) {
    const preset = Object.hasOwn(shape.fields, name) ? shape.fields[name]!.default : undefined
    if (carried.includes(name) || field === undefined || field === preset || isEmpty(field)) continue
    report.drop(`${pointer}/${escapePointer(name)}`, `${name} has no place in ${report.dialect}`)
  }
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0
}
