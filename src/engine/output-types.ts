import type { OutputRef } from '../graph/output-ref.js'
import type { MediaKind } from '../media/media-type.js'
import type { DataOf, Packet } from '../media/packet.js'

/** Kinds of an output reference. Exists so that `outputs.pcm.data` is an AudioBuffer without a cast. */
type KindsOf<R> = R extends OutputRef<infer K> ? K : MediaKind
/**
 * Packets of a record of outputs; any names for a graph whose outputs are only known at run time. Exists so that the names given come back.
 */
export type OutputsOf<T> = T extends { readonly nodes: readonly unknown[] }
  ? Readonly<Record<string, Packet>>
  : { readonly [K in keyof T]: Packet<DataOf[KindsOf<T[K]>]> }
