import type { Media } from '../media/media-type.js'
import type { Packet, PacketStream } from '../media/packet.js'
import { releasePacket } from './packet-data.js'

/** Counters of one edge for the metrics (spec execution.md section 8). */
export interface EdgeCounters {
  items: number
  frames: number
  dropped: number
  blockedUs: number
  depthMax: number
  /** µs that the reader waited. */
  waitedUs: number
}

/** Packets that may wait on an edge (spec execution.md section 4): few blocks of audio, more of what is small. */
export function queueCapacity(kind: Media['kind'] | undefined): number { return kind === 'audio' ? 8 : 16 }

/**
 * What becomes of packets in a queue: `read`: they wait, in a queue that may grow when the run would stand still; `hold`: its reader wants
 * none for now, so its writer waits; `pass`: the same, but the writer goes on for others, so they are dropped. A packet that is all there
 * is stays in any case: a value can be asked for later, a stream is read from where it is.
 */
export type QueueMode = 'read' | 'hold' | 'pass'

/** How the queue tells time and joins packets; given by the driver. */
export interface QueueServices {
  nowUs(): number
  /**
   * Like `nowUs`, but stands still while segments run on this thread: what `waitedUs` is counted in, so that no
   * kernel is taken for waiting. Default `nowUs`.
   */
  ownUs?(): number
  /** What the reader sees of a packet (a view of channels); takes it over. */
  show?(packet: Packet): Packet
  /** Looks at a packet as it comes; what it gives fails the reader, and the packet is released. */
  refuse?(packet: Packet): Error | undefined
  /** Joins consecutive packets into one; owns and releases the parts. */
  join(media: Media, parts: Packet[]): Packet
  /** Told whenever an end starts or stops waiting; the driver finds stalls with it. */
  waiting(queue: PacketQueue, end: 'reader' | 'writer', waits: boolean): void
}

/**
 * Bounded queue of packets between two nodes of which at least one is written in TypeScript (policy `block`: a full queue makes the writer
 * wait). One writer, one reader. The reader owns a packet until it asks for the next one; then the queue releases it. Drops only while its
 * reader has declined it (`mode`), and counts that; never throws from `push` after the reader has left: it then releases what comes.
 */
export class PacketQueue implements PacketStream {
  readonly media: Media
  readonly counters: EdgeCounters = { items: 0, frames: 0, dropped: 0, blockedUs: 0, depthMax: 0, waitedUs: 0 }
  /** Called whenever something comes, the end and a failure too, while set. */
  arrived: (() => void) | undefined
  #capacity: number
  /** Packets that were taken early. */
  #early = 0
  readonly #services: QueueServices
  readonly #waiting: Packet[] = []
  #held: Packet | undefined
  #mode: QueueMode = 'read'
  /** Packets that came, dropped ones too. */
  #came = 0
  #ended = false
  #left = false
  #failure: unknown
  #failed = false
  #wakeReader: (() => void) | undefined
  #wakeWriter: (() => void) | undefined

  constructor(media: Media, capacity: number, services: QueueServices) {
    this.media = media
    this.#capacity = capacity
    this.#services = services
  }

  /** Adds a packet; settles when there was room. The queue owns the packet from now on. */
  async push(packet: Packet): Promise<void> {
    while (!this.hasRoom(1)) await this.#wait('writer', (resolve) => { this.#wakeWriter = resolve })
    this.offer(packet)
  }

  /** Adds a packet without waiting, beyond the capacity if need be. */
  offer(packet: Packet): void {
    if (this.#left || this.#failed) { releasePacket(packet); return }
    this.#came++
    if (this.#passes()) { this.counters.dropped++; releasePacket(packet); return }
    const refused = this.#services.refuse?.(packet)
    if (refused !== undefined) {
      releasePacket(packet)
      this.fail(refused)
      // What cannot be read keeps no source going.
      this.#left = true
      return
    }
    this.#waiting.push(this.#services.show?.(packet) ?? packet)
    this.counters.items++
    this.counters.frames += packet.duration
    this.counters.depthMax = Math.max(this.counters.depthMax, this.#waiting.length + this.#early)
    this.#tell()
  }

  get mode(): QueueMode { return this.#mode }

  /** See {@link QueueMode}; `read` at first. */
  set mode(mode: QueueMode) {
    if (mode === this.#mode) return
    this.#mode = mode
    this.#passes()
    if (mode === 'pass') this.#wakeWriter?.()
  }

  /** True for a stream that nobody reads: what waits of it is dropped. */
  #passes(): boolean {
    if (this.#mode !== 'pass' || this.#came < 2) return false
    const { counters } = this
    for (const { duration } of this.#waiting) { counters.items--; counters.frames -= duration; counters.dropped++ }
    this.#drain()
    return true
  }

  /** True once the reader has left: nothing that is pushed will be read. */
  get abandoned(): boolean { return this.#left }

  /** No packet follows. */
  end(): void { this.#ended = true; this.#tell() }

  /** True when `count` more packets can come without waiting. */
  hasRoom(count: number): boolean {
    return this.#left || this.#failed || this.#mode === 'pass' || this.#waiting.length + this.#early + count <= this.#capacity
  }

  /** The reader gets `error` at its next read; waiting packets are released. */
  fail(error: unknown): void {
    if (this.#ended && this.#waiting.length === 0) return
    this.#failed = true
    this.#failure = error
    this.#drain()
    this.#tell()
    this.#wakeWriter?.()
  }

  /** Takes the next packet; undefined at the end. Releases the packet that was given before. */
  async next(): Promise<Packet | undefined> {
    this.#release()
    for (;;) {
      if (this.#failed) throw this.#failure
      const packet = this.#waiting.shift()
      if (packet) { this.#wakeWriter?.(); this.#held = packet; return packet }
      if (this.#ended || this.#left) return undefined
      await this.#wait('reader', (resolve) => { this.#wakeReader = resolve })
    }
  }

  /** Settles when there is a packet, or none will come, or `enough` says so after a {@link nudge}. Throws what failed the queue. */
  async ready(enough: () => boolean): Promise<void> {
    while (!this.#failed && this.#waiting.length === 0 && !this.#ended && !this.#left && !enough()) {
      await this.#wait('reader', (resolve) => { this.#wakeReader = resolve })
    }
    if (this.#failed) throw this.#failure
  }

  /** Lets a waiting reader look again. */
  nudge(): void { this.#wakeReader?.() }

  /** Takes the next packet for good: the caller releases it. */
  async take(): Promise<Packet | undefined> {
    const packet = await this.next()
    this.#held = undefined
    return packet
  }

  /** What {@link take} would give now; null: the end. Undefined: nothing yet, or a failure. The queue keeps it. */
  peek(): Packet | null | undefined { return this.#failed || this.#left ? undefined : this.#waiting[0] ?? (this.#ended ? null : undefined) }

  /** Takes what was peeked at, for good; until {@link settle} it counts as a packet that waits here. */
  takeEarly(): void {
    this.#waiting.shift()
    this.#early++
  }

  /** What was taken early has been read. */
  settle(): void {
    if (this.#early === 0) return
    this.#early = 0
    this.#wakeWriter?.()
  }

  /** The reader leaves: what waits is released, the writer goes on without effect. */
  leave(): void {
    this.#left = true
    this.#release()
    this.#drain()
    this.#wakeWriter?.()
    this.#wakeReader?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Packet, void, undefined> {
    try {
      for (let packet = await this.next(); packet; packet = await this.next()) yield packet
    } finally { this.leave() }
  }

  async whole(): Promise<Packet> {
    const parts: Packet[] = []
    try {
      for (let packet = await this.next(); packet; packet = await this.next()) { parts.push(packet); this.#held = undefined }
    } catch (error) {
      for (const part of parts) releasePacket(part)
      throw error
    }
    this.#held = this.#services.join(this.media, parts)
    return this.#held
  }

  /** Makes room for as much again, because every task of the run waits and this full queue is why. */
  grow(): void {
    this.#capacity *= 2
    this.#wakeWriter?.()
  }

  async #wait(end: 'reader' | 'writer', arm: (resolve: () => void) => void): Promise<void> {
    const services = this.#services
    const now = end === 'reader' && services.ownUs ? (): number => services.ownUs!() : (): number => services.nowUs()
    const since = now()
    // Armed first: being told of the wait may end it at once.
    const armed = new Promise<void>(arm)
    this.#services.waiting(this, end, true)
    await armed
    this.#services.waiting(this, end, false)
    this.counters[end === 'reader' ? 'waitedUs' : 'blockedUs'] += now() - since
  }

  #release(): void {
    if (this.#held) releasePacket(this.#held)
    this.#held = undefined
  }

  #tell(): void {
    this.#wakeReader?.()
    this.arrived?.()
  }

  #drain(): void {
    for (const packet of this.#waiting.splice(0)) releasePacket(packet)
  }
}
