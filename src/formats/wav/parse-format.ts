import type { SampleFormat } from '../../media/media-type.js'
import { formatErrors } from '../errors.js'
import { speakersOf } from './channel-mask.js'
import { invalid, uint32 } from './chunk-walker.js'
import type { HeaderWindow } from './header-window.js'
import { isBigEndian, type WavChunk, type WavCodec, type WavContainer, type WavFormat } from './wav-info.js'

const TAG = { PCM: 1, FLOAT: 3, A_LAW: 6, MU_LAW: 7, IMA_ADPCM: 0x11, EXTENSIBLE: 0xfffe } as const
const CODECS: Readonly<Record<number, WavCodec>> = {
  [TAG.PCM]: 'pcm', [TAG.FLOAT]: 'float', [TAG.A_LAW]: 'a-law', [TAG.MU_LAW]: 'mu-law', [TAG.IMA_ADPCM]: 'ima-adpcm',
}
const AVAILABLE = ['PCM 8 to 32 bit', 'float 32 and 64 bit', 'A-law', 'mu-law', 'IMA ADPCM']
/** What follows in the GUIDs whose first field is a format tag, as GUIDs are spelt: plain WAVE, and its Ambisonics variant. */
const GUID_TAILS = ['00000010800000aa00389b71', '072111d38644c8c1ca000000']
const RATE_LIMIT = 768_000
const CHANNEL_LIMIT = 64
/** A `fmt ` chunk is read so far; the rest, if any, is skipped. */
const FORMAT_BYTES = 64

/** Reads and checks a `fmt ` chunk. Throws `FILE_INVALID` and `CODEC_UNSUPPORTED`. */
export async function parseFormat(window: HeaderWindow, container: WavContainer, chunk: WavChunk): Promise<WavFormat> {
  if (chunk.bytes < 16) throw invalid(window, 'a fmt chunk of at least 16 bytes', `${chunk.bytes}`, chunk.offset - 4)
  const bytes = Uint8Array.from(await window.at(chunk.offset, Math.min(chunk.bytes, FORMAT_BYTES)))
  if (bytes.length < 16) throw invalid(window, 'a fmt chunk of at least 16 bytes', 'the end of the file', chunk.offset + bytes.length)
  const little = !isBigEndian(container)
  const data = new DataView(bytes.buffer)
  const field = new FieldCheck(window, chunk.offset)
  const channels = field.within('channels', 1, CHANNEL_LIMIT, data.getUint16(2, little), 2)
  const rate = field.within('rate', 1, RATE_LIMIT, data.getUint32(4, little), 4)
  const blockAlign = data.getUint16(12, little)
  const bits = data.getUint16(14, little)
  const outerTag = data.getUint16(0, little)
  const extension = outerTag === TAG.EXTENSIBLE ? readExtension(window, chunk, data, little) : null
  const tag = extension?.tag ?? outerTag
  const codec = CODECS[tag]
  if (codec === undefined) throw unsupported(window, `0x${tag.toString(16).padStart(4, '0')}`)
  const shape = shapeOf(codec, { window, field, bits, channels, blockAlign, data, little, bigEndian: !little })
  const validBits = extension?.validBits || bits
  if (validBits > shape.container) throw invalid(window, `at most ${shape.container} valid bits`, `${validBits}`, chunk.offset + 18)
  const mask = extension?.mask ?? 0
  return {
    codec, tag, rate, channels, bits: shape.container, validBits: codec === 'pcm' ? validBits : shape.container,
    blockAlign, blockFrames: shape.blockFrames, mask, format: shape.format,
    // Ambisonic channels are no loudspeakers.
    speakers: extension?.ambisonic ? 'discrete' : speakersOf(mask, channels),
  }
}

interface ShapeInput {
  readonly window: HeaderWindow; readonly field: FieldCheck; readonly bits: number; readonly channels: number; readonly blockAlign: number
  readonly data: DataView; readonly little: boolean; readonly bigEndian: boolean
}
interface Shape { readonly container: number; readonly blockFrames: number; readonly format: SampleFormat }

/** Container width, block length and emitted format of a codec; refuses widths that it does not have. */
function shapeOf(codec: WavCodec, input: ShapeInput): Shape {
  if (codec === 'ima-adpcm') return adpcmShape(input)
  const { bits, channels, blockAlign, field, window } = input
  if (codec === 'pcm') {
    field.within('bits', 1, 65_535, bits, 14)
    if (bits > 32) throw unsupported(window, `PCM ${bits} bit`)
  } else if (codec === 'float' ? bits !== 32 && bits !== 64 : bits !== 8) throw unsupported(window, `${codec} ${bits} bit`)
  const bytes = Math.ceil(bits / 8)
  field.equal('block align', channels * bytes, blockAlign, 12)
  const format = codec === 'float' ? 'f32' : codec === 'pcm' ? (['u8', 'i16', 'i32', 'i32'] as const)[bytes - 1]! : 'i16'
  return { container: bytes * 8, blockFrames: 1, format }
}

/** IMA ADPCM: per channel a header of 4 bytes (one sample) and whole words of 8 samples. */
function adpcmShape({ window, field, bits, channels, blockAlign, data, little, bigEndian }: ShapeInput): Shape {
  if (bits !== 4 || bigEndian) throw unsupported(window, `IMA ADPCM ${bits} bit${bigEndian ? ', big endian' : ''}`)
  const word = 4 * channels
  if (blockAlign < word || blockAlign % word !== 0) field.equal('block align, a multiple of', word, blockAlign, 12)
  const most = (blockAlign / word - 1) * 8 + 1
  const declared = data.byteLength >= 20 ? data.getUint16(18, little) : 0
  return { container: 4, blockFrames: declared === 0 ? most : field.within('frames of a block', 1, most, declared, 18), format: 'i16' }
}

interface Extension { readonly tag: number; readonly validBits: number; readonly mask: number; readonly ambisonic: boolean }

function readExtension(window: HeaderWindow, chunk: WavChunk, data: DataView, little: boolean): Extension {
  if (data.byteLength < 40) throw invalid(window, 'an EXTENSIBLE fmt chunk of at least 40 bytes', `${data.byteLength}`, chunk.offset - 4)
  // The GUID's first three fields should follow the file's byte order; big-endian files of sox keep all but
  // the tag little endian. So both are taken.
  const guids = [
    readGuid(data, little, data.getUint32(24, little)), readGuid(data, true, data.getUint32(24, true)),
    readGuid(data, true, data.getUint16(24, little)),
  ]
  const found = guids.find(({ tag, variant }) => variant >= 0 && CODECS[tag] !== undefined)
    ?? guids.find(({ tag, variant }) => variant >= 0 && tag <= 0xffff)
  if (!found) throw unsupported(window, `GUID ${Array.from({ length: 16 }, (_, i) => hex(data.getUint8(24 + i), 2)).join('')}`)
  return { tag: found.tag, validBits: data.getUint16(18, little), mask: data.getUint32(20, little), ambisonic: found.variant === 1 }
}

/** Which of the known tails follows a GUID's first field (−1: none); `tag`: that field. */
function readGuid(data: DataView, little: boolean, tag: number): { readonly tag: number; readonly variant: number } {
  const middle = hex(data.getUint16(28, little), 4) + hex(data.getUint16(30, little), 4)
  const tail = middle + Array.from({ length: 8 }, (_, i) => hex(data.getUint8(32 + i), 2)).join('')
  return { tag, variant: GUID_TAILS.indexOf(tail) }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

function unsupported(window: HeaderWindow, tag: string): Error {
  return formatErrors.CODEC_UNSUPPORTED({ file: window.source.name, codec: tag, available: AVAILABLE })
}

/** Checks of header fields that name their byte. */
class FieldCheck {
  constructor(readonly window: HeaderWindow, readonly base: number) {}

  within(what: string, min: number, max: number, got: number, at: number): number {
    if (got < min || got > max) throw invalid(this.window, `${what} ${min} to ${max}`, `${got}`, this.base + at)
    return got
  }

  equal(what: string, expected: number, got: number, at: number): void {
    if (got !== expected) throw invalid(this.window, `${what} ${expected}`, `${got}`, this.base + at)
  }
}

/** Frame count of a `fact` chunk; null when it says none. */
export async function parseFact(window: HeaderWindow, container: WavContainer, chunk: WavChunk): Promise<number | null> {
  if (chunk.bytes < 4) return null
  const bytes = await window.at(chunk.offset, 4)
  if (bytes.length < 4) return null
  const frames = uint32(bytes, 0, isBigEndian(container))
  return frames === 0 || frames === 0xffffffff ? null : frames
}
