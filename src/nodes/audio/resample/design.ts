/**
 * Kaiser-windowed sinc (J. F. Kaiser, 1974; A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal Processing, section 7.5), designed in
 * f64 with the operations of AU-07 only. Twin: `wasm/crates/dsp/src/resample/design.rs`, same operations in the same order: bank bits are
 * equal in all tiers.
 */
import { sinPi } from '../../../kernels/approx.js'
import type { Geometry, Grade } from './geometry.js'

const PI = 3.141592653589793
/** Terms of the window's power series; the next one is below 10⁻¹⁹ of the sum for every beta in use. */
const TERMS = 36

/** The filter as a function of time, in samples of the lower rate from its centre. Not normalised. */
export interface Prototype {
  readonly grade: Grade
  /** I₀(beta·√y) = Σ series[k]·y^k (Abramowitz and Stegun 9.6.12). */
  readonly series: Float64Array
}

/** The prototype of a quality. */
export function prototypeOf(grade: Grade): Prototype {
  const quarter = grade.beta * grade.beta * 0.25, series = new Float64Array(TERMS).fill(1)
  for (let k = 1; k < TERMS; k++) series[k] = series[k - 1]! * quarter / (k * k)
  return { grade, series }
}

/** Value of the prototype at `time`. */
export function prototypeAt({ grade, series }: Prototype, time: number): number {
  const x = time * 2 / grade.taps, y = 1 - x * x
  if (y <= 0) return 0
  const square = y * y
  let even = 0, odd = 0
  for (let k = TERMS - 2; k >= 0; k -= 2) {
    even = even * square + series[k]!
    odd = odd * square + series[k + 1]!
  }
  const window = even + odd * y, turns = grade.cutoff * time
  return turns === 0 ? window : sinPi(turns) / (PI * turns) * window
}

/**
 * Row `p` of a bank: the taps for an output that stands p/phases after its frame, oldest frame first, summing up to 1. `behind`: frames
 * before the output's own that the row covers. Writes f32 values.
 */
export function fillRow(
  prototype: Prototype, g: Pick<Geometry, 'l' | 'm'>, p: number, phases: number, behind: number, row: Float32Array,
): void {
  const scale = g.l < g.m ? g.l / g.m : 1, values = new Float64Array(row.length)
  let sum = 0
  for (let index = 0; index < row.length; index++) {
    const value = prototypeAt(prototype, ((index - behind) * phases - p) / phases * scale)
    values[index] = value
    sum += value
  }
  const gain = 1 / sum
  for (let index = 0; index < row.length; index++) row[index] = values[index]! * gain
}
