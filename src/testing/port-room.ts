import type { PortArray } from '../graph/reference.js'
import type { PortBytes } from '../kernels/kernel-instance.js'
import { frameBytes, type PortSpec } from '../kernels/kernel-spec.js'
import type { Address, MemoryHost } from '../memory/memory-host.js'
import { elements } from './signals.js'

/** Bytes between channels, which no one may write. A multiple of every element, and of no larger power of two than needed. */
const GAP_BYTES = 96
/** What stands where no frame is: as f32 a NaN, as an integer −1. */
const POISON = 0xff

/** Memory of one port: channels with gaps between them, so that reading or writing beside the frames shows. */
export class PortRoom {
  readonly port: PortSpec
  readonly #memory: MemoryHost
  readonly #address: Address
  readonly #stride: number
  readonly #frameBytes: number
  readonly #capacity: number

  /** `capacity`: frames, start offset included; 0 for an unconnected port. */
  constructor(memory: MemoryHost, port: PortSpec, capacity: number) {
    this.port = port
    this.#memory = memory
    this.#capacity = capacity
    this.#frameBytes = frameBytes(port)
    this.#stride = capacity * this.#frameBytes + GAP_BYTES
    this.#address = capacity === 0 ? 0 : memory.allocate(this.#stride * port.channels)
  }

  close(): void {
    if (this.#capacity > 0) this.#memory.free(this.#address)
  }

  /** For `setInput` and `setOutput`. */
  bytes(offset: number, frames: number): PortBytes {
    return { data: this.#address + offset * this.#frameBytes, frames, stride: this.#stride }
  }

  /** One channel's frames, without a copy. */
  view(channel: number, offset: number, frames: number): PortArray {
    const empty = elements(this.port.dtype, 0)
    const at = this.#address + channel * this.#stride + offset * this.#frameBytes
    const count = frames * this.#frameBytes / empty.BYTES_PER_ELEMENT
    return frames === 0 ? empty : new (empty.constructor as new (buffer: ArrayBufferLike, offset: number, length: number) => PortArray)(this.#memory.buffer, at, count)
  }

  /** Writes frames of a signal, and poison wherever else the port has room. */
  fill(signal: readonly PortArray[], from: number, offset: number, frames: number): void {
    const { width } = this.port
    signal.forEach((samples, channel) => {
      const start = this.#address + channel * this.#stride
      this.#memory.u8.fill(POISON, start, start + this.#stride)
      const perFrame = this.port.dtype === 'event' ? 8 : width
      this.view(channel, offset, frames).set(samples.subarray(from * perFrame, (from + frames) * perFrame) as never)
    })
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
      const start = this.#address + channel * this.#stride, first = start + offset * this.#frameBytes, end = first + frames * this.#frameBytes
      for (let at = start; at < first; at++) if (u8[at] !== POISON) return `${first - at} bytes before its room (channel ${channel})`
      for (let at = end; at < end + GAP_BYTES; at++) if (u8[at] !== POISON) return `${at - end} bytes behind its room of ${frames} frames (channel ${channel})`
    }
    return null
  }
}
