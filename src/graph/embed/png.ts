import { commonErrors } from '../../errors/common-errors.js'
import { decodeUtf8 } from '../document/decode-utf8.js'
import { MOST_BYTES, concat, latin1, utf8Bytes, type ExtractOptions } from './texts.js'

/** One chunk of a PNG file (W3C PNG, third edition, section 5.3): offsets of the whole and of its data. */
interface Chunk { readonly type: string; readonly start: number; readonly data: Uint8Array; readonly end: number }

const SIGNATURE_BYTES = 8

/** Chunks in order; ends at the first that does not fit into the file. */
function* chunksOf(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let start = SIGNATURE_BYTES; start + 12 <= bytes.length;) {
    const length = view.getUint32(start), end = start + 12 + length
    if (end > bytes.length) return
    yield { type: latin1(bytes.subarray(start + 4, start + 8)), start, data: bytes.subarray(start + 8, start + 8 + length), end }
    start = end
  }
}

/**
 * Texts by keyword; of several under one keyword the first. Checksums are not looked at: a viewer that
 * changed a text without mending them lost no graph.
 */
export function readPng(bytes: Uint8Array, o: ExtractOptions): Map<string, string> {
  const texts = new Map<string, string>()
  for (const { type, data } of chunksOf(bytes)) {
    if (type !== 'tEXt' && type !== 'iTXt' && type !== 'zTXt') continue
    const end = data.indexOf(0)
    if (end < 1 || end > 79) continue
    const key = latin1(data.subarray(0, end)), text = texts.has(key) ? undefined : textOf(type, data.subarray(end + 1), o)
    if (text !== undefined) texts.set(key, text)
  }
  return texts
}

/**
 * Text behind the keyword. `tEXt` and `zTXt` are Latin-1 by the standard; ComfyUI's are ASCII, others write
 * UTF-8, which Latin-1 JSON is not by accident.
 */
function textOf(type: 'tEXt' | 'iTXt' | 'zTXt', rest: Uint8Array, o: ExtractOptions): string | undefined {
  const most = o.most ?? MOST_BYTES
  let data = rest, packed = false
  if (type === 'zTXt') { packed = true; if (data[0] !== 0) return undefined; data = data.subarray(1) }
  if (type === 'iTXt') {
    packed = data[0] === 1
    const language = data.indexOf(0, 2), title = language < 0 ? -1 : data.indexOf(0, language + 1)
    if (title < 0 || (packed && data[1] !== 0)) return undefined
    data = data.subarray(title + 1)
  }
  if (packed) {
    const unpacked = unpack(data, most, o)
    if (unpacked === undefined) return undefined
    data = unpacked
  }
  if (data.length > most) return undefined
  const text = decodeUtf8(data)
  return typeof text === 'string' ? text : type === 'iTXt' ? undefined : latin1(data)
}

function unpack(data: Uint8Array, most: number, { inflate }: ExtractOptions): Uint8Array | undefined {
  try { return inflate?.(data, most) } catch { return undefined }
}

/** The file with one `iTXt` chunk before the first image data, and no other text under its keyword. */
export function embedPng(bytes: Uint8Array, text: string, key: string): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [], chunk = textChunk(key, text)
  let from = 0, placed = false, whole = false
  for (const { type, start, data, end } of chunksOf(bytes)) {
    const ours = (type === 'tEXt' || type === 'iTXt' || type === 'zTXt') && latin1(data.subarray(0, Math.max(0, data.indexOf(0)))) === key
    const here = !placed && (type === 'IDAT' || type === 'IEND')
    if (ours || here) { parts.push(bytes.subarray(from, start)); from = ours ? end : start }
    if (here) { parts.push(chunk); placed = true }
    if (type === 'IEND') whole = true
  }
  if (!whole) throw commonErrors.INVALID_ARGUMENT({ function: 'embedGraph', expected: 'a whole PNG', got: 'one that ends before IEND' })
  return concat([...parts, bytes.subarray(from)])
}

/** `iTXt`: keyword, no compression, no language, no translated keyword, UTF-8. */
function textChunk(key: string, text: string): Uint8Array {
  const body = concat([utf8Bytes(`iTXt${key}`), new Uint8Array(5), utf8Bytes(text)]), chunk = new Uint8Array(body.length + 8)
  const view = new DataView(chunk.buffer)
  view.setUint32(0, body.length - 4)
  chunk.set(body, 4)
  view.setUint32(chunk.length - 4, crc32(body))
  return chunk
}

let table: Uint32Array | undefined

/** CRC-32 of ISO 3309, as PNG has it. */
function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (
    _, n,
  ) => { let c = n; for (let k = 0; k < 8; k++) c = (c & 1) === 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1; return c })
  let crc = 0xffffffff
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
