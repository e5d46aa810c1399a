import { commonErrors } from '../errors/common-errors.js'
import type { SampleArray } from './audio-buffer.js'
import type { SampleFormat } from './media-type.js'

/** Counts of a conversion: samples that saturated, and NaN that became 0. */
export interface ConversionCounts { readonly clipped: number; readonly nan: number }

/** Bytes of one sample. */
export const SAMPLE_BYTES: Readonly<Record<SampleFormat, number>> = { f32: 4, i32: 4, i16: 2, u8: 1 }

/** Adding and subtracting it rounds a small f64 to the nearest whole number, ties to even. */
const ROUND = 1.5 * 2 ** 52

/** Format of a sample array, of any realm; null for other values. */
export function formatOf(data: unknown): SampleFormat | null {
  if (!ArrayBuffer.isView(data)) return null
  switch ((data as unknown as { readonly [Symbol.toStringTag]: string })[Symbol.toStringTag]) {
    case 'Float32Array': return 'f32'
    case 'Int32Array': return 'i32'
    case 'Int16Array': return 'i16'
    case 'Uint8Array': return 'u8'
    default: return null
  }
}

/**
 * Converts samples by the normative table of spec audio.md section 3, rule `standard`, without dither: integers to f32 exactly (i32:
 * nearest), f32 to integers half to even with saturation, integers among each other by shifts. `to` is at least as long as `from`; the
 * arrays do not overlap. Throws `INVALID_ARGUMENT` for other element types.
 */
export function convertSamples(from: SampleArray, to: SampleArray): ConversionCounts {
  const a = formatOf(from), b = formatOf(to)
  if (a === null || b === null || to.length < from.length) {
    throw commonErrors.INVALID_ARGUMENT({
      function: 'convertSamples', expected: 'f32, i32, i16 or u8 arrays, the second at least as long',
      got: `${a ?? 'another type'} × ${from.length} and ${b ?? 'another type'} × ${to.length}`,
    })
  }
  if (a === 'f32' && b !== 'f32') return quantise(from, to, b)
  if (a === b) { to.set(from); return NONE }
  if (b === 'f32') toFloat(from, to, a)
  else shift(from, to, a, b)
  return NONE
}

const NONE: ConversionCounts = { clipped: 0, nan: 0 }
/** log₂ of full scale. */
const BITS: Readonly<Record<SampleFormat, number>> = { f32: 0, i32: 31, i16: 15, u8: 7 }

function toFloat(from: SampleArray, to: SampleArray, format: SampleFormat): void {
  const scale = 2 ** -BITS[format], centre = format === 'u8' ? 128 : 0
  // i32: fround first, then an exact scaling, so that the sample is rounded once and as an f32.
  for (let i = 0; i < from.length; i++) to[i] = Math.fround(from[i]! - centre) * scale
}

function quantise(from: SampleArray, to: SampleArray, format: SampleFormat): ConversionCounts {
  const full = 2 ** BITS[format], centre = format === 'u8' ? 128 : 0
  let clipped = 0, nan = 0
  for (let i = 0; i < from.length; i++) {
    const y = from[i]! * full
    let r = y + ROUND - ROUND
    if (r >= full) { r = full - 1; clipped++ } else if (r < -full) { r = -full; clipped++ } else if (r !== r) { r = 0; nan++ }
    to[i] = r + centre
  }
  return { clipped, nan }
}

function shift(from: SampleArray, to: SampleArray, a: SampleFormat, b: SampleFormat): void {
  const bits = BITS[b] - BITS[a], inCentre = a === 'u8' ? 128 : 0, outCentre = b === 'u8' ? 128 : 0
  if (bits >= 0) for (let i = 0; i < from.length; i++) to[i] = (from[i]! - inCentre) << bits
  else for (let i = 0; i < from.length; i++) to[i] = (from[i]! >> -bits) + outCentre
}
