// f32 → integers: y = x·2^(N−1), round half to even, saturate, NaN → 0 (audio page section 3).
// Adding 1.5·2²³ to |y| < 2²² rounds to an integer, half to even, and leaves it in the low bits; the narrowing instructions saturate. So sixteen samples that
// are all safely inside the range take the short way; one outside sends its sixteen through the way that clamps and counts. trunc_sat is slower (measured 1.25 ×).
import { countClipped, countNonfinite } from '../../sdk/state'

// @ts-ignore: decorator
@inline const MAGIC: f32 = 12582912 // 1.5 · 2²³
// @ts-ignore: decorator
@inline const MAGIC_BITS: i32 = 0x4b400000
// @ts-ignore: decorator
@inline const ABS: i32 = 0x7fffffff

/** Magnitude bits: as integers they are ordered like the magnitudes, NaN above all. */
// @ts-ignore: decorator
@inline function largest(a: v128, b: v128, c: v128, d: v128): v128 {
  const m = i32x4.splat(ABS)
  return i32x4.max_s(i32x4.max_s(v128.and(a, m), v128.and(b, m)), i32x4.max_s(v128.and(c, m), v128.and(d, m)))
}
/** y·scale rounded, plus `offset`, as i32 lanes; |y·scale| < 2²². */
// @ts-ignore: decorator
@inline function rounded(x: v128, scale: v128, magic: v128, bits: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(x, scale), magic), bits)
}
/** As `rounded`, for any x: NaN becomes 0, large values stay outside the range of the narrow format. */
// @ts-ignore: decorator
@inline function clamped(x: v128, scale: v128, magic: v128, bits: v128): v128 {
  const y = v128.and(f32x4.mul(x, scale), f32x4.eq(x, x)), limit = f32x4.splat(65536)
  return i32x4.sub(f32x4.add(f32x4.pmax(f32x4.pmin(y, limit), f32x4.neg(limit)), magic), bits)
}
/** Counts of one vector: values that round to outside −2^(N−1) … 2^(N−1)−1 (±∞ among them), and NaN. */
// @ts-ignore: decorator
@inline function count(x: v128, scale: v128, above: v128, below: v128, state: usize): void {
  const y = f32x4.mul(x, scale)
  countClipped(state, popcnt(i32x4.bitmask(v128.or(f32x4.ge(y, above), f32x4.lt(y, below)))))
  countNonfinite(state, popcnt(i32x4.bitmask(f32x4.ne(x, x))))
}

/** One sample, all formats: `high` = 2^(N−1). */
// @ts-ignore: decorator
@inline function one(x: f32, high: f64, state: usize): i32 {
  if (x != x) { countNonfinite(state, 1); return 0 }
  const y = nearest<f64>(<f64>x * high)
  if (y > high - 1) { countClipped(state, 1); return <i32>(high - 1) }
  if (y < -high) { countClipped(state, 1); return <i32>-high }
  return <i32>y
}

export function floatToI16(y: usize, x: usize, n: usize, state: usize): void {
  const scale = f32x4.splat(32768), magic = f32x4.splat(MAGIC), bits = i32x4.splat(MAGIC_BITS), inside = i32x4.splat(reinterpret<i32>(<f32>(32767.0 / 32768)))
  const end = x + (n << 2)
  for (const last = x + (n >> 4 << 6); x < last; x += 64, y += 32) {
    const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32), d = v128.load(x, 48)
    if (!v128.any_true(i32x4.gt_s(largest(a, b, c, d), inside))) {
      v128.store(y, i16x8.narrow_i32x4_s(rounded(a, scale, magic, bits), rounded(b, scale, magic, bits)))
      v128.store(y, i16x8.narrow_i32x4_s(rounded(c, scale, magic, bits), rounded(d, scale, magic, bits)), 16)
    } else {
      const above = f32x4.splat(32767.5), below = f32x4.splat(-32768.5)
      count(a, scale, above, below, state)
      count(b, scale, above, below, state)
      count(c, scale, above, below, state)
      count(d, scale, above, below, state)
      v128.store(y, i16x8.narrow_i32x4_s(clamped(a, scale, magic, bits), clamped(b, scale, magic, bits)))
      v128.store(y, i16x8.narrow_i32x4_s(clamped(c, scale, magic, bits), clamped(d, scale, magic, bits)), 16)
    }
  }
  for (; x < end; x += 4, y += 2) store<i16>(y, <i16>one(load<f32>(x), 32768, state))
}

export function floatToU8(y: usize, x: usize, n: usize, state: usize): void {
  // the subtracted bits are 128 short, which adds the 128 of the format
  const scale = f32x4.splat(128), magic = f32x4.splat(MAGIC), bits = i32x4.splat(MAGIC_BITS - 128), inside = i32x4.splat(reinterpret<i32>(<f32>(127.0 / 128)))
  const end = x + (n << 2)
  for (const last = x + (n >> 4 << 6); x < last; x += 64, y += 16) {
    const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32), d = v128.load(x, 48)
    let low: v128, high: v128
    if (!v128.any_true(i32x4.gt_s(largest(a, b, c, d), inside))) {
      low = i16x8.narrow_i32x4_s(rounded(a, scale, magic, bits), rounded(b, scale, magic, bits))
      high = i16x8.narrow_i32x4_s(rounded(c, scale, magic, bits), rounded(d, scale, magic, bits))
    } else {
      const above = f32x4.splat(127.5), below = f32x4.splat(-128.5)
      count(a, scale, above, below, state)
      count(b, scale, above, below, state)
      count(c, scale, above, below, state)
      count(d, scale, above, below, state)
      low = i16x8.narrow_i32x4_s(clamped(a, scale, magic, bits), clamped(b, scale, magic, bits))
      high = i16x8.narrow_i32x4_s(clamped(c, scale, magic, bits), clamped(d, scale, magic, bits))
    }
    v128.store(y, i8x16.narrow_i16x8_u(low, high))
  }
  for (; x < end; x += 4, y++) store<u8>(y, <u8>(one(load<f32>(x), 128, state) + 128))
}

/** From 2²³ on every f32 is an integer, so rounding first and converting after is exact; the conversion saturates and takes NaN to 0. */
export function floatToI32(y: usize, x: usize, n: usize, state: usize): void {
  const scale = f32x4.splat(2147483648), inside = i32x4.splat(reinterpret<i32>(<f32>(1 - 5.9604644775390625e-8))), end = x + (n << 2)
  for (const last = x + (n >> 4 << 6); x < last; x += 64, y += 64) {
    const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32), d = v128.load(x, 48)
    if (v128.any_true(i32x4.gt_s(largest(a, b, c, d), inside))) {
      const above = f32x4.splat(2147483648), below = f32x4.splat(-2147483648)
      count(a, scale, above, below, state)
      count(b, scale, above, below, state)
      count(c, scale, above, below, state)
      count(d, scale, above, below, state)
    }
    v128.store(y, i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(a, scale))))
    v128.store(y, i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(b, scale))), 16)
    v128.store(y, i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(c, scale))), 32)
    v128.store(y, i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(d, scale))), 48)
  }
  for (; x < end; x += 4, y += 4) store<i32>(y, one(load<f32>(x), 2147483648, state))
}
