import { commonErrors } from '../../errors/common-errors.js'
import { BYTE_RING_BYTES, ByteRingReader, ByteRingWriter } from '../../memory/ring/byte-ring.js'
import type { RingHost } from '../../memory/ring/ring-end.js'
import type { Address } from '../../memory/memory-host.js'
import { workerErrors } from '../errors.js'
import type { ChannelBlocks } from './channel-blocks.js'
import { packetCodec, type AnyPacket, type MeasuredPacket } from './packet-codec.js'
import type { ControlPacket, PacketHeader, TensorRef } from './packet.js'
import { FieldWriter } from './packet-fields.js'
import { PACKET, PACKET_FLAG, TENSOR_REF } from './packet-table.js'

/** A message as it arrives. */
export type ReceivedPacket = ControlPacket & PacketHeader

/** Addresses of a channel's two byte rings. */
export interface ChannelAddresses { readonly toWorker: Address; readonly toEngine: Address }

/**
 * `name`: of the channel in errors. `sent`: called after a message was written, to wake a thread that sleeps on something else
 * than the ring. `queueLimit`: default 10 000.
 */
export interface ChannelOptions {
  readonly name: string
  readonly blocks: ChannelBlocks
  readonly sent?: () => void
  readonly queueLimit?: number
}

/** A message that waits. */
interface Numbered { readonly packet: ControlPacket; readonly seq: number }

/** Bytes of a payload whose place is a block: the reference in its stead. */
const REFERENCE_BYTES = TENSOR_REF.BYTES + 8

/**
 * Messages between an engine and one worker over two byte rings in shared memory (MW-39): frames of at most 32 KiB; a larger payload is
 * written into a block once, and read there. Nothing here blocks but {@link wait}; what has no room waits in order until the next call of
 * either side's `send`, `receive` or {@link flush}. One thread per end. A broken frame closes the channel for good (MW-40): `IPC_ERROR`, or
 * `PROTOCOL_MISMATCH`.
 */
export class RingChannel {
  readonly name: string
  readonly #out: ByteRingWriter
  readonly #in: ByteRingReader
  readonly #outView: DataView
  readonly #inView: DataView
  readonly #blocks: ChannelBlocks
  readonly #sent: (() => void) | undefined
  readonly #limit: number
  readonly #waiting: Numbered[] = []
  /** The first waiting message has asked for a block under this number; 0: it has not. */
  #asked = 0
  /** The block that it was given. */
  #granted: TensorRef | undefined
  #seq = 0
  #closed: unknown

  /** `side`: whose end this is. */
  constructor(host: RingHost, side: 'engine' | 'worker', { toWorker, toEngine }: ChannelAddresses, options: ChannelOptions) {
    this.name = options.name
    this.#out = new ByteRingWriter(host, side === 'engine' ? toWorker : toEngine)
    this.#in = new ByteRingReader(host, side === 'engine' ? toEngine : toWorker)
    this.#outView = viewOf(this.#out.bytes)
    this.#inView = viewOf(this.#in.bytes)
    this.#blocks = options.blocks
    this.#sent = options.sent
    this.#limit = options.queueLimit ?? 10_000
  }

  /** True once closed from either side, or broken. */
  get closed(): boolean { return this.#closed !== undefined || this.#in.closed }
  /** Messages that wait for room. */
  get waiting(): number { return this.#waiting.length }

  /**
   * Sends a message; its `seq` is the channel's own unless given. Throws `INVALID_ARGUMENT`, `CLOSED`, and
   * `LIMIT_EXCEEDED` when the other side takes nothing.
   */
  send(packet: ControlPacket): void {
    this.#open()
    const seq = packet.seq ?? this.#next()
    if (this.#waiting.length > 0 || !this.#write(packet, seq, undefined)) {
      if (this.#waiting.length >= this.#limit) {
        throw commonErrors.LIMIT_EXCEEDED({
          what: `Channel ${this.name}, messages waiting`, limit: this.#limit, got: this.#waiting.length + 1,
        })
      }
      this.#waiting.push({ packet, seq })
      this.flush()
    } else this.#sent?.()
  }

  /** Writes what waits as far as there is room. True when nothing waits any more. */
  flush(): boolean {
    const { length } = this.#waiting, asked = this.#asked
    for (let first = this.#waiting[0]; first !== undefined && this.#write(first.packet, first.seq, first); first = this.#waiting[0]) {
      this.#waiting.shift()
    }
    if (this.#waiting.length < length || this.#asked !== asked) this.#sent?.()
    return this.#waiting.length === 0
  }

  /**
   * The next message, or undefined when there is none now. Answers requests for blocks itself, where it has them. Throws
   * `IPC_ERROR`, `PROTOCOL_MISMATCH`, `CLOSED`.
   */
  receive(): ReceivedPacket | undefined {
    this.#open()
    if (this.#waiting.length > 0) this.flush()
    for (;;) {
      const found = this.#in.next()
      if (found === 0) return undefined
      if (found < 0) return this.#break(workerErrors.IPC_ERROR({ channel: this.name, reason: this.#in.fault }))
      let packet: ReceivedPacket | undefined
      const read: TensorRef[] = []
      try {
        packet = packetCodec().decode(this.#in.bytes, {
          channel: this.name,
          block: (ref) => { read.push(ref); return this.#blocks.open(ref) },
        }, this.#in.at, this.#in.length, this.#inView) as ReceivedPacket | undefined
      } catch (error) { return this.#break(error) }
      this.#in.release()
      for (const ref of read) this.#done(ref)
      if (packet !== undefined && !this.#own(packet)) return packet
    }
  }

  /** Closes both rings and wakes the other side; blocks that were under way are given back. Idempotent. */
  close(error: unknown = commonErrors.CLOSED({ thing: 'Channel', id: this.name })): void {
    if (this.#closed !== undefined) return
    this.#closed = error
    this.#waiting.length = 0
    this.#out.close()
    this.#in.close()
    this.#blocks.close()
  }

  /** Messages that are the channel's own affair: asking for blocks, giving them, giving them back. */
  #own(packet: ReceivedPacket): boolean {
    if (packet.type === 'alloc' && this.#blocks.give !== undefined) {
      const given = this.#blocks.give(packet.body.bytes)
      this.send({
        type: 'allocReply', seq: packet.seq,
        body: typeof given === 'string' ? { block: null, code: given } : { block: given, code: '' },
      })
      return true
    }
    if (packet.type === 'release') return this.#blocks.release(packet.body.handles)
    if (packet.type !== 'allocReply' || this.#asked === 0 || packet.seq !== this.#asked) return false
    this.#asked = 0
    if (packet.body.block === null) {
      this.#break(workerErrors.IPC_ERROR({ channel: this.name, reason: `no block for a large message: ${packet.body.code}` }))
    }
    this.#granted = packet.body.block!
    this.flush()
    return true
  }

  /** False when there is no room now. */
  #write(packet: ControlPacket, seq: number, waited: Numbered | undefined): boolean {
    if (this.#asked !== 0) return false
    const measured = packetCodec().measure(packet as AnyPacket)
    if (PACKET.BYTES + measured.payload > this.#out.maxBody) return this.#writeLarge(measured, seq, waited)
    const at = this.#out.claim(PACKET.BYTES + measured.payload)
    if (at < 0) return false
    packetCodec().writeHeader(measured, this.#out.bytes, this.#outView, at, 0, seq)
    packetCodec().writePayload(measured, this.#out.bytes, this.#outView, at + PACKET.BYTES)
    this.#out.commit()
    return true
  }

  #writeLarge(measured: MeasuredPacket, number: number, waited: Numbered | undefined): boolean {
    if (this.#blocks.give !== undefined) {
      const given = this.#blocks.give(measured.payload)
      if (typeof given === 'string') throw workerErrors.IPC_ERROR({ channel: this.name, reason: `no block for a large message: ${given}` })
      if (this.#writeInto(measured, number, given)) return true
      this.#blocks.release([this.#blocks.handleOf(given)])
      return false
    }
    // A worker allocates nothing: it asks, and what it wants to send waits with all that follows (MW-07).
    if (waited === undefined) return false
    if (this.#granted !== undefined) {
      if (!this.#writeInto(measured, number, this.#granted)) return false
      this.#granted = undefined
      return true
    }
    const seq = this.#next(), ask: ControlPacket = { type: 'alloc', body: { bytes: measured.payload, dtype: 8, shape: [measured.payload] } }
    if (this.#write(ask, seq, undefined)) this.#asked = seq
    return false
  }

  /** Writes the payload into a block, and the frame that refers to it. */
  #writeInto(measured: MeasuredPacket, seq: number, ref: TensorRef): boolean {
    const at = this.#out.claim(PACKET.BYTES + REFERENCE_BYTES)
    if (at < 0) return false
    const bytes = this.#blocks.open(ref)
    packetCodec().writePayload(measured, bytes, viewOf(bytes), 0)
    packetCodec().writeHeader(measured, this.#out.bytes, this.#outView, at, PACKET_FLAG.BLOCK, seq)
    new FieldWriter(this.#out.bytes, this.#outView, at + PACKET.BYTES, measured.measure).tensor(ref)
    this.#out.commit()
    return true
  }

  /** A block was read: the engine frees it, a worker says so. */
  #done(ref: TensorRef): void {
    const handle = this.#blocks.handleOf(ref)
    if (!this.#blocks.release([handle])) this.send({ type: 'release', body: { handles: [handle] } })
  }

  #next(): number { return this.#seq = this.#seq % 0xffff_ffff + 1 }
  #open(): void {
    if (this.#closed !== undefined) throw this.#closed
    if (this.#in.closed) { this.close(); throw this.#closed }
  }
  #break(error: unknown): never {
    this.close(error)
    throw error
  }
}

/** Bytes that a channel's rings are made with. */
export const CHANNEL_RING_BYTES = BYTE_RING_BYTES

function viewOf(bytes: Uint8Array): DataView { return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) }
