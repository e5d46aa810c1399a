// Integers → integers by shifts only, never through f32 (audio page section 3): widening is exact, narrowing is the floor.

export function u8ToI16(y: usize, x: usize, n: usize): void {
  const flip = i8x16.splat(-128), end = x + n
  for (const last = x + (n >> 4 << 4); x < last; x += 16, y += 32) {
    const a = v128.xor(v128.load(x), flip)
    v128.store(y, i16x8.shl(i16x8.extend_low_i8x16_s(a), 8))
    v128.store(y, i16x8.shl(i16x8.extend_high_i8x16_s(a), 8), 16)
  }
  for (; x < end; x++, y += 2) store<i16>(y, <i16>((<i32>load<u8>(x) - 128) << 8))
}

export function u8ToI32(y: usize, x: usize, n: usize): void {
  const flip = i8x16.splat(-128), end = x + n
  for (const last = x + (n >> 4 << 4); x < last; x += 16, y += 64) {
    const a = v128.xor(v128.load(x), flip), low = i16x8.extend_low_i8x16_s(a), high = i16x8.extend_high_i8x16_s(a)
    v128.store(y, i32x4.shl(i32x4.extend_low_i16x8_s(low), 24))
    v128.store(y, i32x4.shl(i32x4.extend_high_i16x8_s(low), 24), 16)
    v128.store(y, i32x4.shl(i32x4.extend_low_i16x8_s(high), 24), 32)
    v128.store(y, i32x4.shl(i32x4.extend_high_i16x8_s(high), 24), 48)
  }
  for (; x < end; x++, y += 4) store<i32>(y, (<i32>load<u8>(x) - 128) << 24)
}

export function i16ToI32(y: usize, x: usize, n: usize): void {
  const end = x + (n << 1)
  for (const last = x + (n >> 3 << 4); x < last; x += 16, y += 32) {
    const a = v128.load(x)
    v128.store(y, i32x4.shl(i32x4.extend_low_i16x8_s(a), 16))
    v128.store(y, i32x4.shl(i32x4.extend_high_i16x8_s(a), 16), 16)
  }
  for (; x < end; x += 2, y += 4) store<i32>(y, <i32>load<i16>(x) << 16)
}

export function i16ToU8(y: usize, x: usize, n: usize): void {
  const flip = i8x16.splat(-128), end = x + (n << 1)
  for (const last = x + (n >> 4 << 5); x < last; x += 32, y += 16)
    v128.store(y, v128.xor(i8x16.narrow_i16x8_s(i16x8.shr_s(v128.load(x), 8), i16x8.shr_s(v128.load(x, 16), 8)), flip))
  for (; x < end; x += 2, y++) store<u8>(y, <u8>((<i32>load<i16>(x) >> 8) + 128))
}

export function i32ToI16(y: usize, x: usize, n: usize): void {
  const end = x + (n << 2)
  for (const last = x + (n >> 3 << 5); x < last; x += 32, y += 16)
    v128.store(y, i16x8.narrow_i32x4_s(i32x4.shr_s(v128.load(x), 16), i32x4.shr_s(v128.load(x, 16), 16)))
  for (; x < end; x += 4, y += 2) store<i16>(y, <i16>(load<i32>(x) >> 16))
}

export function i32ToU8(y: usize, x: usize, n: usize): void {
  const flip = i8x16.splat(-128), end = x + (n << 2)
  for (const last = x + (n >> 4 << 6); x < last; x += 64, y += 16) {
    const low = i16x8.narrow_i32x4_s(i32x4.shr_s(v128.load(x), 24), i32x4.shr_s(v128.load(x, 16), 24))
    const high = i16x8.narrow_i32x4_s(i32x4.shr_s(v128.load(x, 32), 24), i32x4.shr_s(v128.load(x, 48), 24))
    v128.store(y, v128.xor(i8x16.narrow_i16x8_s(low, high), flip))
  }
  for (; x < end; x += 4, y++) store<u8>(y, <u8>((load<i32>(x) >> 24) + 128))
}
