import { memoryErrors } from '../../memory/errors.js'
import { ArenaAudio, type AudioBlock, type AudioHome, type AudioShape } from '../../memory/audio-buffer.js'
import { CopyLedger } from '../../memory/copies.js'
import { resolveHandle } from '../../memory/shared-handle.js'
import { WINDOW } from '../../memory/layout.js'
import { SAMPLE_BYTES } from '../../media/convert-samples.js'
import type { AudioPlace, GivenAudio } from './protocol.js'

/** What all references to one block on this thread share. */
interface Lease {
  count: number
  readonly ref: number
  readonly handle: number
  readonly address: number
  readonly sole: boolean
  given: boolean
}

/**
 * Audio of a script thread: over the engine's memory, or over buffers of its own. `release`: no buffer here shows that reference any more.
 */
export class ScriptAudio {
  readonly #memory: ArrayBufferLike | undefined
  readonly #u32: Uint32Array | undefined
  readonly #ledger = new CopyLedger()
  readonly #release: (ref: number) => void
  /** Bytes that giving audio out has copied. */
  copied = 0

  constructor(memory: ArrayBufferLike | undefined, release: (ref: number) => void) {
    this.#memory = memory
    this.#u32 = memory && new Uint32Array(memory)
    this.#release = release
  }

  /**
   * The buffer at a place; `held`: what the engine holds for as long as a buffer of this thread's own. Throws
   * `INVALID_HANDLE` for a block that is not there any more.
   */
  open(place: AudioPlace, held?: number): ArenaAudio {
    if ('bytes' in place) return new ArenaAudio({ buffer: place.bytes, copies: this.#ledger }, this.#own(place.bytes, held), place.shape)
    const { handle, offset, shape, strideBytes, ref, sole } = place
    const address = resolveHandle(this.#u32!, WINDOW.ARENA, handle).address + offset
    const lease: Lease = { count: 0, ref, handle, address, sole, given: false }
    return new ArenaAudio({ buffer: this.#memory!, copies: this.#ledger }, new ScriptBlock(lease, this.#release, this), shape, {
      skip: 0,
      pitch: strideBytes === 0 ? shape.frames : strideBytes / SAMPLE_BYTES[shape.format],
    })
  }

  /** A block over a buffer of this thread. */
  #own(buffer: ArrayBuffer, held = -1): ScriptBlock {
    return new ScriptBlock(
      { count: 0, ref: -1, handle: 0, address: 0, sole: true, given: false },
      () => { this.#release(held) }, this, buffer,
    )
  }

  /** @internal Room that nobody shares. */
  fresh(bytes: number): AudioBlock {
    const buffer = new ArrayBuffer(bytes), block = this.#own(buffer)
    return Object.assign(block, { home: { buffer, copies: this.#ledger } satisfies AudioHome })
  }

  /** What is said of a buffer that a node gives out. Gives up the buffer. */
  give(audio: ArenaAudio, transfer: ArrayBuffer[]): GivenAudio {
    const block = audio.block as unknown as ScriptBlock, { rate, channels, frames, format, layout, speakers, position } = audio
    if (block.ref >= 0) {
      const frameBytes = SAMPLE_BYTES[format] * (layout === 'planar' || channels === 1 ? 1 : channels)
      const skip = (audio.address - block.address) / frameBytes
      block.give()
      audio.close()
      return { ref: block.ref, skip, frames, position }
    }
    const shape: AudioShape = { rate, channels, frames, format, layout, speakers, position }
    const own = block.buffer!, size = audio.samples * SAMPLE_BYTES[format]
    const whole = block.references === 1 && own.byteLength === size && audio.address === 0
    const bytes = whole ? own : audio.toArray().buffer as ArrayBuffer
    if (!whole) this.copied += size
    audio.close()
    transfer.push(bytes)
    return { shape, bytes }
  }
}

/** One reference to a block that this thread may read. */
class ScriptBlock implements AudioBlock {
  closed = false
  readonly home?: AudioHome
  readonly buffer: ArrayBuffer | undefined
  readonly #lease: Lease
  readonly #release: (ref: number) => void
  readonly #audio: ScriptAudio

  constructor(lease: Lease, release: (ref: number) => void, audio: ScriptAudio, buffer?: ArrayBuffer) {
    lease.count++
    this.#lease = lease
    this.#release = release
    this.#audio = audio
    this.buffer = buffer
  }

  get ref(): number { return this.#lease.ref }
  get handle(): number { this.#check(); return this.#lease.handle }
  get address(): number { this.#check(); return this.#lease.address }
  /** As many as there are here, and at least two when others may read it too. */
  get references(): number { return this.#lease.count + (this.#lease.sole && !this.#lease.given ? 0 : 1) }

  /** Some of it was given out: it is shared from now on. */
  give(): void { this.#lease.given = true }

  clone(): ScriptBlock { this.#check(); return new ScriptBlock(this.#lease, this.#release, this.#audio, this.buffer) }

  sibling({ dtype, shape }: Parameters<AudioBlock['sibling']>[0]): AudioBlock {
    this.#check()
    return this.#audio.fresh(SAMPLE_BYTES[dtype] * shape.reduce((product, n) => product * n, 1))
  }

  [Symbol.dispose](): void {
    if (this.closed) return
    this.closed = true
    if (--this.#lease.count === 0) this.#release(this.#lease.ref)
  }

  #check(): void { if (this.closed) throw memoryErrors.INVALID_HANDLE({ handle: this.#lease.handle, reason: 'freed' }) }
}
