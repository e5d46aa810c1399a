import { expect, test } from 'vitest'
import { SharedBlocks } from '../../src/kernels/shared-blocks.js'
import type { KernelSpec } from '../../src/kernels/kernel-spec.js'
import { createArena } from '../../src/memory/arena.js'

const spec = (slot: number): KernelSpec =>
  ({ module: 'core', export: 'resample', slots: [slot], rate: 1, assets: [], inputs: [], outputs: [] }) as unknown as KernelSpec

test('eight idle blocks stay, the least recently used go first', () => {
  const arena = createArena({ bytes: 2 ** 24, shared: false, wasm: false }), cache = new SharedBlocks(arena), filled: number[] = []
  const use = (slot: number): void => { cache.take(spec(slot), 64, () => { filled.push(slot) }).release() }
  for (let slot = 0; slot < 8; slot++) use(slot)
  use(0)
  use(8)
  expect(cache.size).toBe(8)
  use(0)
  expect(filled).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  use(1)
  expect(filled.at(-1)).toBe(1)
  cache.close()
})

test('idle blocks make room before ARENA_FULL; blocks in use stay', () => {
  const arena = createArena({ bytes: 2 ** 24, shared: false, wasm: false }), cache = new SharedBlocks(arena)
  arena.store.onFull = () => { cache.trim() }
  const bytes = Math.floor(arena.largestFreeBytes() / 3), held = cache.take(spec(0), bytes, () => undefined)
  for (let slot = 1; slot <= 20; slot++) cache.take(spec(slot), bytes, () => undefined).release()
  expect(() => arena.allocate(3 * bytes)).toThrow(expect.objectContaining({ code: 'ARENA_FULL' }) as Error)
  expect(cache.size).toBe(1)
  held.release()
  arena.free(arena.allocate(3 * bytes))
  expect(cache.size).toBe(0)
})
