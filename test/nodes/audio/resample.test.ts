import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resolveParams } from '../../../src/graph/params.js'
import { IO, STATUS } from '../../../src/kernels/contract.js'
import { resample, resampleMethod } from '../../../src/nodes/audio/resample.js'
import { geometryOf, totalOutputs } from '../../../src/nodes/audio/resample/geometry.js'
import { expectSame, kernelHost, randomNumbers, type KernelHost } from '../../support/kernel-rig.js'
import { STANDARD_PAIRS, audioAt, decibels, fitTone, noise, resampleRig, resampled, rms, tone } from '../../support/resample-rig.js'

let host: KernelHost, blocks = 0
beforeAll(async () => {
  host = await kernelHost()
  blocks = host.arena.stats().blocks
})
afterAll(() => { expect(host.arena.stats().blocks).toBe(blocks) })

/** ⌊(n·l + ⌊m/2⌋)/m⌋ in whole numbers of any size. */
function exactLength(n: bigint, from: number, to: number): bigint {
  const gcd = (a: bigint, b: bigint): bigint => b === 0n ? a : gcd(b, a % b), common = gcd(BigInt(from), BigInt(to))
  const l = BigInt(to) / common, m = BigInt(from) / common
  return (n * l + m / 2n) / m
}
const lengthOf = (n: number, from: number, to: number): number => Number(exactLength(BigInt(n), from, to))

describe('length (AU-26)', () => {
  test.each(STANDARD_PAIRS)('%i to %i Hz: exact for 0 to 5 000 frames', (from, to) => {
    for (const quality of ['low', 'high'] as const) {
      // nobody reads the output: frames are counted, not computed
      const { instance, ...rig } = resampleRig(host, { from, to, quality, maxFrames: 5_000, outputs: [] })
      const block = host.arena.allocate(5_000 * 4)
      for (let n = 0; n <= 5_000; n++) {
        instance.reset()
        instance.setInput(0, { data: block, frames: n, stride: 20_000 })
        let total = instance.process(n)
        for (let more = 1; more > 0;) total += more = instance.flush(n)
        if (total !== lengthOf(n, from, to)) expect(total, `${n} frames at ${quality}`).toBe(lengthOf(n, from, to))
      }
      expect(rig.spec.flush).toBe(true)
      host.arena.free(block)
      instance.close()
    }
  })
  test('the closed form in doubles is exact for 10 hours at any rates', () => {
    const next = randomNumbers(3)
    for (let n = 0; n < 2_000; n++) {
      const from = 100 + Math.floor(next() * 767_900)
      const to = Math.min(768_000, Math.max(100, Math.round(from * 256 ** (2 * next() - 1))))
      const frames = Math.floor(next() * 36_000 * from)
      const g = geometryOf(from, to, 'low', 'direct')
      if (g !== null && from !== to) expect(BigInt(totalOutputs(g, frames))).toBe(exactLength(BigInt(frames), from, to))
    }
  })
  test('spot runs with samples, kernel and reference', () => {
    for (const [from, to] of STANDARD_PAIRS) for (const tier of ['wasm', 'js'] as const) for (const n of [0, 1, 2, 440, 441, 442, 1_999]) {
      expect(resampled(host, { from, to, tier }, noise(n, n + 1)).length).toBe(lengthOf(n, from, to))
    }
  })
  test('10 hours in: a stream that starts there gives the same bits and counts on', () => {
    for (const [from, to, quality] of [[44_100, 16_000, 'high'], [48_000, 44_100, 'best'], [44_100, 16_001, 'low']] as const) {
      const x = noise(4_000, 9), late = 36_000 * from, rig = resampleRig(host, { from, to, quality })
      const early = rig.run([[x]], { chunks: [777] }).outputs['out']![0]!
      rig.instance.reset()
      const then = rig.run([[x]], { chunks: [1_001], position: late }).outputs['out']![0]!
      expectSame(then, early, `${from} ${to}`)
      rig.close()
    }
  })
  test('neighbouring streams meet without a gap, wherever the cut is', () => {
    const next = randomNumbers(4)
    for (let n = 0; n < 40; n++) {
      const from = 44_100, to = [16_000, 48_000, 16_001][n % 3]!, start = Math.floor(next() * 1e6)
      const rig = resampleRig(host, { from, to, quality: 'high' })
      const length = 1_000
      const { outputs } = rig.run([[noise(length, n)]], { position: start })
      expect(outputs['out']![0]!.length).toBe(Number(exactLength(BigInt(start + length), from, to) - exactLength(BigInt(start), from, to)))
      rig.close()
    }
  })
})

describe('chunking (AU-27)', () => {
  test('1 000 random cases give one-shot bits', () => {
    const next = randomNumbers(11), pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!
    for (let group = 0; group < 50; group++) {
      const [from, to] = next() < 0.7 ? pick(STANDARD_PAIRS) : [8_000 + Math.floor(next() * 40_000), 8_000 + Math.floor(next() * 40_000)]
      const quality = pick(['low', 'medium', 'high', 'best'])
      const channels = 1 + Math.floor(next() * 2), frames = 200 + Math.floor(next() * 2_000)
      const x = Array.from({ length: channels }, (_, c) => noise(frames, group * 7 + c))
      const rig = resampleRig(host, { from, to, quality, channels, maxFrames: 5_000 })
      const whole = rig.run([x]).outputs['out']!
      for (let n = 0; n < 20; n++) {
        const longest = pick([4, 50, 50, 480, 480, 480, 2_000, 2_000])
        const chunks = Array.from({ length: 16 }, () => Math.max(1, Math.floor(next() * longest)))
        rig.instance.reset()
        const parts = rig.run([x], { chunks, offset: n }).outputs['out']!
        parts.forEach((part, c) => expectSame(part, whole[c]!, `${from} ${to} ${quality} in [${chunks.join(' ')}]`))
      }
      rig.close()
    }
  }, 120_000)
  test('10 ms blocks and single frames', () => {
    for (const [from, to] of STANDARD_PAIRS) {
      const x = noise(3_000, 2), whole = resampled(host, { from, to }, x, [3_000])
      expectSame(resampled(host, { from, to }, x, [Math.floor(from / 100)]), whole, '10 ms')
      expectSame(resampled(host, { from, to }, x, [1]), whole, '1 frame')
    }
  })
  test('channels do not touch each other', () => {
    const x = [noise(3_000, 1), noise(3_000, 2), noise(3_000, 3)]
    for (const [from, to] of [[44_100, 16_000], [44_100, 16_001]] as const) {
      const rig = resampleRig(host, { from, to, channels: 3 }), all = rig.run([x], { chunks: [441] }).outputs['out']!
      x.forEach((one, c) => expectSame(all[c]!, resampled(host, { from, to }, one), `channel ${c}`))
      rig.close()
    }
  })
})

describe('kernel and reference', () => {
  const difference = (a: Float32Array, b: Float32Array): { peak: number; rms: number } => {
    expect(a.length).toBe(b.length)
    const d = a.map((value, n) => value - b[n]!)
    return { peak: d.reduce((most, value) => Math.max(most, Math.abs(value)), 0), rms: rms(d) }
  }
  test('stay within 1e-6 and 1e-7 of each other on noise of 0.8', () => {
    for (const [from, to] of [...STANDARD_PAIRS, [44_100, 16_001], [16_001, 44_100]] as const) for (const quality of [
      'low', 'medium', 'high', 'best',
    ]) {
      const x = noise(3_000, 21),
        { peak, rms: level } = difference(resampled(host, { from, to, quality }, x), resampled(host, { from, to, quality, tier: 'js' }, x))
      expect(peak, `${from} ${to} ${quality}`).toBeLessThanOrEqual(1e-6)
      expect(level, `${from} ${to} ${quality}`).toBeLessThanOrEqual(1e-7)
    }
  })
  test('200 random pairs of rates: length, a constant, a tone', () => {
    const next = randomNumbers(31)
    for (let n = 0; n < 200; n++) {
      const from = Math.round(8_000 * 24 ** next()), to = Math.round(8_000 * 24 ** next())
      if (from === to) continue
      const frames = Math.ceil(2_200 * Math.max(1, from / to)), hertz = 0.3 * Math.min(from, to) / 2
      const y = resampled(host, { from, to }, tone(frames, hertz, from))
      const middle = y.subarray(Math.floor(y.length * 0.3), Math.floor(y.length * 0.7))
      const fit = fitTone(middle, hertz / to)
      expect(y.length).toBe(lengthOf(frames, from, to))
      expect(Math.abs(decibels(fit.amplitude)), `${from} ${to}`).toBeLessThan(0.001)
      expect(decibels(fit.amplitude / Math.SQRT2 / fit.rest), `${from} ${to}`).toBeGreaterThan(118)
      const flat = resampled(host, { from, to }, new Float32Array(frames).fill(0.5))
      expect(Math.abs(flat[flat.length >> 1]! - 0.5)).toBeLessThan(1e-6)
    }
  }, 60_000)
  test('the ends of the range: 256 times up and down', () => {
    for (const [from, to] of [[3_000, 768_000], [768_000, 3_000], [767_999, 3_001], [3_001, 767_999], [100, 25_600]] as const) {
      for (const quality of ['low', 'best']) {
        const frames = from > to ? 256 * 600 : 700, y = resampled(host, { from, to, quality }, new Float32Array(frames).fill(1), [4_096])
        expect(y.length).toBe(lengthOf(frames, from, to))
        expect(Math.abs(y[y.length >> 1]! - 1)).toBeLessThan(1e-6)
      }
    }
  })
})

describe('silence', () => {
  test('flagged silence costs no work and gives the bits of computed silence', () => {
    for (const [from, to] of [[44_100, 16_000], [44_100, 16_001]] as const) {
      const rig = resampleRig(host, { from, to }), sound = noise(2_000, 3), zeros = new Float32Array(6_000)
      const all = rig.run([[Float32Array.of(...sound, ...zeros)]], { chunks: [500] }).outputs['out']![0]!
      rig.instance.reset()
      const head = rig.run([[sound]], { chunks: [500], flush: false }).outputs['out']![0]!
      const tail = rig.run([[zeros]], { chunks: [500], position: 2_000, silent: [true] })
      expectSame(tail.outputs['out']![0]!, all.subarray(head.length), 'tail')
      expect(tail.quiet.some(Boolean)).toBe(true)
      rig.close()
    }
  })
})

describe('waiting time (AU-29)', () => {
  test('at 10 ms chunks the p95 wait is 15 ms shorter than with fixed chunks of 2 048 frames at 48 kHz', () => {
    const rate = 48_000, chunk = 480
    const rig = resampleRig(host, { from: rate, to: 16_000, outputs: [] })
    const { instance } = rig, block = host.arena.allocate(chunk * 4)
    const own: number[] = [], fixed: number[] = []
    for (let call = 0, done = 0; call < 200; call++) {
      const arrived = (call + 1) * chunk
      instance.setInput(0, { data: block, frames: chunk, stride: chunk * 4 })
      const count = instance.process(chunk, call * chunk)
      for (let k = done; k < done + count; k++) own.push((arrived - 3 * k) / rate)
      done += count
    }
    // the other one hands out what stands in a chunk as soon as that chunk has arrived whole, without any look-ahead
    for (let frame = 0; frame < 40 * 2_048; frame += 3) {
      const whole = (Math.floor(frame / 2_048) + 1) * 2_048
      fixed.push((Math.ceil(whole / chunk) * chunk - frame) / rate)
    }
    const p95 = (waits: number[]): number => waits.sort((a, b) => a - b)[Math.floor(waits.length * 0.95)]!
    expect(p95(fixed) - p95(own)).toBeGreaterThanOrEqual(0.015)
    host.arena.free(block)
    rig.close()
  })
})

describe('declaration', () => {
  const { definition } = resample
  test('equal rates are an identity that the plan removes; called anyway, it copies bits', () => {
    expect(definition.identity!({ rate: 48_000 }, { in: audioAt(48_000) })).toBe(true)
    expect(definition.identity!({ rate: 16_000 }, { in: audioAt(48_000) })).toBe(false)
    const x = Float32Array.of(1, -0, 0.25, 3e-42, -1)
    for (const quality of ['low', 'best']) {
      for (const tier of ['wasm', 'js'] as const) expectSame(resampled(host, { from: 48_000, to: 48_000, quality, tier }, x, [2]), x, tier)
    }
  })
  test('other systems’ names of the rate', () => {
    for (const name of ['rate', 'target_sample_rate', 'output_rate', 'targetRate', 'target_rate']) {
      const { values, diagnostics } = resolveParams(definition, { [name]: 22_050, input_rate: 48_000 })
      expect(diagnostics).toEqual([])
      expect(values).toMatchObject({ rate: 22_050, quality: 'high', method: 'auto', phase: 'linear', inputRate: 48_000 })
    }
  })
  test('bad params are PARAM_INVALID', () => {
    for (const [name, value] of [
      ['rate', 99], ['rate', 768_001], ['rate', 44_100.5], ['rate', NaN], ['rate', '16k'], ['quality', 'ultra'], ['method', 'sinc'],
      ['phase', 'minimum'],
    ] as const) {
      expect(resolveParams(definition, { [name]: value }).diagnostics.map((one) => one.code), `${name} ${value}`).toEqual(['PARAM_INVALID'])
    }
    for (const rate of [100, 768_000]) expect(resolveParams(definition, { rate }).diagnostics).toEqual([])
  })
  test('params that do not fit the media', () => {
    const check = (from: number, params: Record<string, unknown>): (readonly [string, string | undefined])[] =>
      definition.validate!({ ...resolveParams(definition, params).values }, { in: audioAt(from) }).map((one) => [one.code, one.port])
    expect(check(48_000, { rate: 16_000, inputRate: 48_000 })).toEqual([])
    expect(check(48_000, { rate: 16_000, inputRate: 44_100 })).toEqual([['PARAM_INVALID', 'inputRate']])
    expect(check(768_000, { rate: 2_999 })).toEqual([['PARAM_INVALID', 'rate']])
    expect(check(100, { rate: 25_601 })).toEqual([['PARAM_INVALID', 'rate']])
    expect(check(48_000, { rate: 16_000, method: 'fft' })).toEqual([])
    expect(check(48_000, { rate: 16_000, method: 'fft', quality: 'low' })).toEqual([['PARAM_INVALID', 'method']])
    expect(check(44_100, { rate: 16_001, method: 'fft' })).toEqual([['PARAM_INVALID', 'method']])
    expect(check(50, { rate: 100 })).toEqual([['UNSUPPORTED', undefined]])
    expect(check(44_100.5, { rate: 16_000 })).toEqual([['UNSUPPORTED', undefined]])
  })
  test('the method is known before the run', () => {
    expect(resampleMethod({ rate: 16_000, quality: 'high', method: 'auto' }, { in: audioAt(44_100) })).toBe('fft')
    expect(resampleMethod({ rate: 16_000, quality: 'low', method: 'auto' }, { in: audioAt(44_100) })).toBe('direct')
  })
  test('negotiation may insert it for another rate, and says that it loses', () => {
    const { converter } = definition
    expect(converter!.lossless).toBe(false)
    expect(converter!.params(audioAt(48_000), audioAt(16_000))).toEqual({ rate: 16_000 })
    expect(converter!.params(audioAt(48_000), audioAt(48_000))).toBeNull()
    expect(converter!.params(audioAt(48_000, 2), audioAt(16_000, 1))).toBeNull()
    expect(converter!.params(audioAt(48_000), audioAt(50))).toBeNull()
  })
})

test('a cancelled call stops, a long one shows that it is alive', () => {
  const frames = 8_000
  for (const [to, quality] of [[192_000, 'best'], [191_999, 'low']] as const) {
    const { instance, ...rig } = resampleRig(host, { from: 8_000, to, quality, maxFrames: frames }), { arena } = host
    const words = arena.allocate(128), input = arena.allocate(frames * 4), room = frames * 25, output = arena.allocate(room * 4)
    arena.u32[(instance.io + IO.CANCEL) >>> 2] = words
    arena.u32[(instance.io + IO.BEAT) >>> 2] = words + 64
    const call = (): number => {
      instance.setInput(0, { data: input, frames, stride: 0 })
      instance.setOutput(0, { data: output, frames: room, stride: 0 })
      return instance.process(frames)
    }
    arena.u32[words >>> 2] = 1
    expect(call()).toBe(STATUS.CANCELLED)
    arena.u32[words >>> 2] = 0
    instance.reset()
    expect(call()).toBeGreaterThan(frames * 20)
    expect(arena.u32[(words + 64) >>> 2]).toBeGreaterThan(10)
    expect(rig.spec.maxFrames).toBe(frames)
    instance.close()
    for (const address of [words, input, output]) arena.free(address)
  }
})
