import type { PortArray } from '../graph/reference.js'
import type { PortSpec } from '../kernels/kernel-spec.js'
import type { Dtype } from '../media/dtype.js'

/** Frames of every input, channel by channel; a channel has frames · width elements (events: 8 words a frame). */
export interface Signal { readonly frames: number; readonly inputs: readonly (readonly PortArray[])[] }

/** Value of a sample in −1…1 at (input, channel, element); NaN and infinities reach float ports only. */
export type Shape = (input: number, channel: number, element: number) => number

/** Small repeatable random source in 0…1 (mulberry32). */
export function randomSource(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = state + 0x6d2b79f5 | 0
    let t = Math.imul(state ^ state >>> 15, 1 | state)
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t
    return ((t ^ t >>> 14) >>> 0) / 4_294_967_296
  }
}

/** White noise of a peak, with every eighth of the time twenty times softer, so that detectors change their mind. */
export function noise(seed: number, peak = 0.8): Shape {
  const next = randomSource(seed)
  return (_input, _channel, element) => (next() * 2 - 1) * peak * (element >> 9 & 1 ? 0.05 : 1)
}

/** Builds a signal for connected inputs; unconnected ones stay empty. */
export function makeSignal(ports: readonly PortSpec[], frames: number, shape: Shape): Signal {
  return {
    frames,
    inputs: ports.map((port, input) => !port.connected ? [] : Array.from({ length: port.channels }, (_, channel) => {
      const array = elements(port.dtype, frames * port.width)
      for (let i = 0; i < array.length; i++) array[i] = toElement(port.dtype, shape(input, channel, i))
      return array
    })),
  }
}

/** A new array of a dtype's elements. */
export function elements(dtype: Dtype, count: number): PortArray {
  switch (dtype) {
    case 'f32': return new Float32Array(count)
    case 'f64': return new Float64Array(count)
    case 'i32': case 'event': return new Int32Array(count)
    case 'i64': return new Int32Array(count * 2)
    case 'i16': case 'f16': case 'bf16': return new Int16Array(count)
    case 'i8': return new Int8Array(count)
    default: return new Uint8Array(count)
  }
}

/** −1…1 spread over the range of an integer dtype, 0 at its middle; floats as they are. */
function toElement(dtype: Dtype, value: number): number {
  const whole = (bits: number): number => {
    const most = 2 ** (bits - 1)
    return Number.isNaN(value) ? 0 : Math.max(-most, Math.min(most - 1, Math.round(value * most)))
  }
  switch (dtype) {
    case 'f32': case 'f64': return value
    case 'i32': case 'event': case 'i64': return whole(32)
    case 'i16': return whole(16)
    // 16-bit floats: sign and exponent of small numbers only, so that no random bits become NaN.
    case 'f16': case 'bf16': return whole(13)
    case 'i8': return whole(8)
    case 'bool': return value > 0 ? 1 : 0
    default: return whole(8) + 128
  }
}
