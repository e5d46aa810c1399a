import { isInstance } from '../errors/is-instance.js'

/** Nesting of values beyond which they are refused (spec graph.md section 7, hard limit); also ends cycles. */
export const DEEPEST = 256

/** Objects in a value up to which nobody asks how often they are shared. */
const FEW = 1_000_000
/** A value that is longer than that, and than its own parts so many times, is refused: hashes and documents write out each place that shares a part with others. */
const MOST_SHARED = 16

/** Where in a value something can be neither saved nor hashed: steps to it, and what is wrong there. */
export interface TextProblem { readonly constraint: string; readonly limit: string; readonly got: unknown; readonly path: string; readonly at: readonly string[] }

/**
 * What in a JSON value can be neither saved nor hashed: text with half of a surrogate pair, which has no UTF-8 form, keys too, and nesting without end. Bytes and objects of
 * other kinds (a Blob, a stream) are not looked into. The first problem only; undefined: there is none.
 */
export function checkJson(value: unknown, path: string): TextProblem | undefined {
  const steps: (string | number)[] = []
  let got: unknown
  try {
    got = findBad(value, steps, 0, { left: FEW })
    if (got === MANY) {
      const times = new Map<object, number>(), objects = writtenOut(value, times, 0)
      if (objects > MOST_SHARED * times.size) return { constraint: 'other', limit: `values at most ${MOST_SHARED} times as long as their parts`, got: objects, path, at: [] }
      steps.length = 0
      got = findBad(value, steps, 0, { left: Infinity, seen: new Set() })
    }
    if (got === undefined) return undefined
  } catch (cause) {
    return { constraint: 'type', limit: 'a JSON value', got: cause instanceof Error ? cause.message : 'an object that cannot be read', path, at: [] }
  }
  if (got === TOO_DEEP) return { constraint: 'other', limit: `values nested at most ${DEEPEST} deep`, got: 'deeper', path, at: [] }
  steps.reverse()
  return { constraint: 'format', limit: 'well-formed Unicode', got, path: path + steps.map((step) => typeof step === 'number' ? `[${step}]` : `.${step}`).join(''), at: steps.map(String) }
}
const TOO_DEEP = /* @__PURE__ */ Symbol('deep'), MANY = /* @__PURE__ */ Symbol('many')

/** Objects that may still be looked at; `seen`: those that were, and are sound. */
interface Walk { left: number; readonly seen?: Set<object> }

/** What stands in an object, as {@link findBad} follows it. */
function partsOf(object: object): readonly unknown[] {
  if (ArrayBuffer.isView(object)) return []
  if (Array.isArray(object)) return object
  const { href, toJSON } = object as { readonly href?: unknown; readonly toJSON?: unknown }
  if (typeof href === 'string') return [href]
  if (typeof toJSON === 'function') return [(toJSON as () => unknown).call(object)]
  return isInstance(object) ? [] : Object.values(object)
}

/** Objects in a value, shared ones each time that they are written out: forty levels of `[x, x]` are 10¹² of 40. Infinity for one that stands within itself. In time that its parts bound. */
function writtenOut(value: unknown, times: Map<object, number>, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0
  const known = times.get(value)
  if (known !== undefined) return known
  // Whoever meets it before it is counted is inside of it.
  times.set(value, Infinity)
  if (depth > DEEPEST) return Infinity
  let sum = 1
  for (const part of partsOf(value)) sum += writtenOut(part, times, depth + 1)
  times.set(value, sum)
  return sum
}

/** The bad text, or the sign for nesting; on the way back the steps are noted, the innermost first. Follows what `HashWriter.value` follows. */
function findBad(value: unknown, steps: (string | number)[], depth: number, walk: Walk): unknown {
  if (typeof value === 'string') return hasLoneSurrogate(value) ? value : undefined
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined
  if (depth > DEEPEST) return TOO_DEEP
  if (walk.seen?.has(value) === true) return undefined
  walk.seen?.add(value)
  if (walk.left-- <= 0) return MANY
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const found = typeof value[i] === 'number' ? undefined : findBad(value[i], steps, depth + 1, walk)
      if (found !== undefined) { steps.push(i); return found }
    }
    return undefined
  }
  const { href, toJSON } = value as { readonly href?: unknown; readonly toJSON?: unknown }
  if (typeof href === 'string') return findBad(href, steps, depth + 1, walk)
  if (typeof toJSON === 'function') return findBad((toJSON as () => unknown).call(value), steps, depth + 1, walk)
  if (isInstance(value)) return undefined
  const record = value as Readonly<Record<string, unknown>>
  for (const key of Object.keys(record)) {
    if (record[key] === undefined) continue
    const found = hasLoneSurrogate(key) ? key : findBad(record[key], steps, depth + 1, walk)
    if (found !== undefined) { steps.push(key); return found }
  }
  return undefined
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
