// Weighted sums of many sources into one channel, in a fixed order: ((0 + x₀·w₀) + x₁·w₁) + …, every product and sum rounded to f32.
// 32 frames stay in registers while all terms are added, so the result is written once however many terms there are. @realtime

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

/** y[n] = sum of the terms from `terms` to `last` (excluded), offset by `from` frames in every source. */
export function weightedSum(y: usize, terms: usize, last: usize, from: usize, frames: usize): void {
  let at = from << 2
  const end = at + (frames << 2)
  for (const whole = at + (frames >> 5 << 7); at < whole; at += 128, y += 128) {
    let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a
    for (let term = terms; term < last; term += TERM_BYTES) {
      const x = <usize>load<u32>(term) + at, w = v128.load32_splat(term, 4)
      a = f32x4.add(a, f32x4.mul(v128.load(x), w))
      b = f32x4.add(b, f32x4.mul(v128.load(x, 16), w))
      c = f32x4.add(c, f32x4.mul(v128.load(x, 32), w))
      d = f32x4.add(d, f32x4.mul(v128.load(x, 48), w))
      e = f32x4.add(e, f32x4.mul(v128.load(x, 64), w))
      f = f32x4.add(f, f32x4.mul(v128.load(x, 80), w))
      g = f32x4.add(g, f32x4.mul(v128.load(x, 96), w))
      h = f32x4.add(h, f32x4.mul(v128.load(x, 112), w))
    }
    v128.store(y, a)
    v128.store(y, b, 16)
    v128.store(y, c, 32)
    v128.store(y, d, 48)
    v128.store(y, e, 64)
    v128.store(y, f, 80)
    v128.store(y, g, 96)
    v128.store(y, h, 112)
  }
  for (const whole = at + (end - at >> 4 << 4); at < whole; at += 16, y += 16) {
    let a = f32x4.splat(0)
    for (let term = terms; term < last; term += TERM_BYTES) a = f32x4.add(a, f32x4.mul(v128.load(<usize>load<u32>(term) + at), v128.load32_splat(term, 4)))
    v128.store(y, a)
  }
  for (; at < end; at += 4, y += 4) {
    let a: f32 = 0
    for (let term = terms; term < last; term += TERM_BYTES) a += load<f32>(<usize>load<u32>(term) + at) * load<f32>(term, 4)
    store<f32>(y, a)
  }
}
