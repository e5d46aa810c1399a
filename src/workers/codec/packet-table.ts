/**
 * Layout of control messages (spec memory-and-workers.md section 6): the one table from which the codecs in TypeScript (`packet-codec.ts`),
 * Rust (crate abi, `codec.rs`) and AssemblyScript (`assembly/sdk/codec.ts`) work. `node scripts/generate-codec.mjs` writes the copies of
 * the latter two.
 */

/** Header of a body, 64 bytes: offsets. Ids are bytes, zero when absent; the time is ms since 1970, signed. */
export const PACKET = {
  TYPE_U8: 0, FLAGS_U8: 1, VERSION_U16: 2, SEQ: 4, REQUEST_ID: 8, TIMESTAMP_I64: 24, TRACE_ID: 32, SPAN_ID: 48, PARENT_SPAN_ID: 56,
  BYTES: 64,
} as const
/** BLOCK: the payload is a TensorRef to a block that holds the real one. OPTIONAL: who does not know the type skips the message. */
export const PACKET_FLAG = { BLOCK: 1, OPTIONAL: 128 } as const
/** TensorRef on the wire: bytes before its shape (u32 each) and strides (i32 each). */
export const TENSOR_REF = {
  ARENA_U8: 0, DTYPE_U8: 1, NDIM_U8: 2, FLAGS_U8: 3, INDEX: 4, GENERATION: 8, OFFSET: 12, SIZE: 16, BYTES: 20, MOST_DIMENSIONS: 8,
} as const
/**
 * Kinds of fields. A schema is a string of these; LIST, MAP (sorted string keys) and OPTION are followed
 * by one more, RECORD by a count and so many.
 */
export const FIELD = {
  U8: 1, U32: 2, I32: 3, U64: 4, F64: 5, BOOL: 6, TEXT: 7, JSON: 8, TENSOR: 9, LIST: 10, MAP: 11, OPTION: 12, RECORD: 13,
} as const
/** Why a body is refused, the same in all languages; SKIP: an optional message of an unknown type. */
export const PACKET_FAULT = { OK: 0, TRUNCATED: -1, TRAILING: -2, VERSION: -3, TYPE: -4, SKIP: -5, TEXT: -6, VALUE: -7, DEEP: -8 } as const

/** A field: a kind, or a structure of kinds. */
export type FieldSpec =
  | 'u8' | 'u32' | 'i32' | 'u64' | 'f64' | 'bool' | 'text' | 'json' | 'tensor'
  | { readonly list: FieldSpec } | { readonly map: FieldSpec } | { readonly option: FieldSpec } | { readonly record: Fields }
/** Fields by name, in the order of the wire. */
export interface Fields { readonly [name: string]: FieldSpec }
/** A message: its number and its payload. */
export interface MessageSpec { readonly type: number; readonly fields: Fields }

/** The messages of types 1 to 15. u64 are exact up to 2⁵³. */
export const MESSAGES = {
  handshake: {
    type: 1,
    fields: { protocolVersion: 'u32', workerId: 'text', slotId: 'u32', capabilities: { list: 'text' }, memoryBytes: 'u64' },
  },
  handshakeAck: { type: 2, fields: { accepted: 'bool', reason: 'text', slotId: 'u32', arenaBase: 'u32' } },
  jobSubmit: {
    type: 3,
    fields: {
      jobId: 'text', nodeId: 'text', opType: 'text', inputs: { map: 'tensor' }, outputs: 'json', params: 'json', timeoutMs: 'u32',
      priority: 'i32', attempt: 'u32', delivery: 'u32',
    },
  },
  jobResult: {
    type: 4,
    fields: {
      jobId: 'text', success: 'bool', outputs: { map: 'tensor' },
      error: { option: { record: { code: 'text', message: 'text', traceback: 'text', details: 'json', cause: 'json' } } },
      metrics: { record: { executionUs: 'u64', peakBytes: 'u64', copyBytes: 'u64', cacheHits: 'u32' } },
    },
  },
  jobCancel: { type: 5, fields: { jobId: 'text', reason: 'text', hard: 'bool' } },
  heartbeat: { type: 6, fields: { slotId: 'u32', counter: 'u64', jobId: 'text' } },
  shutdown: { type: 7, fields: { graceMs: 'u32' } },
  log: { type: 8, fields: { level: 'text', text: 'text', context: 'json' } },
  progress: { type: 9, fields: { done: 'f64', total: { option: 'f64' } } },
  violation: { type: 10, fields: { kind: 'text', what: 'text', stack: 'text', node: 'text' } },
  alloc: { type: 11, fields: { bytes: 'u64', dtype: 'u8', shape: { list: 'u32' } } },
  allocReply: { type: 12, fields: { block: { option: 'tensor' }, code: 'text' } },
  release: { type: 13, fields: { handles: { list: 'u64' } } },
  ping: { type: 14, fields: {} },
  pong: { type: 15, fields: {} },
} as const satisfies Readonly<Record<string, MessageSpec>>

/** Version of the table; a body of another is `PROTOCOL_MISMATCH`. */
export const PACKET_VERSION = 1
/** Types from here on are never sent. */
export const REFUSED_TYPES = 64

const KINDS: Readonly<Record<string, number>> = {
  u8: FIELD.U8, u32: FIELD.U32, i32: FIELD.I32, u64: FIELD.U64, f64: FIELD.F64, bool: FIELD.BOOL, text: FIELD.TEXT, json: FIELD.JSON,
  tensor: FIELD.TENSOR,
}

/** A message's schema: the kinds of its fields one after another. */
export function schemaOf(fields: Fields): number[] { return Object.values(fields).flatMap(kindsOf) }

function kindsOf(field: FieldSpec): number[] {
  if (typeof field === 'string') return [KINDS[field]!]
  if ('list' in field) return [FIELD.LIST, ...kindsOf(field.list)]
  if ('map' in field) return [FIELD.MAP, ...kindsOf(field.map)]
  if ('option' in field) return [FIELD.OPTION, ...kindsOf(field.option)]
  return [FIELD.RECORD, Object.keys(field.record).length, ...schemaOf(field.record)]
}
