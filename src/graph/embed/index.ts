import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import { embedPng, readPng } from './png.js'
import { embedRiff, readRiff } from './riff.js'
import type { ExtractOptions } from './texts.js'

export type { ExtractOptions, Inflate } from './texts.js'

/** Format of a media file that can hold a graph, by its first bytes. */
function formatOf(bytes: Uint8Array): 'png' | 'riff' | undefined {
  const starts = (at: number, ...wanted: readonly number[]): boolean => wanted.every((byte, i) => bytes[at + i] === byte)
  if (starts(0, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return 'png'
  return starts(0, 0x52, 0x49, 0x46, 0x46) && (starts(8, 0x57, 0x41, 0x56, 0x45) || starts(8, 0x57, 0x45, 0x42, 0x50)) ? 'riff' : undefined
}

/** True for the bytes of a PNG, WebP or WAV file. */
export function isMediaFile(bytes: Uint8Array): boolean { return formatOf(bytes) !== undefined }

/**
 * Texts of graphs inside a PNG (`tEXt`, `iTXt`; compressed ones where `inflate` is given), WebP (own chunk, EXIF as ComfyUI writes it) or
 * WAV (`LIST/INFO`), by key: `millrace`, or ComfyUI's `workflow` and `prompt` (GR-20). Empty for a file without any, and for what is
 * damaged. Throws `INVALID_ARGUMENT` for other formats.
 * @example
 * const text = extractGraph(await readFile('image.png')).get('workflow')
 */
export function extractGraph(bytes: Uint8Array, o: ExtractOptions = {}): ReadonlyMap<string, string> {
  return demandFormat(bytes, 'extractGraph') === 'png' ? readPng(bytes, o) : readRiff(bytes, o)
}

/**
 * The same media file with a graph's text inside: of PNG, WebP or WAV, nothing encoded anew and every byte outside the one chunk (and the
 * file's length in a RIFF header) unchanged. A graph under the same key is replaced. Throws `INVALID_ARGUMENT` for other formats, damaged
 * files and keys that are no Latin-1 word.
 * @example
 * await writeFile('image.png', embedGraph(await readFile('image.png'), writeDocument(document)))
 */
export function embedGraph(bytes: Uint8Array, text: string, key = 'millrace'): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,31}$/.test(key)) {
    throw commonErrors.INVALID_ARGUMENT({ function: 'embedGraph', expected: 'a key of 1 to 32 letters, digits, _ and -', got: show(key) })
  }
  return demandFormat(bytes, 'embedGraph') === 'png' ? embedPng(bytes, text, key) : embedRiff(bytes, text, key)
}

function demandFormat(bytes: Uint8Array, name: string): 'png' | 'riff' {
  const format = formatOf(bytes)
  if (format === undefined) {
    throw commonErrors.INVALID_ARGUMENT({ function: name, expected: 'the bytes of a PNG, WebP or WAV file', got: show(bytes) })
  }
  return format
}
