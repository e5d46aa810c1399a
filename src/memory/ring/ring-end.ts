import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import { DTYPE_BYTES, DTYPE_ID, type Dtype } from '../../media/dtype.js'
import { RING, RING_FLAG } from '../layout.js'
import type { Address, MemoryHost } from '../memory-host.js'
import { arrayOfDtype, viewsDtype, type MemoryArray, type MemoryArrayConstructor } from '../views.js'
import type { RingLife } from './ring-life.js'
import { AsyncWord, type BlockingWait } from './ring-wait.js'

/** The memory that a ring stands in; an arena, or the views of a worker. */
export type RingHost = Pick<MemoryHost, 'buffer' | 'u32' | 'i32'>

/**
 * Push and pop of the core module (crate engine, `ring.rs`): samples of 4 bytes between arena addresses. The twin of the
 * copying code here, about ten times faster.
 */
export interface RingCore {
  readonly ring_push: (ring: Address, source: Address, stride: number, frames: number) => number
  readonly ring_pop: (ring: Address, target: Address, stride: number, frames: number) => number
}

/** Samples of one channel, or of each channel, as arrays of the ring's dtype (an event takes eight words). */
export type RingSamples = MemoryArray | readonly MemoryArray[]

/**
 * Frames of a ring without a copy, in at most two parts: `first` frames from index `start` of every {@link RingEnd.data} array, then the
 * rest from index 0. The same object each time; good until the next call.
 */
export interface RingParts { frames: number; start: number; first: number; second: number }

/** Words of one end; the peer's are those of the other. */
interface Words { readonly own: number; readonly event: number; readonly sleepers: number; readonly seen: number }
const WRITER: Words = { own: RING.WRITE, event: RING.WRITER_EVENT, sleepers: RING.WRITER_SLEEPERS, seen: RING.SEEN_READ }
const READER: Words = { own: RING.READ, event: RING.READER_EVENT, sleepers: RING.READER_SLEEPERS, seen: RING.SEEN_WRITE }

/**
 * Looks before a worker goes to sleep, some µs, and before the engine waits. More of it costs more than it saves where threads share cores.
 */
const SPINS = 1_000
const SPINS_OF_ENGINE = 600

/** Below this many elements a loop beats `set` of a part. */
const FEW = 32

/**
 * What both ends of a ring share (MW-27, MW-28). One thread per end. Steps W1 to W6 and S1 to S5 are those of test/models/ring.test.ts: an
 * end stores its index (W3), and when somebody sleeps (W4) bumps its event (W5) and notifies (W6); who waits counts itself in (S1), reads
 * the peer's event (S2), looks at the index (S3), sleeps on the value read (S4). Who waits and who wakes use the same word, so no wake-up
 * is lost.
 */
export abstract class RingEnd {
  /** @internal Warned of when it goes without `dispose`; absent for ends that other threads attached. */
  life: RingLife | undefined
  /** Address of the ring. */
  protected readonly place: Address
  /** Frames that it holds, a power of two; all of them are usable. */
  readonly capacity: number
  readonly channels: number
  readonly dtype: Dtype
  protected readonly u32: Uint32Array
  protected readonly i32: Int32Array
  protected core: RingCore | undefined
  /** Array elements of one sample: 8 for events, else 1. */
  protected readonly width: number
  protected found: Address = 0
  protected stride = 0
  protected readonly partsOut: RingParts = { frames: 0, start: 0, first: 0, second: 0 }
  readonly #buffer: ArrayBufferLike
  readonly #own: number
  readonly #event: number
  readonly #sleepers: number
  readonly #seen: number
  readonly #peer: number
  readonly #peerEvent: number
  readonly #peerSleepers: number
  /** Capacity for the writer, which counts room; 0 for the reader, which counts frames. */
  readonly #bias: number
  readonly #data: MemoryArray[] = []
  readonly #word: AsyncWord
  readonly #type: MemoryArrayConstructor
  readonly #located: { readonly array: MemoryArray; readonly address: Address }[] = []
  /** What {@link fits} found last: the array when the ring is mono, frames in it, address or 0, stride between channels. */
  #one: MemoryArray | undefined
  #held = 0
  #position: number
  #gone = false

  constructor(host: RingHost, address: Address, side: 'writer' | 'reader', core: RingCore | undefined) {
    const word = (offset: number): number => (address + offset) >>> 2, get = (offset: number): number => host.u32[word(offset)]!
    const own = side === 'writer' ? WRITER : READER, peer = side === 'writer' ? READER : WRITER
    this.place = address
    this.u32 = host.u32
    this.i32 = host.i32
    this.#buffer = host.buffer
    this.capacity = get(RING.CAPACITY)
    this.channels = get(RING.CHANNELS)
    const id = get(RING.DTYPE)
    const dtype = (Object.keys(DTYPE_ID) as Dtype[]).find((name) => DTYPE_ID[name] === id), { capacity, channels } = this
    // Of a stale address, or one of something else: nothing is read or written by what stands there.
    if (dtype === undefined || !(address % 8 === 0 && capacity > 0 && (capacity & (capacity - 1)) === 0 && channels > 0
      && address + RING.DATA + capacity * channels * DTYPE_BYTES[dtype] <= host.buffer.byteLength)) {
      this.#refuse('the address of a ring', address)
    }
    this.dtype = dtype
    this.core = DTYPE_BYTES[this.dtype] === 4 ? core : undefined
    this.#own = word(own.own)
    this.#event = word(own.event)
    this.#sleepers = word(own.sleepers)
    this.#seen = word(own.seen)
    this.#peer = word(peer.own)
    this.#peerEvent = word(peer.event)
    this.#peerSleepers = word(peer.sleepers)
    this.#bias = side === 'writer' ? this.capacity : 0
    this.#word = new AsyncWord(host.i32, this.#peerEvent)
    const type = this.#type = arrayOfDtype(this.dtype), bytes = DTYPE_BYTES[this.dtype]
    this.width = bytes / type.BYTES_PER_ELEMENT
    for (let c = 0; c < this.channels; c++) {
      this.#data.push(new type(host.buffer, address + RING.DATA + c * this.capacity * bytes, this.capacity * this.width))
    }
    this.#position = get(RING.POSITION_U64) + (get(RING.POSITION_U64 + 4) | 0) * 2 ** 32 + this.u32[this.#own]!
  }

  /**
   * Position in the stream of this end's next frame, in frames. Counted by this object, so attach
   * before the indices have wrapped (2³² frames).
   */
  get position(): number { return this.#position }
  /** True once either side closed the ring: nothing comes and nothing is taken any more. */
  get closed(): boolean { return (Atomics.load(this.u32, this.flagsWord) & RING_FLAG.CLOSED) !== 0 }
  /** Address of the ring, for the thread that has the other end. */
  get address(): Address { this.life?.giveOut(); return this.place }
  /** The whole channel of the ring: where {@link RingParts} point. */
  data(channel: number): MemoryArray { this.life?.giveOut(); return this.#data[channel]! }

  /** Closes the ring for both sides and wakes who sleeps. Idempotent. */
  close(): void { this.mark(RING_FLAG.CLOSED) }

  /** The other side says that something changed, by message: for threads without `Atomics.waitAsync`. */
  poke(): void { this.#word.poke() }

  /** The ring's memory is no longer its own: nothing is moved from now on. @internal */
  letGo(): void { this.#gone = true; this.core = undefined }

  protected get flagsWord(): number { return (this.place + RING.FLAGS) >>> 2 }

  /** Sets a flag, then wakes both sides. */
  protected mark(flag: number): void {
    Atomics.or(this.u32, this.flagsWord, flag)
    this.#wake(this.#event, this.#sleepers)
    this.#wake(this.#peerEvent, this.#peerSleepers)
  }

  /**
   * W1: frames (reader) or room (writer), at least `wanted` if there are so many: the peer's index as last seen, and only
   * when that is too little, as it is. @realtime
   */
  protected room(wanted: number): number {
    if (this.#gone) return 0
    const own = this.u32[this.#own]!
    const known = (this.u32[this.#seen]! + this.#bias - own) >>> 0
    if (known >= wanted) return known
    const peer = Atomics.load(this.u32, this.#peer)
    this.u32[this.#seen] = peer
    return (peer + this.#bias - own) >>> 0
  }

  /** W2 without a copy: up to `most` frames from this end's index on. @realtime */
  protected span(most: number): RingParts {
    const parts = this.partsOut, free = this.room(most)
    parts.frames = most < free ? most : free
    parts.start = this.u32[this.#own]! & (this.capacity - 1)
    parts.first = Math.min(parts.frames, this.capacity - parts.start)
    parts.second = parts.frames - parts.first
    return parts
  }

  /** W3 to W6: this end has moved by `frames`. @realtime */
  protected advance(frames: number): void {
    if (frames === 0) return
    Atomics.store(this.u32, this.#own, this.u32[this.#own]! + frames)
    this.#position += frames
    this.#wake(this.#event, this.#sleepers)
  }

  /** The core has moved this end. */
  protected moved(frames: number): number {
    this.#position += frames
    return frames
  }

  /** S1 to S5, blocking, after a short spin: true when `ready`, false after `timeoutMs`. */
  protected waitFor(ready: () => boolean, timeoutMs: number, block: BlockingWait): boolean {
    for (let spins = 0; spins < SPINS; spins++) if (ready()) return true
    const until = performance.now() + timeoutMs
    Atomics.add(this.u32, this.#peerSleepers, 1)
    try {
      for (;;) {
        const seen = Atomics.load(this.i32, this.#peerEvent)
        if (ready()) return true
        const left = until - performance.now()
        if (left <= 0) return false
        block(this.i32, this.#peerEvent, seen, left)
      }
    } finally { Atomics.sub(this.u32, this.#peerSleepers, 1) }
  }

  /** S1 to S5 without blocking, after a shorter spin: an answer that is on its way costs no turn of the event loop. */
  protected async waitForAsync(ready: () => boolean, timeoutMs: number): Promise<boolean> {
    for (let spins = 0; spins < SPINS_OF_ENGINE; spins++) if (ready()) return true
    const until = performance.now() + timeoutMs
    Atomics.add(this.u32, this.#peerSleepers, 1)
    try {
      for (;;) {
        const seen = Atomics.load(this.i32, this.#peerEvent), left = until - performance.now()
        if (ready()) return true
        if (left <= 0) return false
        await this.#word.changed(seen, left)
      }
    } finally { Atomics.sub(this.u32, this.#peerSleepers, 1) }
  }

  /**
   * Frames to move: what all of `samples` hold from frame `from` on, at most `wanted`. Sets `found` (their address when they stand in this
   * memory with one stride between channels, else 0) and `stride`. Refuses arrays of another dtype. @realtime
   */
  protected fits(samples: RingSamples, wanted: number | undefined, from: number): number {
    if (samples !== this.#one) this.#look(samples)
    if (from !== 0 && !Number.isInteger(from)) return 0
    const most = this.#held - from
    return wanted === undefined || wanted > most ? (most > 0 && from >= 0 ? most : 0) : wanted > 0 && from >= 0 ? Math.floor(wanted) : 0
  }

  /** Copies one part between the ring and the caller's arrays. */
  protected copy(samples: RingSamples, from: number, at: number, frames: number, into: boolean): void {
    const n = frames * this.width, ours = at * this.width, theirs = from * this.width
    for (let c = 0; c < this.channels && n > 0; c++) {
      const array = (ArrayBuffer.isView(samples) ? samples : samples[c]!) as Float32Array, data = this.#data[c] as Float32Array
      if (into) copyElements(data, ours, array, theirs, n); else copyElements(array, theirs, data, ours, n)
    }
  }

  #look(samples: RingSamples): void {
    const one = ArrayBuffer.isView(samples)
    let frames = Number.POSITIVE_INFINITY
    if (one && this.channels > 1) this.#refuse(`${this.channels} arrays`, samples)
    for (let c = 0; c < this.channels; c++) {
      const array = one ? samples : samples[c], known = this.#located[c]
      if (array === undefined || known?.array !== array) this.#locate(c, array)
      frames = Math.min(frames, array!.length)
    }
    this.#held = Math.floor(frames / this.width)
    this.#one = one ? samples : undefined
    this.found = this.#located[0]!.address
    this.stride = this.channels === 1 ? 0 : this.#located[1]!.address - this.found
    for (let c = 1; c < this.channels; c++) {
      if (this.stride <= 0 || this.#located[c]!.address !== this.found + c * this.stride) this.found = 0
    }
  }

  /** Where an array stands never changes, so each is asked once: `buffer` costs more than a copy of 128 frames. */
  #locate(channel: number, array: MemoryArray | undefined): void {
    if (!(ArrayBuffer.isView(array) && viewsDtype(array.constructor as MemoryArrayConstructor, this.dtype)
      && array.BYTES_PER_ELEMENT === this.#type.BYTES_PER_ELEMENT)) {
        this.#refuse(`${this.channels} arrays of ${this.dtype}`, array)
      }
    this.#located[channel] = { array, address: array.buffer === this.#buffer ? array.byteOffset : 0 }
  }

  #refuse(expected: string, got: unknown): never { throw commonErrors.INVALID_ARGUMENT({ function: 'ring', expected, got: show(got) }) }

  /** W4 to W6. Who sleeps counted itself in before it looked at the index, so an event that nobody waits for needs no bump. */
  #wake(event: number, sleepers: number): void {
    if (Atomics.load(this.u32, sleepers) === 0) return
    Atomics.add(this.i32, event, 1)
    Atomics.notify(this.i32, event)
  }
}

function copyElements(to: Float32Array, at: number, source: Float32Array, from: number, n: number): void {
  if (n < FEW) { for (let i = 0; i < n; i++) to[at + i] = source[from + i]!; return }
  to.set(from === 0 && n === source.length ? source : source.subarray(from, from + n), at)
}
