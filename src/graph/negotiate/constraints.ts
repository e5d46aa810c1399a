import type {
  FieldConstraint, FromParams, Media, MediaConstraint, MediaKind, Range, SameAs, SimpleConstraint,
} from '../../media/media-type.js'
import { linkableInputs } from '../driven-params.js'
import type { NodeDefinition } from '../node-definition.js'
import { FIELDS, FIRST_DIMENSION, revise, type Alternative, type Domain, type FieldPlace } from './domain.js'
import { ANY, meet, onlyValue, rangeDomain, valuesDomain, type FieldDomain, type FieldValue } from './field-domain.js'

/** A field taken from params and the media of inputs, not evaluated yet. */
export interface FieldFunction extends FieldPlace { readonly of: FromParams<unknown> }
/** Field `field` of this port equals field `other` of port `port`. */
export interface FieldLink { readonly field: string; readonly port: string; readonly other: string }

/** A port's constraint in the form the solver works on. Shared by all nodes of a type: holds nothing of one node. */
export interface CompiledPort {
  readonly name: string
  readonly input: boolean
  readonly multi: boolean
  readonly optional: boolean
  readonly own: Domain
  readonly functions: readonly FieldFunction[]
  readonly links: readonly FieldLink[]
  /** The port that all fields are linked to, when nothing else is said of any. */
  readonly like?: string
  /** Type variable: all ports of the node with this name carry the same media. */
  readonly group?: string
  /** Names of a tensor's open dimensions, by position. */
  readonly dimensions: readonly (string | null)[]
  /** Media come with the first packet. */
  readonly discovered: boolean
}

/** What every value of a field obeys, whatever a port declares (spec graph.md section 4). */
const LAWS: Readonly<Partial<Record<MediaKind, Readonly<Record<string, FieldDomain>>>>> = {
  audio: {
    rate: /* @__PURE__ */ rangeDomain({ min: 1, max: 768_000 }), channels: /* @__PURE__ */ rangeDomain({ min: 1, max: 64, step: 1 }),
    format: /* @__PURE__ */ valuesDomain(['f32', 'i16', 'i32', 'u8']), layout: /* @__PURE__ */ valuesDomain(['planar', 'interleaved']),
  },
  tokens: { codebooks: /* @__PURE__ */ rangeDomain({ min: 1, max: 64, step: 1 }) },
  video: {
    width: /* @__PURE__ */ rangeDomain({ min: 1, max: 16_384, step: 1 }),
    height: /* @__PURE__ */ rangeDomain({ min: 1, max: 16_384, step: 1 }),
    still: /* @__PURE__ */ valuesDomain([false, true]),
    matrix: /* @__PURE__ */ valuesDomain(['bt601', 'bt709', 'bt2020', 'rgb']), range: /* @__PURE__ */ valuesDomain(['full', 'limited']),
  },
}
/** Between kernels audio is `f32` planar unless a port says otherwise. */
const KERNEL_AUDIO: Readonly<Record<string, FieldDomain>> = {
  format: /* @__PURE__ */ valuesDomain(['f32']), layout: /* @__PURE__ */ valuesDomain(['planar']),
}

/** All ports of a node type in order of declaration: inputs, params that edges drive, outputs. */
export function compilePorts(definition: NodeDefinition): readonly CompiledPort[] {
  const kernel = definition.kernel !== undefined
  return [
    ...Object.entries(linkableInputs(definition))
      .map(([name, { media, optional, multi }]) => compilePort(name, media, { kernel, input: true, optional, multi })),
    ...Object.entries(definition.outputs).map(([name, { media }]) => compilePort(name, media, { kernel, input: false })),
  ]
}

/** What a constraint allows by itself, before params and neighbours are known. */
export function constraintDomain(media: MediaConstraint): Domain { return compilePort('port', media, { kernel: false, input: true }).own }

/** Ports of one node that says of some what they carry; a port of which nothing would be left stays as it is, and validation tells. */
export function constrainPorts(ports: readonly CompiledPort[], media: Readonly<Record<string, MediaConstraint>>): readonly CompiledPort[] {
  return ports.map((port) =>
    Object.hasOwn(media, port.name) ? { ...port, own: revise(port.own, constraintDomain(media[port.name]!)) ?? port.own } : port)
}

interface PortFacts {
  readonly kernel: boolean
  readonly input: boolean
  readonly optional?: boolean | undefined
  readonly multi?: boolean | undefined
}

function compilePort(name: string, media: MediaConstraint, { kernel, input, optional = false, multi = false }: PortFacts): CompiledPort {
  const base = { name, input, optional, multi }
  if (media.kind === 'any') return { ...base, own: null, functions: [], links: [], dimensions: [], discovered: false }
  if (media.kind === 'match') return { ...base, own: null, functions: [], links: [], group: media.name, dimensions: [], discovered: false }
  const options = media.kind === 'oneOf' ? media.options : [media]
  const functions: FieldFunction[] = [], links: FieldLink[] = [], dimensions: (string | null)[] = []
  const own = options.map((option) => compileOption(option, kernel, input, functions, links, dimensions))
  const like = options.length === 1 && Object.keys(options[0]!).every((key) => key === 'kind' || key === 'like')
    ? options[0]!.like
    : undefined
  return {
    ...base, own, functions, links, dimensions,
    discovered: options.some((option) => option.discovered === true),
    ...(like !== undefined && { like }),
  }
}

function compileOption(
  option: SimpleConstraint, kernel: boolean, input: boolean, functions: FieldFunction[], links: FieldLink[], dimensions: (string | null)[],
): Alternative {
  const record = option as unknown as Readonly<Record<string, unknown>>
  const fields = FIELDS[option.kind].map((field, at) => {
    const law = LAWS[option.kind]?.[field] ?? ANY
    const given = record[field] as FieldConstraint<FieldValue> | undefined
    if (given === undefined) {
      if (option.like !== undefined) links.push({ field, port: option.like, other: field })
      else if (kernel && option.kind === 'audio' && KERNEL_AUDIO[field] !== undefined) return KERNEL_AUDIO[field]
      return law
    }
    if (typeof given === 'function') { functions.push({ kind: option.kind, field: at, of: given as FromParams<unknown> }); return law }
    if (isSameAs(given)) { links.push({ field, port: given.sameAs, other: field }); return law }
    const mine = input ? takenDomain({ kind: option.kind, field: at }, fieldDomain(given)) : fieldDomain(given)
    return meet(mine, law) ?? mine
  })
  if (option.kind === 'tensor') addShape(option.shape, option.like, fields, links, dimensions)
  const open = option.discovered === true
  return { kind: option.kind, fields: open ? fields.map((field) => onlyValue(field) === undefined ? { ...field, open } : field) : fields }
}

function addShape(
  shape: readonly (number | string | null)[] | undefined, like: string | undefined, fields: FieldDomain[], links: FieldLink[],
  dimensions: (string | null)[],
): void {
  if (shape === undefined) {
    for (let d = 0; like !== undefined && d < 8; d++) links.push({ field: `d${d}`, port: like, other: `d${d}` })
    return
  }
  fields[FIRST_DIMENSION - 1] = valuesDomain([shape.length])
  shape.forEach((length, d) => {
    fields.push(typeof length === 'number' ? valuesDomain([length]) : ANY)
    const name = typeof length === 'string' ? length : null
    // Of several shapes names count where all have them.
    dimensions[d] = d in dimensions && dimensions[d] !== name ? null : name
  })
}

/** Domain of a field that is given as a value, a set or a range. */
export function fieldDomain(given: FieldValue | readonly FieldValue[] | Range): FieldDomain {
  if (typeof given !== 'object') return valuesDomain([given])
  return isList(given) ? valuesDomain(given) : rangeDomain(given)
}

/** What an input takes where it names a value: of bytes at most so many, which fewer are too. */
export function takenDomain({ kind, field }: FieldPlace, named: FieldDomain): FieldDomain {
  return kind === 'bytes' && FIELDS.bytes[field] === 'maxBytes'
    ? rangeDomain({ max: Math.max(...(named.values ?? [named.max]) as number[]) })
    : named
}

/** Domain of what a field function returned, that of one value made by `only`; undefined when that is no constraint. */
export function functionDomain(result: unknown, only: (value: FieldValue) => FieldDomain): FieldDomain | undefined {
  if (typeof result === 'string' || typeof result === 'number' || typeof result === 'boolean') return only(result)
  if (typeof result !== 'object' || result === null || isSameAs(result)) return undefined
  return fieldDomain(result as readonly FieldValue[] | Range)
}

/** The value taken for a field when neither producer nor consumer prefers one: audio 48 000 Hz, 2 channels, `f32` planar. */
export function defaultOf(kind: MediaKind, field: string): FieldValue | undefined { return DEFAULTS[kind]?.[field] }
const DEFAULTS: Readonly<Partial<Record<MediaKind, Readonly<Record<string, FieldValue>>>>> = {
  audio: { rate: 48_000, channels: 2, format: 'f32', layout: 'planar' },
  tensor: { dtype: 'f32', rank: 1 },
  events: { timebase: 1_000_000 },
  tokens: { codebooks: 1 },
}

/** Fields without which a media type is not complete. */
const REQUIRED: Readonly<Partial<Record<MediaKind, readonly string[]>>> = {
  audio: ['rate', 'channels', 'format', 'layout'], tensor: ['dtype', 'rank'], events: ['schema', 'timebase'],
  tokens: ['vocab', 'codebooks'],
  video: ['width', 'height', 'format', 'fps', 'still'],
}

/** The media of a decided domain; undefined while a required field is open or undecided. */
export function mediaOf(domain: Domain, dimensions: readonly (string | null)[] = []): Media | undefined {
  const one = domain?.[0]
  if (one === undefined || domain?.length !== 1) return undefined
  const names = FIELDS[one.kind], required = REQUIRED[one.kind] ?? []
  const media: Record<string, unknown> = { kind: one.kind }
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!, field = one.fields[i] ?? ANY
    const value = field.open ? undefined : onlyValue(field)
    if (value === undefined && required.includes(name)) return undefined
    if (value === undefined || name === 'rank') continue
    media[name] = value
  }
  if (one.kind === 'tensor') {
    const rank = onlyValue(one.fields[FIRST_DIMENSION - 1] ?? ANY) as number
    media['shape'] = Array.from({ length: rank }, (_, d) => onlyValue(one.fields[FIRST_DIMENSION + d] ?? ANY) ?? dimensions[d] ?? null)
  }
  return media as unknown as Media
}

function isSameAs(value: unknown): value is SameAs { return typeof value === 'object' && value !== null && 'sameAs' in value }
function isList(value: object): value is readonly FieldValue[] { return Array.isArray(value) }
