import type { PortArray } from '../graph/reference.js'
import type { PortSpec } from '../kernels/kernel-spec.js'
import type { Dtype } from '../media/dtype.js'

/** Frames of every input, channel by channel; a channel has frames · width elements (events: 8 words a frame). */
export interface Signal { readonly frames: number; readonly inputs: readonly (readonly PortArray[])[] }

/**
 * Value of a sample in −1…1; interleaved samples and other elements of a frame count as channels.
 * NaN and infinities reach float ports only.
 */
export type Shape = (input: number, channel: number, frame: number) => number

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
  return (_input, _channel, frame) => (next() * 2 - 1) * peak * (frame >> 9 & 1 ? 0.05 : 1)
}

/** Builds a signal for connected inputs; unconnected ones stay empty. */
export function makeSignal(ports: readonly PortSpec[], frames: number, shape: Shape): Signal {
  return {
    frames,
    inputs: ports.map((port, input) => !port.connected ? [] : Array.from({ length: port.channels }, (_, channel) => {
      const array = elements(port.dtype, frames * port.width), width = array.length / Math.max(1, frames)
      for (let frame = 0, i = 0; frame < frames; frame++) {
        for (let n = 0; n < width; n++, i++) array[i] = toElement(port.dtype, shape(input, channel + n, frame))
      }
      return array
    })),
  }
}

/** Constructor of the arrays that show a dtype. */
export interface PortArrayConstructor {
  new (length: number): PortArray
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): PortArray
  readonly BYTES_PER_ELEMENT: number
}

const ARRAYS: Readonly<Record<Dtype, PortArrayConstructor>> = {
  f32: Float32Array, f64: Float64Array, i32: Int32Array, event: Int32Array, i64: Int32Array, i16: Int16Array, f16: Int16Array,
  bf16: Int16Array, i8: Int8Array, u8: Uint8Array, bool: Uint8Array,
}

/** Constructor of the array that shows a dtype: events and i64 as i32 words, 16-bit floats as their bits. */
export function arrayOf(dtype: Dtype): PortArrayConstructor {
  return ARRAYS[dtype]
}

/** A new array for `count` elements of a dtype; an element of i64 is two words. */
export function elements(dtype: Dtype, count: number): PortArray {
  return new ARRAYS[dtype](dtype === 'i64' ? count * 2 : count)
}

/** −1…1 spread over the range of an integer dtype, 0 at its middle; floats as they are. */
function toElement(dtype: Dtype, value: number): number {
  if (dtype === 'f32' || dtype === 'f64') return value
  const whole = (bits: number): number => {
    const most = 2 ** (bits - 1)
    return Number.isNaN(value) ? 0 : Math.max(-most, Math.min(most - 1, Math.round(value * most)))
  }
  switch (dtype) {
    case 'i32': case 'event': case 'i64': return whole(32)
    case 'i16': return whole(16)
    // 16-bit floats: sign and exponent of small numbers only, so that no random bits become NaN.
    case 'f16': case 'bf16': return whole(13)
    case 'i8': return whole(8)
    case 'bool': return value > 0 ? 1 : 0
    default: return whole(8) + 128
  }
}
