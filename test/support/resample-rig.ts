/** Runs the resampler, kernel or reference, over mono signals; and measures what came out. */
import type { AudioMedia } from '../../src/media/media-type.js'
import { resample } from '../../src/nodes/audio/resample.js'
import { KernelRig, randomNumbers, type KernelHost, type RigTier } from './kernel-rig.js'

export const audioAt = (rate: number, channels = 1): AudioMedia => ({ kind: 'audio', rate, channels, format: 'f32', layout: 'planar' })
/** The usual conversions. */
export const STANDARD_PAIRS = [
  [44_100, 48_000], [48_000, 44_100], [44_100, 16_000], [48_000, 16_000], [16_000, 48_000], [8_000, 16_000], [16_000, 8_000],
  [22_050, 44_100], [96_000, 44_100],
  [192_000, 48_000], [8_000, 44_100], [24_000, 16_000],
] as const

export interface ResampleSetup {
  readonly from: number
  readonly to: number
  readonly quality?: string
  readonly method?: string
  readonly tier?: RigTier
  readonly maxFrames?: number
  readonly channels?: number
  readonly outputs?: readonly string[]
}

export function resampleRig(
  host: KernelHost,
  { from, to, quality = 'high', method = 'auto', tier = 'wasm', maxFrames = 8_192, channels = 1, outputs }: ResampleSetup,
): KernelRig {
  return new KernelRig(host, resample.definition, tier, {
    params: { rate: to, quality, method }, media: { in: audioAt(from, channels) }, maxFrames, ...(outputs && { outputs }),
  })
}

/** The whole output for a mono signal. */
export function resampled(host: KernelHost, setup: ResampleSetup, x: Float32Array, chunks?: readonly number[]): Float32Array {
  const rig = resampleRig(host, setup)
  try {
    return rig.run([[x]], { chunks: chunks ?? [setup.maxFrames ?? 8_192] }).outputs['out']![0] as Float32Array
  } finally {
    rig.close()
  }
}

export function noise(count: number, seed: number, peak = 0.8): Float32Array {
  const next = randomNumbers(seed)
  return Float32Array.from({ length: count }, () => (next() * 2 - 1) * peak)
}
/** f64 sine, rounded to f32 once. */
export function tone(count: number, hertz: number, rate: number, amplitude = 1, phase = 0.3): Float32Array {
  return Float32Array.from({ length: count }, (_, n) => amplitude * Math.sin(2 * Math.PI * (hertz / rate * n % 1) + phase))
}
export const decibels = (ratio: number): number => 20 * Math.log10(Math.max(ratio, 1e-12))
export function rms(x: ArrayLike<number>): number {
  let sum = 0
  for (let n = 0; n < x.length; n++) sum += x[n]! * x[n]!
  return Math.sqrt(sum / Math.max(1, x.length))
}

/** Least-squares fit of a sine (and an offset) of known frequency: its amplitude and phase, and the RMS of what is left. */
export function fitTone(
  y: ArrayLike<number>, cyclesPerSample: number,
): { readonly amplitude: number; readonly phase: number; readonly rest: number } {
  const n = y.length, a = [[0, 0, 0], [0, 0, 0], [0, 0, 0]], b = [0, 0, 0]
  const basis = (i: number): number[] => { const w = 2 * Math.PI * (cyclesPerSample * i % 1); return [Math.cos(w), Math.sin(w), 1] }
  for (let i = 0; i < n; i++) {
    const v = basis(i)
    for (let r = 0; r < 3; r++) {
      b[r]! += v[r]! * y[i]!
      for (let c = 0; c < 3; c++) a[r]![c]! += v[r]! * v[c]!
    }
  }
  const [p, q, offset] = solve(a, b)
  let sum = 0
  for (let i = 0; i < n; i++) {
    const v = basis(i), error = y[i]! - p! * v[0]! - q! * v[1]! - offset!
    sum += error * error
  }
  return { amplitude: Math.hypot(p!, q!), phase: Math.atan2(p!, q!), rest: Math.sqrt(sum / n) }
}

/** Gauss with pivoting, 3 unknowns. */
function solve(a: number[][], b: number[]): number[] {
  for (let k = 0; k < 3; k++) {
    let pivot = k
    for (let r = k + 1; r < 3; r++) if (Math.abs(a[r]![k]!) > Math.abs(a[pivot]![k]!)) pivot = r
    ;[a[k], a[pivot]] = [a[pivot]!, a[k]!]
    ;[b[k], b[pivot]] = [b[pivot]!, b[k]!]
    for (let r = k + 1; r < 3; r++) {
      const f = a[r]![k]! / a[k]![k]!
      for (let c = k; c < 3; c++) a[r]![c]! -= f * a[k]![c]!
      b[r]! -= f * b[k]!
    }
  }
  const x = [0, 0, 0]
  for (let k = 2; k >= 0; k--) {
    let sum = b[k]!
    for (let c = k + 1; c < 3; c++) sum -= a[k]![c]! * x[c]!
    x[k] = sum / a[k]![k]!
  }
  return x
}
