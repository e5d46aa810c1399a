import type { Diagnostic } from '../../errors/diagnostic.js'
import { formatErrors } from '../errors.js'
import type { ByteSource } from '../source/byte-source.js'
import { invalid, readContainer, uint32, uint64, walkChunks } from './chunk-walker.js'
import { HeaderWindow } from './header-window.js'
import { parseFact, parseFormat } from './parse-format.js'
import type { WavChunk, WavContainer, WavFormat, WavInfo } from './wav-info.js'

/** A 32-bit size that means "see ds64" or "not known when this was written". */
const UNKNOWN = 0xffffffff

/** A chunk before the samples that a forward-only source will not show again. */
export type ChunkVisitor = (window: HeaderWindow, chunk: WavChunk) => Promise<void>

/**
 * Reads a WAV header up to the first sample: seldom more than 4 KiB, whatever stands before `data` being jumped over.
 * Tolerates what AU-101 names, with warnings. Throws `FILE_INVALID`, `CODEC_UNSUPPORTED`, `LIMIT_EXCEEDED`.
 */
export async function parseWavHeader(source: ByteSource, visit?: ChunkVisitor): Promise<WavInfo> {
  const window = new HeaderWindow(source)
  const { container, first } = await readContainer(window)
  const chunks: WavChunk[] = []
  const large = new Map<string, number>()
  let format: WavFormat | undefined
  let factFrames: number | null = null
  for await (const chunk of walkChunks(window, container, first, (id, bytes) => bytes === UNKNOWN ? large.get(id) ?? bytes : bytes)) {
    chunks.push(chunk)
    if (chunk.id === 'data') {
      if (!format) throw invalid(window, 'a fmt chunk before data', 'none', chunk.offset - 8)
      return finish({ source, container, chunks, format, factFrames, data: chunk })
    }
    if (source.size !== null && chunk.offset + chunk.bytes > source.size) {
      throw invalid(window, `a chunk of at most ${Math.max(0, source.size - chunk.offset)} bytes`, `${chunk.bytes}`, chunk.offset)
    }
    if (chunk.id === 'fmt ') format ??= await parseFormat(window, container, chunk)
    else if (chunk.id === 'fact') factFrames = await parseFact(window, container, chunk)
    else if (chunk.id === 'ds64') await readLargeSizes(window, chunk, large)
    else await visit?.(window, chunk)
  }
  const last = chunks.at(-1)
  throw invalid(
    window, format ? 'a data chunk' : 'a fmt chunk', 'the end of the file', source.size ?? (last ? last.offset + last.bytes : first),
  )
}

/** `ds64` (EBU Tech 3306): sizes of `data` and of other chunks beyond 4 GiB. */
async function readLargeSizes(window: HeaderWindow, chunk: WavChunk, large: Map<string, number>): Promise<void> {
  const fixed = await window.at(chunk.offset, Math.min(chunk.bytes, 28))
  if (fixed.length < 24) throw invalid(window, 'a ds64 chunk of at least 24 bytes', `${fixed.length}`, chunk.offset)
  large.set('data', uint64(fixed, 8))
  const entries = fixed.length < 28 ? 0 : Math.min(uint32(fixed, 24), Math.floor((chunk.bytes - 28) / 12), 1_024)
  const table = await window.at(chunk.offset + 28, entries * 12)
  for (let at = 0; at + 12 <= table.length; at += 12) large.set(String.fromCharCode(...table.subarray(at, at + 4)), uint64(table, at + 4))
}

interface Found {
  readonly source: ByteSource; readonly container: WavContainer; readonly chunks: readonly WavChunk[]; readonly format: WavFormat
  readonly factFrames: number | null; readonly data: WavChunk
}

/** Settles how many samples there really are: declared size, what the file holds, whole blocks, `fact` of ADPCM. */
function finish({ source, container, chunks, format, factFrames, data }: Found): WavInfo {
  const warnings: Diagnostic[] = []
  const open = data.bytes === 0 || data.bytes >= UNKNOWN && (data.bytes === UNKNOWN || data.bytes > Number.MAX_SAFE_INTEGER)
  const held = source.size === null ? null : Math.max(0, source.size - data.offset)
  const bytes = open ? held : held === null ? data.bytes : Math.min(data.bytes, held)
  if (!open && held !== null && data.bytes > held) warnings.push(truncated(source, data.bytes, held))
  const dataBytes = bytes === null ? null : wholeBytes(format, bytes)
  if (bytes !== null && dataBytes !== bytes && (open || bytes === data.bytes)) warnings.push(truncated(source, bytes, dataBytes ?? 0))
  const held2 = dataBytes === null ? null : framesIn(format, dataBytes)
  const frames = held2 !== null && factFrames !== null && format.codec === 'ima-adpcm' ? Math.min(held2, factFrames) : held2
  return { ...format, name: source.name, container, dataOffset: data.offset, dataBytes, frames, chunks, warnings }
}

/** `FILE_TRUNCATED` with both numbers. */
export function truncated(source: Pick<ByteSource, 'name'>, declared: number, present: number): Diagnostic {
  return formatErrors.FILE_TRUNCATED.diagnostic({ file: source.name, expected: declared, got: present })
}

/** Bytes of `bytes` that make whole frames; the last block of ADPCM may be short, by whole words. */
export function wholeBytes(format: Pick<WavFormat, 'codec' | 'blockAlign' | 'blockFrames' | 'channels'>, bytes: number): number {
  const rest = bytes % format.blockAlign
  const word = 4 * format.channels
  return bytes - rest + (format.codec === 'ima-adpcm' ? rest - rest % word : 0)
}

/** Frames in `bytes` of whole blocks (ADPCM: and one short block). */
export function framesIn(format: Pick<WavFormat, 'codec' | 'blockAlign' | 'blockFrames' | 'channels'>, bytes: number): number {
  const blocks = Math.floor(bytes / format.blockAlign)
  const rest = bytes - blocks * format.blockAlign
  const word = 4 * format.channels
  const short = format.codec === 'ima-adpcm' && rest >= word ? Math.min(format.blockFrames, (rest / word - 1) * 8 + 1) : 0
  return blocks * format.blockFrames + short
}

