// Planar ↔ interleaved (AU-16), by element size, 1–64 channels. Two channels go vector by vector; more go in groups of four and two, the
// last odd one alone, in tiles of frames that stay in the first-level cache while group after group fills them (one pass per group over
// everything was 3 × slower at six channels). Groups read and write whole vectors per channel and up to 16 bytes per frame, so every count
// up to 64 uses SIMD.

/** Interleaved bytes of a tile. */
const TILE: usize = 16384

/** `stride`: bytes between the planar channels at `x`; `bytes`: 1, 2 or 4 per sample. */
export function interleave(y: usize, x: usize, stride: usize, all: u32, frames: usize, bytes: u32): void {
  if (bytes == 4) interleaveOf<f32>(y, x, stride, all, frames)
  else if (bytes == 2) interleaveOf<i16>(y, x, stride, all, frames)
  else interleaveOf<u8>(y, x, stride, all, frames)
}

/** `stride`: bytes between the planar channels at `y`. */
export function deinterleave(y: usize, x: usize, stride: usize, all: u32, frames: usize, bytes: u32): void {
  if (bytes == 4) deinterleaveOf<f32>(y, x, stride, all, frames)
  else if (bytes == 2) deinterleaveOf<i16>(y, x, stride, all, frames)
  else deinterleaveOf<u8>(y, x, stride, all, frames)
}

function interleaveOf<T>(y: usize, x: usize, stride: usize, all: u32, frames: usize): void {
  const step = <usize>all * sizeof<T>(), tile = max<usize>(16, TILE / step & ~15)
  if (all == 2) { interleavePair<T>(y, x, x + stride, frames); return }
  for (; frames > 0;) {
    const now = min(tile, frames)
    let c: u32 = 0
    for (; c + 4 <= all; c += 4) interleaveFour<T>(y + <usize>c * sizeof<T>(), x + <usize>c * stride, stride, step, now)
    for (; c + 2 <= all; c += 2) interleaveTwo<T>(y + <usize>c * sizeof<T>(), x + <usize>c * stride, x + <usize>(c + 1) * stride, step, now)
    for (; c < all; c++) {
      for (let f: usize = 0, from = x + <usize>c * stride, to = y + <usize>c * sizeof<T>(); f < now; f++, from += sizeof<T>(), to += step) {
        copyOne<T>(to, from)
      }
    }
    x += now * sizeof<T>()
    y += now * step
    frames -= now
  }
}

function deinterleaveOf<T>(y: usize, x: usize, stride: usize, all: u32, frames: usize): void {
  const step = <usize>all * sizeof<T>(), tile = max<usize>(16, TILE / step & ~15)
  if (all == 2) { deinterleavePair<T>(y, y + stride, x, frames); return }
  for (; frames > 0;) {
    const now = min(tile, frames)
    let c: u32 = 0
    for (; c + 4 <= all; c += 4) deinterleaveFour<T>(y + <usize>c * stride, x + <usize>c * sizeof<T>(), stride, step, now)
    for (; c + 2 <= all; c += 2) {
      deinterleaveTwo<T>(y + <usize>c * stride, y + <usize>(c + 1) * stride, x + <usize>c * sizeof<T>(), step, now)
    }
    for (; c < all; c++) {
      for (let f: usize = 0, from = x + <usize>c * sizeof<T>(), to = y + <usize>c * stride; f < now; f++, from += step, to += sizeof<T>()) {
        copyOne<T>(to, from)
      }
    }
    x += now * step
    y += now * sizeof<T>()
    frames -= now
  }
}

/** Moves one sample as bits: a float load could quieten a NaN. */
// @ts-ignore: decorator
@inline function copyOne<T>(y: usize, x: usize): void {
  if (sizeof<T>() == 4) store<u32>(y, load<u32>(x))
  else if (sizeof<T>() == 2) store<u16>(y, load<u16>(x))
  else store<u8>(y, load<u8>(x))
}

/** Lanes of the low halves of a and b in turn. */
// @ts-ignore: decorator
@inline function mixLow<T>(a: v128, b: v128): v128 {
  if (sizeof<T>() == 4) return v128.shuffle<i32>(a, b, 0, 4, 1, 5)
  if (sizeof<T>() == 2) return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
  return v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
}
// @ts-ignore: decorator
@inline function mixHigh<T>(a: v128, b: v128): v128 {
  if (sizeof<T>() == 4) return v128.shuffle<i32>(a, b, 2, 6, 3, 7)
  if (sizeof<T>() == 2) return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
  return v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
}
/** Even lanes, odd lanes of a then b. 16 bit by shifts and a narrowing that never saturates: faster than a shuffle. */
// @ts-ignore: decorator
@inline function even<T>(a: v128, b: v128): v128 {
  if (sizeof<T>() == 4) return v128.shuffle<i32>(a, b, 0, 2, 4, 6)
  if (sizeof<T>() == 2) return i16x8.narrow_i32x4_s(i32x4.shr_s(i32x4.shl(a, 16), 16), i32x4.shr_s(i32x4.shl(b, 16), 16))
  return v128.shuffle<i8>(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
}
// @ts-ignore: decorator
@inline function odd<T>(a: v128, b: v128): v128 {
  if (sizeof<T>() == 4) return v128.shuffle<i32>(a, b, 1, 3, 5, 7)
  if (sizeof<T>() == 2) return i16x8.narrow_i32x4_s(i32x4.shr_s(a, 16), i32x4.shr_s(b, 16))
  return v128.shuffle<i8>(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
}

function interleavePair<T>(y: usize, left: usize, right: usize, frames: usize): void {
  const lanes: usize = 16 / sizeof<T>(), end = left + frames * sizeof<T>()
  for (const last = left + frames / lanes * 16; left < last; left += 16, right += 16, y += 32) {
    const a = v128.load(left), b = v128.load(right)
    v128.store(y, mixLow<T>(a, b))
    v128.store(y, mixHigh<T>(a, b), 16)
  }
  for (; left < end; left += sizeof<T>(), right += sizeof<T>(), y += 2 * sizeof<T>()) {
    copyOne<T>(y, left)
    copyOne<T>(y + sizeof<T>(), right)
  }
}

function deinterleavePair<T>(left: usize, right: usize, x: usize, frames: usize): void {
  const lanes: usize = 16 / sizeof<T>(), end = left + frames * sizeof<T>()
  for (const last = left + frames / (2 * lanes) * 32; left < last; left += 32, right += 32, x += 64) {
    const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32), d = v128.load(x, 48)
    v128.store(left, even<T>(a, b))
    v128.store(left, even<T>(c, d), 16)
    v128.store(right, odd<T>(a, b))
    v128.store(right, odd<T>(c, d), 16)
  }
  for (; left < end; left += sizeof<T>(), right += sizeof<T>(), x += 2 * sizeof<T>()) {
    copyOne<T>(left, x)
    copyOne<T>(right, x + sizeof<T>())
  }
}

/** Four channels at once: sixteen bytes of each make 16 ÷ size frames of four samples. */
function interleaveFour<T>(y: usize, x: usize, stride: usize, step: usize, frames: usize): void {
  const lanes: usize = 16 / sizeof<T>(), second = x + stride, third = second + stride, fourth = third + stride
  let f: usize = 0, at: usize = 0
  for (; f + lanes <= frames; f += lanes, at += 16) {
    const a = v128.load(x + at), b = v128.load(second + at), c = v128.load(third + at), d = v128.load(fourth + at)
    // channels 0 2 and 1 3 in turn, then both in turn: frame by frame 0 1 2 3
    const acLow = mixLow<T>(a, c), acHigh = mixHigh<T>(a, c), bdLow = mixLow<T>(b, d), bdHigh = mixHigh<T>(b, d)
    y = storeFrames<T>(y, step, mixLow<T>(acLow, bdLow))
    y = storeFrames<T>(y, step, mixHigh<T>(acLow, bdLow))
    y = storeFrames<T>(y, step, mixLow<T>(acHigh, bdHigh))
    y = storeFrames<T>(y, step, mixHigh<T>(acHigh, bdHigh))
  }
  for (; f < frames; f++, at += sizeof<T>(), y += step) {
    copyOne<T>(y, x + at)
    copyOne<T>(y + sizeof<T>(), second + at)
    copyOne<T>(y + 2 * sizeof<T>(), third + at)
    copyOne<T>(y + 3 * sizeof<T>(), fourth + at)
  }
}

/** One vector of frames of four samples each, to frames that are `step` bytes apart. Returns the next frame's address. */
// @ts-ignore: decorator
@inline function storeFrames<T>(y: usize, step: usize, v: v128): usize {
  if (sizeof<T>() == 4) { v128.store(y, v); return y + step }
  if (sizeof<T>() == 2) {
    v128.store64_lane(y, v, 0)
    v128.store64_lane(y + step, v, 1)
    return y + 2 * step
  }
  v128.store32_lane(y, v, 0)
  v128.store32_lane(y + step, v, 1)
  v128.store32_lane(y + 2 * step, v, 2)
  v128.store32_lane(y + 3 * step, v, 3)
  return y + 4 * step
}
// @ts-ignore: decorator
@inline function loadFrames<T>(x: usize, step: usize): v128 {
  if (sizeof<T>() == 4) return v128.load(x)
  if (sizeof<T>() == 2) return v128.load64_lane(x + step, v128.load64_zero(x), 1)
  return v128.load32_lane(x + 3 * step, v128.load32_lane(x + 2 * step, v128.load32_lane(x + step, v128.load32_zero(x), 1), 2), 3)
}

function deinterleaveFour<T>(y: usize, x: usize, stride: usize, step: usize, frames: usize): void {
  const lanes: usize = 16 / sizeof<T>(), advance: usize = step * (4 / sizeof<T>()), second = y + stride
  const third = second + stride, fourth = third + stride
  let f: usize = 0, at: usize = 0
  for (; f + lanes <= frames; f += lanes, at += 16) {
    const p = loadFrames<T>(x, step), q = loadFrames<T>(x + advance, step)
    const r = loadFrames<T>(x + 2 * advance, step), s = loadFrames<T>(x + 3 * advance, step)
    const acLow = even<T>(p, q), bdLow = odd<T>(p, q), acHigh = even<T>(r, s), bdHigh = odd<T>(r, s)
    v128.store(y + at, even<T>(acLow, acHigh))
    v128.store(second + at, even<T>(bdLow, bdHigh))
    v128.store(third + at, odd<T>(acLow, acHigh))
    v128.store(fourth + at, odd<T>(bdLow, bdHigh))
    x += 4 * advance
  }
  for (; f < frames; f++, at += sizeof<T>(), x += step) {
    copyOne<T>(y + at, x)
    copyOne<T>(second + at, x + sizeof<T>())
    copyOne<T>(third + at, x + 2 * sizeof<T>())
    copyOne<T>(fourth + at, x + 3 * sizeof<T>())
  }
}

/** Two channels among more: whole vectors of each, pairs of samples per frame. */
function interleaveTwo<T>(y: usize, left: usize, right: usize, step: usize, frames: usize): void {
  const lanes: usize = 16 / sizeof<T>()
  let f: usize = 0
  for (; f + lanes <= frames; f += lanes, left += 16, right += 16) {
    const a = v128.load(left), b = v128.load(right)
    y = storePairs<T>(y, step, mixLow<T>(a, b))
    y = storePairs<T>(y, step, mixHigh<T>(a, b))
  }
  for (; f < frames; f++, left += sizeof<T>(), right += sizeof<T>(), y += step) { copyOne<T>(y, left); copyOne<T>(y + sizeof<T>(), right) }
}
function deinterleaveTwo<T>(left: usize, right: usize, x: usize, step: usize, frames: usize): void {
  const lanes: usize = 16 / sizeof<T>(), half = step * (lanes / 2)
  let f: usize = 0
  for (; f + lanes <= frames; f += lanes, left += 16, right += 16, x += 2 * half) {
    const p = loadPairs<T>(x, step), q = loadPairs<T>(x + half, step)
    v128.store(left, even<T>(p, q))
    v128.store(right, odd<T>(p, q))
  }
  for (; f < frames; f++, left += sizeof<T>(), right += sizeof<T>(), x += step) { copyOne<T>(left, x); copyOne<T>(right, x + sizeof<T>()) }
}

/** One vector of frames of two samples each, to frames that are `step` bytes apart. Returns the next frame's address. */
// @ts-ignore: decorator
@inline function storePairs<T>(y: usize, step: usize, v: v128): usize {
  if (sizeof<T>() == 4) {
    v128.store64_lane(y, v, 0)
    v128.store64_lane(y + step, v, 1)
    return y + 2 * step
  }
  if (sizeof<T>() == 2) {
    v128.store32_lane(y, v, 0)
    v128.store32_lane(y + step, v, 1)
    v128.store32_lane(y + 2 * step, v, 2)
    v128.store32_lane(y + 3 * step, v, 3)
    return y + 4 * step
  }
  v128.store16_lane(y, v, 0)
  v128.store16_lane(y + step, v, 1)
  v128.store16_lane(y + 2 * step, v, 2)
  v128.store16_lane(y + 3 * step, v, 3)
  v128.store16_lane(y + 4 * step, v, 4)
  v128.store16_lane(y + 5 * step, v, 5)
  v128.store16_lane(y + 6 * step, v, 6)
  v128.store16_lane(y + 7 * step, v, 7)
  return y + 8 * step
}
// @ts-ignore: decorator
@inline function loadPairs<T>(x: usize, step: usize): v128 {
  if (sizeof<T>() == 4) return v128.load64_lane(x + step, v128.load64_zero(x), 1)
  if (sizeof<T>() == 2) {
    return v128.load32_lane(x + 3 * step, v128.load32_lane(x + 2 * step, v128.load32_lane(x + step, v128.load32_zero(x), 1), 2), 3)
  }
  let v = v128.load16_lane(x, i64x2.splat(0), 0)
  v = v128.load16_lane(x + step, v, 1)
  v = v128.load16_lane(x + 2 * step, v, 2)
  v = v128.load16_lane(x + 3 * step, v, 3)
  v = v128.load16_lane(x + 4 * step, v, 4)
  v = v128.load16_lane(x + 5 * step, v, 5)
  v = v128.load16_lane(x + 6 * step, v, 6)
  return v128.load16_lane(x + 7 * step, v, 7)
}
