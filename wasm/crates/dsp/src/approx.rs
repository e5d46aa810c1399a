//! Shared maths of AU-07: the same f64 operations in the same order as `src/kernels/approx.ts`, so that coefficients have equal bits in
//! every tier. Only + − × ÷, floor and square root are used; each is exactly rounded everywhere.

/// π as the sum of two f64: the first, and what it lacks.
pub const PI: f64 = core::f64::consts::PI;

/// Taylor coefficients of sin x / x in x², from 1/3! on; truncation below 2⁻⁵⁶ for |x| ≤ π/4.
const SIN: [f64; 8] = [
    -1.0 / 6.0,
    1.0 / 120.0,
    -1.0 / 5040.0,
    1.0 / 362880.0,
    -1.0 / 39916800.0,
    1.0 / 6227020800.0,
    -1.0 / 1307674368000.0,
    1.0 / 355687428096000.0,
];
/// Taylor coefficients of cos x in x², from 1/2! on.
const COS: [f64; 8] = [
    -1.0 / 2.0,
    1.0 / 24.0,
    -1.0 / 720.0,
    1.0 / 40320.0,
    -1.0 / 3628800.0,
    1.0 / 479001600.0,
    -1.0 / 87178291200.0,
    1.0 / 20922789888000.0,
];
/// Taylor coefficients of e^x, from 1/2! on, for |x| ≤ ln 2 / 2.
const EXP: [f64; 12] = [
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5040.0,
    1.0 / 40320.0,
    1.0 / 362880.0,
    1.0 / 3628800.0,
    1.0 / 39916800.0,
    1.0 / 479001600.0,
    1.0 / 6227020800.0,
];

/// Horner's rule, highest coefficient last in the table.
fn polynomial(table: &[f64], x: f64) -> f64 {
    table.iter().rev().fold(0.0, |sum, &c| sum * x + c)
}
/// sin on |x| ≤ π/4.
fn sin_kernel(x: f64) -> f64 {
    let square = x * x;
    x + x * (square * polynomial(&SIN, square))
}
/// cos on |x| ≤ π/4.
fn cos_kernel(x: f64) -> f64 {
    let square = x * x;
    1.0 + square * polynomial(&COS, square)
}
/// sin(r + quarter·π/2)
#[inline(never)]
fn quadrant(r: f64, quarter: f64) -> f64 {
    let turn = quarter - 4.0 * (quarter * 0.25).floor();
    if turn == 0.0 {
        sin_kernel(r)
    } else if turn == 1.0 {
        cos_kernel(r)
    } else if turn == 2.0 {
        -sin_kernel(r)
    } else {
        -cos_kernel(r)
    }
}

/// sin πx: exact zeros at whole x. |x| < 2⁵⁰.
pub fn sin_pi(x: f64) -> f64 {
    let quarter = (x * 2.0 + 0.5).floor();
    quadrant((x - quarter * 0.5) * PI, quarter)
}
/// cos πx: exact zeros at whole x + ½. |x| < 2⁵⁰.
pub fn cos_pi(x: f64) -> f64 {
    let quarter = (x * 2.0 + 0.5).floor();
    quadrant((x - quarter * 0.5) * PI, quarter + 1.0)
}

const HALF_PI_HIGH: f64 = 1.5707963267341256;
const HALF_PI_MIDDLE: f64 = 6.077100506303966e-11;
const HALF_PI_LOW: f64 = 2.0222662487959506e-21;
/// x − quarter·π/2 by π/2 in three parts of 33 bits (Cody & Waite, 1980): exact products for |quarter| < 2²⁰.
fn reduced(x: f64, quarter: f64) -> f64 {
    ((x - quarter * HALF_PI_HIGH) - quarter * HALF_PI_MIDDLE) - quarter * HALF_PI_LOW
}
/// sin x, x in radians, |x| ≤ 10⁶.
pub fn sin(x: f64) -> f64 {
    let quarter = (x * core::f64::consts::FRAC_2_PI + 0.5).floor();
    quadrant(reduced(x, quarter), quarter)
}
/// cos x, x in radians, |x| ≤ 10⁶.
pub fn cos(x: f64) -> f64 {
    let quarter = (x * core::f64::consts::FRAC_2_PI + 0.5).floor();
    quadrant(reduced(x, quarter), quarter + 1.0)
}

const LN_2_HIGH: f64 = 0.6931471803691238;
const LN_2_LOW: f64 = 1.9082149292705877e-10;
/// e^x. Below −708: 0; above 709: +∞.
pub fn exp(x: f64) -> f64 {
    if x < -708.0 {
        return 0.0;
    }
    if x > 709.0 {
        return f64::INFINITY;
    }
    let power = (x * core::f64::consts::LOG2_E + 0.5).floor();
    let r = (x - power * LN_2_HIGH) - power * LN_2_LOW;
    let value = 1.0 + (r + r * r * polynomial(&EXP, r));
    scaled(value, power as i32)
}
/// value·2^power by steps of exact powers of two.
fn scaled(value: f64, power: i32) -> f64 {
    let half = power / 2;
    value * two_to(half) * two_to(power - half)
}
fn two_to(power: i32) -> f64 {
    let (mut result, mut base, mut left) = (1.0, if power < 0 { 0.5 } else { 2.0 }, power.unsigned_abs());
    while left > 0 {
        if left & 1 == 1 {
            result *= base;
        }
        base *= base;
        left >>= 1;
    }
    result
}
