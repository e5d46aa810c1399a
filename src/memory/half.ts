/**
 * Half-precision floats (spec memory-and-workers.md, MW-25): IEEE 754 binary16 and bfloat16, stored as their bits. To half rounds to
 * nearest even, NaN stays NaN (quiet), subnormals are exact, overflow becomes ±∞.
 */
const SCRATCH = new DataView(new ArrayBuffer(4))

/** Value of binary16 bits: 2^−24 steps below 2^−14, exact in f32. */
export function fromF16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 0x1f, fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** Nearest binary16 of an f32's bits, ties to even. */
export function f16OfF32Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000, magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x1ff)
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude >= 0x38800000) return sign | roundShift(magnitude - 0x38000000, 13)
  if (magnitude < 0x33000000) return sign
  // Subnormal: the hidden bit becomes visible and the fraction moves right by what the exponent lacks.
  return sign | roundShift((magnitude & 0x7fffff) | 0x800000, 126 - (magnitude >>> 23))
}

/** `value` shifted right by `shift` 1…24 bits, rounded to nearest, ties to even. */
function roundShift(value: number, shift: number): number {
  const kept = value >>> shift, rest = value & ((1 << shift) - 1), tie = 1 << (shift - 1)
  return rest > tie || (rest === tie && (kept & 1) === 1) ? kept + 1 : kept
}

/** Nearest bfloat16 of an f32's bits, ties to even. */
export function bf16OfF32Bits(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

/** Nearest binary16 bits of a number that is first rounded to f32. */
export function toF16(value: number): number {
  SCRATCH.setFloat32(0, value)
  return f16OfF32Bits(SCRATCH.getUint32(0))
}
/** Nearest bfloat16 bits of a number that is first rounded to f32. */
export function toBf16(value: number): number {
  SCRATCH.setFloat32(0, value)
  return bf16OfF32Bits(SCRATCH.getUint32(0))
}
/** Value of bfloat16 bits: the upper half of an f32. */
export function fromBf16(bits: number): number {
  SCRATCH.setUint32(0, bits << 16)
  return SCRATCH.getFloat32(0)
}

/** Converts binary16 bits to f32, element by element; `to` is at least as long. 2^−24 · 2^24 keeps it a shift and a multiplication. */
export function f16ToF32(from: Uint16Array, to: Float32Array): void {
  const bits = new Uint32Array(to.buffer, to.byteOffset, from.length)
  for (let i = 0; i < from.length; i++) {
    const half = from[i]!, magnitude = half & 0x7fff
    if (magnitude >= 0x7c00) bits[i] = ((half & 0x8000) << 16) | 0x7f800000 | ((half & 0x3ff) << 13)
    else if (magnitude >= 0x0400) bits[i] = ((half & 0x8000) << 16) | ((magnitude << 13) + 0x38000000)
    else to[i] = half & 0x8000 ? -(magnitude * 2 ** -24) : magnitude * 2 ** -24
  }
}
/** Converts f32 to binary16 bits; `to` is at least as long. */
export function f32ToF16(from: Float32Array, to: Uint16Array): void {
  const bits = new Uint32Array(from.buffer, from.byteOffset, from.length)
  for (let i = 0; i < bits.length; i++) to[i] = f16OfF32Bits(bits[i]!)
}
/** Converts bfloat16 bits to f32. */
export function bf16ToF32(from: Uint16Array, to: Float32Array): void {
  const bits = new Uint32Array(to.buffer, to.byteOffset, from.length)
  for (let i = 0; i < from.length; i++) bits[i] = from[i]! << 16
}
/** Converts f32 to bfloat16 bits. */
export function f32ToBf16(from: Float32Array, to: Uint16Array): void {
  const bits = new Uint32Array(from.buffer, from.byteOffset, from.length)
  for (let i = 0; i < bits.length; i++) to[i] = bf16OfF32Bits(bits[i]!)
}
