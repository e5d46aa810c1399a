import type { Arena } from '../memory/arena.js'
import { ARRAY_OF, ArenaAudio } from '../memory/audio-buffer.js'
import type { CopyLedger } from '../memory/copies.js'
import type { Holder } from '../memory/leases.js'
import type { Packet } from '../media/packet.js'
import { packetOf, releasePacket } from '../schedule/packet-data.js'
import type { WirePacket } from './protocol.js'

/** A packet ready to be posted, and what is transferred with it. */
export interface PackedPacket { readonly wire: WirePacket; readonly transfer: ArrayBuffer[]; /** Bytes copied out of the arena. */ readonly bytes: number }

/** Copies a packet out of its arena and releases it. Audio: one counted copy (MW-57); other data is cloned when posted. */
export function packPacket(packet: Packet, edge: string): PackedPacket {
  const { media, data, position, duration, metadata } = packet
  if (!(data instanceof ArenaAudio)) return { wire: { media, data, position, duration, metadata }, transfer: [], bytes: 0 }
  const samples = data.toArray({ edge, reason: 'thread' }), bytes = samples.buffer as ArrayBuffer, frames = data.frames
  releasePacket(packet)
  return { wire: { media, data: null, position, duration, metadata, audio: { bytes, frames } }, transfer: [bytes], bytes: bytes.byteLength }
}

/** Bytes of a packet's audio. */
export function wireBytes({ audio }: WirePacket): number { return audio?.bytes.byteLength ?? 0 }

/** A second packet of the same data: audio is copied, because a buffer can be moved only once. */
export function copyWire(wire: WirePacket): WirePacket { return wire.audio === undefined ? wire : { ...wire, audio: { ...wire.audio, bytes: wire.audio.bytes.slice(0) } } }

/** Copies a posted packet into an arena. Audio: one counted copy, charged to `to`; its lease is `to.holder`'s. */
export function unpackPacket(arena: Arena, { media, data, position, duration, metadata, audio }: WirePacket, edge: string, to: { readonly holder?: Holder; readonly ledger?: CopyLedger } = {}): Packet {
  if (audio === undefined || media.kind !== 'audio') return packetOf(media, data, position, duration, { metadata })
  const { rate, channels, format, layout } = media, samples = channels * audio.frames
  const block = arena.alloc({ dtype: format, shape: [samples] }, to.holder === undefined ? {} : { holder: to.holder })
  const shape = { rate, channels, frames: audio.frames, format, layout, position, speakers: channels === 1 ? 'mono' : channels === 2 ? 'stereo' : 'discrete' } as const
  const buffer = new ArenaAudio(arena, block, shape)
  arena.copy(buffer.tryView(ARRAY_OF[format])!, new Uint8Array(audio.bytes), { edge, reason: 'thread', ...(to.ledger && { ledger: to.ledger }) })
  return packetOf(media, buffer, position, duration, { metadata })
}
