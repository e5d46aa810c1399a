import type { Document } from '../document/document.js'
import { sameValue } from '../edit/same-value.js'
import { escapePointer } from '../pointer.js'
import { documentShape, edgeShape, nodeShape } from '../schema/document-shape.js'
import { isObject } from '../schema/fit-shape.js'
import type { ObjectShape } from '../schema/shape.js'
import type { Report } from './report.js'
import type { Json } from './source.js'

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
  const { meta, config, own } = carried, always = [own, 'x-type']
  const set = (...names: readonly (readonly string[])[]): ReadonlySet<string> => new Set([...names.flat(), ...always])
  losses(
    documentShape, document,
    set(carried.document, ['millrace', 'nodes', 'edges'], meta === undefined ? [] : ['meta'], config === undefined ? [] : ['config']),
    report, () => base,
  )
  if (meta !== undefined) losses(META, document.meta ?? {}, set(meta), report, () => `${base}/meta`)
  if (config !== undefined) losses(CONFIG, document.config ?? {}, set(config), report, () => `${base}/config`)
  const ofNode = set(['id', 'type', 'params'], carried.node), ofEdge = set(['from', 'to'], carried.edge)
  document.nodes.forEach((node, i) => losses(nodeShape, node, ofNode, report, () => base === '' ? report.node(i) : `${base}/nodes/${i}`))
  document.edges?.forEach((edge, i) => losses(edgeShape, edge, ofEdge, report, () => base === '' ? report.edge(i) : `${base}/edges/${i}`))
}

function losses(
  shape: ObjectShape, value: Readonly<Record<string, unknown>>, carried: ReadonlySet<string>, report: Report, pointer: () => string,
): void {
  for (const name in value) {
    const field = value[name]
    if (carried.has(name) || field === undefined || isEmpty(field)) continue
    if (Object.hasOwn(shape.fields, name) && field === shape.fields[name]!.default) continue
    report.drop(`${pointer()}/${escapePointer(name)}`, `${name} has no place in ${report.dialect}`)
  }
}

/**
 * Notes what was written and is read as something else: every field of `before` that is not the same in
 * `after`, what the importer makes of the export.
 */
export function noteChanged(before: unknown, after: unknown, pointer: string, report: Report): void {
  if (before === undefined || sameValue(before, after) || (after === undefined && isEmpty(before))) return
  if (isObject(before) ? isObject(after) : Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    for (const name of Object.keys(before as object)) {
      noteChanged(
        (before as Json)[name],
        Object.hasOwn(after as object, name) ? (after as Json)[name] : undefined,
        `${pointer}/${escapePointer(name)}`, report,
      )
    }
  } else report.drop(pointer, `${pointer.slice(pointer.lastIndexOf('/') + 1)} has no place in ${report.dialect}`)
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0
}
