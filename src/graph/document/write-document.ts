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
  return writeJson(documentShape, { ...document, millrace: 1 })
}

/** Canonical text of any value of a shape, as {@link writeDocument} writes documents. */
export function writeJson(shape: Shape, value: unknown): string { return `${writeValue(shape, value, '', [])}\n` }

/** `path` holds the keys above the value: turned into a pointer only when something is wrong. */
function writeValue(shape: Shape, value: unknown, indent: string, path: (string | number)[]): string {
  if (typeof value === 'string') return quote(value)
  if (path.length >= HARD_LIMITS.depth) throw commonErrors.LIMIT_EXCEEDED({ what: 'Nesting', limit: HARD_LIMITS.depth, got: path.length + 1 })
  if (Array.isArray(value)) return writeList(shape, value, indent, path)
  if (isPlain(value)) return writeObject(shape, value, indent, path)
  if (typeof value === 'boolean' || value === null || (typeof value === 'number' && Number.isFinite(value))) return JSON.stringify(value)
  const pointer = path.map((key) => `/${escapePointer(String(key))}`).join('')
  throw commonErrors.INVALID_ARGUMENT({ function: 'writeDocument', expected: `a JSON value at ${pointer}`, got: show(value), hint: 'Give it at run time through an input.' })
}

function writeList(shape: Shape, value: readonly unknown[], indent: string, path: (string | number)[]): string {
  const list = pick(shape, 'list'), items = list?.kind === 'list' ? list.items : any, inner = `${indent}  `
  const texts: string[] = []
  let scalar = true
  for (let i = 0; i < value.length; i++) {
    if (typeof value[i] === 'object' && value[i] !== null) scalar = false
    path.push(i)
    texts.push(writeValue(items, value[i], inner, path))
    path.pop()
  }
  return scalar ? `[${texts.join(', ')}]` : `[\n${inner}${texts.join(`,\n${inner}`)}\n${indent}]`
}

/** Declared fields in their order, then the rest sorted by key; a free map is all rest. */
function writeObject(shape: Shape, value: Readonly<Record<string, unknown>>, indent: string, path: (string | number)[]): string {
  const object = pick(shape, 'object'), fields = object?.kind === 'object' ? object.fields : NO_FIELDS
  const map = pick(shape, 'map'), rest: Shape = map?.kind === 'map' ? map.values : any, inner = `${indent}  `
  const parts: string[] = []
  const write = (name: string, of: Shape, omitted: unknown): void => {
    if (value[name] === undefined) return
    path.push(name)
    const text = writeValue(of, value[name], inner, path)
    path.pop()
    if (omitted === undefined || text !== JSON.stringify(omitted)) parts.push(`${quote(name)}: ${text}`)
  }
  for (const name in fields) if (Object.hasOwn(value, name)) write(name, fields[name]!.shape, fields[name]!.default)
  for (const name of Object.keys(value).filter((key) => !Object.hasOwn(fields, key)).sort()) write(name, rest, undefined)
  return parts.length === 0 ? '{}' : `{\n${inner}${parts.join(`,\n${inner}`)}\n${indent}}`
}

/** Strings that need no escapes: told by one test, which takes a third of the time of `JSON.stringify`. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/

function quote(text: string): string { return PLAIN_TEXT.test(text) ? `"${text}"` : JSON.stringify(text) }

const NO_FIELDS: Readonly<Record<string, Field>> = {}

/** The part of a shape that says how an array, object or map is written. */
function pick(shape: Shape, kind: 'list' | 'object' | 'map'): Shape | undefined {
  if (shape.kind === 'document') return kind === 'object' ? documentShape : undefined
  return shape.kind === 'either' ? shape.options.find((option) => option.kind === kind) : shape.kind === kind ? shape : undefined
}

/** Typed arrays, dates and other instances have no JSON form of their own. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
