import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import { workerErrors } from '../errors.js'
import type { ControlPacket, PacketHeader, TensorRef } from './packet.js'
import { FieldMeasure, FieldReader, FieldWriter, PacketFault, planFields, type FieldPlan } from './packet-fields.js'
import { FIELD, MESSAGES, PACKET, PACKET_FAULT, PACKET_FLAG, PACKET_VERSION, REFUSED_TYPES, type MessageSpec } from './packet-table.js'

/** A message of any table. */
export interface AnyPacket extends Partial<PacketHeader> { readonly type: string; readonly body: object }

/** A message that was measured and can be written. `payload`: bytes behind the header. */
export interface MeasuredPacket {
  readonly packet: AnyPacket
  readonly number: number
  readonly plans: readonly FieldPlan[]
  readonly measure: FieldMeasure
  readonly payload: number
}

/** `channel`: named in errors. `block`: bytes of the block that holds the payload of a large message (flag 1). */
export interface DecodeOptions {
  readonly channel?: string
  readonly block?: (ref: TensorRef) => Uint8Array
}

/** What a fault is called in `IPC_ERROR`. */
const FAULT_TEXT: Readonly<Record<number, string>> = {
  [PACKET_FAULT.TRUNCATED]: 'message is cut off', [PACKET_FAULT.TRAILING]: 'bytes behind the message',
  [PACKET_FAULT.TYPE]: 'unknown message type', [PACKET_FAULT.TEXT]: 'text that is none',
  [PACKET_FAULT.VALUE]: 'value out of range',
}

/** Codec of one table of messages; the cluster has one of its own types 32–63. */
export class PacketCodec {
  readonly #byName = new Map<string, { readonly number: number; readonly plans: readonly FieldPlan[] }>()
  readonly #byType: ({ readonly name: string; readonly plans: readonly FieldPlan[] } | undefined)[] = []

  constructor(messages: Readonly<Record<string, MessageSpec>> = MESSAGES) {
    for (const [name, { type, fields }] of Object.entries(messages)) {
      const plans = planFields(fields)
      this.#byName.set(name, { number: type, plans })
      this.#byType[type] = { name, plans }
    }
  }

  /** Checks and measures a message. Throws `INVALID_ARGUMENT`. */
  measure(packet: AnyPacket): MeasuredPacket {
    const known = this.#byName.get(packet.type)
    if (known === undefined) {
      throw commonErrors.INVALID_ARGUMENT({ function: 'encodePacket', expected: 'a known message type', got: show(packet.type) })
    }
    const measure = known.plans.length === 0 ? NOTHING : new FieldMeasure()
    return { packet, number: known.number, plans: known.plans, measure, payload: measure.all(known.plans, packet.body) }
  }

  /** Writes the header at `at` (8-aligned or not). `seq`: where the packet has none. */
  writeHeader({ packet, number }: MeasuredPacket, u8: Uint8Array, view: DataView, at: number, flags = 0, seq = 0): void {
    const ms = packet.timestampMs ?? 0
    u8[at] = number
    u8[at + PACKET.FLAGS_U8] = (packet.flags ?? 0) & ~PACKET_FLAG.BLOCK | flags
    view.setUint16(at + PACKET.VERSION_U16, PACKET_VERSION, true)
    view.setUint32(at + PACKET.SEQ, packet.seq ?? seq, true)
    view.setUint32(at + PACKET.TIMESTAMP_I64, ms, true)
    view.setInt32(at + PACKET.TIMESTAMP_I64 + 4, Math.floor(ms / 2 ** 32), true)
    writeId(u8, view, at + PACKET.REQUEST_ID, 16, packet.requestId)
    writeId(u8, view, at + PACKET.TRACE_ID, 16, packet.traceId)
    writeId(u8, view, at + PACKET.SPAN_ID, 8, packet.spanId)
    writeId(u8, view, at + PACKET.PARENT_SPAN_ID, 8, packet.parentSpanId)
  }

  /** Writes the payload at `at`. */
  writePayload({ packet, plans, measure }: MeasuredPacket, u8: Uint8Array, view: DataView, at: number): void {
    new FieldWriter(u8, view, at, measure).all(plans, packet.body)
  }

  /** A message as bytes. Throws `INVALID_ARGUMENT`. */
  encode(packet: AnyPacket): Uint8Array<ArrayBuffer> {
    const measured = this.measure(packet), bytes = new Uint8Array(PACKET.BYTES + measured.payload), view = new DataView(bytes.buffer)
    this.writeHeader(measured, bytes, view, 0)
    this.writePayload(measured, bytes, view, PACKET.BYTES)
    return bytes
  }

  /**
   * A message from `length` bytes at `from`; undefined for an optional one of an unknown type. Bytes that are no message throw `IPC_ERROR`,
   * those of another version `PROTOCOL_MISMATCH`: the channel is done for.
   */
  decode(
    u8: Uint8Array, o: DecodeOptions = {}, from = 0, length: number = u8.length - from, view: DataView = viewOf(u8),
  ): (AnyPacket & PacketHeader) | undefined {
    if (length < PACKET.BYTES) return this.#fail(PACKET_FAULT.TRUNCATED, o)
    const version = view.getUint16(from + PACKET.VERSION_U16, true)
    if (version !== PACKET_VERSION) {
      throw workerErrors.PROTOCOL_MISMATCH({ worker: o.channel ?? 'packet', expected: PACKET_VERSION, got: version })
    }
    const type = u8[from]!, flags = u8[from + PACKET.FLAGS_U8]!, known = this.#byType[type]
    if (known === undefined) {
      return (flags & PACKET_FLAG.OPTIONAL) !== 0 && type > 0 && type < REFUSED_TYPES ? undefined : this.#fail(PACKET_FAULT.TYPE, o)
    }
    try {
      const inline = new FieldReader(u8, view, from + PACKET.BYTES, from + length)
      const body = (flags & PACKET_FLAG.BLOCK) === 0 ? inline.whole(known.plans) : this.#fromBlock(inline, known.plans, o)
      return { type: known.name, body, ...readHeader(u8, view, from, flags & ~PACKET_FLAG.BLOCK) }
    } catch (error) {
      if (error instanceof PacketFault) return this.#fail(error.fault, o)
      throw error
    }
  }

  #fromBlock(inline: FieldReader, plans: readonly FieldPlan[], o: DecodeOptions): Record<string, unknown> {
    const [ref] = Object.values(inline.whole(BLOCK_PLAN)) as [TensorRef]
    if (o.block === undefined) throw new PacketFault(PACKET_FAULT.VALUE)
    const payload = o.block(ref)
    return new FieldReader(payload, viewOf(payload), 0, payload.length).whole(plans)
  }

  #fail(fault: number, o: DecodeOptions): never {
    throw workerErrors.IPC_ERROR({ channel: o.channel ?? 'packet', reason: FAULT_TEXT[fault] ?? `fault ${fault}` })
  }
}

/** Measure of messages without fields. */
const NOTHING = /* @__PURE__ */ new FieldMeasure()

/** The payload of a message whose real one is in a block. */
const BLOCK_PLAN: readonly FieldPlan[] = [{ name: 'block', kind: FIELD.TENSOR, inner: [] }]

let common: PacketCodec | undefined
/** The codec of the messages between an engine and its workers, made with the first use. */
export function packetCodec(): PacketCodec { return common ??= new PacketCodec() }

/** A control message as bytes: header of 64 bytes, then its fields. Throws `INVALID_ARGUMENT` for fields that are not as the table says. */
export function encodePacket(packet: ControlPacket): Uint8Array<ArrayBuffer> { return packetCodec().encode(packet) }

/** A control message from bytes; undefined for an optional one of an unknown type. Throws `IPC_ERROR` and `PROTOCOL_MISMATCH`. */
export function decodePacket(bytes: Uint8Array, options?: DecodeOptions): (ControlPacket & PacketHeader) | undefined {
  return packetCodec().decode(bytes, options) as (ControlPacket & PacketHeader) | undefined
}

function readHeader(u8: Uint8Array, view: DataView, at: number, flags: number): PacketHeader {
  return {
    seq: view.getUint32(at + PACKET.SEQ, true), flags, requestId: readId(u8, view, at + PACKET.REQUEST_ID, 16),
    timestampMs: view.getUint32(at + PACKET.TIMESTAMP_I64, true) + view.getInt32(at + PACKET.TIMESTAMP_I64 + 4, true) * 2 ** 32,
    traceId: readId(u8, view, at + PACKET.TRACE_ID, 16), spanId: readId(u8, view, at + PACKET.SPAN_ID, 8),
    parentSpanId: readId(u8, view, at + PACKET.PARENT_SPAN_ID, 8),
  }
}

function writeId(u8: Uint8Array, view: DataView, at: number, bytes: number, id = ''): void {
  // Word by word: `fill` of shared memory costs more than the rest of a message.
  if (id === '') { for (let i = 0; i < bytes; i += 4) view.setUint32(at + i, 0); return }
  if (id.length !== 2 * bytes || !/^[0-9a-f]+$/.test(id)) {
    throw commonErrors.INVALID_ARGUMENT({ function: 'encodePacket', expected: `${2 * bytes} hex digits`, got: show(id) })
  }
  for (let i = 0; i < bytes; i++) u8[at + i] = Number.parseInt(id.slice(2 * i, 2 * i + 2), 16)
}

function readId(u8: Uint8Array, view: DataView, at: number, bytes: number): string {
  let id = '', any = 0
  for (let i = 0; i < bytes; i += 4) any |= view.getUint32(at + i)
  if (any === 0) return ''
  for (let i = at; i < at + bytes; i++) id += (u8[i]! + 256).toString(16).slice(1)
  return id
}

function viewOf(u8: Uint8Array): DataView { return new DataView(u8.buffer, u8.byteOffset, u8.byteLength) }
