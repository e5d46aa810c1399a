/** A bench that names two things to be faster than judges by the worse of the two, and the stored result says what its rows say. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { speedup, type RowResult } from '../../bench/support/bench.js'

const row = (...p50: readonly number[]): RowResult => ({
  row: 'r',
  variants: p50.map((p50Ms, at) => ({ variant: `v${at}`, minMs: p50Ms / 2, p50Ms, p95Ms: p50Ms, calls: 5, ratio: p50Ms / p50[0]! })),
})

describe('speedup', () => {
  test.each([
    [[1, 2, 0.7], 'missed'], [[1, 0.7, 2], 'missed'], [[1, 2, 1.7], 'met'], [[1, 1.6, 1.6], 'missed'],
  ] as const)('medians %j, bar 1.7: %s', (medians, outcome) => {
    expect(speedup(1.7, row(...medians), ['v1', 'v2'])).toMatch(new RegExp(`: ${outcome}$`))
  })

  test('a peer that is not there is a fault of the bench', () => {
    expect(() => speedup(1.7, row(1, 2), ['other'])).toThrow('Variant other: expected one of v0, v1')
  })

  test('the stored result of pipeline-two', () => {
    const { rows, notes } = JSON.parse(readFileSync(
      fileURLToPath(new URL('../../bench/results/pipeline-two.json', import.meta.url)),
      'utf8',
    )) as { rows: RowResult[]; notes: string[] }
    expect(notes[0]).toBe(`two workers ${speedup(1.7, rows[0]!, ['in turn on this thread', 'in turn on 1 worker'])}`)
  })
})
