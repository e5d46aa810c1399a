import type { Media, MediaConstraint, MediaKind } from '../../media/media-type.js'
import { constraintDomain } from './constraints.js'
import { admits, fieldAt, fieldIndex, fieldName, FIELDS, FIRST_DIMENSION, exactly, type Alternative, type Domain } from './domain.js'
import { isAny, onlyValue, type FieldDomain, type FieldValue } from './field-domain.js'

/** Media as text: `audio 48000 Hz, 2 channels, i16, interleaved`. */
export function describeMedia(media: Media): string { return describeDomain(exactly(media)) }

/** What a port takes or gives, as text: `audio from 8000 to 48000 Hz, 1 channel`; fields without limits are left out. */
export function describeDomain(domain: Domain): string {
  return domain === null ? 'any media' : domain.map(describeAlternative).join(' or ')
}

/** A declared constraint as text, before params and neighbours are known. */
export function describeConstraint(media: MediaConstraint): string { return describeDomain(constraintDomain(media)) }

/** Does a constraint without functions or neighbours allow this media? */
export function admitsMedia(constraint: MediaConstraint, media: Media): boolean { return admits(constraintDomain(constraint), media) }

/** Some fields of a domain as text: `48000 Hz, 2 channels`. */
export function describeFields(domain: Domain, names: readonly string[]): string {
  if (domain === null) return 'anything'
  return domain.map((one) => names.map((name) => {
    const at = fieldIndex(one.kind, name)
    return at < 0 ? 'anything' : describeField(one.kind, at, fieldAt(one, at))
  }).join(', ')).join(' or ')
}

function describeAlternative(one: Alternative): string {
  const words: string[] = []
  const length = Math.max(FIELDS[one.kind].length, one.fields.length)
  for (let i = 0; i < length; i++) {
    if (one.kind === 'tensor' && i >= FIRST_DIMENSION - 1) break
    const field = fieldAt(one, i)
    if (!saysNothing(one.kind, i, field)) words.push(describeField(one.kind, i, field))
  }
  if (one.kind === 'tensor') words.push(...shapeText(one))
  return words.length === 0 ? one.kind : `${one.kind} ${words.join(', ')}`
}

function shapeText(one: Alternative): string[] {
  const rank = onlyValue(fieldAt(one, FIRST_DIMENSION - 1))
  if (typeof rank !== 'number') return []
  return [`shape [${Array.from({ length: rank }, (_, d) => String(onlyValue(fieldAt(one, FIRST_DIMENSION + d)) ?? '?')).join(', ')}]`]
}

/** A field that allows all that its kind allows. */
function saysNothing(kind: MediaKind, at: number, field: FieldDomain): boolean {
  if (isAny(field)) return true
  if (kind !== 'audio') return false
  const name = FIELDS.audio[at]
  if (field.values !== null) return field.values.length === (name === 'format' ? 4 : name === 'layout' ? 2 : Infinity)
  return name === 'rate' ? field.min <= 1 && field.max >= 768_000 : field.min <= 1 && field.max >= 64
}

function describeField(kind: MediaKind, at: number, field: FieldDomain): string {
  const name = fieldName(kind, at)
  if (field.open) return `${name} not known yet`
  if (field.values !== null) {
    return unit(name, field.values.map(String).join(' or '), field.values.length === 1 ? field.values[0] : undefined)
  }
  if (isAny(field)) return `any ${name}`
  const steps = field.grids.filter((grid) => grid.step !== 1).map((grid) => ` in steps of ${grid.step}`).join('')
  const text = field.min === -Infinity ? `up to ${field.max}`
    : field.max === Infinity ? `from ${field.min}`
    : `${field.min} to ${field.max}`
  return unit(name, text + steps, undefined)
}

function unit(name: string, text: string, single: FieldValue | undefined): string {
  switch (name) {
    case 'rate': case 'timebase': return `${text} Hz`
    case 'channels': return `${text} ${single === 1 ? 'channel' : 'channels'}`
    case 'format': case 'layout': case 'dtype': case 'tag': return text
    default: return `${name} ${text}`
  }
}
