import { commonErrors } from '../errors/common-errors.js'
import { checkJson, DEEPEST } from '../graph/check-text.js'
import { defineNode } from '../graph/define-node.js'
import type { GraphNode } from '../graph/graph.js'
import type { InputDeclaration, NodeContext, NodeDefinition, ParamTable, ParamValues, ProbeResult } from '../graph/node-definition.js'
import { anyMedia, type Media, type MediaConstraint, type MediaKind, type SimpleConstraint } from '../media/media-type.js'
import type { Packet } from '../media/packet.js'
import { audioBuffer } from '../nodes/io/audio-buffer.js'
import { describeMedia, sameMedia } from '../schedule/media-text.js'
import { audioPacket, isAudioBuffer, isPacket, packetOf, sharePacket } from '../schedule/packet-data.js'

/** The fields of a packet. What says when and where it came from is no part of what it is: such fields are not hashed. */
const params = /* @__PURE__ */ Object.fromEntries([
  'media', 'data', 'position', 'duration', 'metadata', 'streamId', 'seq', 'arrivalUs',
].map((name, n) => [name, { type: 'json', doc: 'Of the packet.', ...(n > 4 && { cosmetic: true }) }])) as ParamTable

/** Gives one packet, as it is; audio in it stays its owner's. */
const given = (list: boolean): NodeDefinition => defineNode({
  type: list ? 'engine::list-input' : 'engine::input', version: '1.0.0', title: 'Input', doc: 'Gives a value from outside.',
  family: 'engine', costUs: 1, params, inputs: {}, outputs: { out: { media: anyMedia(), list } },
  probe: ({ media, data }) =>
    Promise.resolve({ media: { out: media as Media }, ...(isAudioBuffer(data) && { frames: data.frames }) } satisfies ProbeResult),
  whole: ({ data }) => isAudioBuffer(data),
  async *pull(packet: ParamValues, _ctx: NodeContext) { yield { out: sharePacket(packet as unknown as Packet) } },
}).definition
const single = /* @__PURE__ */ given(false), several = /* @__PURE__ */ given(true)

/** A packet of one kind of media from a value that may stand for it, or nothing. Without a constraint any media of the kind will do. */
type Wrap = (value: unknown, constraint?: SimpleConstraint) => Packet | undefined

/** By kind, those first that say most of a value. */
const WRAPS: readonly (readonly [kind: MediaKind, wrap: Wrap])[] = [
  ['text', (value) => typeof value === 'string' ? packetOf({ kind: 'text' }, value, 0, 0) : undefined],
  [
    'bytes',
    (value) => value instanceof Uint8Array ? packetOf({ kind: 'bytes' }, value, 0, 0)
      : value instanceof ArrayBuffer ? packetOf({ kind: 'bytes' }, new Uint8Array(value), 0, 0)
      : undefined,
  ],
  ['audio', (value) => isAudioBuffer(value) ? audioPacket(value) : undefined],
  ['json', (value) => isJson(value) ? packetOf({ kind: 'json' }, value, 0, 1) : undefined],
  ['events', (value, constraint) => {
    const { schema, timebase } = (constraint ?? {}) as Readonly<Record<string, unknown>>
    return typeof schema === 'string' && typeof timebase === 'number' && Array.isArray(value) && isJson(value)
      ? packetOf({ kind: 'events', schema, timebase }, value, 0, 0)
      : undefined
  }],
]

/** A source that gives one packet as it is; `list`: a list. */
export function packetSource(id: string, packet: Packet, list = false): GraphNode {
  const definition = list ? several : single
  return { id, type: definition.type, definition, params: { ...packet } }
}

/**
 * A source for a value given to a port: audio becomes an `io::audio-buffer`, a packet goes as it is, a string as text, bytes as bytes,
 * other JSON as json, an array as events where `media` tells their schema and timebase, or as a list where each item fits. `port`: who
 * takes it; `declared`: what the graph's input says, in place of the port's media. Undefined: no media of theirs fits.
 */
export function literalSource(id: string, value: unknown, port?: InputDeclaration, declared?: MediaConstraint): GraphNode | undefined {
  const constraints = simple(declared ?? port?.media ?? anyMedia()), kinds = constraints?.map(({ kind }) => kind)
  const packet = (one: Packet, list?: boolean): GraphNode => packetSource(id, one, list)
  if (isPacket(value)) {
    return kinds === undefined || kinds.includes(value.media.kind)
      ? packet({ ...packetOf(value.media, value.data, 0, 0), ...value }, port?.list === true && Array.isArray(value.data))
      : undefined
  }
  const wrap = (one: unknown): Packet | undefined => {
    for (const [kind, make] of WRAPS) {
      const found = constraints === undefined
        ? make(one)
        : constraints.filter((c) => c.kind === kind).map((c) => make(one, c)).find((made) => made !== undefined)
      if (found !== undefined) return found
    }
    return undefined
  }
  const asList = (): GraphNode | undefined => {
    if (!Array.isArray(value) || value.length === 0) return undefined
    const items = value.map((item) => wrap(item)), [first] = items
    if (first === undefined || items.some((item) => item?.media.kind !== first.media.kind)) return undefined
    const other = items.find((item) => !sameMedia(item!.media, first.media))
    if (other !== undefined) {
      throw commonErrors.INVALID_ARGUMENT({
        function: `List for ${id}`, expected: `items of one medium, ${describeMedia(first.media)}`, got: describeMedia(other.media),
      })
    }
    return packet(
      { ...first, data: items.map((item) => item!.data), duration: first.media.kind === 'json' ? items.length : first.duration },
      true,
    )
  }
  const planes = Array.isArray(value) ? value : [value]
  const audio = (kinds?.includes('audio') ?? true) && planes.length > 0
    && (planes.every((plane) => plane instanceof Float32Array) || isAudioBuffer(value))
  if (audio) return { id, type: audioBuffer.definition.type, definition: audioBuffer.definition, params: { data: value } }
  const list = port?.list === true ? asList() : undefined, whole = list === undefined ? wrap(value) : undefined
  return list ?? (whole === undefined ? asList() : packet(whole))
}

/** A constraint's alternatives; undefined: anything. */
function simple(constraint: MediaConstraint): readonly SimpleConstraint[] | undefined {
  return constraint.kind === 'any' || constraint.kind === 'match' ? undefined
    : constraint.kind === 'oneOf' ? constraint.options
    : [constraint]
}

/** Plain data that can be written out. */
function isJson(value: unknown): boolean { return isPlain(value, new Set(), 0) && checkJson(value, '')?.constraint !== 'other' }

function isPlain(value: unknown, seen: Set<object>, depth: number): boolean {
  if (typeof value !== 'object') return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  if (value === null || seen.has(value)) return true
  if (depth > DEEPEST) return false
  seen.add(value)
  if (Array.isArray(value)) return value.every((item) => isPlain(item, seen, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === null || Object.getPrototypeOf(prototype) === null)
    && Object.values(value).every((item) => item === undefined || isPlain(item, seen, depth + 1))
}
