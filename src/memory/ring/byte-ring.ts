import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import type { Arena } from '../arena.js'
import { RING } from '../layout.js'
import type { Address } from '../memory-host.js'
import { layRing } from './audio-ring.js'
import { RingEnd, type RingHost } from './ring-end.js'
import { ringOver } from './ring-life.js'
import type { BlockingWait } from './ring-wait.js'

/**
 * Bytes of a byte ring unless said otherwise, and of the longest frame with its length word: half of it, so that a frame
 * always fits an empty ring, marker and all.
 */
export const BYTE_RING_BYTES = 65_536
const FRACTION = 2
/** Stands where a length would: the rest of the ring is skipped. */
const MARKER = 0xffff_ffff
const LENGTH_BYTES = 4
/** Words from a ring's start to its data. */
const DATA_WORD = RING.DATA / 4

/** Bytes that a frame of a body takes: its length, the body, padding to 8. */
function frameBytes(body: number): number { return (LENGTH_BYTES + body + 7) & ~7 }

/**
 * Writing end of a ring of messages (MW-30): frames of u32 length + body padded to 8 over the control block of section 4; a frame that
 * would cross the end is preceded by a marker at the position where it would start.
 */
export class ByteRingWriter extends RingEnd {
  /** Longest body, bytes. */
  readonly maxBody: number
  /** All bytes of the ring: where {@link claim} points. */
  readonly bytes: Uint8Array
  #claimed = 0
  #skip = 0
  #start = 0

  /** Use {@link createByteRing}, or attach to an address on another thread. */
  constructor(host: RingHost, address: Address) {
    super(host, address, 'writer', undefined)
    this.maxBody = this.capacity / FRACTION - LENGTH_BYTES
    this.bytes = this.data(0) as Uint8Array
  }

  /**
   * Index in `bytes` of room for a body, to be written in place and then {@link commit}ted; −1 when the ring is too full now.
   * Throws `INVALID_ARGUMENT` beyond `maxBody`.
   */
  claim(body: number): number {
    if (!(Number.isInteger(body) && body > 0 && body <= this.maxBody)) {
      throw commonErrors.INVALID_ARGUMENT({ function: 'byteRing.claim', expected: `1–${this.maxBody} bytes`, got: show(body) })
    }
    const frame = frameBytes(body), { start } = this.span(0), rest = this.capacity - start
    this.#skip = frame <= rest ? 0 : rest
    if (this.room(this.#skip + frame) < this.#skip + frame) return -1
    this.#start = this.#skip === 0 ? start : 0
    this.#claimed = body
    if (this.#skip > 0) this.#setWord(start, MARKER)
    return this.#start + LENGTH_BYTES
  }

  /** Hands the claimed body over. */
  commit(): void {
    if (this.#claimed === 0) return
    this.#setWord(this.#start, this.#claimed)
    const all = this.#skip + frameBytes(this.#claimed)
    this.#claimed = 0
    this.advance(all)
  }

  /** Copies a body in; false when the ring is too full now. */
  push(body: Uint8Array): boolean {
    const at = this.claim(body.length)
    if (at < 0) return false
    this.bytes.set(body, at)
    this.commit()
    return true
  }

  /** Waits for room for a body, or the ring's end; workers only. False after `timeoutMs`. */
  waitRoom(body: number, timeoutMs: number, block: BlockingWait): boolean {
    return this.waitFor(() => this.closed || this.#hasRoom(body), timeoutMs, block)
  }
  /** As {@link waitRoom} on a thread that must not block. */
  roomAsync(body: number, timeoutMs: number): Promise<boolean> {
    return this.waitForAsync(() => this.closed || this.#hasRoom(body), timeoutMs)
  }

  #hasRoom(body: number): boolean {
    const frame = frameBytes(body), rest = this.capacity - this.span(0).start, need = frame <= rest ? frame : rest + frame
    return this.room(need) >= need
  }
  #setWord(at: number, value: number): void { this.u32[(this.place >>> 2) + DATA_WORD + (at >>> 2)] = value }
}

/** Reading end of a ring of messages. What the other side wrote is checked before it is believed (MW-40). */
export class ByteRingReader extends RingEnd {
  /** All bytes of the ring: where {@link at} points. */
  readonly bytes: Uint8Array
  /** Body of the frame that {@link next} found: index in `bytes` and length. */
  at = 0
  length = 0
  /** What was wrong with the frame when {@link next} said −1. */
  fault = ''
  readonly #maxBody: number
  #frame = 0

  /** Use {@link createByteRing}, or attach to an address on another thread. */
  constructor(host: RingHost, address: Address) {
    super(host, address, 'reader', undefined)
    this.bytes = this.data(0) as Uint8Array
    this.#maxBody = this.capacity / FRACTION - LENGTH_BYTES
  }

  /** Looks for the next frame: 1 found, 0 none yet, −1 the ring is broken (`fault` says how; nothing of it may be used any more). */
  next(): 1 | 0 | -1 {
    let { frames, start } = this.span(this.capacity), skipped = 0
    if (frames === 0) return 0
    if (this.room(0) > this.capacity || frames % 8 !== 0 || start % 8 !== 0) {
      return this.#broken(`indices ${this.room(0)} apart, at ${start}`)
    }
    if (this.#word(start) === MARKER) {
      skipped = this.capacity - start
      frames -= skipped
      start = 0
      if (frames <= 0) return this.#broken('a marker and nothing behind it')
    }
    const body = this.#word(start), whole = frameBytes(body)
    if (body === 0 || body > this.#maxBody) return this.#broken(`a frame of ${body} bytes`)
    if (whole > frames || start + whole > this.capacity) return this.#broken(`a frame of ${body} bytes in ${frames}`)
    this.at = start + LENGTH_BYTES
    this.length = body
    this.#frame = skipped + whole
    return 1
  }

  /** Gives the frame of the last {@link next} back to the writer; its bytes are gone. */
  release(): void { this.advance(this.#frame); this.#frame = 0 }

  /** Waits for a frame or the ring's end; workers only. False after `timeoutMs`. */
  wait(timeoutMs: number, block: BlockingWait): boolean { return this.waitFor(this.#ready, timeoutMs, block) }
  /** As {@link wait} on a thread that must not block. */
  waitAsync(timeoutMs: number): Promise<boolean> { return this.waitForAsync(this.#ready, timeoutMs) }

  readonly #ready = (): boolean => this.room(1) > 0 || this.closed
  #word(at: number): number { return this.u32[(this.place >>> 2) + DATA_WORD + (at >>> 2)]! }
  #broken(fault: string): -1 { this.fault = fault; return -1 }
}

/** A ring of messages and its two ends. */
export interface ByteRing {
  readonly writer: ByteRingWriter
  readonly reader: ByteRingReader
  readonly address: Address
  /** Closes the ring and frees it: only when the other thread has let go of it. */
  [Symbol.dispose](): void
}

/** Makes a ring of messages in the arena; `bytes`: a power of two, 64 to 2²⁴. Engine thread only. */
export function createByteRing(arena: Arena, bytes: number = BYTE_RING_BYTES, o: { readonly firstIndex?: number } = {}): ByteRing {
  if (!(Number.isInteger(bytes) && bytes >= 64 && bytes <= 2 ** 24 && (bytes & (bytes - 1)) === 0)) {
    throw commonErrors.INVALID_ARGUMENT({ function: 'createByteRing', expected: 'a power of two, 64–2^24 bytes', got: show(bytes) })
  }
  const block = layRing(arena, bytes, 1, 'u8', o), { address } = block
  const writer = new ByteRingWriter(arena, address), reader = new ByteRingReader(arena, address)
  return ringOver(arena, block, writer, reader, `Ring of ${bytes} bytes`)
}
