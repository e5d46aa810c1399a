import { decodeUtf8 } from '../document/decode-utf8.js'
import { latin1 } from './texts.js'

const ASCII = 2

/**
 * Texts `key:text` in the first directory of EXIF data (TIFF 6.0): so ComfyUI keeps `workflow` and `prompt` in WebP files, in tags of
 * camera make and model. Empty for anything else.
 */
export function readExif(data: Uint8Array, most: number): Map<string, string> {
  const start = latin1(data.subarray(0, 6)) === 'Exif\0\0' ? 6 : 0, tiff = data.subarray(start), found = new Map<string, string>()
  if (tiff.length < 8) return found
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength), order = latin1(tiff.subarray(0, 2)), little = order === 'II'
  if ((!little && order !== 'MM') || view.getUint16(2, little) !== 42) return found
  const directory = view.getUint32(4, little)
  if (directory + 2 > tiff.length) return found
  const entries = view.getUint16(directory, little)
  for (let i = 0, at = directory + 2; i < entries && at + 12 <= tiff.length; i++, at += 12) {
    const length = view.getUint32(at + 4, little), offset = length <= 4 ? at + 8 : view.getUint32(at + 8, little)
    if (view.getUint16(at + 2, little) !== ASCII || length > most || offset + length > tiff.length) continue
    const raw = tiff.subarray(offset, offset + length), end = raw.indexOf(0), body = end < 0 ? raw : raw.subarray(0, end)
    const decoded = decodeUtf8(body), text = typeof decoded === 'string' ? decoded : latin1(body), colon = text.indexOf(':')
    const key = text.slice(0, Math.max(0, colon))
    if (/^[A-Za-z_]{1,32}$/.test(key) && !found.has(key)) found.set(key, text.slice(colon + 1))
  }
  return found
}
