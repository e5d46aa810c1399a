import type { MediaConstraint } from '../../media/media-type.js'
import { defined, put } from '../defined.js'
import type { NodeDefinition } from '../node-definition.js'
import { escapePointer } from '../pointer.js'
import { nodeShape } from '../schema/document-shape.js'
import { fitShape, isObject } from '../schema/fit-shape.js'
import type { MapShape } from '../schema/shape.js'
import type { Report } from './report.js'
import type { Json } from './source.js'

/** Fields of RemoteMedia's audio capabilities and ours. */
const FIELDS: Readonly<Record<string, string>> = { sample_rate: 'rate', channels: 'channels', format: 'format', layout: 'layout' }
const FORMATS: Readonly<Record<string, string>> = { f32: 'f32', i16: 'i16', s16: 'i16', i32: 'i32', s32: 'i32', u8: 'u8' }

/** What a constraint is in a document. */
const MEDIA = (nodeShape.fields['media']!.shape as MapShape).values

/**
 * `media_capabilities` of a RemoteMedia manifest v1 as constraints of a node's ports:
 * `{ inputs: { port: { sample_rate, channels, format } }, outputs: … }`, values exact, lists, `{ min, max }`, `{ exact }` or `{ set }`.
 * Port `default` is the only port, else the first declared. What has no place here is dropped in the report.
 */
export function portConstraints(
  capabilities: unknown, definition: NodeDefinition | undefined, pointer: string, report: Report,
): Readonly<Record<string, MediaConstraint>> | undefined {
  const ports: Record<string, MediaConstraint> = {}
  if (!isObject(capabilities)) { report.drop(pointer, 'no object'); return undefined }
  for (const [side, given] of Object.entries(capabilities)) {
    if ((side !== 'inputs' && side !== 'outputs') || !isObject(given)) {
      report.drop(`${pointer}/${escapePointer(side)}`, 'neither inputs nor outputs')
      continue
    }
    for (const [name, fields] of Object.entries(given)) {
      const at = `${pointer}/${side}/${escapePointer(name)}`, declared = Object.keys(definition?.[side] ?? {})
      const port = declared.includes(name) || name !== 'default' ? name : declared[0]
      if (port === undefined) { report.drop(at, 'which port it is cannot be told without the type'); continue }
      if (!isObject(fields)) { report.drop(at, 'no object'); continue }
      const constraint = constraintOf(fields, at, report)
      if (constraint !== undefined) put(ports, port, constraint)
    }
  }
  return Object.keys(ports).length === 0 ? undefined : ports
}

function constraintOf(fields: Json, pointer: string, report: Report): MediaConstraint | undefined {
  const { type = 'audio', ...rest } = fields, constraint: Record<string, unknown> = { kind: type }
  if (type !== 'audio') { report.drop(pointer, `${String(type)} has no fields to constrain`); return undefined }
  for (const [name, given] of Object.entries(rest)) {
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name]! : undefined
    const value = field === undefined ? undefined : valueOf(given, name === 'format')
    // Only what the document may say: rates below 1, 1.5 channels and layouts that are none stay out.
    if (value === undefined || fitShape(MEDIA, { kind: 'audio', [field!]: value }) === 0) {
      report.drop(`${pointer}/${escapePointer(name)}`, 'no constraint of audio')
    } else {
      constraint[field!] = value
    }
  }
  return constraint as unknown as MediaConstraint
}

/** A value, a list or a range; undefined for anything else. */
function valueOf(given: unknown, format: boolean): unknown {
  if (Array.isArray(given)) {
    const all = given.map((one) => valueOf(one, format))
    return all.length > 0 && all.every((one) => one !== undefined && typeof one !== 'object') ? all : undefined
  }
  if (isObject(given)) {
    if ('exact' in given) return valueOf(given['exact'], format)
    if ('set' in given) return valueOf(given['set'], format)
    const { min, max, ...others } = given
    return !format && Object.keys(others).length === 0 && [min, max].every((one) => one === undefined || typeof one === 'number')
      && (min ?? max) !== undefined ? { ...(min !== undefined && { min }), ...(max !== undefined && { max }) } : undefined
  }
  if (typeof given === 'string') {
    return format ? Object.hasOwn(FORMATS, given.toLowerCase()) ? FORMATS[given.toLowerCase()] : undefined : given
  }
  return typeof given === 'number' && !format ? given : undefined
}

/**
 * The other way round; what the dialect has no word for is left out. Sides are told by the type; ports of an unknown type count as inputs.
 */
export function mediaCapabilities(media: Readonly<Record<string, MediaConstraint>>, definition: NodeDefinition | undefined): Json {
  const sides: Record<string, Record<string, unknown>> = {}
  for (const [port, constraint] of Object.entries(media)) {
    const side = definition !== undefined && Object.hasOwn(definition.outputs, port) ? 'outputs' : 'inputs'
    const fields: Record<string, unknown> = {}
    // `default` would be read as the first port.
    if (constraint.kind !== 'audio' || (port === 'default' && definition !== undefined && !Object.hasOwn(definition[side], port))) continue
    for (const [name, ours] of Object.entries(FIELDS)) {
      const value = (constraint as unknown as Json)[ours]
      if (value === undefined) continue
      if (!isObject(value)) fields[name] = value
      else if (value['min'] !== undefined || value['max'] !== undefined) fields[name] = defined({ min: value['min'], max: value['max'] })
    }
    put(sides[side] ??= {}, port, fields)
  }
  return sides
}
