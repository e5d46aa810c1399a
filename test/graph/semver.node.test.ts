import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareVersions, isRange, satisfies } from '../../src/graph/semver.js'

/** npm's own implementation as oracle; it ships no types. */
const oracle = (await import('semver' as string)) as {
  default: {
    satisfies(version: string, range: string): boolean
    validRange(range: string): string | null
    compare(a: string, b: string): number
  }
}

const part = fc.integer({ min: 0, max: 3 }).map(String)
const pre = fc.constantFrom('', '', '', '-0', '-1', '-alpha', '-alpha.1', '-beta.2', '-rc')
const version = fc.tuple(part, part, part, pre).map(([a, b, c, p]) => `${a}.${b}.${c}${p}`)
const wild = fc.oneof({ weight: 4, arbitrary: part }, { weight: 1, arbitrary: fc.constantFrom('x', '*', 'X') })
/** npm takes a number behind a wildcard in some places and not in others: such ranges are not compared. */
const join = (parts: readonly string[]): string => {
  const at = parts.findIndex((p) => /[x*]/i.test(p))
  return parts.map((p, i) => at >= 0 && i > at ? 'x' : p).join('.')
}
const partial = fc.oneof(version, fc.tuple(wild, wild, wild).map(join), fc.tuple(wild, wild).map(join), wild)
const word = fc.tuple(fc.constantFrom('', '', '^', '~', '>=', '>', '<', '<=', '=', '>= ', '^ '), partial).map(([op, v]) => op + v)
const set = fc.oneof(fc.array(word, { minLength: 1, maxLength: 2 }).map((words) => words.join(' ')), fc.tuple(partial, partial)
  .map(([a, b]) => `${a} - ${b}`))
const range = fc.array(set, { minLength: 1, maxLength: 2 }).map((sets) => sets.join(' || '))

const RUNS = Number(process.env['SEMVER_RUNS'] ?? 20_000)
test(`satisfies equals node-semver on ${RUNS} random pairs`, () => {
  let met = 0
  fc.assert(fc.property(version, range, (v, r) => {
    const fits = oracle.default.satisfies(v, r)
    if (fits) met++
    if (satisfies(v, r) !== fits) throw new Error(`${v} in ${r}: npm says ${fits}`)
  }), { numRuns: RUNS })
  expect(met).toBeGreaterThan(RUNS / 20)
})

test.each<[string, string, boolean]>([
  // npm drops a comparator that allows everything: it does not ask of a pre-release that it is not older than 0.0.0.
  ['0.0.0-rc', '>0.0.0-1 0', true], ['0.0.0-rc', '>0.0.0-1 >=0.0.0', true], ['0.0.0-rc', '>=0.0.0', false], ['0.0.0-rc', '>=0.0.0-0', true],
  ['0.0.0-rc', '>0.0.0-1 0.0.0', false],
  // An alternative that allows everything hides what the others say of pre-releases.
  ['1.0.0-rc', '1.0.0-rc', true], ['1.0.0-rc', '* || 1.0.0-rc', false], ['1.0.0-rc', '>=0.0.0 || 1.0.0-rc', false],
  ['1.0.0-rc', '<* || 1.0.0-rc', true], ['1.0.0', '* || 2', true],
])('%s in %s: %s, as npm has it', (v, r, fits) => { expect([satisfies(v, r), oracle.default.satisfies(v, r)]).toEqual([fits, fits]) })

test('order equals node-semver', () => {
  fc.assert(fc.property(version, version, (a, b) => { expect(Math.sign(compareVersions(a, b))).toBe(oracle.default.compare(a, b)) }), {
    numRuns: 2_000,
  })
})

test('what is no range or no version', () => {
  for (const text of ['latest', '^', 'x.0.0', '1.x.3', '1 || latest', '1.2.3.4', '>=a', 'x'.repeat(300)]) {
    expect(isRange(text)).toBe(false)
    expect(satisfies('1.0.0', text)).toBe(false)
  }
  for (const text of ['', '*', '1', 'v1.2', '1.2.x', '>=1 <2 || 3']) expect(isRange(text)).toBe(true)
  for (const text of ['1', '1.2', 'x', '', '1.2.3.4']) expect(satisfies(text, '*')).toBe(false)
  for (const text of ['01.2.3', '1.2.03', '1.2.3-01', '1.2.3-a..b', '1.2.3-', '1.2.3+', '1.2.3-a.00']) {
    expect([text, isRange(text), oracle.default.validRange(text)]).toEqual([text, false, null])
  }
  for (const text of ['1.2.3-0', '1.2.3-01a.-', '1.2.3-a.0+00.1', '1.2.3+01']) {
    expect([text, isRange(text), satisfies(text, text)]).toEqual([text, true, oracle.default.satisfies(text, text)])
  }
})
