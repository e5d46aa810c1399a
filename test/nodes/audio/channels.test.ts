import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { channels } from '../../../src/nodes/audio/channels.js'
import type { AudioMedia } from '../../../src/media/media-type.js'
import { KernelRig, expectSame, kernelHost, randomNumbers, type KernelHost, type RigTier } from '../../support/kernel-rig.js'
import { registerConformance } from '../../../src/testing/index.js'

let host: KernelHost, blocks = 0
beforeAll(async () => {
  host = await kernelHost()
  blocks = host.arena.stats().blocks
})
afterAll(() => { expect(host.arena.stats().blocks).toBe(blocks) })

const media = (count: number): AudioMedia => ({ kind: 'audio', rate: 48_000, channels: count, format: 'f32', layout: 'planar' })
function run(
  from: readonly Float32Array[], params: Record<string, unknown>, tier: RigTier = 'wasm', chunks: readonly number[] = [9_999],
): readonly Float32Array[] {
  const rig = new KernelRig(host, channels.definition, tier, { params, media: { in: media(from.length) } })
  const { outputs } = rig.run([from], { chunks, offset: from.length % 5 })
  rig.close()
  return outputs['out'] as readonly Float32Array[]
}
function noise(count: number, frames: number, seed: number): Float32Array[] {
  const next = randomNumbers(seed)
  return Array.from({ length: count }, () => Float32Array.from({ length: frames }, () => next() * 2 - 1))
}

/** The formulas of Web Audio API 1.1, section 4.1.2, as written there. */
const FORMULAS: Readonly<Record<string, (x: readonly number[]) => readonly number[]>> = {
  '1→2': ([m]) => [m!, m!], '1→4': ([m]) => [m!, m!, 0, 0], '1→6': ([m]) => [0, 0, m!, 0, 0, 0],
  '2→4': ([l, r]) => [l!, r!, 0, 0], '2→6': ([l, r]) => [l!, r!, 0, 0, 0, 0], '4→6': ([l, r, sl, sr]) => [l!, r!, 0, 0, sl!, sr!],
  '2→1': ([l, r]) => [0.5 * (l! + r!)], '4→1': ([l, r, sl, sr]) => [0.25 * (l! + r! + sl! + sr!)],
  '6→1': ([l, r, c, , sl, sr]) => [Math.SQRT1_2 * (l! + r!) + c! + 0.5 * (sl! + sr!)],
  '4→2': ([l, r, sl, sr]) => [0.5 * (l! + sl!), 0.5 * (r! + sr!)],
  '6→2': ([l, r, c, , sl, sr]) => [l! + Math.SQRT1_2 * (c! + sl!), r! + Math.SQRT1_2 * (c! + sr!)],
  '6→4': ([l, r, c, , sl, sr]) => [l! + Math.SQRT1_2 * c!, r! + Math.SQRT1_2 * c!, sl!, sr!],
}

describe('speakers', () => {
  test('every pair of 1…8 channels: the published formulas, else discrete; kernel and reference bit for bit', () => {
    for (let from = 1; from <= 8; from++) for (let to = 1; to <= 8; to++) {
      const x = noise(from, 75, from * 10 + to), y = run(x, { to }, 'wasm', [1, 33, 40]), reference = run(x, { to }, 'js')
      const formula = FORMULAS[`${from}→${to}`] ?? ((frame: readonly number[]) => Array.from({ length: to }, (_, c) => frame[c] ?? 0))
      expect(y.length).toBe(to)
      y.forEach((plane, c) => expectSame(plane, reference[c]!, `${from}→${to} channel ${c}`))
      for (let n = 0; n < 75; n++) {
        formula(x.map((plane) => plane[n]!)).forEach((value, c) => expect(Math.abs(y[c]![n]! - value)).toBeLessThan(5e-7))
      }
    }
  })
  test('every pair of the other counts up to 64, discrete too: the first channels, then silence; kernel and reference bit for bit', () => {
    const planes = noise(64, 3, 9), none = new Float32Array(3)
    for (let from = 1; from <= 64; from++) for (let to = 1; to <= 64; to++) {
      const x = planes.slice(0, from), mode = from <= 8 && to <= 8 || (from + to) % 2 === 0 ? 'discrete' : 'speakers'
      // Every pair in the kernel; the reference at the same table, for one pair in four.
      const y = run(x, { to, mode }), reference = (from * 7 + to) % 4 === 0 ? run(x, { to, mode }, 'js') : y
      for (let c = 0; c < to; c++) {
        expectSame(y[c]!, x[c] ?? none, `${from}→${to} channel ${c}`)
        expectSame(reference[c]!, y[c]!, `${from}→${to} channel ${c}, reference`)
      }
    }
  })
  test('channels that are only passed on keep their bits, NaN and −0 too', () => {
    const x = [Float32Array.of(-0, NaN, Infinity, 1e-40), Float32Array.of(1, 2, 3, 4)]
    const y = run(x, { to: 6 })
    expectSame(y[0]!, x[0]!)
    expectSame(y[1]!, x[1]!)
    expectSame(y[5]!, new Float32Array(4))
  })
})

describe('mean (section 3)', () => {
  test('f32 sum in channel order, times f32(1 ÷ channels), for 2…64 channels', () => {
    for (let from = 2; from <= 64; from++) {
      const x = noise(from, 70, from), y = run(x, { to: 1, mode: 'mean' }, 'wasm', [1, 16, 3])[0]!, factor = Math.fround(1 / from)
      for (let n = 0; n < 70; n++) {
        let acc = x[0]![n]!
        for (let c = 1; c < from; c++) acc = Math.fround(acc + x[c]![n]!)
        expect(y[n]).toBe(Math.fround(acc * factor))
      }
      expectSame(run(x, { to: 1, mode: 'mean' }, 'js')[0]!, y)
    }
  })
  test('is only for mono', () => {
    expect(channels.definition.validate!({ to: 2, mode: 'mean' }, {}).map((d) => d.code)).toEqual(['PARAM_INVALID'])
    expect(() => run(noise(4, 8, 1), { to: 2, mode: 'mean' })).toThrow(/BAD_PARAM|-4/)
  })
})

describe('discrete and matrix', () => {
  test('discrete: channel by channel', () => {
    const x = noise(6, 20, 3), y = run(x, { to: 2, mode: 'discrete' })
    y.forEach((plane, c) => expectSame(plane, x[c]!))
    expectSame(run(x.slice(0, 2), { to: 3, mode: 'discrete' })[2]!, new Float32Array(20))
  })
  test('matrix: rows of weights in f32, in input order, zeros left out', () => {
    const next = randomNumbers(4)
    for (const [from, to] of [[2, 2], [3, 5], [64, 64], [5, 1]] as const) {
      const matrix = Array.from({ length: from * to }, () => next() < 0.3 ? 0 : next() * 4 - 2)
      const x = noise(from, 50, from)
      const y = run(x, { to, mode: 'matrix', matrix }, 'wasm', [33, 1])
      y.forEach((plane, o) => {
        for (let n = 0; n < 50; n++) {
          let acc = 0
          for (let i = 0; i < from; i++) {
            const w = Math.fround(matrix[o * from + i]!)
            if (w !== 0) acc = Math.fround(acc + Math.fround(x[i]![n]! * w))
          }
          expect(plane[n]).toBe(acc)
        }
      })
      run(x, { to, mode: 'matrix', matrix }, 'js').forEach((plane, o) => expectSame(plane, y[o]!))
    }
  })
  test('a weight of 0 keeps NaN out', () => {
    const y = run([Float32Array.of(NaN), Float32Array.of(1)], { to: 1, mode: 'matrix', matrix: [0, 0.5] })
    expect(y[0]![0]).toBe(0.5)
  })
  test.each([
    ['wasm'], ['js'],
  ] as const)('any order, with repeats, is a matrix of ones: the bits of the channels, the sign of zero apart (%s)', (tier) => {
    const x = noise(4, 50, 4), order = [3, 1, 1, 0, 2], matrix = order.flatMap((from) => x.map((_, c) => c === from ? 1 : 0))
    const y = run(x, { to: order.length, mode: 'matrix', matrix }, tier, [33, 1])
    order.forEach((from, to) => { expect(y[to]).toEqual(x[from]) })
  })

  test('a matrix of another size, or not finite, is PARAM_INVALID and refused by the kernel', () => {
    const stereo = { in: media(2) }
    const codes = (matrix: number[]) => channels.definition.validate!({ to: 2, mode: 'matrix', matrix }, stereo)
      .map((d) => [d.code, d.expected, d.got])
    expect(codes([1, 0, 0])).toEqual([['PARAM_INVALID', '4 weights', 3]])
    expect(codes([1, 0, 0, Infinity])).toEqual([['PARAM_INVALID', 'weights that are finite in f32', Infinity]])
    expect(codes([1, 0, 0, 1e300])).toEqual([['PARAM_INVALID', 'weights that are finite in f32', 1e300]])
    expect(channels.definition.validate!({ to: 2, mode: 'discrete', matrix: [1, 0, 0, 1] }, stereo))
      .toMatchObject([{ code: 'PARAM_INVALID', port: 'matrix', hint: 'Allowed: with mode matrix only.' }])
    expect(codes([1, 0, 0, 1])).toEqual([])
    expect(() => run(noise(2, 4, 1), { to: 2, mode: 'matrix', matrix: [1, 0, 0] })).toThrow(/BAD_DATA|-8/)
  })
})

describe('silence and definition', () => {
  test('flagged silence goes on as silence', () => {
    const rig = new KernelRig(host, channels.definition, 'wasm', { params: { to: 1 }, media: { in: media(6) } })
    const { outputs, quiet } = rig.run([Array.from({ length: 6 }, () => new Float32Array(30))], { silent: [true] })
    expectSame(outputs['out']![0]!, new Float32Array(30))
    expect(quiet).toEqual([true])
    rig.close()
  })
  test('converter: down-mix to mono by the mean, up-mix by the tables; only up is lossless', () => {
    const { converter, identity } = channels.definition, lossless = converter!.lossless as (from: AudioMedia, to: AudioMedia) => boolean
    expect(converter!.params(media(2), media(1))).toEqual({ to: 1, mode: 'mean' })
    expect(converter!.params(media(1), media(2))).toEqual({ to: 2 })
    expect(converter!.params(media(2), media(2))).toBeNull()
    expect(converter!.params({ ...media(2), format: 'i16' }, { ...media(1), format: 'i16' })).toBeNull()
    expect([lossless(media(2), media(1)), lossless(media(1), media(2))]).toEqual([false, true])
    expect([identity!({ to: 2, mode: 'speakers' }, { in: media(2) }), identity!({ to: 1, mode: 'speakers' }, { in: media(2) })])
      .toEqual([true, false])
  })
})

registerConformance(channels, { describe, test }, {
  setups: [
    { params: { to: 1, mode: 'mean' } }, { params: { to: 2 } }, { params: { to: 6 } }, { params: { to: 3, mode: 'discrete' } },
    { params: { to: 3, mode: 'matrix', matrix: [0.5, -0.25, 0, 1, 0.1, 0.7] } },
  ],
})
