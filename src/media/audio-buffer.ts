import type { SampleFormat, SampleLayout } from './media-type.js'

/** Speaker layout: a name, or a 32-bit WAVE channel mask. */
export type Speakers = 'mono' | 'stereo' | 'quad' | '5.0' | '5.1' | '7.1' | 'discrete' | number
/** Any typed array that can view samples. */
export type SampleArray = Float32Array | Int16Array | Int32Array | Uint8Array
/** Constructor of a typed array, as `tryView` takes it. */
export interface SampleArrayConstructor<T extends SampleArray> {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T
  readonly BYTES_PER_ELEMENT: number
}

/** Shape of audio given to `engine.audio`. `rate` Hz 1–768 000, `channels` 1–64; defaults `f32`, `planar`, position 0. */
export interface AudioSpec {
  readonly rate: number
  readonly channels: number
  readonly frames?: number
  readonly format?: SampleFormat
  readonly layout?: SampleLayout
  readonly speakers?: Speakers
  readonly position?: number
}

/** Everything about a buffer but its bytes. */
export interface AudioShape {
  readonly rate: number
  readonly channels: number
  readonly frames: number
  readonly format: SampleFormat
  readonly layout: SampleLayout
  readonly speakers: Speakers
  readonly position: number
}

/**
 * Audio in the arena (spec audio.md, AU-12 to AU-15). Owner: whoever holds it; `close()` gives the block back. A closed buffer throws
 * `INVALID_HANDLE`. `samples` = frames · channels; `seconds` = frames ÷ rate; `position` = first frame of the stream at this rate.
 */
export interface AudioBuffer extends AudioShape {
  readonly samples: number
  readonly seconds: number
  /** Handle of the arena block (memory page MW-17). */
  readonly handle: number
  /** Samples of one channel, `f32` planar only; valid until close, no copy. */
  channel(index: number): Float32Array
  /** All bytes as stored: planar = channel after channel, `frames` each. A view when contiguous, no copy. */
  tryView<T extends SampleArray>(type: SampleArrayConstructor<T>): T | null
  /** Frames `from` (included) to `to` (excluded); shares bytes. */
  slice(from: number, to: number): AudioBuffer
  clone(): AudioBuffer
  /** This buffer if unique, else one counted copy. */
  makeMut(): AudioBuffer
  /** Interleaved or planar copy outside the arena, as stored. */
  toArray(): SampleArray
  close(): void
  [Symbol.dispose](): void
}
