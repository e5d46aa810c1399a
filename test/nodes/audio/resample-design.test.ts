import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { INIT } from '../../../src/kernels/contract.js'
import { fillRow, prototypeAt, prototypeOf } from '../../../src/nodes/audio/resample/design.js'
import { GRADES, QUALITIES, geometryOf, type Geometry, type Quality } from '../../../src/nodes/audio/resample/geometry.js'
import { kernelHost, randomNumbers, type KernelHost } from '../../support/kernel-rig.js'
import { STANDARD_PAIRS, decibels, resampleRig } from '../../support/resample-rig.js'

let host: KernelHost, blocks = 0
beforeAll(async () => {
  host = await kernelHost()
  blocks = host.arena.stats().blocks
})
afterAll(() => { expect(host.arena.stats().blocks).toBe(blocks) })

const TABLE = {
  low: [0.8, 0.01, 0.88, -70], medium: [0.9, 0.001, 0.94, -98], high: [0.92, 0.001, 0.954, -120], best: [0.955, 0.001, 0.974, -140],
} as const
const rowBehind = (g: Geometry): number => g.interpolated ? g.behind - 1 : g.behind
function bankOf(g: Geometry, quality: Quality): Float32Array {
  const bank = new Float32Array(g.phases * g.taps), prototype = prototypeOf(GRADES[quality])
  for (let p = 0; p < g.phases; p++) fillRow(prototype, g, p, g.phases, rowBehind(g), bank.subarray(p * g.taps, (p + 1) * g.taps))
  return bank
}

test('the window is Kaiser’s: I0 by its integral, sinc by Math.sin', () => {
  // I0(x) = 1/π ∫ e^(x cos t) dt over 0…π (Abramowitz and Stegun 9.6.16): the midpoint rule
  // converges exponentially for a periodic integrand
  const besselI0 = (
    x: number,
  ): number => { let sum = 0; for (let k = 0; k < 400; k++) sum += Math.exp(x * Math.cos(Math.PI * (k + 0.5) / 400)); return sum / 400 }
  for (const quality of QUALITIES) {
    const { taps, cutoff, beta } = GRADES[quality], prototype = prototypeOf(GRADES[quality])
    for (let time = -taps / 2 + 0.01; time < taps / 2; time += 0.37) {
      const x = 2 * time / taps, angle = Math.PI * cutoff * time
      const expected = (angle === 0 ? 1 : Math.sin(angle) / angle) * besselI0(beta * Math.sqrt(1 - x * x))
      expect(Math.abs(prototypeAt(prototype, time) - expected)).toBeLessThan(1e-13 * besselI0(beta))
    }
    expect(prototypeAt(prototype, taps / 2)).toBe(0)
    expect(prototypeAt(prototype, -taps)).toBe(0)
  }
})

/** Response of all rows together at `cycles` per output of the upsampled grid (l per input frame). */
function response(g: Geometry, bank: Float32Array, cycles: number): number {
  let re = 0, im = 0
  for (let p = 0; p < g.phases; p++) for (let i = 0; i < g.taps; i++) {
    const angle = 2 * Math.PI * (((i - rowBehind(g)) * g.phases - p) * cycles)
    re += bank[p * g.taps + i]! * Math.cos(angle)
    im += bank[p * g.taps + i]! * Math.sin(angle)
  }
  return decibels(Math.hypot(re, im) / g.phases)
}

test.each(QUALITIES)('the stored taps of %s have the tabled response', (quality) => {
  const [edge, ripple, corner, stop] = TABLE[quality]
  for (const [from, to] of [[48_000, 16_000], [16_000, 48_000], [24_000, 16_000]] as const) {
    const g = geometryOf(from, to, quality, 'direct')!, bank = bankOf(g, quality), half = 1 / (2 * Math.max(g.l, g.m))
    for (let part = 0; part <= 1; part += 0.05) expect(Math.abs(response(g, bank, part * edge * half))).toBeLessThanOrEqual(ripple)
    expect(Math.abs(response(g, bank, corner * half) + 3.01)).toBeLessThan(0.5)
    for (let times = 1; times < 1.2; times += 0.0021) expect(response(g, bank, times * half)).toBeLessThanOrEqual(stop)
    for (let times = 1.2; times <= Math.max(g.l, g.m); times += 0.0531) expect(response(g, bank, times * half)).toBeLessThanOrEqual(stop)
  }
})

test('every row sums up to 1, the middle row is symmetric', () => {
  for (const quality of QUALITIES) for (const [from, to] of [...STANDARD_PAIRS, [44_100, 16_001]] as const) {
    const g = geometryOf(from, to, quality, 'direct')!, bank = bankOf(g, quality), centre = rowBehind(g)
    for (let p = 0; p < g.phases; p++) {
      let sum = 0
      for (let i = 0; i < g.taps; i++) sum += bank[p * g.taps + i]!
      expect(Math.abs(sum - 1)).toBeLessThan(1e-6)
    }
    for (let i = 1; centre + i < g.taps; i++) expect(Math.abs((centre < i ? 0 : bank[centre - i]!) - bank[centre + i]!)).toBeLessThan(1e-8)
  }
})

describe('the kernel', () => {
  test('has the bits of the TypeScript bank', () => {
    for (const quality of QUALITIES) {
      for (const [from, to] of [...STANDARD_PAIRS, [44_100, 16_001], [16_001, 44_100], [768_000, 3_001]] as const) {
        const rig = resampleRig(host, { from, to, quality, method: 'direct' }), { instance } = rig
        const address = host.arena.u32[(instance.descriptors.init + INIT.SHARED) >>> 2]!
        const got = new Uint32Array(host.arena.buffer, address, instance.sharedBytes / 4)
        const expected = new Uint32Array(bankOf(geometryOf(from, to, quality, 'direct')!, quality).buffer)
        expect(got.length).toBe(expected.length)
        const at = got.findIndex((bits, i) => bits !== expected[i])
        expect(at, `${from} ${to} ${quality}`).toBe(-1)
        rig.close()
      }
    }
  })
  test('agrees on method and sizes, and keeps banks and state small (AU-32)', () => {
    const next = randomNumbers(7)
    const rate = (): number => Math.round(100 * 7_680 ** next())
    const ratio = (a: number, b: number): number => Math.max(a, b) / Math.min(a, b)
    const pairs: (readonly [number, number])[] = [...STANDARD_PAIRS]
    while (pairs.length < 60) {
      const pair = [rate(), rate()] as const
      if (ratio(...pair) <= 256 && pair[0] !== pair[1]) pairs.push(pair)
    }
    for (const [from, to] of pairs) for (const quality of QUALITIES) {
      const g = geometryOf(from, to, quality, 'auto')!
      const rig = resampleRig(host, { from, to, quality, channels: 2, maxFrames: 480 })
      const { sharedBytes, stateBytes, scratchBytes } = rig.instance
      expect(sharedBytes).toBeLessThanOrEqual(2 ** 20)
      if (g.hop === 0) expect([sharedBytes, scratchBytes], `${from} ${to} ${quality}`).toEqual([4 * g.phases * g.taps, 0])
      else expect(scratchBytes).toBeGreaterThan(16 * g.pointsIn)
      const kept = (stateBytes - 512) / 8
      expect(kept).toBeLessThanOrEqual(g.window + 480)
      rig.close()
    }
  })
})

test('method: fft for high and best where the ratio is smooth and a block takes at most 20 ms', () => {
  const hop = (from: number, to: number, quality: Quality): number => geometryOf(from, to, quality, 'auto')!.hop
  expect([
    hop(44_100, 16_000, 'high'), hop(48_000, 16_000, 'high'), hop(16_000, 48_000, 'high'), hop(44_100, 48_000, 'high'),
    hop(22_050, 16_000, 'high'),
  ]).toEqual([882, 960, 320, 882, 441])
  expect([hop(44_100, 16_000, 'best'), hop(48_000, 16_000, 'best'), hop(16_000, 48_000, 'best')]).toEqual([1_323, 1_440, 480])
  expect([
    hop(44_100, 16_000, 'low'), hop(48_000, 16_000, 'medium'), hop(44_100, 16_001, 'high'), hop(11_025, 16_000, 'high'),
    hop(48_000, 11_000, 'high'),
  ]).toEqual([0, 0, 0, 0, 0])
  expect(geometryOf(11_025, 16_000, 'high', 'fft')?.hop).toBe(441)
  expect(geometryOf(48_000, 16_000, 'low', 'fft')).toBeNull()
  expect(geometryOf(48_000, 11_000, 'high', 'fft')).toBeNull()
})
