import { SAMPLE_BYTES } from '../media/convert-samples.js'
import type { Arena } from '../memory/arena.js'
import { ArenaAudio } from '../memory/audio-buffer.js'
import { copyByTurns, copyParts, TURN_BYTES, type CopyLedger } from '../memory/copies.js'
import type { Holder } from '../memory/leases.js'
import type { AudioMedia } from '../media/media-type.js'
import type { Packet } from '../media/packet.js'
import { joinPlain, packetOf, releasePacket } from '../schedule/packet-data.js'
import type { BufferPool } from './buffer-pool.js'
import type { WirePacket } from './protocol.js'

/** A packet ready to be posted, and what is transferred with it. */
export interface PackedPacket {
  readonly wire: WirePacket
  readonly transfer: ArrayBuffer[]
  /** Bytes copied out of the arena. */
  readonly bytes: number
}

/** Copies a packet out of its arena and releases it. Audio: one counted copy (MW-57); other data is cloned when posted. */
export function packPacket(packet: Packet, edge: string, pool: BufferPool): PackedPacket {
  const { media, data, position, duration, metadata } = packet
  if (!(data instanceof ArenaAudio)) return { wire: { media, data, position, duration, metadata }, transfer: [], bytes: 0 }
  const { frames, samples, format } = data, bytes = samples * SAMPLE_BYTES[format], buffer = pool.take(bytes)
  data.toArray({ edge, reason: 'thread' }, buffer)
  releasePacket(packet)
  return { wire: { media, data: null, position, duration, metadata, audio: { bytes: buffer, frames } }, transfer: [buffer], bytes }
}

/**
 * As {@link packPacket}, by turns where it is long: a whole value takes tens of milliseconds, in which no cancel would be heard (MW-58).
 * Releases the packet in any case; throws what `turn` throws.
 */
export async function packByTurns(
  arena: Arena, packet: Packet, edge: string, pool: BufferPool, turn: () => Promise<void>,
): Promise<PackedPacket> {
  const { media, data, position, duration, metadata } = packet
  if (!(data instanceof ArenaAudio) || data.samples * SAMPLE_BYTES[data.format] <= TURN_BYTES) return packPacket(packet, edge, pool)
  const { frames, strideBytes } = data
  const bytes = data.samples * SAMPLE_BYTES[data.format]
  const rows = strideBytes === 0 ? 1 : data.channels, rowBytes = bytes / rows, buffer = pool.take(bytes)
  try {
    await copyByTurns(rows, rowBytes, (row, from, to) => {
      const at = data.address + row * strideBytes
      return { to: new Uint8Array(buffer, row * rowBytes + from, to - from), from: arena.u8.subarray(at + from, at + to) }
    }, { ledger: arena.copies, edge, reason: 'thread' }, turn)
  } finally { releasePacket(packet) }
  return { wire: { media, data: null, position, duration, metadata, audio: { bytes: buffer, frames } }, transfer: [buffer], bytes }
}

/** Bytes of a packet's audio; its buffer may be longer. */
export function wireBytes({ audio, media }: WirePacket): number {
  return audio === undefined || media.kind !== 'audio' ? 0 : audio.frames * media.channels * SAMPLE_BYTES[media.format]
}

/** A second packet of the same data: audio is copied, because a buffer can be moved only once. */
export function copyWire(wire: WirePacket): WirePacket {
  return wire.audio === undefined ? wire : { ...wire, audio: { ...wire.audio, bytes: wire.audio.bytes.slice(0, wireBytes(wire)) } }
}

/**
 * Copies a posted packet, or the pieces of one in order, into an arena. Audio: one counted copy,
 * charged to `to`; its lease is `to.holder`'s.
 */
export function unpackPacket(
  arena: Arena, list: readonly [WirePacket, ...WirePacket[]], edge: string,
  to: { readonly holder?: Holder; readonly ledger?: CopyLedger } = {},
): Packet {
  const { media, position, audio } = list[0], duration = list.reduce((sum, piece) => sum + piece.duration, 0)
  const metadata = list.at(-1)!.metadata
  if (audio === undefined || media.kind !== 'audio') {
    return packetOf(media, list.length === 1 ? list[0].data : joinPlain(list.map(({ data }) => data)), position, duration, {
      streamId: edge, metadata,
    })
  }
  const frames = list.reduce((sum, piece) => sum + piece.audio!.frames, 0), buffer = audioFor(arena, media, frames, position, to.holder)
  const { channels, format, layout } = media, rows = layout === 'planar' ? channels : 1
  const pitch = buffer.block.bytes / rows, { address } = buffer
  const parts: { readonly to: Uint8Array; readonly from: Uint8Array }[] = []
  let at = 0
  for (const { audio: piece } of list) {
    const bytes = piece!.frames * channels * SAMPLE_BYTES[format] / rows
    for (let row = 0; row < rows && bytes > 0; row++) {
      parts.push({
        to: arena.u8.subarray(address + row * pitch + at, address + row * pitch + at + bytes),
        from: new Uint8Array(piece!.bytes, row * bytes, bytes),
      })
    }
    at += bytes
  }
  copyParts(parts, { ledger: to.ledger ?? arena.copies, edge, reason: 'thread' })
  return packetOf(media, buffer, position, duration, { streamId: edge, metadata })
}

/** As {@link unpackPacket} of one packet, by turns where it is long. Throws what `turn` throws, and keeps nothing then. */
export async function unpackByTurns(arena: Arena, wire: WirePacket, edge: string, turn: () => Promise<void>): Promise<Packet> {
  const { media, position, duration, audio, metadata } = wire, bytes = wireBytes(wire)
  if (audio === undefined || media.kind !== 'audio' || bytes <= TURN_BYTES) return unpackPacket(arena, [wire], edge)
  const buffer = audioFor(arena, media, audio.frames, position)
  const rows = media.layout === 'planar' ? media.channels : 1
  const rowBytes = bytes / rows
  try {
    await copyByTurns(rows, rowBytes, (row, from, to) => {
      const at = row * rowBytes
      return {
        to: arena.u8.subarray(buffer.address + at + from, buffer.address + at + to),
        from: new Uint8Array(audio.bytes, at + from, to - from),
      }
    }, { ledger: arena.copies, edge, reason: 'thread' }, turn)
  } catch (error) { buffer.close(); throw error }
  return packetOf(media, buffer, position, duration, { streamId: edge, metadata })
}

function audioFor(
  arena: Arena, { rate, channels, format, layout }: AudioMedia, frames: number, position: number, holder?: Holder,
): ArenaAudio {
  const block = arena.claim({ dtype: format, shape: [frames * channels] }, holder === undefined ? {} : { holder })
  return new ArenaAudio(arena, block, {
    rate, channels, frames, format, layout, position,
    speakers: channels === 1 ? 'mono' : channels === 2 ? 'stereo' : 'discrete',
  })
}
