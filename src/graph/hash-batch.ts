import type { LinkRecord } from './hash-links.js'
import { HashWriter } from './hash-writer.js'
import type { GraphPasses } from './passes.js'
import { BLOCK_BYTES, compress, copyDigest, DIGEST_BYTES, startWords } from './sha256.js'

/** Bytes of messages that are held at once; a graph with more is hashed in several calls. */
const MOST_BYTES = 8_388_608
/** Room that the buffer starts with, per message. */
const USUAL_BYTES = 320

/** Bytes that many messages start with: whole blocks as the state of SHA-256 behind them, and the rest. */
export interface Opening { readonly state: number; readonly bytes: number; readonly rest: Uint8Array }

/**
 * Messages of a graph, collected for one call of {@link GraphPasses.hash}. They are given level by level, so that the digest of a message's
 * parent is known (of an earlier call) or will be before the message is hashed (a gap).
 */
export class MessageBatch {
  readonly writer: HashWriter
  readonly #passes: GraphPasses
  readonly #digests: Uint8Array
  /** Of the call under way: messages, the slot of each, where each starts (and the last ends), and its state. */
  #count = 0
  readonly #slots: Uint32Array
  readonly #offsets: Uint32Array
  readonly #starts: Uint32Array
  /** The message of each slot; −1 = not in this call. */
  readonly #messageOf: Int32Array
  #levels: number[] = []
  readonly #gaps: Uint32Array
  #gapWords = 0
  readonly #states: number[] = [...startWords()]
  /** State and left-out bytes of the message that is being written. */
  #state = 0
  #before = 0

  /**
   * A batch of at most `slots` messages that hold at most `parents` digests of others. `kept`: digests that stand until
   * others take their places, when few are to.
   */
  constructor(passes: GraphPasses, slots: number, parents: number, kept?: Uint8Array) {
    this.#passes = passes
    this.writer = new HashWriter(kept ? 4_096 : Math.min(USUAL_BYTES * slots, MOST_BYTES))
    this.#digests = new Uint8Array(slots * DIGEST_BYTES)
    if (kept) this.#digests.set(kept.subarray(0, slots * DIGEST_BYTES))
    this.#messageOf = new Int32Array(slots).fill(-1)
    this.#slots = new Uint32Array(slots)
    this.#starts = new Uint32Array(slots)
    this.#offsets = new Uint32Array(slots + 1)
    this.#gaps = new Uint32Array(2 * parents)
  }

  /** Digest n stands at 32·n: of every message that was ended before the last {@link flush}. */
  get digests(): Uint8Array { return this.#digests }

  /** What messages may start with. */
  openingOf(bytes: Uint8Array): Opening {
    const state = startWords()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const whole = bytes.length - bytes.length % BLOCK_BYTES
    if (whole === 0) return { state: 0, bytes: 0, rest: bytes }
    for (let at = 0; at < whole; at += BLOCK_BYTES) compress(state, view, at)
    return { state: this.#states.push(...state) / 8 - 1, bytes: whole, rest: bytes.subarray(whole) }
  }

  /** The message that comes starts with this. */
  open({ state, bytes, rest }: Opening): void {
    this.#state = state
    this.#before = bytes
    this.writer.raw(rest)
  }

  /** The record of a link from slot `slot`, which was ended in an earlier level. */
  link({ bytes, orderAt, digestAt }: LinkRecord, order: number, slot: number): void {
    const { writer } = this, at = writer.mark
    writer.raw(bytes)
    if (order !== 0) writer.setU32(at + orderAt, order)
    this.#parent(at + digestAt, slot)
  }

  /** The digest of slot `slot` without a tag. */
  digestOf(slot: number): void {
    const at = this.writer.mark
    this.writer.skip(DIGEST_BYTES)
    this.#parent(at, slot)
  }

  #parent(at: number, slot: number): void {
    const message = this.#messageOf[slot]!
    if (message < 0) { this.writer.setDigest(at, this.#digests, slot); return }
    this.#gaps[this.#gapWords] = at
    this.#gaps[this.#gapWords + 1] = message
    this.#gapWords += 2
  }

  /** What was written since the last message is the message of slot `slot`. */
  end(slot: number): void {
    const n = this.#count++
    this.writer.pad(this.#offsets[n]!, this.#before)
    this.#messageOf[slot] = n
    this.#slots[n] = slot
    this.#starts[n] = this.#state
    this.#offsets[n + 1] = this.writer.mark
    this.#state = this.#before = 0
    if (this.writer.mark >= MOST_BYTES) this.flush()
  }

  /** Digest `at` of an earlier batch is that of slot `slot`. */
  keep(slot: number, digests: Uint8Array, at: number): void { copyDigest(this.#digests, slot * DIGEST_BYTES, digests, at) }

  /** What was ended so far may be a parent of what comes. */
  endLevel(): void {
    if (this.#count > (this.#levels.at(-1) ?? 0)) this.#levels.push(this.#count)
  }

  /** Hashes what is there. */
  flush(): void {
    this.endLevel()
    const count = this.#count, slots = this.#slots
    if (count === 0) return
    const digests = this.#passes.hash({
      bytes: this.writer.bytes, count, offsets: this.#offsets.subarray(0, count + 1), levels: Uint32Array.from(this.#levels),
      gaps: this.#gaps.subarray(0, this.#gapWords),
      states: Uint32Array.from(this.#states), starts: this.#starts.subarray(0, count),
    })
    const words = new Uint32Array(digests.buffer, digests.byteOffset, digests.length / 4), target = new Uint32Array(this.#digests.buffer)
    for (let n = 0; n < count; n++) {
      const slot = slots[n]!
      this.#messageOf[slot] = -1
      for (let i = 0; i < 8; i++) target[slot * 8 + i] = words[n * 8 + i]!
    }
    this.writer.clear()
    this.#count = this.#gapWords = 0
    this.#levels = []
  }
}
