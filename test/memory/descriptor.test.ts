import { describe, expect, test } from 'vitest'
import { createArena } from '../../src/memory/arena.js'
import { compactStrides, copyFrom, describeBlock, importDescriptor } from '../../src/memory/descriptor.js'

const setUp = (): ReturnType<typeof createArena> => createArena({ bytes: 2 ** 24, shared: false, wasm: false })
const code = (call: () => unknown): unknown => {
  try { call(); return 'none' } catch (error) { return (error as { code?: string }).code ?? error }
}

describe('descriptors both ways (MW-26)', () => {
  test('a block becomes a descriptor and a block again: same bytes, nothing allocated, seen through each other', () => {
    const arena = setUp(), block = arena.alloc({ dtype: 'f32', shape: [4, 8] }), before = arena.stats()
    block.view(Float32Array).set(Array.from({ length: 32 }, (_, i) => i))
    const d = describeBlock(arena, block), copies = arena.copies.count
    expect(d).toEqual({ handle: block.handle, dtype: 'f32', shape: [4, 8], strides: [8, 1], byteOffset: 0 })
    const other = importDescriptor(arena, JSON.parse(JSON.stringify(d)) as typeof d)
    expect([other.address, other.dtype, other.shape, other.references]).toEqual([block.address, 'f32', [4, 8], 2])
    other.view(Float32Array)[5] = 99
    expect(block.view(Float32Array)[5]).toBe(99)
    expect([arena.stats().usedBytes - before.usedBytes, arena.stats().blocks - before.blocks, arena.copies.count - copies])
      .toEqual([0, 0, 0])
    block.release()
    expect([...other.view(Float32Array).subarray(4, 7)]).toEqual([4, 99, 6])
    other.release()
    expect(arena.stats().blocks).toBe(before.blocks - 1)
  })
  test('a slice keeps its offset; a scalar, an empty tensor, single rows with any stride', () => {
    const arena = setUp(), block = arena.alloc({ dtype: 'i16', shape: [10, 3] }), rows = block.slice(4, 6), d = describeBlock(arena, rows)
    expect(d).toMatchObject({ byteOffset: 24, shape: [2, 3], strides: [3, 1] })
    expect(importDescriptor(arena, d).address).toBe(rows.address)
    expect(importDescriptor(arena, { ...d, shape: [], strides: [] }).bytes).toBe(2)
    expect(importDescriptor(arena, { ...d, shape: [0, 7], strides: [1, 1] }).bytes).toBe(0)
    expect(importDescriptor(arena, { ...d, shape: [1, 3], strides: [77, 1] }).bytes).toBe(6)
    const { strides, ...without } = d
    expect([importDescriptor(arena, without).bytes, strides]).toEqual([12, [3, 1]])
  })
  test('wrong dtype, strides, alignment, place, handle: refused, never a hidden copy, no lease kept (MW-22)', () => {
    const arena = setUp(), other = setUp()
    const block = arena.alloc({ dtype: 'f32', shape: [4, 4] })
    const d = describeBlock(arena, block), before = arena.stats(), copies = arena.copies.count
    expect(code(() => importDescriptor(arena, d, { expected: 'i32' }))).toBe('INVALID_ARGUMENT')
    for (const wrong of [
      { strides: [1, 4] }, { strides: [8, 1], shape: [2, 4] }, { strides: [-4, 1] }, { strides: [4] }, { byteOffset: 2 },
      { byteOffset: -4 }, { byteOffset: 0.5 }, { byteOffset: Number.NaN }, { dtype: 'f31' as never }, { shape: [-1, 4] },
      { shape: Array<number>(9).fill(1) },
    ]) {
      expect([wrong, code(() => importDescriptor(arena, { ...d, ...wrong }))]).toEqual([wrong, 'INVALID_ARGUMENT'])
    }
    for (const wrong of [
      { shape: [5, 4], strides: [4, 1] }, { byteOffset: 4 }, { handle: d.handle + 1 }, { handle: Number.NaN },
      { handle: describeBlock(other, other.alloc(4)).handle },
    ]) {
      expect([wrong, code(() => importDescriptor(arena, { ...d, ...wrong }))]).toEqual([wrong, 'INVALID_HANDLE'])
    }
    expect([arena.stats().usedBytes, arena.copies.count, block.references]).toEqual([before.usedBytes, copies, 1])
    block.release()
    expect(code(() => importDescriptor(arena, d))).toBe('INVALID_HANDLE')
  })
})

describe('copyFrom: the explicit copy', () => {
  test('strided, transposed, reversed and sub-matrix elements become compact rows, charged once', () => {
    const arena = setUp(), data = Float32Array.from({ length: 12 }, (_, i) => i), copies = arena.copies.count
    const copied = (shape: number[], strides: number[], byteOffset = 0): number[] =>
      [...copyFrom(arena, { data, dtype: 'f32', shape, strides, byteOffset }, { edge: 'in' }).view(Float32Array)]
    expect(copied([3, 4], [4, 1])).toEqual([...data])
    expect(copied([4, 3], [1, 4])).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
    expect(copied([3, 2], [-4, 2], 32)).toEqual([8, 10, 4, 6, 0, 2])
    expect(copied([2, 2], [4, 1], 4)).toEqual([1, 2, 5, 6])
    expect(copied([2, 3], [0, 1])).toEqual([0, 1, 2, 0, 1, 2])
    expect([arena.copies.count - copies, arena.copies.bytes({ edge: 'in', reason: 'user' })]).toEqual([5, 4 * (12 + 12 + 6 + 4 + 6)])
  })
  test('from a descriptor that cannot be imported', () => {
    const arena = setUp(), block = arena.alloc({ dtype: 'i16', shape: [2, 3] })
    block.view(Int16Array).set([1, 2, 3, 4, 5, 6])
    const turned = { ...describeBlock(arena, block), shape: [3, 2], strides: [1, 3] }
    expect(code(() => importDescriptor(arena, turned))).toBe('INVALID_ARGUMENT')
    expect([...copyFrom(arena, turned).view(Int16Array)]).toEqual([1, 4, 2, 5, 3, 6])
    expect(block.references).toBe(1)
  })
  test('outside the bytes is INVALID_ARGUMENT, also backwards; nothing is allocated', () => {
    const arena = setUp(), data = new Float32Array(4), before = arena.stats().blocks
    for (const [shape, strides, byteOffset] of [
      [[5], [1], 0], [[4], [1], 4], [[2], [-1], 0], [[2], [4], 0], [[2, 2], [1], 0],
    ] as [number[], number[], number][]) {
      expect(code(() => copyFrom(arena, { data, dtype: 'f32', shape, strides, byteOffset }))).toBe('INVALID_ARGUMENT')
    }
    expect(arena.stats().blocks).toBe(before)
  })
  test('compact strides', () => {
    expect([compactStrides([2, 3, 4]), compactStrides([]), compactStrides([7])]).toEqual([[12, 4, 1], [], [1]])
  })
})
