import type { SampleArray } from '../media/audio-buffer.js'

/** A run of frames as stored: interleaved samples from frame `position`. */
export interface AudioFrames {
  readonly samples: SampleArray
  readonly frames: number
  readonly position: number
}

/** Reads the frames of an audio file in order, or from any place where the source can jump. One call at a time. Owner: who opened it. */
export interface AudioReader<Info, Metadata> {
  readonly info: Info
  /** Frame that the next `read` begins with. */
  readonly position: number
  /**
   * Decodes frames into `target`, interleaved, until it is full or the file ends; resolves to the frames written, 0 at the end. `target`
   * has the element type of `info.format`, or is the same memory seen as bytes. Samples are written once, where they are wanted: no copy
   * follows.
   */
  read(target: SampleArray): Promise<number>
  /** Sets `position`. On a source that cannot jump only forward; else `INVALID_ARGUMENT`. */
  seek(frame: number): Promise<void>
  /** All frames from `position` on, in new arrays of `frames` frames each =65 536. */
  chunks(frames?: number): AsyncIterable<AudioFrames>
  /** Tags, markers and unknown chunks, also those behind the samples (a stream: those before them). */
  metadata(): Promise<Metadata>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
