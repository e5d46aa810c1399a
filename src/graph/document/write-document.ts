import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import { HARD_LIMITS } from '../limits.js'
import { escapePointer } from '../pointer.js'
import { documentShape } from '../schema/document-shape.js'
import { isObject } from '../schema/fit-shape.js'
import { any, type Field, type Shape } from '../schema/shape.js'
import type { Document } from './document.js'

/**
 * Canonical text of a document (GR-02): fields in the order of the format's table, then others and free maps sorted by key, two-space indent, LF,
 * final newline, numbers as short as they round-trip, defaults left out, a list of plain values on one line. Throws `INVALID_ARGUMENT` for a value
 * that JSON cannot hold, `LIMIT_EXCEEDED` beyond 256 levels.
 */
export function writeDocument(document: Document): string {
  return `${writeValue(documentShape, { ...document, millrace: 1 }, '', '', 1)}\n`
}

function writeValue(shape: Shape, value: unknown, indent: string, pointer: string, depth: number): string {
  if (depth > HARD_LIMITS.depth) throw commonErrors.LIMIT_EXCEEDED({ what: 'Nesting', limit: HARD_LIMITS.depth, got: depth })
  if (Array.isArray(value)) return writeList(shape, value, indent, pointer, depth)
  if (isPlain(value)) return writeObject(shape, value, indent, pointer, depth)
  return writeScalar(value, pointer)
}

function writeScalar(value: unknown, pointer: string): string {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null || (typeof value === 'number' && Number.isFinite(value))) return JSON.stringify(value)
  throw commonErrors.INVALID_ARGUMENT({ function: 'writeDocument', expected: `a JSON value at ${pointer === '' ? 'the top' : pointer}`, got: show(value), hint: 'Give it at run time through an input.' })
}

function writeList(shape: Shape, value: readonly unknown[], indent: string, pointer: string, depth: number): string {
  const list = pick(shape, 'list'), items = list?.kind === 'list' ? list.items : any
  const scalar = value.every((item) => typeof item !== 'object' || item === null)
  const texts = value.map((item, i) => writeValue(items, item, `${indent}  `, `${pointer}/${i}`, depth + 1))
  if (scalar) return `[${texts.join(', ')}]`
  return `[\n${texts.map((text) => `${indent}  ${text}`).join(',\n')}\n${indent}]`
}

function writeObject(shape: Shape, value: Readonly<Record<string, unknown>>, indent: string, pointer: string, depth: number): string {
  const parts: string[] = []
  for (const [name, field] of fieldsOf(shape, value)) {
    const item = value[name]
    if (item === undefined) continue
    const text = writeValue(field.shape, item, `${indent}  `, `${pointer}/${escapePointer(name)}`, depth + 1)
    if (field.default === undefined || text !== writeDefault(field.default)) parts.push(`${indent}  ${JSON.stringify(name)}: ${text}`)
  }
  return parts.length === 0 ? '{}' : `{\n${parts.join(',\n')}\n${indent}}`
}

/** Declared fields in their order, then the rest sorted by key; a free map is all rest. */
function fieldsOf(shape: Shape, value: Readonly<Record<string, unknown>>): (readonly [string, Field])[] {
  const object = pick(shape, 'object')
  const declared = object?.kind === 'object' ? Object.entries(object.fields).filter(([name]) => Object.hasOwn(value, name)) : []
  const known = new Set(declared.map(([name]) => name))
  const map = pick(shape, 'map'), rest: Field = { shape: map?.kind === 'map' ? map.values : any }
  const others = Object.keys(value).filter((name) => !known.has(name)).sort()
  return [...declared, ...others.map((name) => [name, rest] as const)]
}

/** The part of a shape that says how an array, object or map is written. */
function pick(shape: Shape, kind: 'list' | 'object' | 'map'): Shape | undefined {
  if (shape.kind === 'document') return kind === 'object' ? documentShape : undefined
  return shape.kind === 'either' ? shape.options.find((option) => option.kind === kind) : shape.kind === kind ? shape : undefined
}

/** Defaults of the format are scalars or empty. */
function writeDefault(value: unknown): string { return JSON.stringify(value) }

/** Typed arrays, dates and other instances have no JSON form of their own. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
