import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hexOf, sha256 } from '../../src/graph/sha256.js'

test('1 000 random inputs equal node:crypto (GR-56)', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 1_000 }), (data) => {
    expect(hexOf(sha256(data))).toBe(createHash('sha256').update(data).digest('hex'))
  }), { numRuns: 1_000, seed: 5 })
})
