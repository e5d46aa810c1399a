// Energy and peak of one VAD frame, fed in pieces of any length: four f64 lanes by sample index mod 4 within the frame
// (AU-45), so a piece border moves no bit. @realtime

/** Four f64 sums, then u32 samples so far, f32 largest magnitude. */
// @ts-ignore: decorator
@inline export const FRAME_BYTES: usize = 40
// @ts-ignore: decorator
@inline export const FRAME_COUNT: usize = 32
// @ts-ignore: decorator
@inline export const FRAME_PEAK: usize = 36

/** Energy of the frame so far: (lane 0 + lane 1) + (lane 2 + lane 3). */
// @ts-ignore: decorator
@inline export function energyOf(frame: usize): f64 {
  return (load<f64>(frame) + load<f64>(frame, 8)) + (load<f64>(frame, 16) + load<f64>(frame, 24))
}

// @ts-ignore: decorator
@inline function magnitude(x: v128): v128 { return v128.and(x, i32x4.splat(0x7fffffff)) }

/** One sample of the mean of `channels` channels: f32 sum in channel order, times f32(1 ÷ channels) (section 3). */
// @ts-ignore: decorator
@inline function meanOne(x: usize, stride: usize, channels: u32, factor: f32): f32 {
  let acc = load<f32>(x)
  for (let c: u32 = 1; c < channels; c++) acc += load<f32>(x + <usize>c * stride)
  return channels > 1 ? acc * factor : acc
}
// @ts-ignore: decorator
@inline function meanFour(x: usize, stride: usize, channels: u32, factor: v128): v128 {
  let acc = v128.load(x)
  for (let c: u32 = 1; c < channels; c++) acc = f32x4.add(acc, v128.load(x + <usize>c * stride))
  return f32x4.mul(acc, factor)
}

function addOne(frame: usize, x: f32): void {
  const n = load<u32>(frame, FRAME_COUNT), lane = frame + (<usize>(n & 3) << 3), level = abs(x)
  store<f64>(lane, load<f64>(lane) + <f64>x * <f64>x)
  if (level > load<f32>(frame, FRAME_PEAK)) store<f32>(frame, level, FRAME_PEAK)
  store<u32>(frame, n + 1, FRAME_COUNT)
}

/** Adds `samples` samples. Every product of two f32 is exact in f64, so only the sums round. */
export function addEnergy(frame: usize, x: usize, stride: usize, channels: u32, factor: f32, samples: u32): void {
  const end = x + (<usize>samples << 2)
  for (; x < end && (load<u32>(frame, FRAME_COUNT) & 3) != 0; x += 4) addOne(frame, meanOne(x, stride, channels, factor))
  const whole = x + (end - x >> 4 << 4)
  if (x < whole) {
    let low = v128.load(frame), high = v128.load(frame, 16), peak = f32x4.splat(0)
    store<u32>(frame, load<u32>(frame, FRAME_COUNT) + <u32>(whole - x >> 2), FRAME_COUNT)
    const k = f32x4.splat(factor)
    for (; x < whole; x += 16) {
      const v = channels > 1 ? meanFour(x, stride, channels, k) : v128.load(x), a = f64x2.promote_low_f32x4(v)
      const b = f64x2.promote_low_f32x4(v128.shuffle<i32>(v, v, 2, 3, 2, 3))
      low = f64x2.add(low, f64x2.mul(a, a))
      high = f64x2.add(high, f64x2.mul(b, b))
      peak = f32x4.pmax(peak, magnitude(v)) // keeps the first where the second is NaN
    }
    v128.store(frame, low)
    v128.store(frame, high, 16)
    const most = max<f32>(
      max<f32>(f32x4.extract_lane(peak, 0), f32x4.extract_lane(peak, 1)),
      max<f32>(f32x4.extract_lane(peak, 2), f32x4.extract_lane(peak, 3)),
    )
    if (most > load<f32>(frame, FRAME_PEAK)) store<f32>(frame, most, FRAME_PEAK)
  }
  for (; x < end; x += 4) addOne(frame, meanOne(x, stride, channels, factor))
}

/** `samples` zeros: they only count. */
// @ts-ignore: decorator
@inline export function addSilence(frame: usize, samples: u32): void {
  store<u32>(frame, load<u32>(frame, FRAME_COUNT) + samples, FRAME_COUNT)
}

/** Makes ready for the next frame. */
// @ts-ignore: decorator
@inline export function clearFrame(frame: usize): void { memory.fill(frame, 0, FRAME_BYTES) }
