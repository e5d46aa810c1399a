import type { PortArray } from '../graph/reference.js'
import type { PortBytes } from '../kernels/kernel-instance.js'
import { frameBytes, type PortSpec } from '../kernels/kernel-spec.js'
import type { Address, MemoryHost } from '../memory/memory-host.js'
import { arrayOf, type PortArrayConstructor } from './signals.js'

/** Bytes between channels, which no one may write. A multiple of every element, and of no larger power of two than needed. */
const GAP_BYTES = 96
/** What stands where no frame is: as f32 a NaN, as an integer −1. */
const POISON = 0xff
/** Elements up to which a loop is cheaper than a view. */
const SHORT = 48

/** Memory of one port: channels with gaps between them, so that reading or writing beside the frames shows. */
export class PortRoom {
  readonly port: PortSpec
  readonly #memory: MemoryHost
  readonly #address: Address
  readonly #stride: number
  readonly #frameBytes: number
  readonly #capacity: number
  readonly #array: PortArrayConstructor
  /** The whole memory in this port's elements: views for single calls would cost more than the calls. */
  readonly #all: PortArray
  readonly #perFrame: number
  /** Bytes of a channel that hold frames of the last call. */
  #filled: readonly [number, number] = [0, 0]

  /** `capacity`: frames, start offset included; 0 for an unconnected port. */
  constructor(memory: MemoryHost, port: PortSpec, capacity: number) {
    this.port = port
    this.#memory = memory
    this.#capacity = capacity
    this.#frameBytes = frameBytes(port)
    this.#stride = capacity * this.#frameBytes + GAP_BYTES
    this.#array = arrayOf(port.dtype)
    this.#all = new this.#array(memory.buffer, 0, Math.floor(memory.buffer.byteLength / this.#array.BYTES_PER_ELEMENT))
    this.#perFrame = this.#frameBytes / this.#array.BYTES_PER_ELEMENT
    this.#address = capacity === 0 ? 0 : memory.allocate(this.#stride * port.channels)
    if (capacity > 0) memory.u8.fill(POISON, this.#address, this.#address + this.#stride * port.channels)
  }

  close(): void {
    if (this.#capacity > 0) this.#memory.free(this.#address)
  }

  /** For `setInput` and `setOutput`. */
  bytes(offset: number, frames: number): PortBytes {
    return { data: this.#address + offset * this.#frameBytes, frames, stride: this.#stride }
  }

  /** Copies one channel's frames to `target` from element `at`. */
  copyTo(target: PortArray, at: number, channel: number, offset: number, frames: number): void {
    const from = this.#index(channel, offset), count = frames * this.#perFrame
    if (count > SHORT) target.set(this.#all.subarray(from, from + count) as never, at)
    else for (let i = 0; i < count; i++) target[at + i] = this.#all[from + i]!
  }

  /** True when one channel's frames are all zero. */
  isZero(channel: number, offset: number, frames: number): boolean {
    const from = this.#index(channel, offset)
    return this.#all.subarray(from, from + frames * this.#perFrame).every((value) => value === 0)
  }

  #index(channel: number, offset: number): number {
    return (this.#address + channel * this.#stride + offset * this.#frameBytes) / this.#array.BYTES_PER_ELEMENT
  }

  /** Writes frames of a signal, and poison wherever else the port has room. */
  fill(signal: readonly PortArray[], from: number, offset: number, frames: number): void {
    const first = from * this.#perFrame, count = frames * this.#perFrame
    for (let channel = 0; channel < signal.length; channel++) {
      const start = this.#address + channel * this.#stride, samples = signal[channel]!, to = this.#index(channel, offset)
      this.#memory.u8.fill(POISON, start + this.#filled[0], start + this.#filled[1])
      if (count > SHORT) this.#all.set(samples.subarray(first, first + count) as never, to)
      else for (let i = 0; i < count; i++) this.#all[to + i] = samples[first + i]!
    }
    this.#filled = [offset * this.#frameBytes, (offset + frames) * this.#frameBytes]
  }

  /** True while the frames are still those of the signal, bit for bit. */
  holds(signal: readonly PortArray[], from: number, offset: number, frames: number): boolean {
    const bytes = this.#frameBytes
    return signal.every((samples, channel) => {
      const start = this.#address + channel * this.#stride + offset * bytes
      const given = new Uint8Array(samples.buffer, samples.byteOffset + from * bytes, frames * bytes)
      return given.every((byte, i) => byte === this.#memory.u8[start + i])
    })
  }

  /** Poison in the frames' place and around it, before a call. */
  clear(offset: number, frames: number): void {
    for (let channel = 0; channel < this.port.channels; channel++) {
      const start = this.#address + channel * this.#stride
      this.#memory.u8.fill(POISON, start, start + offset * this.#frameBytes)
      const end = start + (offset + frames) * this.#frameBytes
      this.#memory.u8.fill(POISON, start + offset * this.#frameBytes, end + GAP_BYTES)
    }
  }

  /** Where something was written outside the room of the call; null when nothing was. */
  stray(offset: number, frames: number): string | null {
    const { u8 } = this.#memory
    for (let channel = 0; channel < this.port.channels; channel++) {
      const start = this.#address + channel * this.#stride, first = start + offset * this.#frameBytes
      const end = first + frames * this.#frameBytes
      for (let at = start; at < first; at++) if (u8[at] !== POISON) return `${first - at} bytes before its room (channel ${channel})`
      for (let at = end; at < end + GAP_BYTES; at++) {
        if (u8[at] !== POISON) return `${at - end} bytes behind its room of ${frames} frames (channel ${channel})`
      }
    }
    return null
  }
}
