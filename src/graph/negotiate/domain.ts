import type { Media, MediaKind } from '../../media/media-type.js'
import { ANY, meet, onlyValue, reviseField, valuesDomain, within, type FieldDomain, type FieldValue } from './field-domain.js'

/**
 * One kind of media with what each of its fields may still be; fields stand in the order of {@link FIELDS}, missing ones are unconstrained.
 */
export interface Alternative { readonly kind: MediaKind; readonly fields: readonly FieldDomain[] }
/** What a port may still carry: one of the alternatives, first preferred; null = anything. */
export type Domain = readonly Alternative[] | null

/**
 * Fields of each media kind, in the order in which they are decided. A tensor's shape is its `rank` and one field per dimension (`d0`,
 * `d1`, …), which follow the listed ones.
 */
export const FIELDS: Readonly<Record<MediaKind, readonly string[]>> = {
  audio: ['rate', 'channels', 'format', 'layout'],
  tensor: ['dtype', 'tag', 'rank'],
  events: ['schema', 'timebase'],
  text: ['language'],
  tokens: ['vocab', 'codebooks'],
  json: ['schema'],
  bytes: ['mime', 'maxBytes'],
  video: ['width', 'height', 'format', 'fps', 'still', 'matrix', 'range'],
}
/** Position of a tensor's first dimension. */
export const FIRST_DIMENSION = 3

/** Position of a field, or −1 when the kind has no such field. */
export function fieldIndex(kind: MediaKind, name: string): number {
  const at = FIELDS[kind].indexOf(name)
  if (at >= 0 || kind !== 'tensor') return at
  const match = /^d(\d+)$/.exec(name)
  return match === null ? -1 : FIRST_DIMENSION + Number(match[1])
}

/** Name of the field at a position. */
export function fieldName(kind: MediaKind, index: number): string { return FIELDS[kind][index] ?? `d${index - FIRST_DIMENSION}` }

/** Field of an alternative; unconstrained when not mentioned. */
export function fieldAt(alternative: Alternative, index: number): FieldDomain { return alternative.fields[index] ?? ANY }

/** The alternative with one field replaced. */
export function withField(alternative: Alternative, index: number, field: FieldDomain): Alternative {
  const fields = alternative.fields.slice()
  while (fields.length < index) fields.push(ANY)
  fields[index] = field
  return { kind: alternative.kind, fields }
}

/**
 * Narrows `target` by what `source` allows (see `reviseField` for open fields). The same object when nothing changes, null-free empty list
 * never: `undefined` = nothing left.
 */
export function revise(target: Domain, source: Domain): Domain | undefined {
  if (source === null || source === target) return target
  if (target === null) return source
  const kept: Alternative[] = []
  for (const mine of target) {
    for (const other of source) {
      const one = reviseAlternative(mine, other)
      if (one !== undefined && !kept.some((better) => contains(better, one))) kept.push(one)
    }
  }
  // Equal ports share one object.
  return kept.length === 0
    ? undefined
    : [target, source].find((domain) => kept.length === domain.length && kept.every((one, i) => one === domain[i])) ?? kept
}

/** Narrows field `targetField` of `target` by the values that field `sourceField` of `source` may take. */
export function reviseOneField(target: Domain, targetField: string, source: Domain, sourceField: string): Domain | undefined {
  if (target === null || source === null) return target
  const other = unionOfField(source, sourceField)
  if (other === undefined) return target
  return reviseAt(target, ({ kind }) => fieldIndex(kind, targetField), other)
}

/** A field of one kind of media. */
export interface FieldPlace { readonly kind: MediaKind; readonly field: number }

/** A domain with one field of one kind narrowed; undefined = nothing left. */
export function narrowField(domain: Domain, { kind, field }: FieldPlace, value: FieldDomain): Domain | undefined {
  return domain && reviseAt(domain, (one) => one.kind === kind ? field : -1, value)
}

/** Narrows the field at a place of each alternative; at −1 it has none. */
function reviseAt(target: readonly Alternative[], placeIn: (one: Alternative) => number, by: FieldDomain): Domain | undefined {
  const kept = target.flatMap((mine) => {
    const at = placeIn(mine), before = fieldAt(mine, at), after = at < 0 ? before : reviseField(before, by)
    return after === null ? [] : after === before ? mine : withField(mine, at, after)
  })
  return kept.length === 0 ? undefined : kept.length === target.length && kept.every((one, i) => one === target[i]) ? target : kept
}

/**
 * The target itself when nothing changes, the source itself when all is its: equal ports then share one
 * object, which makes the next comparison free.
 */
function reviseAlternative(target: Alternative, source: Alternative): Alternative | undefined {
  if (target === source) return target
  if (target.kind !== source.kind) return undefined
  const length = Math.max(target.fields.length, source.fields.length)
  let changed = false, taken = length === source.fields.length
  const fields: FieldDomain[] = new Array<FieldDomain>(length)
  for (let i = 0; i < length; i++) {
    const before = target.fields[i] ?? ANY, other = source.fields[i] ?? ANY
    const after = reviseField(before, other)
    if (after === null) return undefined
    if (after !== before) changed = true
    if (after !== other) taken &&= sameField(after, other)
    fields[i] = after
  }
  return !changed ? target : taken ? source : { kind: target.kind, fields }
}

/** Equal single values; other equal domains are not worth finding. */
function sameField(a: FieldDomain, b: FieldDomain): boolean {
  return a.open === b.open && a.values?.length === 1 && b.values?.length === 1 && a.values[0] === b.values[0]
}

/**
 * The values a field may take over all alternatives; undefined when that says nothing (a kind without
 * the field, or ranges that cannot be joined).
 */
function unionOfField(domain: readonly Alternative[], name: string): FieldDomain | undefined {
  let union: FieldDomain | undefined
  for (const alternative of domain) {
    const at = fieldIndex(alternative.kind, name)
    if (at < 0) return undefined
    const field = fieldAt(alternative, at)
    if (union === undefined) union = field
    else if (union.values === null || field.values === null) return undefined
    else union = { ...union, values: [...new Set([...union.values, ...field.values])], open: union.open || field.open }
  }
  return union
}

function contains(outer: Alternative, inner: Alternative): boolean {
  if (outer.kind !== inner.kind) return false
  const length = Math.max(outer.fields.length, inner.fields.length)
  for (let i = 0; i < length; i++) if (!within(fieldAt(inner, i), fieldAt(outer, i))) return false
  return true
}

/** The domain of exactly this media. */
export function exactly(media: Media): Domain {
  const record = media as unknown as Readonly<Record<string, unknown>>
  const fields = FIELDS[media.kind].map((name) => {
    const value = name === 'rank' && media.kind === 'tensor' ? media.shape.length : record[name]
    return value === undefined || value === null ? ANY : valuesDomain([value as FieldValue])
  })
  if (media.kind === 'tensor') for (const length of media.shape) fields.push(typeof length === 'number' ? valuesDomain([length]) : ANY)
  return [{ kind: media.kind, fields }]
}

/** True when the media is one of those allowed. Open fields count as what they may be. */
export function admits(domain: Domain, media: Media): boolean {
  if (domain === null) return true
  const [exact] = exactly(media)!
  return domain.some((one) => one.kind === media.kind && one.fields.every((field, i) => {
    const mine = exact!.fields[i] ?? ANY
    return onlyValue(mine) === undefined || meet(mine, field) !== null
  }))
}

/** Kinds that may still be carried; null = all. */
export function kindsOf(domain: Domain): readonly MediaKind[] | null {
  return domain === null ? null : [...new Set(domain.map((one) => one.kind))]
}

/** True when some field waits for the first packet. */
export function hasOpenField(domain: Domain): boolean {
  return domain !== null && domain.some((one) => one.fields.some((field) => field.open))
}
