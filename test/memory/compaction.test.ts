import { describe, expect, test } from 'vitest'
import { createArena, type Arena } from '../../src/memory/arena.js'
import { createAudioApi } from '../../src/memory/audio-api.js'
import type { Block } from '../../src/memory/block.js'
import { ARENA } from '../../src/memory/layout.js'
import { randomNumbers as random } from '../support/kernel-rig.js'

const make = (options = {}): Arena => createArena({ bytes: 2 ** 24, shared: false, wasm: false, compacts: true, ...options })
/** A fingerprint of a block's bytes that does not show them: a view would pin it. */
const sum = (arena: Arena, block: Block): number => {
  let hash = 0x811c9dc5
  for (let i = block.address; i < block.address + block.bytes; i++) hash = Math.imul(hash ^ arena.u8[i]!, 0x01000193)
  return hash >>> 0
}
const fill = (arena: Arena, block: Block, next: () => number): void => {
  for (let i = 0; i < block.bytes; i += 1 + Math.floor(next() * 97)) arena.u8[block.address + i] = Math.floor(next() * 256)
}

describe('compaction (MW-11)', () => {
  test('random layouts: handles, bytes and alignment stay, free spans join as far as pinned blocks allow', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const arena = make(), next = random(seed), kept = new Map<Block, { sum: number; pinnedAt: number | undefined; align: number }>()
      const all: Block[] = []
      for (let i = 0; i < 300; i++) all.push(arena.alloc(Math.floor(next() ** 3 * 60_000), { align: next() < 0.2 ? 256 : 64 }))
      for (const block of all) {
        if (next() < 0.5) { block.release(); continue }
        fill(arena, block, next)
        const pinned = next() < 0.1
        if (pinned) block.pin()
        kept.set(block, {
          sum: sum(arena, block), pinnedAt: pinned ? block.address : undefined, align: block.address % 256 === 0 ? 256 : 64,
        })
      }
      const handles = [...kept.keys()].map((block) => block.handle), before = arena.stats()
      const { movedBlocks } = arena.store.compact()
      expect(movedBlocks).toBeGreaterThan(0)
      const after = arena.stats()
      expect([after.usedBytes, after.blocks]).toEqual([before.usedBytes, before.blocks])
      expect(after.fragmentation).toBeLessThanOrEqual(before.fragmentation)
      expect([...kept.keys()].map((block) => block.handle)).toEqual(handles)
      const spans: [number, number][] = []
      for (const [block, was] of kept) {
        expect(sum(arena, block)).toBe(was.sum)
        if (was.pinnedAt !== undefined) expect(block.address).toBe(was.pinnedAt)
        expect(block.address % 64).toBe(0)
        // The public table says where it is now.
        const table = arena.base + arena.u32[(arena.base + ARENA.BLOCK_TABLE) >>> 2]! - arena.base
        expect(arena.u32[(table + (block.handle % 2 ** 20) * 128) >>> 2]! + arena.base).toBe(block.address)
        spans.push([block.address, block.address + Math.max(64, block.bytes)])
      }
      spans.sort((a, b) => a[0] - b[0])
      for (let i = 1; i < spans.length; i++) expect(spans[i]![0]).toBeGreaterThanOrEqual(spans[i - 1]![1])
      for (const block of kept.keys()) block.release()
      arena.store.trim()
      expect(arena.stats().fragmentation).toBe(0)
    }
  })

  test('256-byte alignment is kept', () => {
    const arena = make(), first = arena.alloc(64), gap = arena.alloc(64 * 7), gpu = arena.alloc(1_000, { align: 256 })
    gap.release()
    arena.store.compact()
    expect(gpu.address % 256).toBe(0)
    expect(gpu.address).toBeGreaterThan(first.address)
  })

  test('a failing request with F > 0.3 compacts and then succeeds; without the option it fails', () => {
    const holes = (arena: Arena): { kept: Block[]; need: number } => {
      const kept: Block[] = []
      for (let i = 0; arena.largestFreeBytes() >= 2 ** 20; i++) {
        const block = arena.alloc(2 ** 19)
        if (i % 2 === 0) kept.push(block); else queue.push(block)
      }
      for (const block of queue.splice(0)) block.release()
      arena.store.trim()
      return { kept, need: 3 * 2 ** 20 }
    }
    const queue: Block[] = []
    const arena = make(), { kept, need } = holes(arena), before = kept.map((block) => sum(arena, block))
    expect(arena.stats().fragmentation).toBeGreaterThan(0.3)
    expect(arena.largestFreeBytes()).toBeLessThan(need)
    expect(arena.alloc(need).bytes).toBe(need)
    expect(kept.map((block) => sum(arena, block))).toEqual(before)
    const still = make({ compacts: false }), other = holes(still)
    expect(() => still.alloc(other.need)).toThrow(expect.objectContaining({ code: 'ARENA_FULL' }))
  })

  test('blocks leased since a running job began, raw addresses and shown blocks stay', () => {
    const arena = make(), gap = arena.alloc(2 ** 16), old = arena.alloc(100), raw = arena.allocate(100), shown = arena.alloc(100)
    const view = shown.view(Uint8Array)
    const end = arena.store.beginJob(), mine = arena.alloc(100), input = old.clone()
    gap.release()
    const at = [old, shown, mine].map((block) => block.address)
    expect(arena.store.compact().movedBlocks).toBe(0)
    expect([old, shown, mine].map((block) => block.address)).toEqual(at)
    end()
    input.release()
    expect(arena.store.compact().movedBlocks).toBeGreaterThan(0)
    expect(old.address).toBeLessThan(at[0]!)
    expect(mine.address).toBeLessThan(at[2]!)
    expect([shown.address, view.byteOffset]).toEqual([at[1], at[1]])
    arena.free(raw)
    // Given up and taken anew: no view is out.
    const again = shown.clone()
    shown.release()
    arena.store.compact()
    expect(again.address).toBeLessThan(at[1]!)
  })

  test('audio moves until a channel of it was handed out', () => {
    const arena = make(), audio = createAudioApi(arena), gap = arena.alloc(2 ** 16)
    const held = audio.from(new Float32Array([1, 2, 3]), { rate: 8_000, channels: 1 }, { copy: true })
    const free = audio.from(new Float32Array([4, 5, 6]), { rate: 8_000, channels: 1 }, { copy: true }), slice = free.slice(1, 3)
    const samples = held.channel(0), at = free.address
    gap.release()
    arena.store.compact()
    expect([...samples]).toEqual([1, 2, 3])
    expect(held.channel(0)).toBe(samples)
    expect(free.address).toBeLessThan(at)
    expect([...free.channel(0), ...slice.channel(0)]).toEqual([4, 5, 6, 5, 6])
  })
})
