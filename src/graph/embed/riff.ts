import { commonErrors } from '../../errors/common-errors.js'
import { decodeUtf8 } from '../document/decode-utf8.js'
import { readExif } from './exif.js'
import { MOST_BYTES, concat, latin1, utf8Bytes, type ExtractOptions } from './texts.js'

/**
 * Graphs in RIFF files. WAV: a `LIST` of type `INFO` at the end with one item `ImGr` per key. WebP: one chunk `MGRF` per key at the end,
 * which readers pass over as they do all chunks that they do not know. Both hold the key, a zero, and the text in UTF-8.
 */
interface Chunk { readonly id: string; readonly start: number; readonly data: Uint8Array; readonly end: number }

const WEBP_CHUNK = 'MGRF', INFO_ITEM = 'ImGr', RIFF_HEADER = 12

/** Chunks between two offsets; ends at the first that does not fit. */
function* chunksOf(bytes: Uint8Array, from: number, to: number): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let start = from; start + 8 <= to;) {
    const length = view.getUint32(start + 4, true), last = start + 8 + length
    if (last > to) return
    const end = Math.min(to, last + (length & 1))
    yield { id: latin1(bytes.subarray(start, start + 4)), start, data: bytes.subarray(start + 8, last), end }
    start = end
  }
}

/** Texts by key; of several under one key the first. */
export function readRiff(bytes: Uint8Array, o: ExtractOptions): Map<string, string> {
  const texts = new Map<string, string>(), most = o.most ?? MOST_BYTES
  const take = (data: Uint8Array): void => {
    const end = data.indexOf(0), text = end < 1 || end > 32 || data.length - end - 1 > most ? undefined : decodeUtf8(data.subarray(end + 1))
    const key = latin1(data.subarray(0, Math.max(0, end)))
    if (typeof text === 'string' && !texts.has(key)) texts.set(key, text)
  }
  for (const { id, data } of chunksOf(bytes, RIFF_HEADER, bytes.length)) {
    if (id === WEBP_CHUNK) take(data)
    else if (id === 'EXIF') for (const [key, text] of readExif(data, most)) { if (!texts.has(key)) texts.set(key, text) }
    else if (isInfo(id, data)) for (const item of chunksOf(data, 4, data.length)) if (item.id === INFO_ITEM) take(item.data)
  }
  return texts
}

function isInfo(id: string, data: Uint8Array): boolean {
  return id === 'LIST' && data.length >= 4 && latin1(data.subarray(0, 4)) === 'INFO'
}

/** The file with one more chunk at its end, an own one of the same key taken out, and the length in its header set. */
export function embedRiff(bytes: Uint8Array, text: string, key: string): Uint8Array<ArrayBuffer> {
  const body = concat([utf8Bytes(`${key}\0`), utf8Bytes(text)]), webp = latin1(bytes.subarray(8, 12)) === 'WEBP'
  const chunk = webp ? chunkOf(WEBP_CHUNK, body) : chunkOf('LIST', concat([utf8Bytes('INFO'), chunkOf(INFO_ITEM, body)]))
  const parts: Uint8Array[] = []
  let from = 0, end = RIFF_HEADER
  for (const one of chunksOf(bytes, RIFF_HEADER, bytes.length)) {
    end = one.end
    if (!isOurs(one, key)) continue
    parts.push(bytes.subarray(from, one.start))
    from = one.end
  }
  if (end !== bytes.length) {
    throw commonErrors.INVALID_ARGUMENT({
      function: 'embedGraph', expected: `a whole ${webp ? 'WebP' : 'WAV'}`, got: 'one whose chunks do not end with the file',
    })
  }
  const kept = concat([...parts, bytes.subarray(from)]), pad = kept.length & 1
  const all = concat([kept, new Uint8Array(pad), chunk])
  if (all.length - 8 > 0xffffffff) throw commonErrors.LIMIT_EXCEEDED({ what: 'File bytes', limit: 0xffffffff, got: all.length })
  new DataView(all.buffer).setUint32(4, all.length - 8, true)
  return all
}

/** A chunk that {@link embedRiff} wrote for this key. */
function isOurs({ id, data }: Chunk, key: string): boolean {
  const isKey = (body: Uint8Array): boolean => latin1(body.subarray(0, Math.max(0, body.indexOf(0)))) === key
  if (id === WEBP_CHUNK) return isKey(data)
  if (!isInfo(id, data)) return false
  const items = [...chunksOf(data, 4, data.length)]
  return items.length === 1 && items[0]!.id === INFO_ITEM && isKey(items[0]!.data)
}

function chunkOf(id: string, body: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(8 + body.length + (body.length & 1))
  chunk.set(utf8Bytes(id))
  new DataView(chunk.buffer).setUint32(4, body.length, true)
  chunk.set(body, 8)
  return chunk
}
