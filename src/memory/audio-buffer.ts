import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import type { AudioBuffer, AudioShape, AudioSpec, SampleArray, SampleArrayConstructor, Speakers } from '../media/audio-buffer.js'
import { SAMPLE_BYTES } from '../media/convert-samples.js'
import type { SampleFormat, SampleLayout } from '../media/media-type.js'
import type { Arena } from './arena.js'
import type { Block } from './block.js'
import { copyParts, type CopyCharge } from './copies.js'
import { memoryErrors } from './errors.js'
import type { Handle } from './handle.js'
import type { LeakWatch } from './leak-watch.js'
import type { Holder } from './leases.js'
import type { Address } from './memory-host.js'
import { tryView } from './views.js'

export type { AudioShape } from '../media/audio-buffer.js'

/**
 * Which frames of a block a buffer shows: frames before it, and frames from one planar channel to the next
 * (negative: channels stand in falling order).
 */
interface Window { readonly skip: number; readonly pitch: number }

/** Memory that samples lie in, and who pays for copies out of it. */
export type AudioHome = Pick<Arena, 'buffer' | 'copies'> & { readonly leaks?: LeakWatch | undefined }
/** What a buffer needs of its block: an arena's, or what a script thread knows of one. `home`: of a sibling that lies elsewhere. */
export interface AudioBlock {
  readonly handle: Handle
  readonly references: number
  readonly closed: boolean
  readonly address: Address
  readonly home?: AudioHome
  /** Keeps the bytes where they are: a view of them was handed out. */
  show?(): void
  readonly shown?: boolean
  clone(): AudioBlock
  sibling(spec: { readonly dtype: SampleFormat; readonly shape: readonly number[] }): AudioBlock
  [Symbol.dispose](): void
}

/** Most of what AU-11 carries. */
const MAX_RATE = 768_000
const MAX_CHANNELS = 64
const NAMED_SPEAKERS: readonly Speakers[] = ['mono', 'stereo', 'quad', '5.0', '5.1', '7.1', 'discrete']

/** Constructor of the array that shows a format as stored. */
export const ARRAY_OF: Readonly<Record<SampleFormat, SampleArrayConstructor<SampleArray> & (new (length: number) => SampleArray)>> =
  { f32: Float32Array, i32: Int32Array, i16: Int16Array, u8: Uint8Array }

/**
 * Audio in an arena block (spec audio.md, AU-12 to AU-15). Clones and slices share bytes, each with a lease of its own; `close` gives the
 * lease back. Afterwards every method throws `INVALID_HANDLE`; the descriptive fields stay readable.
 */
export class ArenaAudio implements AudioBuffer {
  readonly rate: number
  readonly channels: number
  readonly frames: number
  readonly format: SampleFormat
  readonly layout: SampleLayout
  readonly speakers: Speakers
  readonly position: number
  readonly #arena: AudioHome
  readonly #block: AudioBlock
  readonly #window: Window
  readonly #channels: Float32Array[] = []

  /** Takes over the lease of `block`, which holds the whole of `shape`, or the frames that `window` names. */
  constructor(arena: AudioHome, block: AudioBlock, shape: AudioShape, window: Window = { skip: 0, pitch: shape.frames }) {
    this.rate = shape.rate
    this.channels = shape.channels
    this.frames = shape.frames
    this.format = shape.format
    this.layout = shape.layout
    this.speakers = shape.speakers
    this.position = shape.position
    this.#arena = arena
    this.#block = block
    this.#window = window
    arena.leaks?.watch(this, block, `AudioBuffer of ${shape.frames} frames was collected without close()`)
  }

  get samples(): number { return this.frames * this.channels }
  get seconds(): number { return this.frames / this.rate }
  get handle(): Handle { return this.#block.handle }
  /** True when its bytes lie in that arena: a buffer of another engine has an address too, but of other bytes. */
  isIn(arena: Arena): boolean { return this.#arena === arena }
  /** The block that it stands in. */
  get block(): Block { return this.#block as Block }
  /** True once closed. */
  get closed(): boolean { return this.#block.closed }
  /** Address of frame 0 of channel 0; for programs and kernels only. */
  get address(): Address { return this.#block.address + this.#window.skip * this.#frameBytes }
  /** Bytes from one channel to the next: planar; interleaved audio is one channel of wide frames. */
  get strideBytes(): number { return this.#planar ? this.#window.pitch * SAMPLE_BYTES[this.format] : 0 }

  channel(index: number): Float32Array {
    const address = this.address
    if (this.format !== 'f32' || !this.#planar) this.#refuse('dtype', `${this.format} ${this.layout}: channel() needs planar f32`)
    if (!(Number.isInteger(index) && index >= 0 && index < this.channels)) {
      this.#refuse('bounds', `channel ${String(index)} of ${this.channels}`)
    }
    this.#block.show?.()
    return this.#channels[index] ??= new Float32Array(this.#arena.buffer, address + index * this.strideBytes, this.frames)
  }

  tryView<T extends SampleArray>(type: SampleArrayConstructor<T>): T | null {
    const address = this.address
    this.#block.show?.()
    return this.#contiguous
      ? tryView(new Uint8Array(this.#arena.buffer, address, this.samples * SAMPLE_BYTES[this.format]), type as never)
      : null
  }

  slice(from: number, to: number): ArenaAudio {
    const block = this.#block
    if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= this.frames)) {
      this.#refuse('bounds', `frames ${String(from)}…${String(to)} of ${this.frames}`)
    }
    return new ArenaAudio(this.#arena, block.clone(), this.#shape({ frames: to - from, position: this.position + from }), {
      skip: this.#window.skip + from, pitch: this.#window.pitch,
    })
  }

  /** Some channels where they stand: `first` and the next ones, or `downwards` those before it; planar only. Shares bytes, like a slice. */
  pick(first: number, channels: number, downwards = false): ArenaAudio {
    const { skip, pitch } = this.#window, last = downwards ? first - channels + 1 : first + channels - 1
    if (!(this.#planar && Number.isInteger(first) && channels >= 1 && Math.min(first, last) >= 0
      && Math.max(first, last) < this.channels)) {
      this.#refuse('bounds', `channels ${String(first)}…${last} of ${this.channels}`)
    }
    const speakers = channels === 1 ? 'mono' : channels === 2 ? 'stereo' : 'discrete'
    return new ArenaAudio(this.#arena, this.#block.clone(), this.#shape({ channels, speakers }), {
      skip: skip + first * pitch, pitch: downwards ? -pitch : pitch,
    })
  }

  clone(): ArenaAudio { return new ArenaAudio(this.#arena, this.#block.clone(), this.#shape({}), this.#window) }

  /** Gives this buffer up for the result when it was shared: write `audio = audio.makeMut()`. `charge`: whose edge pays for the copy. */
  makeMut(charge: Partial<CopyCharge> = {}): ArenaAudio {
    if (this.#block.references === 1) return this
    const block = this.#block.sibling({ dtype: this.format, shape: [this.samples] })
    const copy = new ArenaAudio(block.home ?? this.#arena, block, this.#shape({}))
    this.#copyTo(copy.#runs()[0]!, { ledger: this.#arena.copies, edge: 'makeMut', reason: 'user', ...charge })
    this.close()
    return copy
  }

  /** @internal A copy in another arena: one counted copy. The caller owns it. */
  copyTo(arena: Arena, charge: CopyCharge, holder: Holder | undefined): ArenaAudio {
    const copy = new ArenaAudio(arena, arena.claim({ dtype: this.format, shape: [this.samples] }, holder && { holder }), this.#shape({}))
    this.#copyTo(copy.#runs()[0]!, charge)
    return copy
  }

  /** `into`: a buffer with room for them; default a new one. */
  toArray(charge: Partial<CopyCharge> = {}, into?: ArrayBuffer): SampleArray {
    const type = ARRAY_OF[this.format], array = into === undefined ? new type(this.samples) : new type(into, 0, this.samples)
    this.#copyTo(array, { ledger: this.#arena.copies, edge: 'toArray', reason: 'user', ...charge })
    return array
  }

  close(): void {
    this.#arena.leaks?.forget(this)
    this.#block[Symbol.dispose]()
  }
  [Symbol.dispose](): void { this.close() }

  /** Mono is planar and interleaved at once. */
  get #planar(): boolean { return this.layout === 'planar' || this.channels === 1 }
  get #contiguous(): boolean { return !this.#planar || this.channels === 1 || this.frames === this.#window.pitch }
  get #frameBytes(): number { return SAMPLE_BYTES[this.format] * (this.#planar ? 1 : this.channels) }

  /** The bytes as stored: one run when contiguous, else one per channel. */
  #runs(): SampleArray[] {
    const type = ARRAY_OF[this.format], address = this.address
    if (this.#contiguous) return [new type(this.#arena.buffer, address, this.samples)]
    return Array.from({ length: this.channels }, (_, c) => new type(this.#arena.buffer, address + c * this.strideBytes, this.frames))
  }

  /** One copy of all samples, as stored, into a contiguous array. */
  #copyTo(to: SampleArray, charge: CopyCharge): void {
    const runs = this.#runs(), length = runs[0]!.length
    copyParts(runs.map((from, i) => ({ to: to.subarray(i * length, (i + 1) * length), from })), charge)
  }

  #shape(changes: Partial<AudioShape>): AudioShape {
    return {
      rate: this.rate, channels: this.channels, frames: this.frames, format: this.format, layout: this.layout, speakers: this.speakers,
      position: this.position, ...changes,
    }
  }

  #refuse(reason: 'bounds' | 'dtype', what: string): never { throw memoryErrors.INVALID_HANDLE({ handle: this.handle, reason, what }) }
}

/** Fills in the defaults of a spec and checks it. `name`: the caller, for the message. Throws `INVALID_ARGUMENT`. */
export function audioShape(spec: AudioSpec, frames: number, format: SampleFormat, name: string): AudioShape {
  const { rate, channels, layout = 'planar', position = 0 } = spec
  const speakers = spec.speakers ?? (channels === 1 ? 'mono' : channels === 2 ? 'stereo' : 'discrete')
  const need = (ok: boolean, expected: string, got: unknown): void => {
    if (!ok) throw commonErrors.INVALID_ARGUMENT({ function: name, expected, got: show(got) })
  }
  need(Number.isFinite(rate) && rate >= 1 && rate <= MAX_RATE, `rate 1…${MAX_RATE} Hz`, rate)
  need(Number.isInteger(channels) && channels >= 1 && channels <= MAX_CHANNELS, `channels 1…${MAX_CHANNELS}`, channels)
  need(Number.isSafeInteger(frames) && frames >= 0, 'frames as a whole number', frames)
  need(Object.hasOwn(SAMPLE_BYTES, format), 'format f32, i16, i32 or u8', format)
  need(layout === 'planar' || layout === 'interleaved', 'layout planar or interleaved', layout)
  need(Number.isSafeInteger(position), 'position as a whole number', position)
  need(
    NAMED_SPEAKERS.includes(speakers) || (Number.isInteger(speakers) && (speakers as number) >= 0 && (speakers as number) < 2 ** 32),
    'speakers by name or as a channel mask', speakers,
  )
  return { rate, channels, frames, format, layout, speakers, position }
}
