import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mix } from '../../../src/nodes/audio/mix.js'
import { toGain } from '../../../src/nodes/audio/gain/decibels.js'
import type { AudioMedia } from '../../../src/media/media-type.js'
import {
  KernelRig, expectSame, kernelHost, randomNumbers, type KernelHost, type RigTier, type RunOptions,
} from '../../support/kernel-rig.js'
import { registerConformance } from '../../../src/testing/index.js'

let host: KernelHost, blocks = 0
beforeAll(async () => {
  host = await kernelHost()
  blocks = host.arena.stats().blocks
})
afterAll(() => { expect(host.arena.stats().blocks).toBe(blocks) })

const media = (channels: number): AudioMedia => ({ kind: 'audio', rate: 48_000, channels, format: 'f32', layout: 'planar' })
type Sources = readonly (readonly Float32Array[])[]
function run(sources: Sources, params: Record<string, unknown> = {}, tier: RigTier = 'wasm', o: RunOptions = {}) {
  const links = Object.fromEntries(sources.map((source, i) => [`in.${i}`, media(source.length)]))
  const rig = new KernelRig(host, mix.definition, tier, { params, media: links })
  const result = rig.run(sources, o)
  rig.close()
  return { y: result.outputs['out'] as readonly Float32Array[], quiet: result.quiet, counters: result.counters }
}
function sourcesOf(count: number, channels: number, frames: number, seed: number): Float32Array[][] {
  const next = randomNumbers(seed)
  return Array.from({ length: count }, () => Array.from({ length: channels }, () => Float32Array.from({ length: frames }, () =>
    next() * 2 - 1)))
}

describe('sum in input order', () => {
  test.each([1, 2, 3, 64, 256])('%i sources, sample-exact in any chunks', (count) => {
    const sources = sourcesOf(count, 2, 333, count), gainDb = sources.map((_, i) => (i % 7) * -3)
    const { y, counters } = run(sources, { gainDb }, 'wasm', { chunks: [1, 100, 33, 64] })
    for (let c = 0; c < 2; c++) for (let n = 0; n < 333; n++) {
      let acc = 0
      sources.forEach((source, i) => { acc = Math.fround(acc + Math.fround(source[c]![n]! * Math.fround(toGain(gainDb[i]!)))) })
      expect(y[c]![n]).toBe(acc)
    }
    expect(counters.tag).toBe('ASCR')
  })
  test('the order is the order of the inputs', () => {
    const one = (value: number) => [new Float32Array(40).fill(value)]
    expect(run([one(1e8), one(-1e8), one(1)]).y[0]![39]).toBe(1)
    expect(run([one(1), one(1e8), one(-1e8)]).y[0]![39]).toBe(0)
  })
  test('an input that has ended counts as silence', () => {
    const long = sourcesOf(1, 1, 200, 1)[0]!, short = sourcesOf(1, 1, 77, 2)[0]!
    for (const tier of ['wasm', 'js'] as const) for (const chunks of [[200], [50], [1, 76, 3]]) {
      const { y } = run([long, short], {}, tier, { chunks })
      for (let n = 0; n < 200; n++) expect(y[0]![n]).toBe(n < 77 ? Math.fround(long[0]![n]! + short[0]![n]!) : long[0]![n]! + 0)
    }
  })
})

describe('mute, solo, pan', () => {
  const sources = sourcesOf(3, 2, 50, 5)
  test('mute leaves out, any solo mutes the rest; NaN in a closed input does not come through', () => {
    const bad = sources.map((source, i) => i === 1 ? source.map((plane) => plane.map(() => NaN)) : source)
    const { y } = run(bad, { mute: [false, true] })
    for (let n = 0; n < 50; n++) expect(y[0]![n]).toBe(Math.fround(sources[0]![0]![n]! + sources[2]![0]![n]!))
    expectSame(run(bad, { solo: [false, false, true] }).y[1]!, sources[2]![1]!.map((x) => x + 0))
  })
  test('all closed: silence, and it says so', () => {
    const { y, quiet } = run(sources, { mute: [true, true, true] })
    expectSame(y[0]!, new Float32Array(50))
    expect(quiet).toEqual([true])
  })
  test('pan: StereoPanner equations at 41 places, 0 untouched', () => {
    for (let at = -20; at <= 20; at++) {
      const pan = at / 20, { y } = run([sources[0]!], { pan: [pan] }), x = pan <= 0 ? pan + 1 : pan
      const left = Math.cos(x * Math.PI / 2), right = Math.sin(x * Math.PI / 2)
      for (let n = 0; n < 50; n++) {
        const l = sources[0]![0]![n]!, r = sources[0]![1]![n]!
        const [a, b] = pan === 0 ? [l, r] : pan < 0 ? [l + r * left, r * right] : [l * left, r + l * right]
        expect(Math.abs(y[0]![n]! - a)).toBeLessThan(2e-7)
        expect(Math.abs(y[1]![n]! - b)).toBeLessThan(2e-7)
      }
    }
  })
})

describe('kernel equals reference', () => {
  test('random settings, lengths and chunks', () => {
    const next = randomNumbers(7)
    for (let round = 0; round < 30; round++) {
      const count = 1 + Math.floor(next() * 6), channels = [1, 2, 6][round % 3]!
      const sources = Array.from({ length: count }, (_, i) => sourcesOf(1, channels, 50 + Math.floor(next() * 150), round * 10 + i)[0]!)
      const params = {
        gainDb: sources.map(() => next() * 168 - 120), mute: sources.map(() => next() < 0.2), solo: sources.map(() => next() < 0.1),
        ...(channels === 2 && { pan: sources.map(() => next() < 0.3 ? 0 : next() * 2 - 1) }),
      }
      const chunks = Array.from({ length: 5 }, () => 1 + Math.floor(next() * 120))
      const a = run(sources, params, 'wasm', { chunks, offset: round % 7 })
      const b = run(sources, params, 'js')
      a.y.forEach((plane, c) => expectSame(plane, b.y[c]!, `round ${round}`))
    }
  })
  test('ramps of gain, pan, mute and solo, cut anywhere', () => {
    const sources = sourcesOf(3, 2, 400, 9), next = randomNumbers(10)
    for (let round = 0; round < 20; round++) {
      // 12 controls: three each of gain, pan, mute, solo
      const courses = Array.from({ length: 12 }, (_, index) => {
        const kind = Math.floor(index / 3)
        const value = () => kind === 0 ? Math.fround(next() * 2) : kind === 1 ? Math.fround(next() * 2 - 1) : next() < 0.5 ? 0 : 1
        return { from: value(), to: value(), begin: Math.floor(next() * 400) - 50, length: Math.floor(next() * 240) }
      })
      const controls = (index: number, start: number) => ({ ...courses[index]!, begin: courses[index]!.begin - start })
      const whole = run(sources, {}, 'js', { controls }).y
      for (const chunks of [[400], [1], [37, 5, 128]]) {
        run(sources, {}, 'wasm', { controls, chunks }).y.forEach((plane, c) => expectSame(plane, whole[c]!, `round ${round}`))
      }
    }
  })
  test('driven controls with NaN hold the last good value', () => {
    const sources = sourcesOf(1, 1, 6, 11), block = host.arena.allocate(64)
    new Float32Array(host.arena.buffer, block, 6).set([NaN, 0.5, NaN, 2, NaN, 0])
    const controls = (index: number, start: number) => index === 0 ? { from: 0, to: 0, begin: 0, length: 0, stream: block + 4 * start } : 0
    for (const tier of ['wasm', 'js'] as const) for (const chunk of [1, 2, 6]) {
      const { y, counters } = run(sources, { gainDb: [-120] }, tier, { controls, chunks: [chunk] })
      expectSame(y[0]!, sources[0]![0]!.map((x, n) => Math.fround(x * [0, 0.5, 0.5, 2, 2, 0][n]!) + 0))
      expect(counters.nonfinite).toBe(3)
    }
    host.arena.free(block)
  })
})

describe('definition', () => {
  test('more values than inputs, pan without stereo: PARAM_INVALID', () => {
    const mono = { 'in.0': media(1), 'in.1': media(1) }
    expect(mix.definition.validate!({ gainDb: [0, 0, 0] }, mono).map((d) => [d.code, d.port])).toEqual([['PARAM_INVALID', 'gainDb']])
    expect(mix.definition.validate!({ pan: [0, 0.5] }, mono).map((d) => [d.code, d.port])).toEqual([['PARAM_INVALID', 'pan']])
    expect(mix.definition.validate!({ gainDb: [0, -3], pan: [0, 0] }, mono)).toEqual([])
  })
  test('values beyond their range are refused', () => {
    for (const params of [{ gainDb: [49] }, { pan: [-1.5] }, { gainDb: [NaN] }, { mute: ['yes'] }]) {
      expect(() => run(sourcesOf(1, 2, 4, 1), params)).toThrow()
    }
  })
})

registerConformance(mix, { describe, test }, {
  setups: [{ params: { gainDb: [-3, 2] } }, { links: 1 }, { links: 5, params: { solo: [false, true, true] } }],
})
