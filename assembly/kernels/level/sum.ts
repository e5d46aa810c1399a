// Weighted sums of many sources into one channel, in a fixed order: ((0 + x₀·w₀) + x₁·w₁) + …, every product and sum rounded to f32.
// Grouping sources and tiling frames changes no bit: every sample is still added term by term. @realtime

/** Bytes of one term: u32 address of the source's first sample, f32 weight. */
// @ts-ignore: decorator
@inline export const TERM_BYTES: usize = 8

/** Appends a term; returns the address behind it. */
// @ts-ignore: decorator
@inline export function addTerm(at: usize, source: usize, weight: f32): usize {
  store<u32>(at, <u32>source)
  store<f32>(at, weight, 4)
  return at + TERM_BYTES
}

/** Bytes of a tile of the result that stays in the first-level cache while group after group of sources is added. */
const TILE: usize = 4096

/**
 * y[n] = sum of the terms from `terms` to `last` (excluded), offset by `from` frames in every source. Up to three sources in one pass with
 * 32 frames in registers; more in groups of four, tile by tile (64 sources × 1 024 frames: 3.6 µs, in one pass over all sources 4.2, one
 * source at a time without vectors 31).
 */
export function weightedSum(y: usize, terms: usize, last: usize, from: usize, frames: usize): void {
  const bytes = frames << 2
  for (let at: usize = 0; at < bytes; at += TILE) {
    const now = min(TILE, bytes - at), offset = (from << 2) + at
    let term = terms
    if (term + 4 * TERM_BYTES <= last) { sumFour(y + at, term, offset, now, false); term += 4 * TERM_BYTES }
    for (; term + 4 * TERM_BYTES <= last; term += 4 * TERM_BYTES) sumFour(y + at, term, offset, now, true)
    if (term == terms) sumAny(y + at, term, last, offset, now, false)
    else if (term < last) sumAny(y + at, term, last, offset, now, true)
  }
}

/** y (or 0, when nothing has been added: `more` is a constant, each call has a loop of its own) plus four terms. */
// @ts-ignore: decorator
@inline function sumFour(y: usize, terms: usize, offset: usize, bytes: usize, more: bool): void {
  const p = <usize>load<u32>(terms) + offset, q = <usize>load<u32>(terms, 8) + offset
  const r = <usize>load<u32>(terms, 16) + offset, s = <usize>load<u32>(terms, 24) + offset
  const u = v128.load32_splat(terms, 4), v = v128.load32_splat(terms, 12), w = v128.load32_splat(terms, 20)
  const z = v128.load32_splat(terms, 28)
  let i: usize = 0
  for (const whole = bytes & ~31; i < whole; i += 32) {
    let a = more ? v128.load(y + i) : f32x4.splat(0), b = more ? v128.load(y + i, 16) : f32x4.splat(0)
    a = f32x4.add(a, f32x4.mul(v128.load(p + i), u))
    b = f32x4.add(b, f32x4.mul(v128.load(p + i, 16), u))
    a = f32x4.add(a, f32x4.mul(v128.load(q + i), v))
    b = f32x4.add(b, f32x4.mul(v128.load(q + i, 16), v))
    a = f32x4.add(a, f32x4.mul(v128.load(r + i), w))
    b = f32x4.add(b, f32x4.mul(v128.load(r + i, 16), w))
    a = f32x4.add(a, f32x4.mul(v128.load(s + i), z))
    b = f32x4.add(b, f32x4.mul(v128.load(s + i, 16), z))
    v128.store(y + i, a)
    v128.store(y + i, b, 16)
  }
  if (i < bytes) addTail(y, terms, terms + 4 * TERM_BYTES, offset, i, bytes, more)
}

/** y (or 0) plus any number of terms, 32 frames at a time. */
// @ts-ignore: decorator
@inline function sumAny(y: usize, terms: usize, last: usize, offset: usize, bytes: usize, more: bool): void {
  let i: usize = 0
  for (const whole = bytes & ~127; i < whole; i += 128) {
    const at = y + i
    let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a
    if (more) {
      a = v128.load(at)
      b = v128.load(at, 16)
      c = v128.load(at, 32)
      d = v128.load(at, 48)
      e = v128.load(at, 64)
      f = v128.load(at, 80)
      g = v128.load(at, 96)
      h = v128.load(at, 112)
    }
    for (let term = terms; term < last; term += TERM_BYTES) {
      const x = <usize>load<u32>(term) + offset + i, w = v128.load32_splat(term, 4)
      a = f32x4.add(a, f32x4.mul(v128.load(x), w))
      b = f32x4.add(b, f32x4.mul(v128.load(x, 16), w))
      c = f32x4.add(c, f32x4.mul(v128.load(x, 32), w))
      d = f32x4.add(d, f32x4.mul(v128.load(x, 48), w))
      e = f32x4.add(e, f32x4.mul(v128.load(x, 64), w))
      f = f32x4.add(f, f32x4.mul(v128.load(x, 80), w))
      g = f32x4.add(g, f32x4.mul(v128.load(x, 96), w))
      h = f32x4.add(h, f32x4.mul(v128.load(x, 112), w))
    }
    v128.store(at, a)
    v128.store(at, b, 16)
    v128.store(at, c, 32)
    v128.store(at, d, 48)
    v128.store(at, e, 64)
    v128.store(at, f, 80)
    v128.store(at, g, 96)
    v128.store(at, h, 112)
  }
  if (i < bytes) addTail(y, terms, last, offset, i, bytes, more)
}

/** What is left of a tile: vectors, then samples. */
function addTail(y: usize, terms: usize, last: usize, offset: usize, i: usize, bytes: usize, more: bool): void {
  for (const whole = bytes & ~15; i < whole; i += 16) {
    let a = more ? v128.load(y + i) : f32x4.splat(0)
    for (let term = terms; term < last; term += TERM_BYTES) {
      a = f32x4.add(a, f32x4.mul(v128.load(<usize>load<u32>(term) + offset + i), v128.load32_splat(term, 4)))
    }
    v128.store(y + i, a)
  }
  for (; i < bytes; i += 4) {
    let a: f32 = more ? load<f32>(y + i) : 0
    for (let term = terms; term < last; term += TERM_BYTES) a += load<f32>(<usize>load<u32>(term) + offset + i) * load<f32>(term, 4)
    store<f32>(y + i, a)
  }
}
