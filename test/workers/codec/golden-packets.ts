import { compareUtf8 } from '../../../src/graph/utf8.js'
import type { ControlPacket, TensorRef } from '../../../src/workers/codec/packet.js'
import { MESSAGES, type Fields, type FieldSpec } from '../../../src/workers/codec/packet-table.js'
import { canonicalJson } from '../../../src/workers/codec/canonical-json.js'

const tensor: TensorRef = {
  arena: 7, dtype: 1, flags: 0, index: 1_048_575, generation: 16_777_215, offset: 4_294_967_232, bytes: 24, shape: [2, 3], strides: [3, -1],
}
const scalar: TensorRef = { ...tensor, dtype: 10, shape: [], strides: [], bytes: 8, offset: 0 }
const ids = {
  requestId: '00112233445566778899aabbccddeeff', traceId: 'f0e1d2c3b4a5968778695a4b3c2d1e0f', spanId: '0123456789abcdef',
  parentSpanId: 'fedcba9876543210',
}

/** One message of every type, with the edges of every kind of field. */
export const GOLDEN: Readonly<Record<string, ControlPacket>> = {
  handshake: {
    type: 'handshake',
    body: { protocolVersion: 1, workerId: 'worker-3', slotId: 3, capabilities: ['simd', '', 'größer'], memoryBytes: 2 ** 53 - 1 },
  },
  'handshake ack': { type: 'handshakeAck', seq: 1, body: { accepted: true, reason: '', slotId: 255, arenaBase: 0x400000 } },
  'job submit': {
    type: 'jobSubmit', seq: 4_294_967_295, timestampMs: 1_795_000_000_123, ...ids,
    body: {
      jobId: 'job-1', nodeId: 'n1', opType: 'audio::gain', inputs: { in: tensor, 'in.1': scalar, é: scalar },
      outputs: { out: { format: 'f32', rate: 48_000 } },
      params: { z: 1, a: [true, null, 'x"\n'], '𝄞': 1e21, b: -0.5 }, timeoutMs: 30_000, priority: -5, attempt: 1, delivery: 3,
    },
  },
  'job result': {
    type: 'jobResult', timestampMs: -1,
    body: {
      jobId: 'job-1', success: true, outputs: { out: tensor }, error: null,
      metrics: { executionUs: 1_234, peakBytes: 65_536, copyBytes: 0, cacheHits: 2 },
    },
  },
  'job failed': {
    type: 'jobResult',
    body: {
      jobId: 'job-2', success: false, outputs: {}, metrics: { executionUs: 0, peakBytes: 0, copyBytes: 2 ** 40, cacheHits: 0 },
      error: { code: 'KERNEL_TRAP', message: 'Node n1: unreachable.', traceback: 'at f\nat g', details: { node: 'n1' }, cause: null },
    },
  },
  cancel: { type: 'jobCancel', body: { jobId: 'job-1', reason: 'asked', hard: false } },
  heartbeat: { type: 'heartbeat', body: { slotId: 0, counter: 2 ** 32 + 1, jobId: '' } },
  shutdown: { type: 'shutdown', body: { graceMs: 30_000 } },
  log: { type: 'log', flags: 128, body: { level: 'warn', text: 'すべて 🎵 done', context: {} } },
  progress: { type: 'progress', body: { done: 0.1, total: 1e300 } },
  'progress without total': { type: 'progress', body: { done: -0, total: null } },
  violation: { type: 'violation', body: { kind: 'global', what: 'fetch', stack: '', node: 'n9' } },
  alloc: { type: 'alloc', body: { bytes: 2 ** 32, dtype: 1, shape: [2, 536_870_912] } },
  'alloc reply': { type: 'allocReply', body: { block: scalar, code: '' } },
  'alloc refused': { type: 'allocReply', body: { block: null, code: 'ARENA_FULL' } },
  release: { type: 'release', body: { handles: [0, 1, 2 ** 52 - 1] } },
  ping: { type: 'ping', seq: 7, body: {} },
  pong: { type: 'pong', ...ids, body: {} },
}

/** The leaves of a message, a line each: how the codecs of the three languages are compared. */
export function leavesOf(packet: ControlPacket): string[] {
  const lines: string[] = []
  fields(MESSAGES[packet.type].fields, packet.body, lines)
  return lines
}

function fields(specs: Fields, values: object, lines: string[]): void {
  for (const [name, spec] of Object.entries(specs)) value(spec, (values as Record<string, unknown>)[name], lines)
}

function value(spec: FieldSpec, x: unknown, lines: string[]): void {
  if (spec === 'tensor') lines.push(tensorLine(x as TensorRef))
  else if (spec === 'json') lines.push(`text ${oneLine(canonicalJson(x))}`)
  else if (spec === 'bool') lines.push(`bool ${Number(x)}`)
  else if (spec === 'f64') lines.push(`f64 ${float(x as number)}`)
  else if (typeof spec === 'string') lines.push(`${spec} ${oneLine(String(x))}`)
  else if ('list' in spec) {
    lines.push(`list ${(x as unknown[]).length}`)
    for (const item of x as unknown[]) value(spec.list, item, lines)
  }
  else if ('map' in spec) {
    const keys = Object.keys(x as object).sort(compareUtf8)
    lines.push(`map ${keys.length}`)
    for (const key of keys) { lines.push(`text ${key}`); value(spec.map, (x as Record<string, unknown>)[key], lines) }
  } else if ('option' in spec) { lines.push(`option ${x === null ? 0 : 1}`); if (x !== null) value(spec.option, x, lines) }
  else fields(spec.record, x as object, lines)
}

/** Bits in hex: languages print floats in their own ways. */
export function float(x: number): string {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, x)
  return view.getBigUint64(0).toString(16).padStart(16, '0')
}
/** Line breaks as the two characters \ n. */
export function oneLine(text: string): string { return text.replaceAll('\n', '\\n') }
/** A TensorRef in a line. */
export function tensorLine(t: TensorRef): string {
  return `tensor ${t.arena} ${t.dtype} ${t.flags} ${t.index} ${t.generation} ${t.offset} ${t.bytes} [${t.shape.join()}] [${t.strides.join()}]`
}
