// Integers → f32: exact for u8 and i16, nearest even for i32 (audio page section 3).

export function i16ToFloat(y: usize, x: usize, n: usize): void {
  const scale = f32x4.splat(3.0517578125e-5), end = x + (n << 1) // 2⁻¹⁵
  for (const last = x + (n >> 4 << 5); x < last; x += 32, y += 64) {
    const a = v128.load(x), b = v128.load(x, 16)
    v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(a)), scale))
    v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(a)), scale), 16)
    v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(b)), scale), 32)
    v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(b)), scale), 48)
  }
  for (; x < end; x += 2, y += 4) store<f32>(y, <f32>load<i16>(x) * <f32>3.0517578125e-5)
}

export function i32ToFloat(y: usize, x: usize, n: usize): void {
  const scale = f32x4.splat(4.656612873077393e-10), end = x + (n << 2) // 2⁻³¹
  for (const last = x + (n >> 2 << 4); x < last; x += 16, y += 16) v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(v128.load(x)), scale))
  for (; x < end; x += 4, y += 4) store<f32>(y, <f32>load<i32>(x) * <f32>4.656612873077393e-10)
}

export function u8ToFloat(y: usize, x: usize, n: usize): void {
  // 2⁻⁷; x − 128 = the same bits with the top one flipped, signed
  const scale = f32x4.splat(0.0078125), flip = i8x16.splat(-128), end = x + n
  for (const last = x + (n >> 4 << 4); x < last; x += 16, y += 64) {
    const a = v128.xor(v128.load(x), flip), low = i16x8.extend_low_i8x16_s(a), high = i16x8.extend_high_i8x16_s(a)
    v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low)), scale))
    v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low)), scale), 16)
    v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high)), scale), 32)
    v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high)), scale), 48)
  }
  for (; x < end; x++, y += 4) store<f32>(y, <f32>(<i32>load<u8>(x) - 128) * <f32>0.0078125)
}
