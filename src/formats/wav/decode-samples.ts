import type { SampleArray } from '../../media/audio-buffer.js'
import { aLawTable, muLawTable } from './g711.js'
import { isBigEndian, type WavContainer, type WavFormat } from './wav-info.js'

/** Decodes `samples` samples from the start of `source` into `target` from element `at`. */
export type SampleDecoder = (source: Uint8Array, target: SampleArray, at: number, samples: number) => void

/**
 * How the bytes of a file become samples; null when they are samples as they stand (little endian, of an emitted type), so that a read can
 * go straight to its target. ADPCM has blocks and is not decoded here.
 */
export function sampleDecoder(format: WavFormat, container: WavContainer): SampleDecoder | null {
  const big = isBigEndian(container)
  switch (format.codec) {
    case 'a-law': return fromTable(aLawTable())
    case 'mu-law': return fromTable(muLawTable())
    case 'float': return format.bits === 64 ? fromFloat64(!big) : big ? swapped(4) : null
    default: switch (format.bits) {
      case 8: return null
      case 16: return big ? swapped(2) : null
      case 24: return big ? fromInt24(2, 0) : fromInt24(0, 2)
      default: return big ? swapped(4) : null
    }
  }
}

/** 24 bits to the top of 32: `low` and `high` are the places of the least and most significant byte. */
function fromInt24(low: 0 | 2, high: 0 | 2): SampleDecoder {
  return (source, target, at, samples) => {
    for (let i = 0, from = 0; i < samples; i++, from += 3) {
      target[at + i] = source[from + low]! << 8 | source[from + 1]! << 16 | source[from + high]! << 24
    }
  }
}

function fromTable(table: Int16Array): SampleDecoder {
  return (source, target, at, samples) => {
    for (let i = 0; i < samples; i++) target[at + i] = table[source[i]!]!
  }
}

/** Rounded to the nearest f32, ties to even; beyond its range ±∞ (spec audio.md section 3). */
function fromFloat64(littleEndian: boolean): SampleDecoder {
  return (source, target, at, samples) => {
    const view = new DataView(source.buffer, source.byteOffset, samples * 8)
    for (let i = 0; i < samples; i++) target[at + i] = view.getFloat64(i * 8, littleEndian)
  }
}

/** Big-endian words: bytes turned round in place of the target, so that the bits of a NaN survive. */
function swapped(bytes: 2 | 4): SampleDecoder {
  return (source, target, at, samples) => {
    const out = new Uint8Array(target.buffer, target.byteOffset + at * bytes, samples * bytes)
    if (bytes === 2) {
      for (let i = 0; i < out.length; i += 2) { out[i] = source[i + 1]!; out[i + 1] = source[i]! }
      return
    }
    for (let i = 0; i < out.length; i += 4) {
      out[i] = source[i + 3]!; out[i + 1] = source[i + 2]!; out[i + 2] = source[i + 1]!; out[i + 3] = source[i]!
    }
  }
}
