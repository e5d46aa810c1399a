import type { Media } from '../../media/media-type.js'
import type { Packet, PacketStream } from '../../media/packet.js'
import { releasePacket, sharePacket } from '../packet-data.js'
import type { PacketQueue } from '../packet-queue.js'
import type { Turn } from '../policy/turn.js'

/** Packets that are kept for another delivery; more, and there is none. */
const MOST_KEPT = 16

/** What all inputs of a node share. */
export interface InputScope {
  /** The turn of the attempt that runs: left while the node waits for a packet. */
  turn: Turn
  /** What was read is kept, so that the node can be called again from the start. */
  replayable: boolean
  join(media: Media, parts: Packet[]): Packet
}

/**
 * An input of a node written in TypeScript: its queue, read again from the start by the next delivery while nothing was given out. The node
 * owns a packet until it asks for the next one.
 */
export class NodeInput implements PacketStream {
  readonly media: Media
  readonly #queue: PacketQueue
  readonly #scope: InputScope
  readonly #look: ((packet: Packet) => void) | undefined
  readonly #kept: Packet[] = []
  /** Called before every packet but the first is given to the node. */
  onNext: (() => Promise<void>) | undefined
  /** Packets that came. */
  got = 0
  /** Packets that the last {@link whole} was made of. */
  parts = 0
  /** The node has read it to its end. */
  ended = false
  #at = 0
  #begun = false
  #held: Packet | undefined
  /** Reads under way, and those among them of deliveries that are over: what they get is the next one's. */
  readonly #reads = new Set<Promise<unknown>>()
  #stale: Promise<unknown> | undefined
  #left = false

  /** `look` throws for a packet that the node cannot take. */
  constructor(queue: PacketQueue, scope: InputScope, look?: (packet: Packet) => void) {
    this.media = queue.media
    this.#look = look
    this.#queue = queue
    this.#scope = scope
  }

  /** Starts over. Only while the scope is replayable. */
  rewind(): void {
    if (this.#reads.size > 0) {
      const stale: Promise<unknown> = this.#stale = Promise.allSettled(this.#reads).then(() => {
        if (this.#stale === stale) this.#stale = undefined
        if (!this.#left) this.#restart()
      })
    }
    this.#restart()
  }

  #restart(): void {
    this.#release()
    this.#at = 0
    this.#begun = false
    this.ended = false
    this.onNext = undefined
  }

  /** What was read is not read again: lets go of it. */
  forget(): void {
    for (const packet of this.#kept.splice(0, this.#at)) releasePacket(packet)
    this.#at = 0
  }

  /** The node has ended. */
  leave(): void {
    this.#left = true
    this.#clear()
    this.#queue.leave()
  }

  #clear(): void {
    this.#release()
    this.#at = this.#kept.length
    this.forget()
  }

  /** A read begins when those of earlier deliveries have ended; who reads on when the node has ended leaves nothing. */
  #read<T>(read: () => Promise<T>): Promise<T> {
    const reading = this.#stale === undefined ? read() : this.#scope.turn.outside(this.#stale).then(read), done = (): void => {
      this.#reads.delete(reading)
      if (this.#left) this.#clear()
    }
    this.#reads.add(reading)
    reading.then(done, done)
    return reading
  }

  /** Settles when there is something to read, or nothing will come. Throws what failed the input. */
  async ready(): Promise<void> {
    if (this.#at >= this.#kept.length) await this.#scope.turn.outside(this.#queue.ready(() => false))
  }

  /** The node wants no more of this input. */
  async quit(): Promise<void> {
    this.#release()
    if (!this.#scope.replayable) this.#queue.leave()
    return Promise.resolve()
  }

  /** Takes the next packet; undefined at the end. */
  next(): Promise<Packet | undefined> { return this.#read(() => this.#next()) }
  async #next(): Promise<Packet | undefined> {
    this.#release()
    const packet = this.#held = await this.#take(true)
    if (packet !== undefined && this.#begun) await this.onNext?.()
    this.#begun = true
    return packet
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Packet, void, undefined> {
    try {
      for (let packet = await this.next(); packet; packet = await this.next()) yield packet
    } finally { await this.quit() }
  }

  whole(): Promise<Packet> { return this.#read(() => this.#whole()) }
  async #whole(): Promise<Packet> {
    this.#release()
    const parts: Packet[] = []
    try {
      for (let packet = await this.#take(false); packet; packet = await this.#take(false)) parts.push(packet)
    } catch (error) {
      for (const part of parts) releasePacket(part)
      throw error
    }
    this.parts = parts.length
    const whole = this.#scope.join(this.media, parts)
    if (this.#scope.replayable) {
      this.forget()
      if (this.parts > 0) this.#at = this.#kept.push(sharePacket(whole))
    }
    return this.#held = whole
  }

  async #take(keep: boolean): Promise<Packet | undefined> {
    const again = this.#kept[this.#at]
    if (again !== undefined) {
      if (this.#scope.replayable) { this.#at++; return sharePacket(again) }
      this.#kept.splice(this.#at, 1)
      return again
    }
    const packet = await this.#scope.turn.outside(this.#queue.take())
    if (packet === undefined) this.ended = true; else this.got++
    try { if (packet !== undefined) this.#look?.(packet) } catch (error) { releasePacket(packet!); throw error }
    if (packet === undefined || !keep || !this.#scope.replayable) return packet
    if (this.#kept.length === MOST_KEPT) {
      this.#scope.replayable = false
      this.forget()
    } else {
      this.#kept.push(sharePacket(packet))
      this.#at = this.#kept.length
    }
    return packet
  }

  #release(): void {
    if (this.#held) releasePacket(this.#held)
    this.#held = undefined
  }
}
