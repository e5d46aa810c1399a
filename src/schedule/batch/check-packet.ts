import { show } from '../../errors/show.js'
import { FIELDS as KINDS } from '../../graph/negotiate/domain.js'
import type { PacketRecord } from '../../graph/node-definition.js'
import { DTYPE_BYTES } from '../../media/dtype.js'
import type { Media, MediaConstraint } from '../../media/media-type.js'
import { scheduleErrors } from '../errors.js'
import { isBlocker } from '../../media/blocker.js'
import { describeMedia, sameMedia } from '../media-text.js'
import { isAudioBuffer } from '../packet-data.js'

/** What an output should have been given, and was given; `field` of the packet, undefined: as a whole. Throws. */
export type Refuse = (expected: string, got: string, field?: string) => never

/** Fields without which nobody can read a packet of these media. */
const FIELDS: Readonly<Partial<Record<string, Readonly<Record<string, string>>>>> = {
  audio: { rate: 'number', channels: 'number', format: 'string', layout: 'string' }, tensor: { dtype: 'string', shape: 'object' },
  events: { schema: 'string', timebase: 'number' }, tokens: { vocab: 'number', codebooks: 'number' },
  video: { width: 'number', height: 'number', format: 'string', fps: 'number', still: 'boolean' },
}

/**
 * Refuses what a node gave in place of a packet of its port's media, field by field (GR-27). `list`: its data is an
 * array of items. Throws what `refuse` throws.
 */
export function checkPacket(packet: unknown, media: MediaConstraint, list: boolean, refuse: Refuse): void {
  if (typeof packet !== 'object' || packet === null || Array.isArray(packet)) return refuse('a packet', show(packet))
  // As it goes on: own fields only.
  const { media: own, data, position, duration, metadata, streamId } = { ...packet as Readonly<Record<string, unknown>> }
  const fields = { ...own as Readonly<Record<string, unknown>> | undefined }, kind = fields['kind'] as string
  const allowed = media.kind === 'oneOf' ? media.options.map((option) => option.kind) : [media.kind]
  if (typeof kind !== 'string' || !Object.hasOwn(KINDS, kind)) refuse('media with a kind', show(own), 'media')
  if (!allowed.some((one) => one === kind || one === 'any' || one === 'match')) refuse(allowed.join(' or '), show(kind), 'media.kind')
  for (const [name, type] of Object.entries(FIELDS[kind] ?? {})) if (typeof fields[name] !== type || fields[name] === null) {
    refuse(type === 'object' ? 'an array' : `a ${type}`, show(fields[name]), `media.${name}`)
  }
  if (typeof metadata !== 'object' || metadata === null) refuse('an object', show(metadata), 'metadata')
  if (typeof streamId !== 'string' && streamId !== undefined) refuse('a string', show(streamId), 'streamId')
  for (const [name, value, least] of [['position', position, -Infinity], ['duration', duration, 0]] as const) {
    if (!Number.isFinite(value) || value as number < least) refuse(least === 0 ? 'a number, 0 or more' : 'a number', show(value), name)
  }
  if (list) {
    if (!Array.isArray(data)) return refuse('a list', show(data), 'data')
    let n = 0
    for (const item of data as unknown[]) { if (!isBlocker(item)) checkData(item, own as Media, refuse, `data[${n}]`); n++ }
    return
  }
  checkData(data, own as Media, refuse, 'data')
  if (!isAudioBuffer(data)) return
  const { rate, channels, format, layout, frames } = data, is: Media = { kind: 'audio', rate, channels, format, layout }
  if (!sameMedia(is, own as Media)) refuse(`those of its data, ${describeMedia(is)}`, describeMedia(own as Media), 'media')
  if (frames !== duration) refuse(`the ${frames} frames of its data`, show(duration), 'duration')
}

function checkData(data: unknown, media: Media, refuse: Refuse, at: string): void {
  const view = ArrayBuffer.isView(data) ? (data as Uint8Array).BYTES_PER_ELEMENT : 0
  const no = (expected: string): never => refuse(expected, show(data), at)
  switch (media.kind) {
    case 'audio': if (!isAudioBuffer(data)) no('an AudioBuffer'); return
    case 'text': if (typeof data !== 'string') no('a string'); return
    case 'bytes': if (!(data instanceof Uint8Array)) no('a Uint8Array'); return
    case 'tokens': if (!(data instanceof Int32Array)) no('an Int32Array'); return
    case 'tensor': if (!view || view !== DTYPE_BYTES[media.dtype]) no(`a typed array of ${media.dtype}`); return
    case 'events': {
      if (!Array.isArray(data)) return no('an array of events')
      const hole = data.findIndex((event: unknown) => event === undefined)
      if (hole >= 0) refuse('an event', 'nothing', `${at}[${hole}]`)
      return
    }
    default: if (data === undefined) no('a value')
  }
}

/** What a node gave as a record of packets. Throws `OUTPUT_INVALID`. */
export function asRecord(got: unknown, node: string): PacketRecord {
  if (typeof got !== 'object' || got === null) {
    throw scheduleErrors.OUTPUT_INVALID({ port: `${node}.*`, expected: 'a record of packets by output', got: show(got) })
  }
  return got as PacketRecord
}
