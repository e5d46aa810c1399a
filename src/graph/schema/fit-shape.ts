import { keysWithin } from '../document/scan-limits.js'
import { documentShape } from './document-shape.js'
import { ownShape, type MapShape, type NumberShape, type ObjectShape, type Shape, type TextShape } from './shape.js'

/** 0: does not fit. 1: fits, with fields that the shape does not declare. 2: fits exactly. */
export type Fit = 0 | 1 | 2
/** `room`: levels of objects and arrays that may still be opened, the value's own included. */
export type Fitter = (value: unknown, room: number) => Fit

const fitters = new WeakMap<Shape, Fitter>()
/** Keys of the objects met by fitters since it was set to 0. */
let keys = 0

/**
 * Tells whether a JSON value fits a shape, without saying why: shapes are turned into closures once, because every part of every document
 * passes here (1 000 nodes in less than 1 ms with the parse, GR-01). The report is `checkShape`'s, for the parts that do not fit.
 * With `depth`, a value that fits exactly (2) nests no deeper.
 */
export function fitShape(shape: Shape, value: unknown, depth: number = Infinity): Fit {
  return fitterOf(shape)(value, depth)
}

/** Keys of objects within what fitted exactly with a depth since the last call, at any level: what `keysWithin` says of the same values. */
export function takeKeys(): number {
  const met = keys
  keys = 0
  return met
}

/** {@link fitShape} of one shape, for callers that ask it of thousands of values. */
export function fitterOf(shape: Shape): Fitter {
  let fitter = fitters.get(shape)
  if (fitter === undefined) fitters.set(shape, fitter = makeFitter(shape))
  return fitter
}

function makeFitter(shape: Shape): Fitter {
  switch (shape.kind) {
    case 'text': return textFitter(shape)
    case 'number': return (value) => (typeof value === 'number' && within(shape, value) ? 2 : 0)
    case 'integer': return (value) => (Number.isSafeInteger(value) && within(shape, value as number) ? 2 : 0)
    case 'choice': { const values = new Set<unknown>(shape.values); return (value) => (values.has(value) ? 2 : 0) }
    case 'null': return (value) => (value === null ? 2 : 0)
    case 'flag': return (value) => (typeof value === 'boolean' ? 2 : 0)
    case 'any': return shape.object === true
      ? (value, room) => (isObject(value) ? shallow(value, room) : 0)
      : (value, room) => (value === undefined ? 0 : shallow(value, room))
    case 'list': return listFitter(fitterOf(shape.items), shape.min ?? 0, shape.max ?? Infinity)
    case 'tuple': return tupleFitter(shape.items.map(fitterOf))
    case 'either': return eitherFitter(shape.options.map(fitterOf))
    case 'map': return mapFitter(shape)
    case 'object': {
      const fields = objectFitter(shape), { kinds, rule } = shape
      if (kinds !== undefined) {
        return (value, room) => (isObject(value) && ownShape(shape, value) !== shape ? fitterOf(ownShape(shape, value))(value, room) : 0)
      }
      return rule === undefined ? fields : (value, room) => {
        const fit = fields(value, room)
        return fit > 0 && rule.holds(value as Readonly<Record<string, unknown>>) ? fit : 0
      }
    }
    case 'document': return (value, room) => fitterOf(documentShape)(value, room)
  }
}

function textFitter({ min = 0, max = Infinity, noControl = false, pattern }: TextShape): Fitter {
  const regex = pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`, 'u')
  let last: string | undefined // what matched: types repeat
  return (value) => {
    if (typeof value !== 'string') return 0
    if (value === last) return 2
    let points = value.length
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      if (unit > 0x1f && unit < 0x7f) continue
      if (noControl && (unit < 0xa0)) return 0
      if (unit < 0xd800 || unit > 0xdfff) continue
      const next = value.charCodeAt(++i)
      if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return 0
      points--
    }
    if (points < min || points > max || regex?.test(value) === false) return 0
    if (regex !== undefined) last = value
    return 2
  }
}

function eitherFitter(options: readonly Fitter[]): Fitter {
  return (value, room) => {
    let best: Fit = 0
    for (let i = 0; i < options.length && best < 2; i++) {
      const met = keys, one = options[i]!(value, room)
      if (one > best) best = one
      else keys = met
    }
    return best
  }
}

function listFitter(item: Fitter, min: number, max: number): Fitter {
  return (value, room) => {
    if (!Array.isArray(value) || room < 1 || value.length < min || value.length > max) return 0
    let fit: Fit = 2
    for (let i = 0; i < value.length; i++) {
      const one = item(value[i], room - 1)
      if (one < fit) { if (one === 0) return 0; fit = one }
    }
    return fit
  }
}

function tupleFitter(items: readonly Fitter[]): Fitter {
  const last: unknown[] = items.map(() => undefined) // texts that fitted: names of ports repeat
  return (value, room) => {
    if (!Array.isArray(value) || room < 1 || value.length !== items.length) return 0
    for (let i = 0; i < items.length; i++) {
      const item: unknown = value[i]
      if (item === last[i] && item !== undefined) continue
      if (items[i]!(item, room - 1) === 0) return 0
      if (typeof item === 'string') last[i] = item
    }
    return 2
  }
}

function mapFitter(shape: MapShape): Fitter {
  const item = fitterOf(shape.values), key = shape.keys === undefined ? undefined : fitterOf(shape.keys)
  let last: string | undefined // the name that fitted: those of params repeat
  return (value, room) => {
    if (!isObject(value) || room < 1) return 0
    let fit: Fit = 2
    for (const name in value) {
      if (!hasOwn.call(value, name)) continue
      if (name !== last && key !== undefined) {
        if (key(name, 0) === 0) return 0
        last = name
      }
      keys++
      const one = item(value[name], room - 1)
      if (one < fit) { if (one === 0) return 0; fit = one }
    }
    return fit
  }
}

/** A field as it is met: `must` 1 = required. */
interface FieldFitter { readonly fit: Fitter; readonly must: 0 | 1 }

function objectFitter(shape: ObjectShape): Fitter {
  const fields = new Map(Object.entries(shape.fields)
    .map(([name, { shape: of, required }]): [string, FieldFitter] => [name, { fit: fitterOf(of), must: required === true ? 1 : 0 }]))
  const musts = [...fields.values()].reduce((sum, { must }) => sum + must, 0)
  // Fields at the places where they were met last: objects of a document repeat them, and the same
  // text compares faster than it is looked up.
  const names: string[] = [], known: FieldFitter[] = []
  return (value, room) => {
    if (!isObject(value) || room < 1) return 0
    let fit: Fit = 2, at = 0, missing = musts
    for (const name in value) {
      let field = names[at] === name ? known[at] : undefined
      if (field === undefined) {
        if (!Object.hasOwn(value, name)) continue
        field = fields.get(name)
        if (field !== undefined && at <= names.length) { names[at] = name; known[at] = field }
      }
      at++
      let one: Fit
      if (field === undefined) one = name.startsWith('x-') ? shallow(value[name], room - 1) : 1
      else { one = field.fit(value[name], room - 1); missing -= field.must }
      if (one < fit) { if (one === 0) return 0; fit = one }
    }
    keys += at
    return missing > 0 ? 0 : fit
  }
}

/** What is never looked into is only measured. */
function shallow(value: unknown, room: number): 0 | 2 {
  if (room === Infinity || typeof value !== 'object') return 2
  const inner = keysWithin(value, room)
  keys += inner
  return inner < 0 ? 0 : 2
}

/** Asked by this name, the question is free within `for in`; `Object.hasOwn` is a call each time (half of a walk through small maps). */
export const hasOwn = Object.prototype.hasOwnProperty

/** True for a JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function within({ min, max }: NumberShape, value: number): boolean {
  return (min === undefined || value >= min) && (max === undefined || value <= max) && value - value === 0
}
