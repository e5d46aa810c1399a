import type { AudioBuffer } from './audio-buffer.js'
import type { Media } from './media-type.js'

/** One decision of a detector (spec audio.md, AU-50). `from`, `to` and positions are absolute frames at the media's timebase. */
export interface SegmentEvent {
  readonly type: 'start' | 'end' | 'segment' | 'cancel'
  readonly from: number
  readonly to?: number
  readonly timestampUs: number
  readonly probability: number
  readonly rms: number
  readonly peak: number
}

/** Data of a packet, by media kind. */
export interface DataOf {
  readonly audio: AudioBuffer
  readonly events: readonly SegmentEvent[]
  readonly tensor: Float32Array | Float64Array | Int32Array | Int16Array | Uint8Array
  readonly bytes: Uint8Array
  readonly text: string
  readonly json: unknown
  readonly tokens: Int32Array
  readonly video: unknown
}

/** Data of any packet. */
export type PacketData = DataOf[keyof DataOf]

/** What travels along an edge between nodes that are not fused, and what a run returns per output. */
export interface Packet<T = PacketData> {
  readonly media: Media
  readonly data: T
  /** First frame (audio, events, tensor: at their own rate) or µs. */
  readonly position: number
  /** Frames, or µs where there are no frames. */
  readonly duration: number
  readonly streamId: string
  readonly seq: number
  readonly arrivalUs: number
  readonly metadata: Readonly<Record<string, unknown>>
}

/** An input of a TypeScript node: iterate the packets as they come, or wait for all of them joined into one. Either, once. */
export interface PacketStream<T = unknown> extends AsyncIterable<Packet<T>> {
  readonly media: Media
  whole(): Promise<Packet<T>>
}
