import type { Packet, SegmentEvent } from '../../media/packet.js'
import { isAudioBuffer } from '../../schedule/packet-data.js'
import { describeMedia } from '../../schedule/media-text.js'

/** Most lines of one list. */
const MOST_LINES = 20
/** Most characters of one value, and the widest value that stands on one line. */
const MOST_CHARACTERS = 2_000, WIDEST = 100

/** An output as text for people: segments as times, audio in a few words, texts and JSON themselves as far as they are short. */
export function packetText(packet: Packet): string {
  const { data, media, metadata } = packet
  if (isAudioBuffer(data)) return `${describeMedia(media)}, ${data.frames} frames, ${data.seconds.toFixed(3)} s`
  if (media.kind === 'events') return eventsText(data as readonly SegmentEvent[], media.timebase)
  const facts = Object.entries(metadata).map(([key, value]) => `${key} ${String(value)}`).join(', ')
  const head = `${describeMedia(media)}${facts ? `: ${facts}` : ''}`
  const value = media.kind === 'text' ? String(data) : media.kind === 'json' ? jsonText(data) : undefined
  return value === undefined ? head : `${head}\n${cut(value)}`
}

function jsonText(value: unknown): string {
  const line = JSON.stringify(value) ?? String(value)
  return line.length <= WIDEST ? line : JSON.stringify(value, null, 2)
}

/** The start of a long text, indented as lists are, and how much is left out. */
function cut(text: string): string {
  const start = text.slice(0, MOST_CHARACTERS).split('\n').slice(0, MOST_LINES).join('\n'), more = text.length - start.length
  return `${start}${more > 0 ? `\n… ${more} more characters; --output or --json gives all` : ''}`.replaceAll(/^/gm, '  ')
}

function eventsText(events: readonly SegmentEvent[], timebase: number): string {
  const seconds = (frames: number): string => (frames / timebase).toFixed(2).padStart(7)
  const lines = events.slice(0, MOST_LINES)
    .map(({ type, from, to, rms }) => `  ${type} ${seconds(from)} s${to === undefined ? '' : ` – ${seconds(to)} s`}  rms ${rms.toFixed(4)}`)
  return [
    `${events.length} event${events.length === 1 ? '' : 's'}`, ...lines,
    ...(events.length > MOST_LINES ? [`  … ${events.length - MOST_LINES} more`] : []),
  ].join('\n')
}

/** An output as JSON: audio as its description, everything else with its values. */
export function packetJson(packet: Packet): unknown {
  const { data, media, metadata, position, duration } = packet
  if (isAudioBuffer(data)) return { media, position, frames: data.frames, seconds: data.seconds, metadata }
  return { media, position, duration, data: ArrayBuffer.isView(data) ? Array.from(data as unknown as ArrayLike<number>) : data, metadata }
}
