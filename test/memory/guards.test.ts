import { expect, test } from 'vitest'
import { createArena } from '../../src/memory/arena.js'
import { randomNumbers } from '../support/kernel-rig.js'

const make = (options: { debug?: boolean; zeroOnFree?: boolean }): ReturnType<typeof createArena> =>
  createArena({ bytes: 2 ** 24, shared: false, wasm: false, ...options })

test('debug: one byte before or behind a block is found, whatever its length and alignment (MW-15)', () => {
  const arena = make({ debug: true })
  for (const bytes of [0, 1, 63, 64, 65, 1_000, 4_096]) {
    for (const align of [64, 256] as const) {
      const block = arena.alloc(bytes, { align }), { address } = block
      expect(address % align).toBe(0)
      expect(arena.store.brokenBlock()).toBeUndefined()
      for (const at of [address - 1, address - 64, address + bytes, address + bytes + 63]) {
        const was = arena.u8[at]!
        arena.u8[at] = was ^ 1
        expect(arena.store.brokenBlock()).toEqual({ handle: block.handle, address, bytes, at })
        arena.u8[at] = was
      }
      arena.u8.fill(0, address, address + bytes)
      expect(arena.store.brokenBlock()).toBeUndefined()
      block.release()
    }
  }
})

test('debug: a stale view shows the pattern of freed memory, never another block\'s bytes (MW-19)', () => {
  const arena = make({ debug: true }), block = arena.alloc({ dtype: 'f32', shape: [100] }), view = block.view(Float32Array).fill(1)
  block.release()
  expect(new Uint32Array(view.buffer, view.byteOffset, 100).every((word) => word === 0xdeadbeef)).toBe(true)
})

test('debug: allocation, zeroing, handles and compaction work as without', () => {
  const arena = make({ debug: true }), next = randomNumbers(1), kept = []
  for (let i = 0; i < 300; i++) {
    const block = arena.alloc(Math.floor(next() * 5_000), { zero: true, align: next() < 0.3 ? 256 : 64 })
    expect(arena.u8.subarray(block.address, block.address + block.bytes).every((byte) => byte === 0)).toBe(true)
    arena.u8.fill(i & 255, block.address, block.address + block.bytes)
    if (next() < 0.5) block.release(); else kept.push({ block, value: i & 255 })
  }
  expect(arena.store.compact().movedBlocks).toBeGreaterThan(0)
  expect(arena.store.brokenBlock()).toBeUndefined()
  for (const { block, value } of kept) {
    expect(arena.u8.subarray(block.address, block.address + block.bytes).every((byte) => byte === value)).toBe(true)
  }
  const raw = arena.allocate(100)
  arena.free(raw)
  for (const { block } of kept) block.release()
  arena.store.trim()
  expect(arena.stats().fragmentation).toBe(0)
})

test('zeroOnFree clears what is given up; else it keeps its bytes until they are taken', () => {
  for (const zeroOnFree of [true, false]) {
    const arena = make({ zeroOnFree }), block = arena.alloc(1_000), { address } = block
    arena.u8.fill(7, address, address + 1_000)
    block.release()
    expect(arena.u8.subarray(address, address + 1_000).every((byte) => byte === (zeroOnFree ? 0 : 7))).toBe(true)
  }
})
