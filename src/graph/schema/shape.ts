import { defined } from '../defined.js'

/** A text: lengths in code points; `noControl`: no control characters; `pattern`: anchored, flag u. */
export interface TextShape {
  readonly kind: 'text'
  readonly min?: number
  readonly max?: number
  readonly noControl?: boolean
  readonly pattern?: string
  readonly name?: string
}
export interface NumberShape { readonly kind: 'number' | 'integer'; readonly min?: number; readonly max?: number }
export interface ChoiceShape { readonly kind: 'choice'; readonly values: readonly string[] }
export interface ListShape { readonly kind: 'list'; readonly items: Shape; readonly min?: number; readonly max?: number }
export interface TupleShape { readonly kind: 'tuple'; readonly items: readonly Shape[]; readonly name: string }
/** A free map; written sorted by key. */
export interface MapShape { readonly kind: 'map'; readonly values: Shape; readonly keys?: TextShape }
/** An object with declared fields, written in this order. Others are kept: `x-*` in silence, the rest with a warning (GR-03). */
export interface ObjectShape {
  readonly kind: 'object'
  readonly name: string
  readonly fields: Readonly<Record<string, Field>>
  /** What the object is by its field `kind`; `fields` holds all fields of all kinds. */
  readonly kinds?: Readonly<Record<string, ObjectShape>>
  /** What must hold between the fields. */
  readonly rule?: { readonly says: string; readonly holds: (value: Readonly<Record<string, unknown>>) => boolean }
}
export interface EitherShape { readonly kind: 'either'; readonly options: readonly Shape[] }
/** Any JSON; `object` restricts it to objects. Never looked into. */
export interface AnyShape { readonly kind: 'any'; readonly object?: boolean }
/** A boolean. */
export interface FlagShape { readonly kind: 'flag' }
/** Nothing, said in so many words. */
export interface NullShape { readonly kind: 'null' }
/** Another document, by reference, since documents nest. */
export interface NestedShape { readonly kind: 'document' }

/** What a value in a document may be. One table of shapes drives the checker, the canonical writer and the JSON Schema (GR-05). */
export type Shape = TextShape | NumberShape | ChoiceShape | ListShape | TupleShape | MapShape | ObjectShape | EitherShape | AnyShape
  | FlagShape | NullShape | NestedShape

/** A field of an object. A value equal to `default` is not written. */
export interface Field { readonly shape: Shape; readonly required?: boolean; readonly default?: unknown; readonly doc?: string }

/** The object's shape by its kind. */
export function ownShape(shape: ObjectShape, value: Readonly<Record<string, unknown>>): ObjectShape {
  const kind = value['kind']
  return shape.kinds !== undefined && typeof kind === 'string' && Object.hasOwn(shape.kinds, kind) ? shape.kinds[kind]! : shape
}

/** A string. */
export const text = (o: Omit<TextShape, 'kind'> = {}): TextShape => ({ kind: 'text', ...o })
/** A finite number, bounds included. */
export const number = (min?: number, max?: number): NumberShape => ({ kind: 'number', ...defined({ min, max }) })
/** A whole number within ±(2⁵³ − 1), bounds included. */
export const integer = (min?: number, max?: number): NumberShape => ({ ...number(min, max), kind: 'integer' })
/** One of some words. */
export const choice = (...values: readonly string[]): ChoiceShape => ({ kind: 'choice', values })
/** An array of one shape, its length within bounds. */
export const list = (items: Shape, min?: number, max?: number): ListShape => ({ kind: 'list', items, ...defined({ min, max }) })
/** A free map: any names (or those of shape `keys`), values of one shape. */
export const map = (values: Shape, keys?: TextShape): MapShape => ({ kind: 'map', values, ...defined({ keys }) })
/** An object with declared fields. */
export const object = (
  name: string, fields: Readonly<Record<string, Field>>, more: Pick<ObjectShape, 'kinds' | 'rule'> = {},
): ObjectShape => ({ kind: 'object', name, fields, ...more })
/** One of several shapes. */
export const either = (...options: readonly Shape[]): EitherShape => ({ kind: 'either', options })
/** Any JSON at all. */
export const any: AnyShape = { kind: 'any' }
/** Any JSON object. */
export const anyObject: AnyShape = { kind: 'any', object: true }
/** true or false. */
export const flag: FlagShape = { kind: 'flag' }
/** null. */
export const nothing: NullShape = { kind: 'null' }
/** A document within a document. */
export const nested: NestedShape = { kind: 'document' }

/** A shape in words, as it stands after `expected` in a message. */
export function describeShape(shape: Shape): string {
  switch (shape.kind) {
    case 'text':
      return shape.name ?? `a string${between(shape, 'characters')}${shape.noControl === true ? ' without control characters' : ''}`
    case 'number': return `a number${range(shape)}`
    case 'integer': return `an integer${range(shape)}`
    case 'choice': return shape.values.length === 1 ? String(shape.values[0]) : `one of ${shape.values.join(', ')}`
    case 'list': return `an array${between(shape, 'entries')}`
    case 'tuple': return shape.name
    case 'map': return 'an object'
    case 'object': return shape.rule?.says ?? `an object (${shape.name})`
    case 'either': return shape.options.map(describeShape).join(' or ')
    case 'any': return shape.object === true ? 'an object' : 'any JSON'
    case 'null': return 'null'
    case 'flag': return 'true or false'
    case 'document': return 'a document'
  }
}

function between({ min, max }: { readonly min?: number; readonly max?: number }, of: string): string {
  return bounds(min, max, 'of', 'of at least', 'of at most', ` ${of}`)
}

function range({ min, max }: NumberShape): string { return bounds(min, max, 'from', 'from', 'up to') }

function bounds(min: number | undefined, max: number | undefined, both: string, least: string, most: string, of = ''): string {
  if (min === undefined) return max === undefined ? '' : ` ${most} ${max}${of}`
  return max === undefined ? ` ${least} ${min}${of}` : ` ${both} ${min} to ${max}${of}`
}
