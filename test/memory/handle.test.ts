import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  handleArena, handleGeneration, handleIndex, isHandleShaped, LAST_GENERATION, makeHandle, MAX_ENTRIES,
} from '../../src/memory/handle.js'

test('arena, generation and index come back from every handle', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 255 }), fc.integer({ min: 0, max: LAST_GENERATION }), fc.integer({
    min: 0, max: MAX_ENTRIES - 1,
  }), (arena, generation, index) => {
    const handle = makeHandle(arena, generation, index)
    expect([handleArena(handle), handleGeneration(handle), handleIndex(handle)]).toEqual([arena, generation, index])
    expect(isHandleShaped(handle)).toBe(true)
    expect(handle).toBeLessThan(2 ** 52)
  }))
})

test('the greatest handle is a safe integer', () => {
  const handle = makeHandle(255, LAST_GENERATION, MAX_ENTRIES - 1)
  expect(handle).toBe(2 ** 52 - 1)
})

test.each([0, -1, 1.5, Number.NaN, Infinity, 2 ** 52, 2 ** 44 - 1])('%d is no handle', (value) => expect(isHandleShaped(value)).toBe(false))
