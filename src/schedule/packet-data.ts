import type { ChannelView } from '../graph/node-definition.js'
import { ArenaAudio } from '../memory/audio-buffer.js'
import type { AudioBuffer } from '../media/audio-buffer.js'
import type { Media } from '../media/media-type.js'
import { BLOCKED_MARK, isBlocker } from '../media/blocker.js'
import type { Packet } from '../media/packet.js'

/** True for packet data that holds a block of the arena. */
export function isAudioBuffer(data: unknown): data is AudioBuffer {
  return typeof data === 'object' && data !== null && 'channel' in data && 'close' in data && 'handle' in data
}

/** True for a packet, whatever is in it. */
export function isPacket(value: unknown): value is Packet {
  return typeof value === 'object' && value !== null && 'data' in value && 'media' in value
    && typeof (value.media as Partial<Media> | null)?.kind === 'string'
}

/** A buffer as a packet, where it stands. */
export function audioPacket(buffer: AudioBuffer): Packet {
  const { rate, channels, format, layout, position, frames } = buffer
  return packetOf({ kind: 'audio', rate, channels, format, layout }, buffer, position, frames)
}

/** Gives back what a packet, or a list, holds of the arena. */
export function releasePacket({ media, data }: Packet): void {
  if (isAudioBuffer(data)) data.close()
  else if (isAudioList(media, data)) for (const item of data) if (isAudioBuffer(item)) item.close()
}

/** Gives back what a record of packets holds, whatever else stands in it. */
export function releaseRecord(record: unknown): void {
  if (typeof record === 'object' && record !== null) for (const packet of Object.values(record)) if (isPacket(packet)) releasePacket(packet)
}

/** A second reference to a packet: audio shares its bytes, other data is the same object. */
export function sharePacket(packet: Packet): Packet {
  const { media, data } = packet
  if (isAudioList(media, data)) return { ...packet, data: data.map((item) => isAudioBuffer(item) ? item.clone() : item) }
  return isAudioBuffer(data) ? { ...packet, data: data.clone() } : packet
}

/** A list of audio: the data of a packet is one buffer otherwise. */
function isAudioList(media: Media, data: unknown): data is readonly unknown[] { return media.kind === 'audio' && Array.isArray(data) }

/** A list as those see it who take it whole: without the places that a blocker holds. */
export function openList(packet: Packet): Packet {
  return packet.metadata[BLOCKED_MARK] === undefined
    ? packet
    : { ...packet, data: (packet.data as unknown[]).filter((item) => !isBlocker(item)) }
}

/** The channels of a packet's audio that a view names, as `media`; takes over the packet. */
export function viewPacket(packet: Packet, view: ChannelView, media: Media): Packet {
  if (!(packet.data instanceof ArenaAudio) || media.kind !== 'audio') return packet
  const data = packet.data.pick(view.first, media.channels, view.downwards)
  packet.data.close()
  return { ...packet, media, data }
}

/** A packet with the fields that the driver knows. */
export function packetOf(media: Media, data: unknown, position: number, duration: number, more: Partial<Packet> = {}): Packet {
  return { media, data, position, duration, streamId: '', seq: 0, arrivalUs: 0, metadata: {}, ...more }
}

/** Arrays are concatenated, typed arrays too; a single value of another kind is the last one. */
export function joinPlain(data: readonly unknown[]): unknown {
  if (data.every((part) => Array.isArray(part))) return data.flat()
  if (data.length > 0 && data.every((part) => ArrayBuffer.isView(part))) {
    const arrays = data as readonly Uint8Array[]
    const joined = new (arrays[0]!.constructor as new (length: number) => Uint8Array)(arrays.reduce((sum, array) => sum + array.length, 0))
    let at = 0
    for (const array of arrays) { joined.set(array, at); at += array.length }
    return joined
  }
  return data.at(-1)
}
