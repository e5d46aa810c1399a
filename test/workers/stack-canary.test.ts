import { expect, test } from 'vitest'
import { StackCanary } from '../../src/workers/stack-canary.js'

test('every word of the canary, in its highest and its lowest bit: its address; nothing beside it; the leader has none (MW-53)', () => {
  const u32 = new Uint32Array(64), stack = 64, canary = new StackCanary(u32, stack)
  expect(canary.broken()).toBe(0)
  for (let word = 0; word < 64; word++) {
    for (const bit of [1, 1 << 31, -1]) {
      u32[word]! ^= bit
      expect(canary.broken(), `word ${word}`).toBe(word >= 16 && word < 32 ? word * 4 : 0)
      u32[word]! ^= bit
    }
  }
  const plain = new Uint32Array(64)
  expect([new StackCanary(plain, 0).broken(), plain.some((word) => word !== 0)]).toEqual([0, false])
})
