import { documentShape } from './document-shape.js'
import type { MapShape, NumberShape, ObjectShape, Shape, TextShape } from './shape.js'

/** 0: does not fit. 1: fits, with fields that the shape does not declare. 2: fits exactly. */
export type Fit = 0 | 1 | 2
type Fitter = (value: unknown) => Fit

const fitters = new WeakMap<Shape, Fitter>()

/**
 * Tells whether a JSON value fits a shape, without saying why: shapes are turned into closures once, because every part of every document passes
 * here (1 000 nodes in less than 1 ms with the parse, GR-01). The report is `checkShape`'s, for the parts that do not fit.
 */
export function fitShape(shape: Shape, value: unknown): Fit {
  return fitterOf(shape)(value)
}

function fitterOf(shape: Shape): Fitter {
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
    case 'flag': return (value) => (typeof value === 'boolean' ? 2 : 0)
    case 'any': return shape.object === true ? (value) => (isObject(value) ? 2 : 0) : (value) => (value === undefined ? 0 : 2)
    case 'list': return listFitter(fitterOf(shape.items), shape.min ?? 0, shape.max ?? Infinity)
    case 'tuple': return tupleFitter(shape.items.map(fitterOf))
    case 'either': { const options = shape.options.map(fitterOf); return (value) => options.reduce<Fit>((best, option) => (best === 2 ? 2 : Math.max(best, option(value)) as Fit), 0) }
    case 'map': return mapFitter(shape)
    case 'object': return objectFitter(shape)
    case 'document': return (value) => fitterOf(documentShape)(value)
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

function listFitter(item: Fitter, min: number, max: number): Fitter {
  return (value) => {
    if (!Array.isArray(value) || value.length < min || value.length > max) return 0
    let fit: Fit = 2
    for (const entry of value) {
      const one = item(entry)
      if (one < fit) { if (one === 0) return 0; fit = one }
    }
    return fit
  }
}

function tupleFitter(items: readonly Fitter[]): Fitter {
  return (value) => {
    if (!Array.isArray(value) || value.length !== items.length) return 0
    for (let i = 0; i < items.length; i++) if (items[i]!(value[i]) === 0) return 0
    return 2
  }
}

function mapFitter(shape: MapShape): Fitter {
  const item = fitterOf(shape.values), key = shape.keys === undefined ? undefined : fitterOf(shape.keys)
  return (value) => {
    if (!isObject(value)) return 0
    let fit: Fit = 2
    for (const name of Object.keys(value)) {
      const one = key?.(name) === 0 ? 0 : item(value[name])
      if (one < fit) { if (one === 0) return 0; fit = one }
    }
    return fit
  }
}

function objectFitter(shape: ObjectShape): Fitter {
  const fields = new Map(Object.entries(shape.fields).map(([name, field]): [string, Fitter] => [name, fitterOf(field.shape)]))
  const required = Object.keys(shape.fields).filter((name) => shape.fields[name]!.required === true)
  return (value) => {
    if (!isObject(value)) return 0
    let fit: Fit = 2
    for (const name in value) {
      if (!Object.hasOwn(value, name)) continue
      const field = fields.get(name)
      const one = field === undefined ? (name.startsWith('x-') ? 2 : 1) : field(value[name])
      if (one < fit) { if (one === 0) return 0; fit = one }
    }
    for (let i = 0; i < required.length; i++) if (!Object.hasOwn(value, required[i]!)) return 0
    return fit
  }
}

/** True for a JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function within({ min, max }: NumberShape, value: number): boolean {
  return (min === undefined || value >= min) && (max === undefined || value <= max) && value - value === 0
}
