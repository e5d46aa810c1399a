import type { ChannelView } from '../graph/node-definition.js'
import { ArenaAudio } from '../memory/audio-buffer.js'
import type { AudioBuffer } from '../media/audio-buffer.js'
import type { Media } from '../media/media-type.js'
import type { Packet } from '../media/packet.js'

/** True for packet data that holds a block of the arena. */
export function isAudioBuffer(data: unknown): data is AudioBuffer {
  return typeof data === 'object' && data !== null && 'channel' in data && 'close' in data && 'handle' in data
}

/** Gives back what a packet holds of the arena. */
export function releasePacket(packet: Packet): void {
  if (isAudioBuffer(packet.data)) packet.data.close()
}

/** A second reference to a packet: audio shares its bytes, other data is the same object. */
export function sharePacket(packet: Packet): Packet {
  return isAudioBuffer(packet.data) ? { ...packet, data: packet.data.clone() } : packet
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
