import { describe, expect, test } from 'vitest'
import { isMillraceError } from '../../src/errors/millrace-error.js'
import { convertSamples, formatOf } from '../../src/media/convert-samples.js'

const STEP = 2 ** -15

describe('to f32', () => {
  test('all 65 536 i16 are exact', () => {
    const from = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768), to = new Float32Array(65_536)
    convertSamples(from, to)
    for (let i = 0; i < from.length; i++) if (to[i]! * 32_768 !== from[i]) throw new Error(`${from[i]} became ${to[i]}`)
  })
  test('all 256 u8 are exact', () => {
    const from = Uint8Array.from({ length: 256 }, (_, i) => i), to = new Float32Array(256)
    convertSamples(from, to)
    for (let i = 0; i < 256; i++) expect(to[i]).toBe((i - 128) / 128)
  })
  test('i32 is the nearest f32, scaled', () => {
    const from = Int32Array.of(0, 1, -1, 2 ** 24 + 1, 2 ** 24 + 3, 2 ** 31 - 1, -(2 ** 31)), to = new Float32Array(from.length)
    convertSamples(from, to)
    expect([...to]).toEqual([0, 2 ** -31, -(2 ** -31), 2 ** -7, (2 ** 24 + 4) * 2 ** -31, 1, -1])
  })
})

describe('from f32', () => {
  test('half to even, saturation, NaN to 0', () => {
    const from = Float32Array.of(
      0, -0, 0.5 * STEP, 1.5 * STEP, -0.5 * STEP, -1.5 * STEP, 2.5 * STEP, 0.5, -0.5, 1, -1, 1.5, -2, NaN, Infinity, -Infinity, 1e-40,
    )
    const to = new Int16Array(from.length), counts = convertSamples(from, to)
    expect([...to]).toEqual([0, 0, 0, 2, 0, -2, 2, 16_384, -16_384, 32_767, -32_768, 32_767, -32_768, 0, 32_767, -32_768, 0])
    expect(counts).toEqual({ clipped: 5, nan: 1 })
  })
  test('u8 is i8 with 128 added', () => {
    const to = new Uint8Array(6)
    convertSamples(Float32Array.of(-1, 1, 0, 0.5, 1.5 / 128, NaN), to)
    expect([...to]).toEqual([0, 255, 128, 192, 130, 128])
  })
  test('i32 saturates at both ends', () => {
    const to = new Int32Array(4)
    convertSamples(Float32Array.of(1, -1, 2 ** -31, 3e38), to)
    expect([...to]).toEqual([2_147_483_647, -2_147_483_648, 1, 2_147_483_647])
  })
})

describe('integers', () => {
  test('widening shifts, narrowing floors', () => {
    const i16 = new Int16Array(3), i32 = new Int32Array(3), u8 = new Uint8Array(3)
    convertSamples(Uint8Array.of(0, 128, 255), i16)
    expect([...i16]).toEqual([-32_768, 0, 127 << 8])
    convertSamples(Int16Array.of(-32_768, 1, 32_767), i32)
    expect([...i32]).toEqual([-(2 ** 31), 65_536, 32_767 * 65_536])
    convertSamples(Int32Array.of(-1, 65_535, 2 ** 31 - 1), i16)
    expect([...i16]).toEqual([-1, 0, 32_767])
    convertSamples(Int16Array.of(-1, 255, -32_768), u8)
    expect([...u8]).toEqual([127, 128, 0])
    convertSamples(Int32Array.of(-1, 2 ** 24, -(2 ** 31)), u8)
    expect([...u8]).toEqual([127, 129, 0])
    convertSamples(Uint8Array.of(0, 129, 255), i32)
    expect([...i32]).toEqual([-(2 ** 31), 2 ** 24, 127 * 2 ** 24])
  })
  test('i16 → f32 → i16, i16 → i32 → i16 and u8 → f32 → u8 are identities', () => {
    const i16 = Int16Array.from({ length: 65_536 }, (_, i) => i), u8 = Uint8Array.from({ length: 256 }, (_, i) => i)
    const back = new Int16Array(65_536), f32 = new Float32Array(65_536), i32 = new Int32Array(65_536), bytes = new Uint8Array(256)
    convertSamples(i16, f32); convertSamples(f32, back)
    expect(back).toEqual(i16)
    convertSamples(i16, i32); convertSamples(i32, back.fill(0))
    expect(back).toEqual(i16)
    convertSamples(u8, f32); convertSamples(f32.subarray(0, 256), bytes)
    expect(bytes).toEqual(u8)
  })
})

test('other types and short targets are INVALID_ARGUMENT', () => {
  expect(formatOf(new Float64Array(1))).toBe(null)
  for (const [from, to] of [
    [new Float64Array(1), new Float32Array(1)], [new Int16Array(2), new Float32Array(1)], [[1], new Float32Array(1)],
  ]) {
    try { convertSamples(from as never, to as never); throw new Error('accepted') } catch (error) {
      expect(isMillraceError(error) && error.code).toBe('INVALID_ARGUMENT')
    }
  }
})
