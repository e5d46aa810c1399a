/** The smallest files of three formats, byte by byte. */

/** Text as UTF-8. */
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
/** Parts one after the other. */
export const join = (...parts: readonly (Uint8Array | readonly number[] | string)[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(parts.flatMap((part) => [...(typeof part === 'string' ? utf8(part) : part)]))
/** Four bytes. */
export const u32 = (
  value: number, little = false,
): Uint8Array => { const bytes = new Uint8Array(4); new DataView(bytes.buffer).setUint32(0, value, little); return bytes }

/** Bit by bit, as the PNG standard's definition reads. */
function crc(bytes: Uint8Array): number {
  let c = 0xffffffff
  for (const byte of bytes) { c ^= byte; for (let k = 0; k < 8; k++) c = (c & 1) !== 0 ? (c >>> 1) ^ 0xedb88320 : c >>> 1 }
  return (c ^ 0xffffffff) >>> 0
}
/** A PNG chunk. */
export const chunk = (type: string, data: Uint8Array): Uint8Array => join(u32(data.length), type, data, u32(crc(join(type, data))))
/** A grey picture of one pixel: deflate block stored as it is, Adler-32 of 00 7f. */
export const PNG = join([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], chunk('IHDR', join(u32(1), u32(1), [8, 0, 0, 0, 0])),
  chunk('IDAT', join([0x78, 0x01, 0x01, 2, 0, 0xfd, 0xff, 0x00, 0x7f], u32(0x00810080))), chunk('IEND', new Uint8Array()))
/** A lossless picture of one white pixel (libwebp's smallest). */
export const WEBP =
  join('RIFF', u32(26, true), 'WEBP', 'VP8L', u32(13, true), [0x2f, 0, 0, 0, 0x10, 0x07, 0x10, 0x11, 0x11, 0x88, 0x88, 0xfe, 0x07], [0])
/** Five samples of 8 bits, without the pad byte. */
export const WAV = join('RIFF', u32(41, true), 'WAVE', 'fmt ', u32(16, true), [1, 0, 1, 0], u32(8_000, true), u32(8_000, true), [
  1, 0, 8, 0,
], 'data', u32(5, true), [128, 255, 0, 64, 200])
