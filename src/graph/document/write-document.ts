import { commonErrors } from '../../errors/common-errors.js'
import { isInstance } from '../../errors/is-instance.js'
import { show } from '../../errors/show.js'
import { HARD_LIMITS } from '../limits.js'
import { escapePointer } from '../pointer.js'
import { documentShape } from '../schema/document-shape.js'
import { isObject } from '../schema/fit-shape.js'
import { any, type Shape } from '../schema/shape.js'
import type { Document } from './document.js'

/**
 * Canonical text of a document (GR-02): fields in the order of the format's table, then others and free maps sorted by key, two-space
 * indent, LF, final newline, numbers as short as they round-trip, defaults left out, a list of plain values on one line. Throws
 * `INVALID_ARGUMENT` for a value that JSON cannot hold, `LIMIT_EXCEEDED` beyond 256 levels, and beyond 64 Mi characters, which no document
 * that is read may have: parts that stand in many places are written at each.
 */
export function writeDocument(document: Document): string {
  return writeJson(documentShape, { ...document, millrace: 1 })
}

/** Canonical text of any value of a shape, as {@link writeDocument} writes documents. */
export function writeJson(shape: Shape, value: unknown): string {
  return `${writeValue(shape, value, { path: [], heads: [], indents: [], left: HARD_LIMITS.documentBytes })}\n`
}

/** One text being written. */
interface Writing {
  /** The keys above the value: turned into a pointer only when something is wrong. Two spaces of indent for each. */
  readonly path: (string | number)[]
  /** By level, what stands before the value of a key: keys repeat, and each piece less in a text is less to collect. */
  readonly heads: Map<string, string>[]
  readonly indents: string[]
  /** Characters that may still be written. */
  left: number
}

/**
 * A number of which only the digits are known: written as they are. No value of a document is one; other formats have integers beyond 2^53.
 */
export class BareNumber {
  readonly digits: string
  constructor(digits: string) { this.digits = digits }
}

function writeValue(shape: Shape, value: unknown, w: Writing): string {
  spend(w, typeof value === 'string' ? value.length : 1)
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'boolean' || value === null || (typeof value === 'number' && Number.isFinite(value))) return `${value}`
  if (typeof value === 'object' && w.path.length >= HARD_LIMITS.depth) {
    throw commonErrors.LIMIT_EXCEEDED({ what: 'Nesting', limit: HARD_LIMITS.depth, got: w.path.length + 1 })
  }
  if (Array.isArray(value)) return writeList(shape, value, w)
  if (isPlain(value)) return writeObject(shape, value, w)
  if (value instanceof BareNumber) return value.digits
  const pointer = w.path.map((key) => `/${escapePointer(String(key))}`).join('')
  throw commonErrors.INVALID_ARGUMENT({
    function: 'writeDocument', expected: `a JSON value at ${pointer}`, got: show(value), hint: 'Give it at run time through an input.',
  })
}

function spend(w: Writing, characters: number): void {
  if ((w.left -= characters) < 0) {
    throw commonErrors.LIMIT_EXCEEDED({ what: 'Document bytes', limit: HARD_LIMITS.documentBytes, got: HARD_LIMITS.documentBytes - w.left })
  }
}

/** A new line, indented for a level. */
function lineOf(w: Writing, level: number): string { return w.indents[level] ??= `\n${'  '.repeat(level)}` }

function writeList(shape: Shape, value: readonly unknown[], w: Writing): string {
  const { items } = planOf(shape), level = w.path.length
  spend(w, value.length)
  let scalar = true
  for (let i = 0; i < value.length; i++) if (typeof value[i] === 'object' && value[i] !== null) scalar = false
  const between = scalar ? ', ' : `,${lineOf(w, level + 1)}`
  let text = scalar ? '[' : `[${lineOf(w, level + 1)}`
  for (let i = 0; i < value.length; i++) {
    if (i > 0) { text += between; w.left -= between.length - 1 }
    w.path.push(i)
    text += writeValue(items, value[i], w)
    w.path.pop()
  }
  return scalar ? `${text}]` : `${text}${lineOf(w, level)}]`
}

/** Declared fields in their order, then the rest sorted by key; a free map is all rest. */
function writeObject(shape: Shape, value: Readonly<Record<string, unknown>>, w: Writing): string {
  const { fields, known, rest } = planOf(shape), level = w.path.length
  const starts = w.heads[2 * level] ??= new Map<string, string>()
  const heads = w.heads[2 * level + 1] ??= new Map<string, string>()
  let text = '', declared = 0
  const write = (name: string, of: Shape, preset: string | undefined): void => {
    w.path.push(name)
    const written = writeValue(of, value[name], w)
    w.path.pop()
    if (written === preset) return
    const made = text === '' ? starts : heads
    let head = made.get(name)
    if (head === undefined) made.set(name, head = `${text === '' ? '{' : ','}${lineOf(w, level + 1)}${quote(name)}: `)
    text += head + written
    w.left -= head.length
  }
  for (const { name, shape: of, preset } of fields) {
    if (!Object.hasOwn(value, name)) continue
    declared++
    if (value[name] !== undefined) write(name, of, preset)
  }
  const keys = Object.keys(value)
  if (keys.length > declared) {
    const others = declared === 0 ? keys : keys.filter((key) => !known.has(key))
    for (const name of others.sort()) if (value[name] !== undefined) write(name, rest, undefined)
  }
  return text === '' ? '{}' : `${text}${lineOf(w, level)}}`
}

/** What the writer asks of a shape, found once per shape: a document has thousands of objects and a dozen shapes. */
interface Plan {
  readonly items: Shape
  /** `preset`: text of the default, which is not written. */
  readonly fields: readonly { readonly name: string; readonly shape: Shape; readonly preset: string | undefined }[]
  readonly known: ReadonlySet<string>
  readonly rest: Shape
}
const plans = new WeakMap<Shape, Plan>()

function planOf(shape: Shape): Plan {
  let plan = plans.get(shape)
  if (plan === undefined) {
    const list = pick(shape, 'list'), object = pick(shape, 'object'), map = pick(shape, 'map')
    const fields = object?.kind === 'object' ? Object.entries(object.fields) : []
    plan = {
      items: list?.kind === 'list' ? list.items : any, rest: map?.kind === 'map' ? map.values : any,
      known: new Set(fields.map(([name]) => name)),
      fields: fields.map(([name, field]) =>
        ({ name, shape: field.shape, preset: field.default === undefined ? undefined : JSON.stringify(field.default) })),
    }
    plans.set(shape, plan)
  }
  return plan
}

/** Strings that need no escapes: told by one test, which takes a third of the time of `JSON.stringify`. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/

function quote(text: string): string { return PLAIN_TEXT.test(text) ? `"${text}"` : JSON.stringify(text) }

/** The part of a shape that says how an array, object or map is written. */
function pick(shape: Shape, kind: 'list' | 'object' | 'map'): Shape | undefined {
  if (shape.kind === 'document') return kind === 'object' ? documentShape : undefined
  return shape.kind === 'either' ? shape.options.find((option) => option.kind === kind) : shape.kind === kind ? shape : undefined
}

/** Typed arrays, dates and other instances have no JSON form of their own. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return isObject(value) && !isInstance(value)
}
