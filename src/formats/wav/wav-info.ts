import type { Diagnostic } from '../../errors/diagnostic.js'
import type { Speakers } from '../../media/audio-buffer.js'
import type { SampleFormat } from '../../media/media-type.js'

/** Outer form of the file: RIFF (little endian), RIFX (big endian), RF64 and BW64 (64-bit sizes in `ds64`), Sony Wave64. */
export type WavContainer = 'RIFF' | 'RIFX' | 'RF64' | 'BW64' | 'W64'
/** How samples are coded. */
export type WavCodec = 'pcm' | 'float' | 'a-law' | 'mu-law' | 'ima-adpcm'

/** Where a chunk's payload stands: `offset` and `bytes` in the file. */
export interface WavChunk { readonly id: string; readonly offset: number; readonly bytes: number }

/** What the `fmt ` chunk says, checked. */
export interface WavFormat {
  readonly codec: WavCodec
  /** Format tag; of EXTENSIBLE the tag within its GUID. */
  readonly tag: number
  readonly rate: number
  readonly channels: number
  /** Bits of a sample's container, and how many of them (from the top) are meant. */
  readonly bits: number
  readonly validBits: number
  /** Bytes of one block: a frame, or an ADPCM block. */
  readonly blockAlign: number
  /** Frames of one block: 1 except for ADPCM. */
  readonly blockFrames: number
  /** WAVE channel mask; 0 when none was given. */
  readonly mask: number
  readonly speakers: Speakers
  /** Element type that the reader emits: 24-bit as `i32` (shifted left by 8), f64 as `f32`, G.711 and ADPCM as `i16`. */
  readonly format: SampleFormat
}

/** Everything known of a WAV file before its first sample. */
export interface WavInfo extends WavFormat {
  readonly name: string
  readonly container: WavContainer
  readonly dataOffset: number
  /** Bytes of whole blocks of samples; null while unknown (a stream that says no size). */
  readonly dataBytes: number | null
  readonly frames: number | null
  /** Chunks met up to and including `data`. */
  readonly chunks: readonly WavChunk[]
  readonly warnings: readonly Diagnostic[]
}

/** True for files whose numbers stand most significant byte first. */
export function isBigEndian(container: WavContainer): boolean {
  return container === 'RIFX'
}
