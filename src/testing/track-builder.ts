import type { PortArray } from '../graph/reference.js'
import type { PortSpec } from '../kernels/kernel-spec.js'
import type { PortRoom } from './port-room.js'
import { elements } from './signals.js'

/** What came out of one output: `channels[c]` holds frames · width elements. */
export interface Track { readonly frames: number; readonly channels: readonly PortArray[] }

/** Collects an output's frames, call by call. */
export class TrackBuilder {
  readonly #port: PortSpec
  readonly #perFrame: number
  #room: PortArray[]
  #frames = 0
  #capacity = 1_024

  constructor(port: PortSpec) {
    this.#port = port
    this.#perFrame = elements(port.dtype, port.width).length
    this.#room = port.connected ? Array.from({ length: port.channels }, () => this.#array(this.#capacity)) : []
  }

  add(from: PortRoom, offset: number, frames: number): void {
    if (this.#frames + frames > this.#capacity) this.#grow(this.#frames + frames)
    for (let channel = 0; channel < this.#room.length; channel++) {
      from.copyTo(this.#room[channel]!, this.#frames * this.#perFrame, channel, offset, frames)
    }
    this.#frames += frames
  }

  clear(): void {
    this.#frames = 0
  }

  take(): Track {
    return { frames: this.#frames, channels: this.#room.map((samples) => samples.subarray(0, this.#frames * this.#perFrame)) }
  }

  #grow(frames: number): void {
    this.#capacity = Math.max(frames, this.#capacity * 2)
    this.#room = this.#room.map((samples) => {
      const larger = this.#array(this.#capacity)
      larger.set(samples as never)
      return larger
    })
  }

  #array(frames: number): PortArray {
    return elements(this.#port.dtype, frames * this.#port.width)
  }
}
