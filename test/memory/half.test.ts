import { describe, expect, test } from 'vitest'
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16, fromBf16, fromF16, toBf16, toF16 } from '../../src/memory/half.js'

const ALL = Uint16Array.from({ length: 65_536 }, (_, i) => i)
const f32 = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0]!
const isNan16 = (bits: number): boolean => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0

/** All finite binary16 magnitudes in order, from their definition: fraction · 2^(exponent − 24). */
const LADDER: number[] = []
for (let exponent = 0; exponent < 31; exponent++) {
  for (let fraction = 0; fraction < 1024; fraction++) {
    LADDER.push(exponent === 0 ? fraction / 2 ** 24 : (1024 + fraction) / 2 ** 24 * 2 ** (exponent - 1))
  }
}

/** Oracle: the neighbour that is nearer, at a tie the one with an even last bit; half a step above the greatest value is ∞. */
function nearestBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0, magnitude = Math.abs(value)
  let low = 0, high = LADDER.length
  while (high - low > 1) { const middle = (low + high) >> 1; if (LADDER[middle]! <= magnitude) low = middle; else high = middle }
  const below = LADDER[low]!, above = high < LADDER.length ? LADDER[high]! : 65_536
  const up = magnitude - below > above - magnitude || (magnitude - below === above - magnitude && low % 2 === 1)
  return sign | (up ? low + 1 : low)
}

describe('binary16', () => {
  test('all 65 536 values to f32 and back are the same bits', () => {
    const wide = new Float32Array(65_536), back = new Uint16Array(65_536)
    f16ToF32(ALL, wide)
    f32ToF16(wide, back)
    for (let bits = 0; bits < 65_536; bits++) {
      if (isNan16(bits)) {
        if (!Number.isNaN(wide[bits]!) || !isNan16(back[bits]!) || !Number.isNaN(fromF16(bits))) {
          throw new Error(`NaN 0x${bits.toString(16)} became ${wide[bits]}, 0x${back[bits]!.toString(16)}`)
        }
        continue
      }
      if (back[bits] !== bits || !Object.is(wide[bits], fromF16(bits)) || toF16(fromF16(bits)) !== bits) {
        throw new Error(`0x${bits.toString(16)} became ${wide[bits]}, 0x${back[bits]!.toString(16)}`)
      }
    }
    expect([...wide.subarray(0x7c00, 0x7c01), ...wide.subarray(0xfc00, 0xfc01)]).toEqual([Infinity, -Infinity])
    expect(Object.is(wide[0x8000], -0)).toBe(true)
    for (let i = 0; i < LADDER.length; i++) {
      if (wide[i] !== LADDER[i]) throw new Error(`0x${i.toString(16)}: ${wide[i]}, expected ${LADDER[i]}`)
    }
  })

  test('every midpoint, its neighbours and random values round to the nearest, ties to even', () => {
    const check = (value: number): void => {
      const x = Math.fround(value)
      if (toF16(x) !== nearestBits(x)) throw new Error(`${x}: 0x${toF16(x).toString(16)}, expected 0x${nearestBits(x).toString(16)}`)
    }
    for (let i = 0; i + 1 < LADDER.length; i++) {
      const middle = (LADDER[i]! + LADDER[i + 1]!) / 2
      for (const x of [middle, middle * (1 + 2 ** -22), middle * (1 - 2 ** -22), -middle]) check(x)
    }
    for (const x of [0, -0, 65_504, 65_519.99, 65_520, 65_535, 2 ** -25, 2 ** -25 * (1 + 2 ** -20), 2 ** -26, -(2 ** -25)]) check(x)
    let seed = 12_345
    for (let i = 0; i < 200_000; i++) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      const x = f32((seed & 0x80ffffff) | (0x60 + ((seed >>> 24) % 48) << 23) & 0x7f800000)
      if (Number.isFinite(x) && Math.abs(x) < 65_536) check(x)
    }
  })

  test('beyond the range is ∞, NaN stays NaN', () => {
    expect([70_000, -70_000, Infinity, -Infinity, 3e38].map(toF16)).toEqual([0x7c00, 0xfc00, 0x7c00, 0xfc00, 0x7c00])
    for (const bits of [0x7fc00000, 0x7f800001, 0xff800001, 0x7fffffff]) expect(isNan16(toF16(f32(bits)))).toBe(true)
  })
})

describe('bfloat16', () => {
  test('all 65 536 values to f32 and back are the same bits', () => {
    const wide = new Float32Array(65_536), back = new Uint16Array(65_536)
    bf16ToF32(ALL, wide)
    f32ToBf16(wide, back)
    for (let bits = 0; bits < 65_536; bits++) {
      const nan = (bits & 0x7fff) > 0x7f80
      if (nan
        ? !(Number.isNaN(wide[bits]!) && (back[bits]! & 0x7fff) > 0x7f80)
        : back[bits] !== bits || !Object.is(wide[bits], fromBf16(bits))) {
          throw new Error(`0x${bits.toString(16)} became ${wide[bits]}, 0x${back[bits]!.toString(16)}`)
        }
    }
  })

  test.each([
    [0x3f800000, 0x3f80], [0x3f808000, 0x3f80], [0x3f818000, 0x3f82], [0x3f808001, 0x3f81], [0x7f7fffff, 0x7f80], [0x00008000, 0],
    [0x00018000, 2],
    [0x80000000, 0x8000], [0x7f800000, 0x7f80], [0x00010000, 1],
  ])('f32 bits %i round to %i', (from, to) => expect(toBf16(f32(from))).toBe(to))
})
