import type { Arena } from '../memory/arena.js'
import type { ArenaAudio } from '../memory/audio-buffer.js'
import type { AudioApi } from '../memory/audio-api.js'
import { copyParts, type CopyCharge } from '../memory/copies.js'
import type { RunMemory } from '../memory/run-memory.js'
import { LIST_MARK } from '../media/list-mark.js'
import type { Media } from '../media/media-type.js'
import type { Packet } from '../media/packet.js'
import { scheduleErrors } from '../schedule/errors.js'
import { describeMedia } from '../schedule/media-text.js'
import { joinPlain, packetOf, releasePacket } from '../schedule/packet-data.js'

/**
 * Joins the packets of one stream into one (a run output that others read packet by packet, or `whole()`). Owns the parts; one part is
 * returned as it is. Throws `MEDIA_CHANGED` for audio that is not of these media.
 */
export function joinPackets(arena: Arena, audio: AudioApi, memory: RunMemory | undefined, media: Media, parts: Packet[]): Packet {
  if (parts.length === 1) return parts[0]!
  const first = parts[0], frames = parts.reduce((sum, part) => sum + part.duration, 0), position = first?.position ?? 0
  const more = {
    streamId: first?.streamId ?? '', arrivalUs: first?.arrivalUs ?? 0,
    metadata: Object.assign({}, ...parts.map((part) => part.metadata)) as Record<string, unknown>,
  }
  if (media.kind === 'audio' && first?.metadata[LIST_MARK] !== true) try {
    return packetOf(media, joinAudio(arena, audio, memory, media, parts, frames, position), position, frames, more)
  } catch (error) {
    for (const part of parts) releasePacket(part)
    throw error
  }
  const data = parts.map((part) => part.data)
  const joined = joinPlain(data)
  if (ArrayBuffer.isView(joined)) (memory?.copies ?? arena.copies).add(more.streamId || 'join', joined.byteLength, 'user')
  return packetOf(media, joined, position, frames, more)
}

function joinAudio(
  arena: Arena, audio: AudioApi, memory: RunMemory | undefined, media: Media & { kind: 'audio' }, parts: readonly Packet[], frames: number,
  position: number,
): ArenaAudio {
  const other = parts.find(({ data, media: own }) => !isSame(data as ArenaAudio, media) || own.kind !== 'audio')
  if (other !== undefined) {
    throw scheduleErrors.MEDIA_CHANGED({ port: other.streamId || 'join', expected: describeMedia(media), got: describeMedia(other.media) })
  }
  const whole = audio.alloc({ rate: media.rate, channels: media.channels, frames, format: media.format, layout: media.layout, position }, {
    zero: false, ...(memory && { holder: memory.holder('') }),
  })
  const charge: CopyCharge = { ledger: memory?.copies ?? arena.copies, edge: parts[0]?.streamId || 'join', reason: 'user' }
  const planar = media.layout === 'planar', channels = planar ? media.channels : 1
  const frameBytes = whole.samples === 0 ? 0 : bytesOf(media.format) * (planar ? 1 : media.channels)
  let at = 0
  for (const part of parts) {
    const from = part.data as ArenaAudio
    for (let c = 0; c < channels; c++) {
      copyParts([{
        to: arena.u8.subarray(whole.address + c * whole.strideBytes + at * frameBytes),
        from: arena.u8.subarray(from.address + c * from.strideBytes, from.address + c * from.strideBytes + from.frames * frameBytes),
      }],
        charge)
    }
    at += from.frames
    releasePacket(part)
  }
  return whole
}

function isSame(a: ArenaAudio, b: Media & { kind: 'audio' }): boolean {
  return a.rate === b.rate && a.channels === b.channels && a.format === b.format && a.layout === b.layout
}
function bytesOf(format: string): number { return format === 'u8' ? 1 : format === 'i16' ? 2 : 4 }
