import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import { DTYPE_BYTES, DTYPE_ID, type Dtype } from '../../media/dtype.js'
import type { Arena } from '../arena.js'
import type { Block } from '../block.js'
import { RING, RING_FLAG } from '../layout.js'
import type { Address } from '../memory-host.js'
import { RingEnd, type RingCore, type RingHost, type RingParts, type RingSamples } from './ring-end.js'
import { ringOver } from './ring-life.js'
import type { BlockingWait } from './ring-wait.js'

/** Frames that a ring may hold. */
const LEAST_FRAMES = 16
const MOST_FRAMES = 2 ** 24
const MOST_CHANNELS = 64

/**
 * `frames`: a power of two, 16–2²⁴, all usable. `position`: of the first frame in the stream, default 0. `core`: the core module's exports,
 * for copies at memory speed; default the arena's.
 */
export interface RingSpec {
  readonly frames: number
  readonly channels?: number
  readonly dtype?: Dtype
  readonly position?: number
  readonly core?: RingCore
  /** For tests of the wrap at 2³²: the value that both indices start with. */
  readonly firstIndex?: number
}

/** Where a ring's stream begins, and for tests of the wrap at 2³² the value that both indices start with. */
export type RingStart = Pick<RingSpec, 'position' | 'firstIndex'>

/** A ring and its two ends. Hand `address` and the memory to the other thread, which calls {@link attachWriter} or {@link attachReader}. */
export interface Ring {
  readonly writer: RingWriter
  readonly reader: RingReader
  readonly address: Address
  /** Closes the ring and frees it: only when the other thread has let go of it. */
  [Symbol.dispose](): void
}

/** The end that one producer thread uses. Nothing here waits but the two waits. */
export class RingWriter extends RingEnd {
  /** Use {@link createRing} or {@link attachWriter}. */
  constructor(host: RingHost, address: Address, core?: RingCore) { super(host, address, 'writer', core) }

  /** Frames that fit now. @realtime */
  get free(): number { return this.room(this.capacity) }

  /**
   * Copies up to `frames` frames (default all) from frame `from` of `samples` and gives how many there was room for.
   * Samples in the arena go by the core. @realtime
   */
  write(samples: RingSamples, frames?: number, from = 0): number {
    const most = this.fits(samples, frames, from)
    if (this.core !== undefined && this.found !== 0) {
      return this.moved(this.core.ring_push(this.place, this.found + from * 4, this.stride, most))
    }
    const { start, first, second, frames: count } = this.span(most)
    this.copy(samples, from, start, first, true)
    if (second > 0) this.copy(samples, from + first, 0, second, true)
    this.advance(count)
    return count
  }

  /** As {@link write}; frames without room are lost and counted: `dropped`, and one overrun. Gives how many were written. @realtime */
  writeOrDrop(samples: RingSamples, frames: number = lengthOf(samples, this.width)): number {
    const count = this.write(samples, frames)
    if (count < frames) {
      Atomics.add(this.u32, (this.place + RING.DROPPED) >>> 2, frames - count)
      Atomics.add(this.u32, (this.place + RING.OVERRUNS) >>> 2, 1)
    }
    return count
  }

  /** Room for up to `most` frames in the ring itself; write there, then {@link commit}. @realtime */
  parts(most: number = this.capacity): RingParts { return this.span(most) }
  /** Hands `frames` frames over that were written in place. @realtime */
  commit(frames: number): void { this.advance(checked(frames, this.room(frames), 'commit')) }

  /** Nothing more comes: a reader that has taken all is at its end. Wakes it. */
  end(): void { this.mark(RING_FLAG.END) }

  /** Waits until `frames` fit or the ring is closed; workers only. False after `timeoutMs`. */
  waitRoom(frames: number, timeoutMs: number, block: BlockingWait): boolean {
    return this.waitFor(() => this.closed || this.room(frames) >= frames, timeoutMs, block)
  }
  /** As {@link waitRoom} on a thread that must not block. */
  roomAsync(frames: number, timeoutMs: number): Promise<boolean> {
    return this.waitForAsync(() => this.closed || this.room(frames) >= frames, timeoutMs)
  }
}

/** The end that one consumer thread uses. An AudioWorklet calls {@link readOrSilence} each quantum and never waits (MW-29). */
export class RingReader extends RingEnd {
  /** Use {@link createRing} or {@link attachReader}. */
  constructor(host: RingHost, address: Address, core?: RingCore) { super(host, address, 'reader', core) }

  /** Frames that are there now. @realtime */
  get available(): number { return this.room(this.capacity) }
  /** True when the writer has ended and all was taken, or the ring is closed. */
  get ended(): boolean {
    const flags = Atomics.load(this.u32, this.flagsWord)
    return (flags & RING_FLAG.CLOSED) !== 0 || ((flags & RING_FLAG.END) !== 0 && this.room(1) === 0)
  }
  /** Times that the reader asked for more than there was. */
  get underruns(): number { return this.u32[(this.place + RING.UNDERRUNS) >>> 2]! }
  /** Frames that the writer had to drop, and how often. */
  get dropped(): number { return Atomics.load(this.u32, (this.place + RING.DROPPED) >>> 2) }
  get overruns(): number { return Atomics.load(this.u32, (this.place + RING.OVERRUNS) >>> 2) }

  /** Moves up to `frames` frames (default: all that `target` holds) to frame `from` of `target`; gives how many there were. @realtime */
  read(target: RingSamples, frames?: number, from = 0): number {
    const most = this.fits(target, frames, from)
    if (this.core !== undefined && this.found !== 0) {
      return this.moved(this.core.ring_pop(this.place, this.found + from * 4, this.stride, most))
    }
    const { start, first, second, frames: count } = this.span(most)
    this.copy(target, from, start, first, false)
    if (second > 0) this.copy(target, from + first, 0, second, false)
    this.advance(count)
    return count
  }

  /**
   * As {@link read} for as many frames as `target` holds, the rest silence. Counts an underrun when the stream has not ended.
   * Gives the frames that were there. @realtime
   */
  readOrSilence(target: RingSamples): number {
    const frames = lengthOf(target, this.width), ended = this.ended, count = this.read(target, frames)
    if (count === frames) return count
    if (!ended) this.u32[(this.place + RING.UNDERRUNS) >>> 2]!++
    for (const array of ArrayBuffer.isView(target) ? [target] : target) (array as Float32Array).fill(0, count * this.width)
    return count
  }

  /** Up to `most` frames in the ring itself; read them there, then {@link release}. @realtime */
  parts(most: number = this.capacity): RingParts { return this.span(most) }
  /** Gives `frames` frames back to the writer. @realtime */
  release(frames: number): void { this.advance(checked(frames, this.room(frames), 'release')) }

  /** Waits until `frames` are there or the stream is over; workers only. False after `timeoutMs`. */
  wait(frames: number, timeoutMs: number, block: BlockingWait): boolean {
    return this.waitFor(() => this.#over() || this.room(frames) >= frames, timeoutMs, block)
  }
  /** As {@link wait} on a thread that must not block. */
  waitAsync(frames: number, timeoutMs: number): Promise<boolean> {
    return this.waitForAsync(() => this.#over() || this.room(frames) >= frames, timeoutMs)
  }

  #over(): boolean { return (Atomics.load(this.u32, this.flagsWord) & (RING_FLAG.END | RING_FLAG.CLOSED)) !== 0 }
}

/** Makes a ring in the arena. Throws `INVALID_ARGUMENT`, `ARENA_FULL`. Engine thread only; either end may go to another thread. */
export function createRing(arena: Arena, spec: RingSpec): Ring {
  const { frames, channels = 1, dtype = 'f32', core = arena.ringCore } = spec
  if (!(Number.isInteger(frames) && frames >= LEAST_FRAMES && frames <= MOST_FRAMES && (frames & (frames - 1)) === 0)) {
    refuse(`a power of two, ${LEAST_FRAMES}–2^24 frames`, frames)
  }
  if (!(Number.isInteger(channels) && channels >= 1 && channels <= MOST_CHANNELS)) refuse(`1–${MOST_CHANNELS} channels`, channels)
  if (!Object.hasOwn(DTYPE_ID, dtype)) refuse('a dtype', dtype)
  const block = layRing(arena, frames, channels, dtype, spec)
  const writer = new RingWriter(arena, block.address, core), reader = new RingReader(arena, block.address, core)
  return ringOver(arena, block, writer, reader, `Ring of ${frames} frames`)
}

/** The writing end of a ring that another thread made, by its address. */
export function attachWriter(host: RingHost, address: Address, core?: RingCore): RingWriter { return new RingWriter(host, address, core) }
/** The reading end of a ring that another thread made, by its address. */
export function attachReader(host: RingHost, address: Address, core?: RingCore): RingReader { return new RingReader(host, address, core) }

/** Writes an empty ring's control block. @internal */
export function layRing(arena: Arena, frames: number, channels: number, dtype: Dtype, o: RingStart = {}): Block {
  const block = arena.claim(RING.DATA + frames * channels * DTYPE_BYTES[dtype])
  block.pin()
  writeRing(arena.u32, block.address, frames, channels, dtype, o)
  return block
}

/** Writes the control lines of an empty ring at an address of its own. */
export function writeRing(u32: Uint32Array, address: Address, frames: number, channels: number, dtype: Dtype, o: RingStart = {}): void {
  const first = o.firstIndex ?? 0, position = (o.position ?? 0) - first
  const set = (offset: number, value: number): void => { u32[(address + offset) >>> 2] = value }
  u32.fill(0, address >>> 2, (address + RING.DATA) >>> 2)
  for (const offset of [RING.WRITE, RING.READ, RING.SEEN_READ, RING.SEEN_WRITE]) set(offset, first)
  set(RING.CAPACITY, frames)
  set(RING.CHANNELS, channels)
  set(RING.STRIDE, frames)
  set(RING.DTYPE, DTYPE_ID[dtype])
  set(RING.POSITION_U64, position)
  set(RING.POSITION_U64 + 4, Math.floor(position / 2 ** 32))
}

function lengthOf(samples: RingSamples, width: number): number {
  return (ArrayBuffer.isView(samples) ? samples : samples[0]!).length / width
}

function checked(frames: number, most: number, what: string): number {
  if (Number.isInteger(frames) && frames >= 0 && frames <= most) return frames
  throw commonErrors.INVALID_ARGUMENT({ function: `ring.${what}`, expected: `0–${most} frames`, got: show(frames) })
}

function refuse(expected: string, got: unknown): never {
  throw commonErrors.INVALID_ARGUMENT({ function: 'createRing', expected, got: show(got) })
}
