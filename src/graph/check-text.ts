import { isInstance } from '../errors/is-instance.js'

/** Nesting of values beyond which they are refused (spec graph.md section 7, hard limit); also ends cycles. */
export const DEEPEST = 256

/** Objects in a value up to which nobody asks how often they are shared. */
const FEW = 1_000_000
/** The most that are looked at: some values make new ones each time that they are read (getters, `toJSON`). */
export const MOST_OBJECTS = 4_194_304
/** The longest text that there can be, about: a value that is longer has no JSON. */
const MOST_BYTES = 2 ** 28
/**
 * A value that is longer than that, and than its own parts so many times, is refused: hashes and documents write out
 * each place that shares a part with others.
 */
const MOST_SHARED = 16

/** Where in a value something can be neither saved nor hashed: steps to it, and what is wrong there. */
export interface TextProblem {
  readonly constraint: string
  readonly limit: string
  readonly got: unknown
  readonly path: string
  readonly at: readonly string[]
}

/**
 * What in a JSON value can be neither saved nor hashed: text with half of a surrogate pair, which has no UTF-8 form, keys too, bigints (but
 * seeds, below 2^64, with `seeds`), nesting and length without end. Bytes and objects of other kinds (a Blob, a stream) are not looked
 * into. The first problem only; undefined: there is none. Ends soon for values that are made anew each time that they are read.
 */
export function checkJson(value: unknown, path: string, seeds = false): TextProblem | undefined {
  for (const known of [undefined, new Map<object, number>()]) {
    const walk: Walk = { steps: [], objects: 0, bytes: 0, known, seeds }
    try {
      const got = lengthOf(value, 0, walk)
      return known === undefined || got <= MOST_SHARED * walk.bytes
        ? undefined
        : { constraint: 'other', limit: `values at most ${MOST_SHARED} times as long as their parts`, got, path, at: [] }
    } catch (cause) {
      if (cause === MANY && known === undefined) continue
      if (!(cause instanceof Bad)) {
        return {
          constraint: 'type', limit: 'a JSON value',
          got: cause instanceof Error ? cause.message : 'an object that cannot be read',
          path, at: [],
        }
      }
      const { steps } = walk, { constraint, limit, got } = cause
      if (constraint === 'other') return { constraint, limit, got, path, at: [] }
      return {
        constraint, limit, got,
        path: path + steps.map((step) => typeof step === 'number' ? `[${step}]` : `.${step}`).join(''),
        at: steps.map(String),
      }
    }
  }
  return undefined
}

class Bad {
  constructor(readonly constraint: string, readonly limit: string, readonly got: unknown) {}
}
const TOO_LONG = `values of at most ${MOST_OBJECTS} objects and ${MOST_BYTES} characters`
const MANY = /* @__PURE__ */ new Bad('other', TOO_LONG, 'more')

/**
 * `steps`: where it is; `objects`, `bytes`: met so far, as JSON has them, about; `known`: lengths of
 * objects, each of which is then walked once.
 */
interface Walk {
  readonly steps: (string | number)[]
  objects: number
  bytes: number
  readonly known: Map<object, number> | undefined
  readonly seeds: boolean
}

/**
 * Length of a value written out, with the parts that places share at each of them; Infinity for one that stands within itself. Follows
 * what `HashWriter.value` follows. Throws `Bad`.
 */
function lengthOf(value: unknown, depth: number, walk: Walk): number {
  if (typeof value === 'string') {
    if (hasLoneSurrogate(value)) throw new Bad('format', 'well-formed Unicode', value)
    return met(walk, value.length + 2)
  }
  if (typeof value === 'bigint' && !(walk.seeds && BigInt.asUintN(64, value) === value)) throw new Bad('type', 'a JSON value', value)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return 0
  if (depth > DEEPEST) throw new Bad('other', `values nested at most ${DEEPEST} deep`, 'deeper')
  const { known, steps } = walk, before = known?.get(value)
  if (before !== undefined) return before
  if (walk.objects++ === (known === undefined ? FEW : MOST_OBJECTS)) throw MANY
  // Whoever meets it before its length is known is inside of it.
  known?.set(value, Infinity)
  const { href, toJSON } = value as { readonly href?: unknown; readonly toJSON?: () => unknown }
  let length = met(walk, 2)
  if (Array.isArray(value)) {
    length += met(walk, value.length)
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i]
      if (typeof item === 'number') continue
      steps.push(i)
      length += lengthOf(item, depth + 1, walk)
      steps.pop()
    }
  } else if (typeof href === 'string') length += lengthOf(href, depth + 1, walk)
  else if (typeof toJSON === 'function') {
    const made = toJSON.call(value)
    if (known !== undefined && typeof made === 'object' && made !== toJSON.call(value)) throw MANY
    length += lengthOf(made, depth + 1, walk)
  }
  else if (!isInstance(value)) {
    for (const key of Object.keys(value)) {
      const part = (value as Readonly<Record<string, unknown>>)[key]
      if (part === undefined) continue
      if (known !== undefined && typeof part === 'object' && part !== (value as Readonly<Record<string, unknown>>)[key]) throw MANY
      steps.push(key)
      length += lengthOf(key, depth + 1, walk) + lengthOf(part, depth + 1, walk)
      steps.pop()
    }
  }
  known?.set(value, length)
  return length
}

function met(walk: Walk, bytes: number): number {
  if ((walk.bytes += bytes) > MOST_BYTES) throw new Bad('other', TOO_LONG, 'more')
  return bytes
}

/** True when a string holds half of a surrogate pair. */
export function hasLoneSurrogate(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0xd800 || unit > 0xdfff) continue
    const next = text.charCodeAt(i + 1)
    if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return true
    i++
  }
  return false
}
