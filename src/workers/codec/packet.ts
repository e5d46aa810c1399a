import type { FieldSpec, Fields, MESSAGES } from './packet-table.js'

/** Where a tensor's bytes are: a block of an arena, and what to see in it. `strides` in elements. */
export interface TensorRef {
  readonly arena: number
  readonly dtype: number
  readonly flags: number
  readonly index: number
  readonly generation: number
  /** Bytes from the block's start. */
  readonly offset: number
  readonly bytes: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
}

/** Value of a field, so that a message's type follows from the table. */
export type ValueOf<F extends FieldSpec> =
  F extends 'u8' | 'u32' | 'i32' | 'u64'
    | 'f64' ? number : F extends 'bool' ? boolean : F extends 'text' ? string : F extends 'json' ? unknown : F extends 'tensor' ? TensorRef
      : F extends { readonly list: infer L extends FieldSpec } ? readonly ValueOf<L>[] : F extends {
        readonly map: infer M extends FieldSpec
      } ? Readonly<Record<string, ValueOf<M>>>
        : F extends { readonly option: infer O extends FieldSpec } ? ValueOf<O> | null
          : F extends { readonly record: infer R extends Fields } ? BodyOf<R>
          : never
/** Values of all fields. */
export type BodyOf<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> }

/** What every message carries. Ids are lower-case hex (32 or 16 digits), '' when absent. */
export interface PacketHeader {
  readonly seq: number
  readonly flags: number
  readonly requestId: string
  readonly timestampMs: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
}

/** Names of the messages. */
export type MessageName = keyof typeof MESSAGES
/** Payload of a message. */
export type MessageBody<N extends MessageName> = BodyOf<(typeof MESSAGES)[N]['fields']>
/** A control message; header fields left out are 0 or ''. */
export type ControlPacket =
  { readonly [N in MessageName]: Partial<PacketHeader> & { readonly type: N; readonly body: MessageBody<N> } }[MessageName]
