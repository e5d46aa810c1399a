/** Bytes turned into text at once; `String.fromCharCode` takes its units as arguments. */
const CHUNK = 4_096

/**
 * UTF-8 to text, or the offset of the first byte that is none: overlong forms, surrogates and cut sequences are refused. A byte order mark at the
 * start is dropped. Written here because this folder uses no platform type.
 */
export function decodeUtf8(bytes: Uint8Array): string | { readonly offset: number; readonly before: string } {
  let text = '', i = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  const units = new Uint16Array(CHUNK)
  let count = 0
  while (i < bytes.length) {
    if (count > CHUNK - 2) { text += String.fromCharCode(...units.subarray(0, count)); count = 0 }
    const lead = bytes[i]!
    if (lead < 0x80) { units[count++] = lead; i++; continue }
    const length = sequenceLength(bytes, i)
    if (length === 0) return { offset: i, before: text + String.fromCharCode(...units.subarray(0, count)) }
    const point = pointAt(bytes, i, length)
    if (point < 0x10000) units[count++] = point
    else { units[count++] = 0xd7c0 + (point >> 10); units[count++] = 0xdc00 | (point & 0x3ff) }
    i += length
  }
  return text + String.fromCharCode(...units.subarray(0, count))
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
