import { commonErrors } from '../../errors/common-errors.js'
import { textOfBytes } from '../../memory/platform/text.js'
import { ascii, uint32, walkChunks } from './chunk-walker.js'
import { HeaderWindow } from './header-window.js'
import type { ByteSource } from '../source/byte-source.js'
import { isBigEndian, type WavInfo } from './wav-info.js'

/** Most bytes of tags that are taken into memory (spec audio.md, AU-109). */
export const TAG_LIMIT_BYTES = 1_048_576

/** A marker: `position` in frames, its label if any. */
export interface WavCue { readonly id: number; readonly position: number; readonly label?: string }
/** A loop of a sampler instrument: frames, both ends included; `count` 0 = for ever. */
export interface WavLoop { readonly id: number; readonly from: number; readonly to: number; readonly count: number }
/** Broadcast extension (EBU Tech 3285); `timeReference`: frames since midnight. */
export interface WavBroadcast {
  readonly description: string; readonly originator: string; readonly reference: string; readonly date: string; readonly time: string
  readonly timeReference: number
}

/** Everything in the file that is not samples. */
export interface WavMetadata {
  /** LIST/INFO: id (INAM, IART …) → text. */
  readonly info: Readonly<Record<string, string>>
  readonly cues: readonly WavCue[]
  readonly loops: readonly WavLoop[]
  readonly broadcast: WavBroadcast | null
  readonly ixml: string | null
  /** Bytes of the `id3 ` chunk. */
  readonly id3: Uint8Array | null
  /** Document of the graph that made the file, as the writer's option `graph` stored it. */
  readonly graph: Uint8Array | null
  /** All other chunks, as bytes. */
  readonly others: readonly { readonly id: string; readonly bytes: Uint8Array }[]
}

/** Id of the chunk that keeps a graph document. */
export const GRAPH_CHUNK = 'mlgr'
/** Chunks that carry no metadata. */
const SKIPPED = new Set(['fmt ', 'data', 'fact', 'ds64', 'JUNK', 'junk', 'PAD ', 'FLLR'])

/** A chunk's bytes, taken while passing by or read on demand. */
export interface RawChunk { readonly id: string; readonly bytes: Uint8Array }

/** True for a chunk whose bytes belong to the metadata. */
export function isMetadata(id: string): boolean {
  return !SKIPPED.has(id)
}

/** Collects raw chunks up to 1 MiB; beyond that `take` throws `LIMIT_EXCEEDED` before memory is taken. */
export class ChunkCollector {
  readonly chunks: RawChunk[] = []
  #bytes = 0

  constructor(readonly source: ByteSource) {}

  async take(window: HeaderWindow, id: string, offset: number, bytes: number): Promise<void> {
    this.#bytes += bytes
    if (this.#bytes > TAG_LIMIT_BYTES) {
      throw commonErrors.LIMIT_EXCEEDED({ what: `File ${this.source.name}: bytes of tags`, limit: TAG_LIMIT_BYTES, got: this.#bytes })
    }
    this.chunks.push({ id, bytes: Uint8Array.from(await window.at(offset, bytes)) })
  }
}

/** Reads every metadata chunk of a seekable file, before and behind the samples. A chunk that runs over the end is cut there. */
export async function collectChunks(source: ByteSource, info: WavInfo): Promise<readonly RawChunk[]> {
  const window = new HeaderWindow(source)
  const collector = new ChunkCollector(source)
  const size = source.size ?? Number.POSITIVE_INFINITY
  const take = async (id: string, offset: number, bytes: number): Promise<void> => {
    if (isMetadata(id) && offset <= size) await collector.take(window, id, offset, Math.min(bytes, size - offset))
  }
  for (const chunk of info.chunks) await take(chunk.id, chunk.offset, chunk.bytes)
  const data = info.chunks.at(-1)
  // Size 0 and "unknown" mean that the samples reach to the end: nothing follows.
  if (!data || data.bytes === 0 || data.offset + data.bytes >= size) return collector.chunks
  const pad = info.container === 'W64' ? (8 - data.bytes % 8) % 8 : data.bytes % 2
  for await (const chunk of walkChunks(window, info.container, data.offset + data.bytes + pad)) {
    await take(chunk.id, chunk.offset, chunk.bytes)
  }
  return collector.chunks
}

/** Gives raw chunks their meaning. Malformed ones are left as far as they can be read. */
export function parseMetadata(chunks: readonly RawChunk[], info: Pick<WavInfo, 'container'>): WavMetadata {
  const big = isBigEndian(info.container)
  const texts: Record<string, string> = {}
  const cues: WavCue[] = []
  const labels = new Map<number, string>()
  const loops: WavLoop[] = []
  const others: RawChunk[] = []
  const found: { broadcast: WavBroadcast | null; ixml: string | null; id3: Uint8Array | null; graph: Uint8Array | null } =
    { broadcast: null, ixml: null, id3: null, graph: null }
  for (const chunk of chunks) {
    const { id, bytes } = chunk
    if (id === 'LIST' && listType(bytes) === 'INFO') for (const [key, body] of parts(bytes, 4, big)) texts[key] = decodeText(body)
    else if (id === 'LIST' && listType(bytes) === 'adtl') readLabels(bytes, big, labels)
    else if (id === 'cue ') readCues(bytes, big, cues)
    else if (id === 'smpl') readLoops(bytes, big, loops)
    else if (id === 'bext' && bytes.length >= 346) found.broadcast = readBroadcast(bytes, big)
    else if (id === 'iXML') found.ixml = decodeText(bytes)
    else if (id === 'id3 ' || id === 'ID3 ') found.id3 = bytes
    else if (id === GRAPH_CHUNK) found.graph = bytes
    else others.push(chunk)
  }
  return {
    info: texts,
    cues: cues.map((cue) => labels.has(cue.id) ? { ...cue, label: labels.get(cue.id)! } : cue),
    loops, ...found, others,
  }
}

function listType(bytes: Uint8Array): string {
  return bytes.length < 4 ? '' : ascii(bytes, 0)
}

/** Sub-chunks of a LIST, padded to even length like chunks themselves. */
function* parts(bytes: Uint8Array, from: number, big: boolean): Generator<readonly [string, Uint8Array]> {
  for (let at = from; at + 8 <= bytes.length;) {
    const size = uint32(bytes, at + 4, big)
    yield [ascii(bytes, at), bytes.subarray(at + 8, Math.min(at + 8 + size, bytes.length))]
    at += 8 + size + (size & 1)
  }
}

function readLabels(bytes: Uint8Array, big: boolean, labels: Map<number, string>): void {
  for (const [id, body] of parts(bytes, 4, big)) {
    if (id === 'labl' && body.length >= 4) labels.set(uint32(body, 0, big), decodeText(body.subarray(4)))
  }
}

function readCues(bytes: Uint8Array, big: boolean, cues: WavCue[]): void {
  const count = bytes.length < 4 ? 0 : Math.min(uint32(bytes, 0, big), Math.floor((bytes.length - 4) / 24))
  for (let i = 0; i < count; i++) cues.push({ id: uint32(bytes, 4 + i * 24, big), position: uint32(bytes, 4 + i * 24 + 20, big) })
}

function readLoops(bytes: Uint8Array, big: boolean, loops: WavLoop[]): void {
  const count = bytes.length < 36 ? 0 : Math.min(uint32(bytes, 28, big), Math.floor((bytes.length - 36) / 24))
  for (let at = 36; at < 36 + count * 24; at += 24) {
    loops.push({
      id: uint32(bytes, at, big), from: uint32(bytes, at + 8, big), to: uint32(bytes, at + 12, big), count: uint32(bytes, at + 20, big),
    })
  }
}

function readBroadcast(bytes: Uint8Array, big: boolean): WavBroadcast {
  const text = (from: number, length: number): string => decodeText(bytes.subarray(from, from + length))
  return {
    description: text(0, 256), originator: text(256, 32), reference: text(288, 32), date: text(320, 10), time: text(330, 8),
    timeReference: uint32(bytes, 338, big) + uint32(bytes, 342, big) * 4_294_967_296,
  }
}

/** UTF-8 up to the first zero; bytes that are not UTF-8 are read as Latin-1, which older programs wrote. */
function decodeText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0), length = end < 0 ? bytes.length : end
  return textOfBytes(bytes, 0, length)?.replace(/^\ufeff/, '')
    ?? Array.from(bytes.subarray(0, length), (byte) => String.fromCharCode(byte)).join('')
}
