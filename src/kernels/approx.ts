/**
 * Shared maths of AU-07: the same f64 operations in the same order as `wasm/crates/dsp/src/approx.rs` and `assembly/sdk/approx.ts`, so that
 * coefficients have equal bits in every tier and engine. Only + − × ÷ and floor are used; each is exactly rounded everywhere.
 */

/** Taylor coefficients of sin x / x in x², from 1/3! on; truncation below 2⁻⁵⁶ for |x| ≤ π/4. */
const SIN = [-1 / 6, 1 / 120, -1 / 5040, 1 / 362880, -1 / 39916800, 1 / 6227020800, -1 / 1307674368000, 1 / 355687428096000] as const
/** Taylor coefficients of cos x in x², from 1/2! on. */
const COS = [-1 / 2, 1 / 24, -1 / 720, 1 / 40320, -1 / 3628800, 1 / 479001600, -1 / 87178291200, 1 / 20922789888000] as const
/** Taylor coefficients of e^x, from 1/2! on, for |x| ≤ ln 2 / 2. */
const EXP = [
  1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040, 1 / 40320, 1 / 362880, 1 / 3628800, 1 / 39916800, 1 / 479001600, 1 / 6227020800,
] as const
const PI = 3.141592653589793, TWO_BY_PI = 0.6366197723675814, LOG2_E = 1.4426950408889634
/** π/2 in three parts of 33 bits (Cody & Waite, 1980): exact products for |quarter| < 2²⁰. */
const HALF_PI_HIGH = 1.5707963267341256, HALF_PI_MIDDLE = 6.077100506303966e-11, HALF_PI_LOW = 2.0222662487959506e-21
const LN_2_HIGH = 0.6931471803691238, LN_2_LOW = 1.9082149292705877e-10

/** Horner's rule, highest coefficient last in the table. */
function polynomial(table: readonly number[], x: number): number {
  let sum = 0
  for (let i = table.length - 1; i >= 0; i--) sum = sum * x + table[i]!
  return sum
}
function sinKernel(x: number): number { const square = x * x; return x + x * (square * polynomial(SIN, square)) }
function cosKernel(x: number): number { const square = x * x; return 1 + square * polynomial(COS, square) }
/** sin(r + quarter·π/2) */
function quadrant(r: number, quarter: number): number {
  const turn = quarter - 4 * Math.floor(quarter * 0.25)
  return turn === 0 ? sinKernel(r) : turn === 1 ? cosKernel(r) : turn === 2 ? -sinKernel(r) : -cosKernel(r)
}

/** sin πx: exact zeros at whole x. |x| < 2⁵⁰. */
export function sinPi(x: number): number {
  const quarter = Math.floor(x * 2 + 0.5)
  return quadrant((x - quarter * 0.5) * PI, quarter)
}
/** cos πx: exact zeros at whole x + ½. |x| < 2⁵⁰. */
export function cosPi(x: number): number {
  const quarter = Math.floor(x * 2 + 0.5)
  return quadrant((x - quarter * 0.5) * PI, quarter + 1)
}

function reduced(x: number, quarter: number): number {
  return ((x - quarter * HALF_PI_HIGH) - quarter * HALF_PI_MIDDLE) - quarter * HALF_PI_LOW
}
/** sin x, x in radians, |x| ≤ 10⁶. */
export function sin(x: number): number {
  const quarter = Math.floor(x * TWO_BY_PI + 0.5)
  return quadrant(reduced(x, quarter), quarter)
}
/** cos x, x in radians, |x| ≤ 10⁶. */
export function cos(x: number): number {
  const quarter = Math.floor(x * TWO_BY_PI + 0.5)
  return quadrant(reduced(x, quarter), quarter + 1)
}

/** e^x. Below −708: 0; above 709: +∞. */
export function exp(x: number): number {
  if (x < -708) return 0
  if (x > 709) return Infinity
  const power = Math.floor(x * LOG2_E + 0.5), r = (x - power * LN_2_HIGH) - power * LN_2_LOW
  const value = 1 + (r + r * r * polynomial(EXP, r)), half = Math.trunc(power / 2)
  return value * twoTo(half) * twoTo(power - half)
}
function twoTo(power: number): number {
  let result = 1, base = power < 0 ? 0.5 : 2
  for (let left = Math.abs(power); left > 0; left >>= 1) {
    if (left & 1) result *= base
    base *= base
  }
  return result
}
