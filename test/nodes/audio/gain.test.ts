import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gain } from '../../../src/nodes/audio/gain.js'
import { toGain } from '../../../src/nodes/audio/gain/decibels.js'
import type { AudioMedia } from '../../../src/media/media-type.js'
import { KernelRig, expectSame, kernelHost, randomNumbers, type KernelHost, type RigTier } from '../../support/kernel-rig.js'
import { registerConformance } from '../../../src/testing/index.js'

let host: KernelHost, blocks = 0
beforeAll(async () => {
  host = await kernelHost()
  blocks = host.arena.stats().blocks
})
afterAll(() => { expect(host.arena.stats().blocks).toBe(blocks) })

const media = (channels: number): AudioMedia => ({ kind: 'audio', rate: 48_000, channels, format: 'f32', layout: 'planar' })
function rig(params: Record<string, unknown>, tier: RigTier = 'wasm', channels = 1): KernelRig {
  return new KernelRig(host, gain.definition, tier, { params, media: { in: media(channels) } })
}
function noise(count: number, seed: number): Float32Array {
  const next = randomNumbers(seed)
  return Float32Array.from({ length: count }, () => next() * 2 - 1)
}

describe('decibels', () => {
  test('0 dB is 1, −120 dB is 0, the rest within 1e-13', () => {
    expect(toGain(0)).toBe(1)
    expect(toGain(-120)).toBe(0)
    for (let db = -119.9; db <= 48; db += 0.1) expect(Math.abs(toGain(db) / 10 ** (db / 20) - 1)).toBeLessThan(1e-13)
  })
  test('ends of the range are taken, beyond is refused', () => {
    for (const gainDb of [-120, 48]) rig({ gainDb }).close()
    for (const gainDb of [-120.001, 48.001, NaN, 'loud']) expect(() => rig({ gainDb })).toThrow(/gainDb/)
  })
})

describe('constant gain', () => {
  test('is fround(x · g) at any length and place', () => {
    const next = randomNumbers(1)
    for (const [gainDb, invert] of [[0, false], [-6, false], [12, true], [48, false], [-119, true]] as const) {
      for (let length = 1; length <= 67; length += 3) {
        const x = [noise(length, next() * 1e9), noise(length, next() * 1e9)], one = rig({ gainDb, invert }, 'wasm', 2)
        const { outputs } = one.run([x], { offset: length % 16 }), g = Math.fround(toGain(gainDb)) * (invert ? -1 : 1)
        x.forEach((plane, c) => expectSame(outputs['out']![c]!, plane.map((sample) => Math.fround(sample * g) + 0), `${gainDb} dB`))
        one.close()
      }
    }
  })
  test('0 gives silence whatever comes in, and says so', () => {
    for (const tier of ['wasm', 'js'] as const) {
      const one = rig({ gainDb: -120, invert: true }, tier), { outputs, quiet } = one.run([[Float32Array.of(1, NaN, Infinity, -0, -1)]])
      expectSame(outputs['out']![0]!, new Float32Array(5))
      if (tier === 'wasm') expect(quiet).toEqual([true])
      one.close()
    }
  })
  test('passes NaN and infinity, makes −0 into +0', () => {
    const one = rig({ invert: true })
    expect([...one.run([[Float32Array.of(NaN, Infinity, -0, 0, 1)]]).outputs['out']![0]!]).toEqual([NaN, -Infinity, 0, 0, -1])
    one.close()
  })
  test('flagged silence is passed on', () => {
    const one = rig({ gainDb: 6, invert: true }), { outputs, quiet } = one.run([[new Float32Array(33)]], { silent: [true] })
    expectSame(outputs['out']![0]!, new Float32Array(33))
    expect(quiet).toEqual([true])
    one.close()
  })
  test('in place', () => {
    const one = rig({ gainDb: -3 }), x = noise(40, 2), block = host.arena.allocate(256), g = Math.fround(toGain(-3))
    new Float32Array(host.arena.buffer, block, 40).set(x)
    one.instance.setInput(0, { data: block, frames: 40, stride: 160 })
    one.instance.setOutput(0, { data: block, frames: 40, stride: 160 })
    expect(one.instance.process(40)).toBe(40)
    expectSame(new Float32Array(host.arena.buffer, block, 40).slice(), x.map((sample) => Math.fround(sample * g) + 0))
    host.arena.free(block)
    one.close()
  })
})

describe('ramps (AU-03, KE-15)', () => {
  const LENGTH = 240 // 5 ms
  test('0 → 1 on DC from every offset 0…300 in any chunks: the exact line, no step above 1/length', () => {
    const x = new Float32Array(600).fill(1), line = new Float32Array(600), one = rig({}), js = rig({}, 'js'), next = randomNumbers(3)
    for (let offset = 0; offset <= 300; offset++) {
      const chunks = Array.from({ length: 50 }, () => 1 + Math.floor(next() * 90))
      const course = (_: number, start: number) => ({ from: 0, to: 1, begin: offset - start, length: LENGTH })
      const y = one.run([[x]], { chunks, controls: course }).outputs['out']![0]!
      let step = 0
      for (let n = 0; n < y.length; n++) {
        const t = n - offset
        line[n] = t <= 0 ? 0 : t >= LENGTH ? 1 : Math.fround(t / LENGTH)
        if (n > 0) step = Math.max(step, y[n]! - y[n - 1]!)
      }
      expectSame(y, line, `offset ${offset}`)
      expect(step).toBeLessThanOrEqual(1 / LENGTH + 1e-6)
      if (offset % 50 === 0) expectSame(js.run([[x]], { controls: course }).outputs['out']![0]!, y)
    }
    one.close()
    js.close()
  })
  test('a ramp of length 0 is a step at once', () => {
    const one = rig({})
    const y =
      one.run([[new Float32Array(20).fill(1)]], { chunks: [5], controls: (_, start) => start < 10 ? 0.5 : 0.25 }).outputs['out']![0]!
    expect([...y]).toEqual([...new Array(10).fill(0.5), ...new Array(10).fill(0.25)])
    one.close()
  })
  test('a driven gain: NaN holds the last good value across calls and counts; values keep to the range', () => {
    const driven = Float32Array.of(0.5, NaN, NaN, 2, -1, 300, NaN, 1), block = host.arena.allocate(64)
    new Float32Array(host.arena.buffer, block, 8).set(driven)
    for (const tier of ['wasm', 'js'] as const) for (const chunk of [1, 2, 3, 8]) {
      const one = rig({ gainDb: -6 }, tier)
      const { outputs, counters } = one.run([[new Float32Array(8).fill(1)]], {
        chunks: [chunk], controls: (_, start) => ({ from: 0, to: 0, begin: 0, length: 0, stream: block + 4 * start }),
      })
      expect([...outputs['out']![0]!]).toEqual([0.5, 0.5, 0.5, 2, 0, Math.fround(251.18864315095823), Math.fround(251.18864315095823), 1])
      expect(counters.nonfinite).toBe(3)
      one.close()
    }
    host.arena.free(block)
  })
  test('reset forgets the last driven value', () => {
    const block = host.arena.allocate(64), one = rig({ gainDb: 0 })
    new Float32Array(host.arena.buffer, block, 2).set([0.25, NaN])
    const play = (start: number) => one.run([[Float32Array.of(1)]], {
      controls: () => ({ from: 0, to: 0, begin: 0, length: 0, stream: block + start }),
    }).outputs['out']![0]![0]
    expect([play(0), play(4)]).toEqual([0.25, 0.25])
    one.instance.reset()
    expect(play(4)).toBe(1)
    host.arena.free(block)
    one.close()
  })
})

registerConformance(gain, { describe, test }, { setups: [{}, { params: { gainDb: 6.5, invert: true } }, { params: { gainDb: -120 } }] })
