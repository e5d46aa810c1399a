import { decodePlain } from '../../graph/document/decode-utf8.js'

/** Bytes that are copied and decoded at a time (MW-80). */
export const TEXT_SLICE_BYTES = 65_536
/** Up to here a loop beats the platform's decoder, when all is ASCII. */
const SHORT = 48

interface Decoder { decode(bytes: Uint8Array): string }
type DecoderClass = new (label: string, options: { readonly fatal: boolean; readonly ignoreBOM: boolean }) => Decoder
let decoder: Decoder | null | undefined

/**
 * UTF-8 that may stand in shared memory, as text; null when it is none. Browsers' decoders refuse shared memory, and bytes in it may change
 * while they are read, so slices of at most 64 KiB, cut at borders of characters, are copied out first (MW-80). A byte order mark stays.
 */
export function textOfBytes(bytes: Uint8Array, from = 0, length: number = bytes.length - from): string | null {
  if (length <= SHORT) {
    const short = shortAscii(bytes, from, length)
    if (short !== null) return short
  }
  let text = ''
  for (let at = from, end = from + length; at < end;) {
    const next = Math.min(end, border(bytes, at, Math.min(end, at + TEXT_SLICE_BYTES), end))
    const slice = decode(bytes.slice(at, next))
    if (slice === null) return null
    text += slice
    at = next
  }
  return text
}

function shortAscii(bytes: Uint8Array, from: number, length: number): string | null {
  let text = ''
  for (let i = from; i < from + length; i++) {
    const byte = bytes[i]!
    if (byte > 0x7f) return null
    text += String.fromCharCode(byte)
  }
  return text
}

/** The last border of characters at or before `cut`, when more follows: a character has at most three bytes after its first. */
function border(bytes: Uint8Array, at: number, cut: number, end: number): number {
  if (cut === end) return cut
  let back = cut
  while (back > at && cut - back < 4 && (bytes[back]! & 0xc0) === 0x80) back--
  return back > at ? back : cut
}

/** `slice` is `bytes.slice` of shared memory: private, because `slice` copies into a buffer of its own. */
function decode(slice: Uint8Array): string | null {
  if (decoder === undefined) {
    const { TextDecoder: Platform } = globalThis as { readonly TextDecoder?: DecoderClass }
    decoder = Platform === undefined ? null : new Platform('utf-8', { fatal: true, ignoreBOM: true })
  }
  if (decoder !== null) {
    try { return decoder.decode(slice) } catch { return null }
  }
  const mark = slice[0] === 0xef && slice[1] === 0xbb && slice[2] === 0xbf, text = decodePlain(slice)
  return typeof text === 'string' ? (mark ? `\ufeff${text}` : text) : null
}
