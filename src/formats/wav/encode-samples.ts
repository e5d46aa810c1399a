import type { SampleArray } from '../../media/audio-buffer.js'
import type { SampleFormat } from '../../media/media-type.js'

/** Sample formats that a WAV file is written in. */
export type WavSampleFormat = 'u8' | 'i16' | 'i24' | 'i32' | 'f32' | 'f64'
/** Bytes of one sample in the file. */
export const WAV_SAMPLE_BYTES: Readonly<Record<WavSampleFormat, number>> = { u8: 1, i16: 2, i24: 3, i32: 4, f32: 4, f64: 8 }

/**
 * Encodes one channel: element `at`, `at + 1`… of `source` (every `step`th) to every `stride`th byte of `target`. Returns samples clipped.
 */
export type SampleEncoder =
  (source: SampleArray, at: number, step: number, count: number, target: DataView, offset: number, stride: number) => number

/**
 * Encoder of a pair of formats by the table of spec audio.md section 3: shifts between integers, round half to even and saturation from
 * float, exact from integers to f64, nearest-even to f32.
 */
export function sampleEncoder(from: SampleFormat, to: WavSampleFormat): SampleEncoder {
  if (to === 'f32' || to === 'f64') return toFloat(from, to)
  return from === 'f32' ? fromFloat(to) : shift(BITS[from], from === 'u8' ? 128 : 0, to)
}

const BITS = { u8: 8, i8: 8, i16: 16, i24: 24, i32: 32 } as const

function toFloat(from: SampleFormat, to: 'f32' | 'f64'): SampleEncoder {
  const scale = from === 'f32' ? 1 : 2 ** (1 - BITS[from])
  const bias = from === 'u8' ? 128 : 0
  return (source, at, step, count, target, offset, stride) => {
    // Multiplying by a power of two is exact; setFloat32 rounds once, to the nearest.
    for (let i = 0; i < count; i++) {
      const value = (source[at + i * step]! - bias) * scale
      if (to === 'f32') target.setFloat32(offset + i * stride, value, true)
      else target.setFloat64(offset + i * stride, value, true)
    }
    return 0
  }
}

function fromFloat(to: 'u8' | 'i16' | 'i24' | 'i32'): SampleEncoder {
  const bits = BITS[to]
  const scale = 2 ** (bits - 1)
  const put = store(to)
  return (source, at, step, count, target, offset, stride) => {
    let clipped = 0
    for (let i = 0; i < count; i++) {
      const exact = source[at + i * step]! * scale
      let value = exact !== exact ? 0 : exact + ROUND - ROUND
      if (value > scale - 1) { value = scale - 1; clipped++ } else if (value < -scale) { value = -scale; clipped++ }
      put(target, offset + i * stride, value)
    }
    return clipped
  }
}

/** Integers: the sample is brought to 32 bits, then shifted down with its sign (floor). */
function shift(bits: number, bias: number, to: 'u8' | 'i16' | 'i24' | 'i32'): SampleEncoder {
  const up = 32 - bits
  const down = 32 - BITS[to]
  const put = store(to)
  return (source, at, step, count, target, offset, stride) => {
    for (let i = 0; i < count; i++) put(target, offset + i * stride, ((source[at + i * step]! - bias) << up) >> down)
    return 0
  }
}

/** Writes a signed integer of the width; 8 bits are stored with an offset of 128. */
function store(to: 'u8' | 'i16' | 'i24' | 'i32'): (target: DataView, offset: number, value: number) => void {
  switch (to) {
    case 'u8': return (target, offset, value) => { target.setUint8(offset, value + 128) }
    case 'i16': return (target, offset, value) => { target.setInt16(offset, value, true) }
    case 'i32': return (target, offset, value) => { target.setInt32(offset, value, true) }
    default: return (target, offset, value) => {
      target.setInt16(offset, value & 0xffff, true)
      target.setInt8(offset + 2, value >> 16)
    }
  }
}

/** Adding and taking away 1.5 · 2⁵² rounds an f64 below 2⁵¹ to an integer, halves to even; beyond that every format saturates anyway. */
const ROUND = 6_755_399_441_055_744
