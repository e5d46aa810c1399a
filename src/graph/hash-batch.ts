import { HashWriter } from './hash-writer.js'
import type { GraphPasses } from './passes.js'
import { DIGEST_BYTES } from './sha256.js'
import { TAG } from './hash-type.js'

/** Bytes of messages that are held at once; a graph with more is hashed in several calls. */
const MOST_BYTES = 8_388_608
/** Room that the buffer starts with, per message. */
const USUAL_BYTES = 448

/** A link's record with places for what differs. */
interface Link { readonly port: string; readonly bytes: Uint8Array; readonly orderAt: number; readonly digestAt: number }

function linkRecord(port: string, parentPort: string): Link {
  const writer = new HashWriter().begin(TAG.input).text(TAG.port, port).index(TAG.order, 0), orderAt = writer.mark - 4, digestAt = writer.begin(TAG.parent).mark
  return { port, bytes: writer.skip(DIGEST_BYTES).end().text(TAG.parentPort, parentPort).end().bytes.slice(), orderAt, digestAt }
}

/**
 * Messages of a graph, collected for one call of {@link GraphPasses.hash}. They are given level by level, so that the digest of a message's parent is
 * known (of an earlier call) or will be before the message is hashed (a gap).
 */
export class MessageBatch {
  readonly writer: HashWriter
  readonly #passes: GraphPasses
  readonly #digests: Uint8Array
  /** Slot of each message of the call under way, and the message of each slot; −1 = not in this call. */
  #slots: number[] = []
  readonly #messageOf: Int32Array
  #offsets: number[] = [0]
  #levels: number[] = []
  #gaps: number[] = []
  readonly #links = new Map<string, Map<string, number>>()
  readonly #records: Link[] = []

  /** A batch of at most `slots` messages. */
  constructor(passes: GraphPasses, slots: number) {
    this.#passes = passes
    this.writer = new HashWriter(Math.min(USUAL_BYTES * slots, MOST_BYTES))
    this.#digests = new Uint8Array(slots * DIGEST_BYTES)
    this.#messageOf = new Int32Array(slots).fill(-1)
  }

  /** Digest n stands at 32·n: of every message that was ended before the last {@link flush}. */
  get digests(): Uint8Array { return this.#digests }

  /** Number of the record that all links of these two ports are copies of. */
  linkOf(port: string, parentPort: string): number {
    let parents = this.#links.get(port)
    if (parents === undefined) this.#links.set(port, parents = new Map())
    let link = parents.get(parentPort)
    if (link === undefined) parents.set(parentPort, link = this.#records.push(linkRecord(port, parentPort)) - 1)
    return link
  }

  /** The port that a link's record is about. */
  portOf(link: number): string { return this.#records[link]!.port }

  /** The record of a link from slot `slot`, which was ended in an earlier level. */
  link(number: number, order: number, slot: number): void {
    const { writer } = this, link = this.#records[number]!, at = writer.mark, message = this.#messageOf[slot]!
    writer.raw(link.bytes).setU32(at + link.orderAt, order)
    if (message >= 0) this.#gaps.push(at + link.digestAt, message)
    else writer.setBytes(at + link.digestAt, this.#digests, slot * DIGEST_BYTES, (slot + 1) * DIGEST_BYTES)
  }

  /** The digest of slot `slot` without a tag. */
  digestOf(slot: number): void {
    const message = this.#messageOf[slot]!, { writer } = this
    if (message < 0) { writer.raw(this.#digests, slot * DIGEST_BYTES, (slot + 1) * DIGEST_BYTES); return }
    this.#gaps.push(writer.mark, message)
    writer.skip(DIGEST_BYTES)
  }

  /** What was written since the last message is the message of slot `slot`. */
  end(slot: number): void {
    this.writer.pad(this.#offsets.at(-1)!)
    this.#messageOf[slot] = this.#slots.push(slot) - 1
    this.#offsets.push(this.writer.mark)
    if (this.writer.mark >= MOST_BYTES) this.flush()
  }

  /** Digest `at` of an earlier batch is that of slot `slot`. */
  keep(slot: number, digests: Uint8Array, at: number): void { this.#digests.set(digests.subarray(at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES), slot * DIGEST_BYTES) }

  /** What was ended so far may be a parent of what comes. */
  endLevel(): void {
    if (this.#slots.length > (this.#levels.at(-1) ?? 0)) this.#levels.push(this.#slots.length)
  }

  /** Hashes what is there. */
  flush(): void {
    this.endLevel()
    const slots = this.#slots, found = this.#digests
    if (slots.length === 0) return
    const digests = this.#passes.hash({
      bytes: this.writer.bytes, count: slots.length, offsets: Uint32Array.from(this.#offsets), levels: Uint32Array.from(this.#levels), gaps: Uint32Array.from(this.#gaps),
    })
    const words = new Uint32Array(digests.buffer, digests.byteOffset, digests.length / 4), target = new Uint32Array(found.buffer)
    for (let n = 0; n < slots.length; n++) {
      const slot = slots[n]!
      this.#messageOf[slot] = -1
      for (let i = 0; i < 8; i++) target[slot * 8 + i] = words[n * 8 + i]!
    }
    this.writer.clear()
    this.#slots = []
    this.#offsets = [0]
    this.#levels = []
    this.#gaps = []
  }
}
