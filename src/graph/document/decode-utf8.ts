/** Units turned into text at once: `String.fromCharCode` takes them as arguments. */
const CHUNK = 8_192

/** Bytes that are no UTF-8: where, and the text before. */
export interface Utf8Fault { readonly offset: number; readonly before: string }
/** The part of the platform's decoder that is used, where there is one (an AudioWorklet has none). */
type Decoder = new (label: string, options: { readonly fatal: boolean }) => { decode(bytes: Uint8Array): string }

/**
 * UTF-8 to text, or the first byte that is none: overlong forms, surrogates and cut sequences are refused. A byte order mark at the start
 * is dropped. The platform's decoder does it when it is there and content (it takes no shared memory in browsers, and does not say where a
 * fault is).
 */
export function decodeUtf8(bytes: Uint8Array): string | Utf8Fault {
  const { TextDecoder: Platform } = globalThis as { readonly TextDecoder?: Decoder }
  if (Platform !== undefined) try { return new Platform('utf-8', { fatal: true }).decode(bytes) } catch { /* the own decoder says where */ }
  return decodePlain(bytes)
}

/** {@link decodeUtf8} without the platform. Runs of ASCII are taken whole. */
export function decodePlain(bytes: Uint8Array): string | Utf8Fault {
  let text = '', at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  const units = new Uint16Array(CHUNK)
  while (at < bytes.length) {
    const end = asciiEnd(bytes, at)
    if (end > at) { text += textOf(bytes.subarray(at, end)); at = end; continue }
    let count = 0
    while (at < bytes.length && count < CHUNK - 1) {
      const lead = bytes[at]!
      if (lead < 0x80) { units[count++] = lead; at++; continue }
      const length = sequenceLength(bytes, at)
      if (length === 0) return { offset: at, before: text + textOf(units.subarray(0, count)) }
      const point = pointAt(bytes, at, length)
      if (point < 0x10000) units[count++] = point
      else { units[count++] = 0xd7c0 + (point >> 10); units[count++] = 0xdc00 | (point & 0x3ff) }
      at += length
    }
    text += textOf(units.subarray(0, count))
  }
  return text
}

/** End of the run of ASCII at `from`, at most a chunk on. */
function asciiEnd(bytes: Uint8Array, from: number): number {
  const most = Math.min(bytes.length, from + CHUNK)
  let at = from
  while (at < most && bytes[at]! < 0x80) at++
  return at
}

/** Code units to text; spreading a typed array would walk its iterator, which is 20 times slower. */
function textOf(units: Uint8Array | Uint16Array): string {
  return Reflect.apply(String.fromCharCode, null, units) as string
}

/** 2, 3 or 4 for a good sequence, 0 for a bad one (Unicode 15, table 3-7). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!, second = bytes[at + 1] ?? 0
  if (lead >= 0xc2 && lead <= 0xdf) return follows(second) ? 2 : 0
  if (lead >= 0xe0 && lead <= 0xef) {
    const low = lead === 0xe0 ? 0xa0 : 0x80, high = lead === 0xed ? 0x9f : 0xbf
    return second >= low && second <= high && follows(bytes[at + 2] ?? 0) ? 3 : 0
  }
  if (lead < 0xf0 || lead > 0xf4) return 0
  const low = lead === 0xf0 ? 0x90 : 0x80, high = lead === 0xf4 ? 0x8f : 0xbf
  return second >= low && second <= high && follows(bytes[at + 2] ?? 0) && follows(bytes[at + 3] ?? 0) ? 4 : 0
}

function follows(byte: number): boolean { return (byte & 0xc0) === 0x80 }

function pointAt(bytes: Uint8Array, at: number, length: number): number {
  let point = bytes[at]! & (0x7f >> length)
  for (let i = 1; i < length; i++) point = (point << 6) | (bytes[at + i]! & 0x3f)
  return point
}
