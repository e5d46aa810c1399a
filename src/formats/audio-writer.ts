import type { SampleArray } from '../media/audio-buffer.js'
import type { SampleFormat, SampleLayout } from '../media/media-type.js'

/** Frames to write. Interleaved: one array; planar: one array per channel, or one array with channel after channel. */
export interface FramesToWrite {
  readonly samples: SampleArray | readonly SampleArray[]
  readonly frames: number
  readonly format: SampleFormat
  readonly layout: SampleLayout
}

/** What came of a file. */
export interface WrittenAudio {
  readonly frames: number
  /** Bytes of the whole file. */
  readonly bytes: number
  /** Samples that did not fit their integer format and were set to its limit. */
  readonly clipped: number
}

/** Writes an audio file in order. One call at a time. Owner: who opened it; without `close` the file is not complete. */
export interface AudioWriter {
  readonly frames: number
  write(frames: FramesToWrite): Promise<void>
  /** Finishes the file: sizes, padding. May be called again and gives the same answer. */
  close(): Promise<WrittenAudio>
  /** Gives up; a file on disk is removed. */
  abort(reason?: unknown): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
