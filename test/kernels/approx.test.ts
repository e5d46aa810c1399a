import { describe, expect, test } from 'vitest'
import { cos, cosPi, exp, sin, sinPi } from '../../src/kernels/approx.js'
import { randomNumbers } from '../support/kernel-rig.js'

/** Fixed point with 200 fractional bits: the big-float table of AU-07, made while the test runs. */
const BITS = 200n, ONE = 1n << BITS
const multiply = (a: bigint, b: bigint): bigint => (a * b) >> BITS
/** Exact: a double is a whole number times a power of two. */
function fixed(x: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, Math.abs(x))
  const bits = view.getBigUint64(0), exponent = Number(bits >> 52n)
  const fraction = (bits & (1n << 52n) - 1n) | (exponent === 0 ? 0n : 1n << 52n)
  const shift = BITS + BigInt(Math.max(exponent, 1) - 1_075), value = shift >= 0n ? fraction << shift : fraction >> -shift
  return x < 0 ? -value : value
}
/** The nearest double, near enough: 60 leading bits are kept. */
function float(x: bigint): number {
  const size = (x < 0n ? -x : x).toString(2).length, drop = BigInt(Math.max(0, size - 60))
  return Number(x >> drop) * 2 ** (Number(drop) - Number(BITS))
}
function bigSin(x: bigint): bigint {
  const square = multiply(x, x)
  let term = x, sum = x
  for (let k = 1n; term !== 0n && term !== -1n && k < 400n; k++) {
    term = -multiply(term, square) / (2n * k * (2n * k + 1n))
    sum += term
  }
  return sum
}
function bigExp(x: bigint): bigint {
  let term = ONE, sum = ONE
  for (let k = 1n; term !== 0n && k < 400n; k++) {
    term = multiply(term, x) / k
    sum += term
  }
  return sum
}
/** π by Machin's formula. */
const PI = ((): bigint => {
  const arctan = (n: bigint): bigint => {
    let power = ONE / n, sum = power
    for (let k = 1n; power !== 0n; k++) {
      power /= n * n
      sum += (k % 2n === 1n ? -1n : 1n) * power / (2n * k + 1n)
    }
    return sum
  }
  return 16n * arctan(5n) - 4n * arctan(239n)
})()
const relative = (got: number, expected: number): number => got === expected ? 0 : Math.abs(got - expected) / Math.abs(expected)

describe('against 200-bit arithmetic', () => {
  const next = randomNumbers(1)
  test('sin πx and cos πx', () => {
    for (let n = 0; n < 1_500; n++) {
      const x = (next() * 2 - 1) * 2 ** Math.floor(next() * 14 - 8)
      // reduced exactly, so that the series stays short: sin πx has period 2
      const turn = fixed(x) % (2n * ONE), angle = multiply(turn, PI)
      expect(relative(sinPi(x), float(bigSin(angle))), `sin π${x}`).toBeLessThan(1e-13)
      expect(relative(cosPi(x), float(bigSin(PI / 2n - angle))), `cos π${x}`).toBeLessThan(1e-13)
    }
  })
  test('sin and cos in radians', () => {
    for (let n = 0; n < 1_500; n++) {
      const x = (next() * 2 - 1) * 10 ** (next() * 9 - 3), angle = fixed(x) % (2n * PI)
      expect(relative(sin(x), float(bigSin(angle))), `sin ${x}`).toBeLessThan(1e-13)
      expect(relative(cos(x), float(bigSin(PI / 2n - angle))), `cos ${x}`).toBeLessThan(1e-13)
    }
  })
  test('e^x', () => {
    for (let n = 0; n < 500; n++) {
      const x = (next() * 2 - 1) * 30
      expect(relative(exp(x), float(bigExp(fixed(x)))), `exp ${x}`).toBeLessThan(1e-13)
    }
  })
})

test('10⁶ points of sin, cos and e^x are within 1e-13 of the engine’s own', () => {
  const next = randomNumbers(2)
  let worst = 0
  for (let n = 0; n < 250_000; n++) {
    const x = (next() * 2 - 1) * 1e4, y = (next() * 2 - 1) * 700
    worst = Math.max(
      worst, relative(sin(x), Math.sin(x)), relative(cos(x), Math.cos(x)), relative(exp(y), Math.exp(y)),
      relative(sinPi(n / 250_000 * 0.49), Math.sin(Math.PI * (n / 250_000 * 0.49))),
    )
  }
  expect(worst).toBeLessThan(1e-13)
})

test('exact places', () => {
  for (let n = -9; n <= 9; n++) {
    expect(Math.abs(sinPi(n))).toBe(0)
    expect(Math.abs(cosPi(n + 0.5))).toBe(0)
    expect(cosPi(n)).toBe(n % 2 === 0 ? 1 : -1)
  }
  expect([exp(0), exp(-709), exp(710), sin(0), cos(0)]).toEqual([1, 0, Infinity, 0, 1])
})

test('the same bits in every engine', () => {
  const next = randomNumbers(3), bits = new BigUint64Array(1), value = new Float64Array(bits.buffer)
  let hash = 0xcbf29ce484222325n
  for (let n = 0; n < 20_000; n++) {
    const x = (next() * 2 - 1) * 100
    for (const y of [sin(x), cos(x), sinPi(x), cosPi(x), exp(x)]) {
      value[0] = y
      hash = (hash ^ bits[0]!) * 0x100000001b3n & 0xffffffffffffffffn
    }
  }
  expect(hash.toString(16)).toBe('ee8a914e14891f5f')
})
