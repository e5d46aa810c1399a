// Shared maths of AU-07: the same f64 operations in the same order as src/kernels/approx.ts and wasm/crates/dsp/src/approx.rs, so that
// coefficients have equal bits in every tier. Only + − × ÷ and floor, each exactly rounded everywhere. @realtime

const PI: f64 = 3.141592653589793
const TWO_BY_PI: f64 = 0.6366197723675814
const LOG2_E: f64 = 1.4426950408889634
/** π/2 in three parts of 33 bits (Cody & Waite, 1980). */
const HALF_PI_HIGH: f64 = 1.5707963267341256
const HALF_PI_MIDDLE: f64 = 6.077100506303966e-11
const HALF_PI_LOW: f64 = 2.0222662487959506e-21
const LN_2_HIGH: f64 = 0.6931471803691238
const LN_2_LOW: f64 = 1.9082149292705877e-10

/** sin on |x| ≤ π/4: Taylor, truncation below 2⁻⁵⁶. */
function sinKernel(x: f64): f64 {
  const q = x * x
  let sum: f64 = 1.0 / 355687428096000.0
  sum = sum * q + -1.0 / 1307674368000.0
  sum = sum * q + 1.0 / 6227020800.0
  sum = sum * q + -1.0 / 39916800.0
  sum = sum * q + 1.0 / 362880.0
  sum = sum * q + -1.0 / 5040.0
  sum = sum * q + 1.0 / 120.0
  sum = sum * q + -1.0 / 6.0
  return x + x * (q * sum)
}

/** cos on |x| ≤ π/4. */
function cosKernel(x: f64): f64 {
  const q = x * x
  let sum: f64 = 1.0 / 20922789888000.0
  sum = sum * q + -1.0 / 87178291200.0
  sum = sum * q + 1.0 / 479001600.0
  sum = sum * q + -1.0 / 3628800.0
  sum = sum * q + 1.0 / 40320.0
  sum = sum * q + -1.0 / 720.0
  sum = sum * q + 1.0 / 24.0
  sum = sum * q + -1.0 / 2.0
  return 1.0 + q * sum
}

/** sin(r + quarter·π/2) */
function quadrant(r: f64, quarter: f64): f64 {
  const turn = quarter - 4.0 * Math.floor(quarter * 0.25)
  if (turn == 0.0) return sinKernel(r)
  if (turn == 1.0) return cosKernel(r)
  if (turn == 2.0) return -sinKernel(r)
  return -cosKernel(r)
}

/** sin πx: exact zeros at whole x. |x| < 2⁵⁰. */
export function sinPi(x: f64): f64 {
  const quarter = Math.floor(x * 2.0 + 0.5)
  return quadrant((x - quarter * 0.5) * PI, quarter)
}
/** cos πx: exact zeros at whole x + ½. |x| < 2⁵⁰. */
export function cosPi(x: f64): f64 {
  const quarter = Math.floor(x * 2.0 + 0.5)
  return quadrant((x - quarter * 0.5) * PI, quarter + 1.0)
}

// @ts-ignore: decorator
@inline function reduced(x: f64, quarter: f64): f64 {
  return ((x - quarter * HALF_PI_HIGH) - quarter * HALF_PI_MIDDLE) - quarter * HALF_PI_LOW
}
/** sin x, x in radians, |x| ≤ 10⁶. */
export function sin(x: f64): f64 {
  const quarter = Math.floor(x * TWO_BY_PI + 0.5)
  return quadrant(reduced(x, quarter), quarter)
}
/** cos x, x in radians, |x| ≤ 10⁶. */
export function cos(x: f64): f64 {
  const quarter = Math.floor(x * TWO_BY_PI + 0.5)
  return quadrant(reduced(x, quarter), quarter + 1.0)
}

/** e^x. Below −708: 0; above 709: +∞. */
export function exp(x: f64): f64 {
  if (x < -708.0) return 0.0
  if (x > 709.0) return Infinity
  const power = Math.floor(x * LOG2_E + 0.5), r = (x - power * LN_2_HIGH) - power * LN_2_LOW
  let sum: f64 = 1.0 / 6227020800.0
  sum = sum * r + 1.0 / 479001600.0
  sum = sum * r + 1.0 / 39916800.0
  sum = sum * r + 1.0 / 3628800.0
  sum = sum * r + 1.0 / 362880.0
  sum = sum * r + 1.0 / 40320.0
  sum = sum * r + 1.0 / 5040.0
  sum = sum * r + 1.0 / 720.0
  sum = sum * r + 1.0 / 120.0
  sum = sum * r + 1.0 / 24.0
  sum = sum * r + 1.0 / 6.0
  sum = sum * r + 1.0 / 2.0
  const value = 1.0 + (r + r * r * sum), half = <i32>power / 2
  return value * twoTo(half) * twoTo(<i32>power - half)
}
function twoTo(power: i32): f64 {
  let result = 1.0, base = power < 0 ? 0.5 : 2.0, left = abs(power)
  for (; left > 0; left >>= 1) {
    if (left & 1) result *= base
    base *= base
  }
  return result
}
