import { commonErrors } from '../../errors/common-errors.js'
import { formatErrors } from '../errors.js'
import type { HeaderWindow } from './header-window.js'
import { isBigEndian, type WavChunk, type WavContainer } from './wav-info.js'

/** More chunks than any real file has (spec audio.md, AU-109). */
export const CHUNK_LIMIT = 10_000

/** GUIDs of Sony Wave64: four letters and a fixed tail; `riff` and `list` have a tail of their own. */
const W64_TAIL = 'f3acd3118cd100c04f8edb8a'
const W64_RIFF_TAIL = '2e91cf11a5d628db04c10000'
const W64_LIST_TAIL = '2f91cf11a5d628db04c10000'

/** First chunk's place, and the container. Throws `FILE_INVALID` for anything that is not one of the five forms. */
export async function readContainer(window: HeaderWindow): Promise<{ readonly container: WavContainer; readonly first: number }> {
  const head = await window.at(0, 12)
  const id = ascii(head, 0)
  if (id === 'RIFF' || id === 'RIFX' || id === 'RF64' || id === 'BW64') {
    const form = ascii(head, 8)
    if (form !== 'WAVE') throw invalid(window, 'form WAVE', quote(form), 8)
    return { container: id, first: 12 }
  }
  if (id === 'riff') {
    const long = await window.at(0, 40)
    if (long.length === 40 && hex(long, 4, 16) === W64_RIFF_TAIL && ascii(long, 24) === 'wave' && hex(long, 28, 40) === W64_TAIL) {
      return { container: 'W64', first: 40 }
    }
    throw invalid(window, 'the GUIDs of Wave64', 'other bytes', 4)
  }
  throw invalid(
    window, 'a WAV file (RIFF, RIFX, RF64, BW64 or riff)', head.length === 0 ? 'an empty file' : quote(id), 0,
    head.length === 0 ? undefined : 'Only WAV is read: convert other formats first.',
  )
}

/**
 * Chunks in file order from byte `from`. `resize` may correct a size (ds64). Ends where less than a chunk header is left.
 * Throws `LIMIT_EXCEEDED` beyond 10 000 chunks. The caller checks sizes against the file.
 */
export async function* walkChunks(
  window: HeaderWindow, container: WavContainer, from: number, resize: (id: string, bytes: number) => number = (_, bytes) => bytes,
): AsyncGenerator<WavChunk> {
  const wave64 = container === 'W64'
  const headBytes = wave64 ? 24 : 8
  let offset = from
  for (let count = 1; ; count++) {
    const head = await window.at(offset, headBytes)
    if (head.length < headBytes) return
    if (count > CHUNK_LIMIT) {
      throw commonErrors.LIMIT_EXCEEDED({ what: `File ${window.source.name}: chunks`, limit: CHUNK_LIMIT, got: count })
    }
    const id = wave64 ? wave64Id(head) : ascii(head, 0)
    const declared = wave64 ? Math.max(0, uint64(head, 16) - 24) : uint32(head, 4, isBigEndian(container))
    const bytes = resize(id, declared)
    yield { id, offset: offset + headBytes, bytes }
    const end = offset + headBytes + bytes
    offset = wave64 ? Math.ceil(end / 8) * 8 : end + bytes % 2
    // A size beyond 2⁵³ reaches past any file.
    if (!Number.isSafeInteger(offset)) return
  }
}

/** Four-letter id of a Wave64 GUID, in RIFF spelling; an unknown GUID keeps its hexadecimal form. */
function wave64Id(head: Uint8Array): string {
  const tail = hex(head, 4, 16)
  const name = ascii(head, 0)
  return tail === W64_LIST_TAIL && name === 'list' ? 'LIST' : tail === W64_TAIL ? name : hex(head, 0, 16)
}

/** Unsigned 32-bit number at `at`. */
export function uint32(bytes: Uint8Array, at: number, bigEndian = false): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(at, !bigEndian)
}

/** Unsigned 64-bit little-endian number; above 2⁵³ only its size matters, so the rounding does no harm. */
export function uint64(bytes: Uint8Array, at: number): number {
  return uint32(bytes, at) + uint32(bytes, at + 4) * 4_294_967_296
}

/** Four characters at `at`; bytes beyond ASCII stand as their code points. */
export function ascii(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4))
}

function hex(bytes: Uint8Array, from: number, to: number): string {
  return Array.from(bytes.subarray(from, to), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Text of an id for a message: unprintable bytes as \xNN. */
export function quote(id: string): string {
  return `"${id.replace(/[^ -~]/g, (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`
}

/** `FILE_INVALID` of the window's file. */
export function invalid(window: HeaderWindow, expected: string, got: string, offset: number, hint?: string): Error {
  return formatErrors.FILE_INVALID({ file: window.source.name, expected, got, offset, ...(hint !== undefined && { hint }) })
}
