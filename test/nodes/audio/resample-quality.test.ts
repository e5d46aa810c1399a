import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kernelHost, type KernelHost, type RigTier } from '../../support/kernel-rig.js'
import { decibels, fitTone, noise, resampled, rms, tone } from '../../support/resample-rig.js'

let host: KernelHost, blocks = 0
beforeAll(async () => {
  host = await kernelHost()
  blocks = host.arena.stats().blocks
})
afterAll(() => { expect(host.arena.stats().blocks).toBe(blocks) })

/** The quality table of spec audio.md section 4, as written. */
const TABLE = {
  low: { edge: 0.8, ripple: 0.01, corner: 0.88, stop: -70, snr: 70 },
  medium: { edge: 0.9, ripple: 0.001, corner: 0.94, stop: -98, snr: 98 },
  high: { edge: 0.92, ripple: 0.001, corner: 0.954, stop: -120, snr: 118 },
  best: { edge: 0.955, ripple: 0.001, corner: 0.974, stop: -140, snr: 135 },
} as const
const PAIRS = [[44_100, 16_000], [48_000, 16_000], [16_000, 48_000], [44_100, 48_000], [44_100, 16_001]] as const
const CASES = PAIRS.flatMap(([from, to]) => (Object.keys(TABLE) as (keyof typeof TABLE)[]).map((quality) => ({ from, to, quality })))
/** Without the ends, where the signal starts and stops. */
const settled = (y: Float32Array, to: number, from: number): Float32Array =>
  y.subarray(Math.ceil(500 * to / Math.min(from, to)), -Math.ceil(500 * to / Math.min(from, to)))

function measure(
  quality: string, from: number, to: number, hertz: number, tier: RigTier = 'wasm', method = 'auto',
): { gain: number; snr: number; level: number } {
  const seconds = 0.12 + 1_000 / Math.min(from, to), x = tone(Math.ceil(seconds * from), hertz, from)
  const y = settled(resampled(host, { from, to, quality, tier, method }, x), to, from), fit = fitTone(y, hertz / to)
  return { gain: decibels(fit.amplitude), snr: decibels(fit.amplitude / Math.SQRT2 / fit.rest), level: decibels(rms(y) / rms(x)) }
}

describe.each(CASES)('$from to $to Hz, $quality', ({ from, to, quality }) => {
  const { edge, ripple, corner, stop, snr } = TABLE[quality], half = Math.min(from, to) / 2

  test('tones in the passband: ripple and signal to noise', () => {
    for (const hertz of [100, 1_000, 0.5 * edge * half, 0.8 * edge * half, 0.9 * edge * half]) {
      const got = measure(quality, from, to, hertz)
      expect(Math.abs(got.gain), `gain at ${hertz} Hz`).toBeLessThanOrEqual(ripple)
      expect(got.snr, `SNR at ${hertz} Hz`).toBeGreaterThanOrEqual(snr)
    }
    for (let part = 0.02; part < 1; part += 0.06) {
      expect(Math.abs(measure(quality, from, to, part * edge * half).gain), `ripple at ${part} of the edge`).toBeLessThanOrEqual(ripple)
    }
    expect(Math.abs(measure(quality, from, to, edge * half).gain), 'at the edge').toBeLessThanOrEqual(ripple)
  })
  test('corner', () => {
    expect(measure(quality, from, to, (corner - 0.004) * half).gain).toBeGreaterThan(-3.01)
    expect(measure(quality, from, to, (corner + 0.004) * half).gain).toBeLessThan(-3.01)
  })
  if (from > to) test('tones from fN on leave nothing', () => {
    for (const times of [1, 1.02, 1.1, 1.25, 1.5, 2, 2.4, from / to * 0.999]) {
      if (times * half >= from / 2) continue
      expect(measure(quality, from, to, times * half).level, `${times} fN`).toBeLessThanOrEqual(stop)
    }
  })
  if (from < to) test('images of tones up to the old half rate', () => {
    for (const times of [0.5, 0.9, 0.999]) {
      const x = tone(Math.ceil(0.2 * from), times * half, from), y = settled(resampled(host, { from, to, quality }, x), to, from)
      expect(decibels(fitTone(y, times * half / to).rest / rms(x)), `${times} fN`).toBeLessThanOrEqual(stop)
    }
  })
  test('a constant stays itself', () => {
    const y = settled(resampled(host, { from, to, quality }, new Float32Array(Math.ceil(0.15 * from)).fill(1)), to, from)
    for (const value of y) expect(Math.abs(value - 1)).toBeLessThanOrEqual(1e-6)
  })
})

test.each(['direct', 'fft'])('highest quality by %s alone', (method) => {
  for (const [from, to] of [[48_000, 16_000], [16_000, 48_000]] as const) for (const quality of ['high', 'best'] as const) {
    const half = Math.min(from, to) / 2
    for (const part of [0.05, 0.5, 0.9]) {
      expect(measure(quality, from, to, part * half, 'wasm', method).snr, `${from} ${to} ${quality} ${part}`)
        .toBeGreaterThanOrEqual(TABLE[quality].snr)
    }
    if (from > to) for (const hertz of [8_000, 8_500, 12_000, 16_500]) {
      expect(measure(quality, from, to, hertz, 'wasm', method).level, `${hertz} Hz`).toBeLessThanOrEqual(TABLE[quality].stop)
    }
  }
})

describe('the reference itself', () => {
  test('meets the table', () => {
    for (const quality of Object.keys(TABLE) as (keyof typeof TABLE)[]) {
      const { edge, ripple, snr, stop } = TABLE[quality]
      const low = measure(quality, 48_000, 16_000, 1_000, 'js')
      const high = measure(quality, 48_000, 16_000, edge * 8_000, 'js')
      expect(Math.abs(low.gain)).toBeLessThanOrEqual(ripple)
      expect(low.snr).toBeGreaterThanOrEqual(snr)
      expect(Math.abs(high.gain)).toBeLessThanOrEqual(ripple)
      for (const hertz of [8_000, 9_000, 17_000]) expect(measure(quality, 48_000, 16_000, hertz, 'js').level).toBeLessThanOrEqual(stop)
    }
  })
  test('gives sines at the right times: the phase of the fit is that of the input', () => {
    for (const [from, to] of PAIRS) {
      const hertz = 700, y = resampled(host, { from, to, tier: 'js' }, tone(4_000, hertz, from, 0.5, 0.3))
      const cut = Math.ceil(y.length / 3), fit = fitTone(y.subarray(cut, 2 * cut), hertz / to)
      const expected = 0.3 + 2 * Math.PI * hertz / to * cut
      const error = Math.atan2(Math.sin(fit.phase - expected), Math.cos(fit.phase - expected))
      expect(Math.abs(error)).toBeLessThan(1e-6)
    }
  })
})

describe('sweep', () => {
  test.each([
    [44_100, 16_000, 'high'], [48_000, 16_000, 'high'], [48_000, 16_000, 'best'], [44_100, 16_000, 'low'],
  ] as const)('%i to %i, %s: beyond fN nothing is heard', (from, to, quality) => {
    // 20 Hz to 0.999 of the old half rate, exponential; faded at both ends so that starting and stopping add nothing
    const seconds = 2, count = seconds * from, low = 20, high = 0.999 * from / 2, growth = Math.log(high / low) / seconds, fade = from / 50
    const at = (t: number): number => low * Math.exp(growth * t)
    const x = Float32Array.from({ length: count }, (_, n) => {
      const end = Math.min(1, n / fade, (count - 1 - n) / fade)
      return 0.5 * (1 - Math.cos(Math.PI * end)) * Math.sin(2 * Math.PI * (at(n / from) - low) / growth)
    })
    const y = resampled(host, { from, to, quality, maxFrames: 65_536 }, x), crossing = Math.log(1.05 * to / 2 / low) / growth
    const passband = y.subarray(Math.floor(0.1 * to), Math.floor((Math.log(TABLE[quality].edge * to / 2 * 0.95 / low) / growth) * to))
    expect(Math.abs(decibels(rms(passband) * Math.SQRT2))).toBeLessThan(0.02)
    const after = y.subarray(Math.ceil(crossing * to))
    expect(after.length).toBeGreaterThan(1_000)
    expect(decibels(rms(after) * Math.SQRT2)).toBeLessThanOrEqual(TABLE[quality].stop)
  })
})

test('an impulse gives a symmetric answer', () => {
  for (const [from, to, at] of [
    [48_000, 16_000, 3_000], [16_000, 48_000, 2_000], [44_100, 16_000, 4_410], [44_100, 48_000, 4_410],
  ] as const) {
    for (const quality of ['low', 'high', 'best']) {
      const x = new Float32Array(2 * at)
      x[at] = 1
      const y = resampled(host, { from, to, quality }, x), centre = at * to / from
      for (let n = 1; n < 300; n++) expect(Math.abs(y[centre - n]! - y[centre + n]!)).toBeLessThanOrEqual(3e-7)
      expect(y.indexOf(Math.max(...y))).toBe(centre)
    }
  }
})

test('fft and direct agree within 1e-6', () => {
  for (const [from, to] of [
    [44_100, 16_000], [48_000, 16_000], [16_000, 48_000], [44_100, 48_000], [48_000, 44_100], [8_000, 44_100],
  ] as const) for (const quality of ['high', 'best']) {
    const signals = [
      noise(9_000, 5, 1), tone(9_000, 440, from), tone(9_000, 0.47 * Math.min(from, to), from), tone(9_000, 0.499 * from, from),
      Float32Array.from(noise(9_000, 6), Math.sign),
    ]
    for (const x of signals) {
      const a = resampled(host, { from, to, quality, method: 'fft' }, x), b = resampled(host, { from, to, quality, method: 'direct' }, x)
      expect(a.length).toBe(b.length)
      let worst = 0
      a.forEach((value, n) => { worst = Math.max(worst, Math.abs(value - b[n]!)) })
      expect(worst, `${from} ${to} ${quality}`).toBeLessThanOrEqual(1e-6)
    }
  }
})
