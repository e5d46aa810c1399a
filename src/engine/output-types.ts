import type { OutputRef } from '../graph/output-ref.js'
import type { AudioBuffer } from '../media/audio-buffer.js'
import type { MediaKind } from '../media/media-type.js'
import type { Packet, SegmentEvent } from '../media/packet.js'

/** Data of a run output by media kind. */
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

/** Kinds of an output reference. Exists so that `outputs.pcm.data` is an AudioBuffer without a cast. */
type KindsOf<R> = R extends OutputRef<infer K> ? K : MediaKind
/** Packets of a record of outputs; any names for a graph whose outputs are only known at run time. Exists so that the names given come back. */
export type OutputsOf<T> = T extends { readonly nodes: readonly unknown[] } ? Readonly<Record<string, Packet>> : { readonly [K in keyof T]: Packet<DataOf[KindsOf<T[K]>]> }
