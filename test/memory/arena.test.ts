import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isMillraceError } from '../../src/errors/millrace-error.js'
import { createArena, type Arena } from '../../src/memory/arena.js'
import type { Block } from '../../src/memory/block.js'
import { checkHeader } from '../../src/memory/arena-header.js'
import { arenaBytesOf, createFixedMemory, MAX_ARENA_BYTES, MIN_ARENA_BYTES } from '../../src/memory/config.js'
import { LAST_GENERATION, handleGeneration, handleIndex, makeHandle } from '../../src/memory/handle.js'
import { ARENA, ARENA_FLAG, BLOCK, BLOCK_FLAG, layoutHash, SCRATCH_SPAN_BYTES, THREAD, WINDOW } from '../../src/memory/layout.js'

const canShare = typeof SharedArrayBuffer !== 'undefined'
const MODES = [
  ...(canShare ? [{ name: 'shared', shared: true, wasm: true }] : []), { name: 'private', shared: false, wasm: true },
  { name: 'js', shared: false, wasm: false },
]
const small = (options: Partial<Parameters<typeof createArena>[0]> = {}): Arena =>
  createArena({ bytes: MIN_ARENA_BYTES, shared: false, wasm: true, ...options })

/** Code and details of what `action` throws. */
function failure(action: () => unknown): Record<string, unknown> {
  try { action() } catch (error) {
    if (!isMillraceError(error)) throw error
    return { code: error.code, ...error.details }
  }
  throw new Error('expected an error, got none')
}

describe.each(MODES)('arena, $name', ({ shared, wasm }) => {
  const make = (): Arena => createArena({ bytes: MIN_ARENA_BYTES, shared, wasm })

  test('the header says what the layout page says', () => {
    const arena = createArena({ bytes: MIN_ARENA_BYTES, shared, wasm, id: 9, epoch: 77 })
    const word = (offset: number): number => arena.u32[(arena.base + offset) >>> 2]!
    expect(arena.base).toBe(wasm ? WINDOW.ARENA : WINDOW.ARENA_JS)
    expect([word(ARENA.MAGIC_LOW), word(ARENA.MAGIC_HIGH), word(ARENA.VERSION)]).toEqual([1, 0x56545833, 1])
    expect([word(ARENA.ID), word(ARENA.PAGES), word(ARENA.EPOCH), word(ARENA.LAYOUT_HASH)]).toEqual([9, 256, 77, layoutHash()])
    expect([word(ARENA.BLOCK_TABLE), word(ARENA.DATA_START)]).toEqual([arena.base + 0x10000, arena.base + 0x10000])
    expect([word(ARENA.BLOCK_CAPACITY), word(ARENA.DATA_END), word(ARENA.SLOT_LIMIT)])
      .toEqual([MIN_ARENA_BYTES / 8192, MIN_ARENA_BYTES, 256])
    expect(word(ARENA.FLAGS)).toBe(ARENA_FLAG.READY | (shared ? 0 : ARENA_FLAG.TRANSFER))
    expect([word(ARENA.THREADS + THREAD.SCRATCH), word(ARENA.THREADS + THREAD.SCRATCH_BYTES)]).toEqual([arena.scratch, SCRATCH_SPAN_BYTES])
    expect(arena.shared).toBe(shared)
    expect(arena.u8.subarray(arena.base + ARENA.SLOTS, arena.base + ARENA.THREADS).every((byte) => byte === 0)).toBe(true)
  })

  test('an entry of the block table is the public record of its block', () => {
    const arena = make(), block = arena.alloc({ dtype: 'i16', shape: [3, 5] })
    const entry = (arena.u32[(arena.base + ARENA.BLOCK_TABLE) >>> 2]! + handleIndex(block.handle) * BLOCK.BYTES) >>> 2
    const field = (offset: number): number => arena.u32[entry + (offset >>> 2)]!
    expect([field(BLOCK.OFFSET), field(BLOCK.SIZE), field(BLOCK.REFCOUNT), field(BLOCK.GENERATION)])
      .toEqual([block.address - arena.base, 30, 1, handleGeneration(block.handle)])
    expect([field(BLOCK.SHAPE), field(BLOCK.SHAPE + 4), field(BLOCK.STRIDES), field(BLOCK.STRIDES + 4)]).toEqual([3, 5, 5, 1])
    expect(field(BLOCK.DTYPE_U8) & 0xffff).toBe(6 | 2 << 8)
    block.pin()
    expect(field(BLOCK.FLAGS) & BLOCK_FLAG.PINNED).toBe(BLOCK_FLAG.PINNED)
    block.pin(); block.unpin()
    expect(field(BLOCK.FLAGS) & BLOCK_FLAG.PINNED).toBe(BLOCK_FLAG.PINNED)
    block.unpin()
    expect(field(BLOCK.FLAGS)).toBe(BLOCK_FLAG.VALID | BLOCK_FLAG.IN_USE)
    block.release()
    expect(field(BLOCK.FLAGS)).toBe(0)
  })

  test('views are over the arena, aligned, cached, and as long as the block', () => {
    const arena = make(), block = arena.alloc({ dtype: 'f32', shape: [100] })
    const view = block.view(Float32Array)
    expect([view.buffer === arena.buffer, view.byteOffset, view.length, view.byteOffset % 64]).toEqual([true, block.address, 100, 0])
    expect(block.view(Float32Array)).toBe(view)
    view[99] = 7
    expect(block.slice(99, 100).view(Float32Array)[0]).toBe(7)
    expect(block.slice(40, 60).view(Float32Array).byteOffset).toBe(view.byteOffset + 160)
  })

  test('zeroed means zeroed, also where a block stood before', () => {
    const arena = make()
    for (const bytes of [64, 1000, 100_000]) {
      const dirty = arena.alloc(bytes)
      dirty.view(Uint8Array).fill(0xff)
      const address = dirty.address
      dirty.release()
      const again = arena.allocate(bytes)
      expect(again).toBe(address)
      expect(arena.u8.subarray(again, again + bytes).every((byte) => byte === 0)).toBe(true)
      arena.u8.fill(0xff, again, again + bytes)
      arena.free(again)
    }
    expect(arena.alloc(100_000, { zero: true }).view(Uint8Array).every((byte) => byte === 0)).toBe(true)
  })

  test('a closed arena refuses requests', () => {
    const arena = make()
    arena.close()
    arena.close()
    expect(failure(() => arena.alloc(1))['code']).toBe('CLOSED')
    expect(arena.u32[(arena.base + ARENA.FLAGS) >>> 2]! & ARENA_FLAG.CLOSED).toBe(ARENA_FLAG.CLOSED)
  })
})

describe('sizes', () => {
  test.each([0, 1, 63, 64, 65, 4095, 4096, 1_000_000])('%i bytes are rounded up to 64 and come back', (bytes) => {
    const arena = small(), before = arena.stats().usedBytes, block = arena.alloc(bytes)
    expect(block.bytes).toBe(bytes)
    expect(arena.stats().usedBytes - before).toBe(Math.max(64, Math.ceil(bytes / 64) * 64))
    block.release()
    expect(arena.stats().usedBytes).toBe(before)
  })

  test('256 on request', () => {
    const arena = small(), odd = arena.alloc(64)
    for (let i = 0; i < 50; i++) expect(arena.alloc(100 + i * 64, { align: 256 }).address % 256).toBe(0)
    expect(odd.address % 64).toBe(0)
    // A reused span that is not aligned enough is not taken.
    const host = small(), pad = host.allocate(64), at = host.allocate(192)
    if (at % 256 === 0) host.free(pad)
    host.free(at)
    expect(host.allocate(192, 256) % 256).toBe(0)
  })

  test.each([-1, Number.NaN, Infinity, 1.5, 2 ** 40, '5' as unknown as number])('%s bytes are INVALID_ARGUMENT', (bytes) => {
    expect(failure(() => small().alloc(bytes))['code']).toBe('INVALID_ARGUMENT')
  })

  test.each([
    [[-1]], [[1.5]], [[1, 1, 1, 1, 1, 1, 1, 1, 1]], [[Number.NaN]], [[2 ** 30, 2 ** 30]],
  ])('shape %j is INVALID_ARGUMENT', (shape) => {
    expect(failure(() => small().alloc({ dtype: 'f32', shape }))['code']).toBe('INVALID_ARGUMENT')
  })

  test('every dtype has its size', () => {
    const arena = small(), bytes = { f32: 4, f16: 2, bf16: 2, i32: 4, i64: 8, i16: 2, i8: 1, u8: 1, bool: 1, f64: 8, event: 32 } as const
    for (const [dtype, size] of Object.entries(bytes)) {
      expect(arena.alloc({ dtype: dtype as keyof typeof bytes, shape: [3] }).bytes).toBe(3 * size)
    }
    expect(failure(() => arena.alloc({ dtype: 'f31' as never, shape: [1] }))['code']).toBe('INVALID_ARGUMENT')
  })

  test('no room: ARENA_FULL says what was needed and what is there; afterwards all is as before', () => {
    const arena = small(), before = arena.stats(), blocks: Block[] = []
    const error = failure(() => { for (;;) blocks.push(arena.alloc(1 << 20)) })
    expect(error).toMatchObject({ code: 'ARENA_FULL', need: 1 << 20, reason: 'bytes' })
    expect(error['largest']).toBe(arena.largestFreeBytes())
    expect(arena.largestFreeBytes()).toBeLessThan(1 << 20)
    const rest = arena.alloc(arena.largestFreeBytes())
    rest.release()
    for (const block of blocks) block.release()
    arena.store.trim()
    expect(arena.stats()).toMatchObject({ usedBytes: before.usedBytes, blocks: before.blocks, fragmentation: 0 })
  })

  test('entries run out: ARENA_FULL { reason: entries }', () => {
    const arena = small(), held: number[] = []
    const error = failure(() => { for (;;) held.push(arena.allocate(64)) })
    expect(error).toMatchObject({ code: 'ARENA_FULL', reason: 'entries' })
    expect(held.length).toBe(MIN_ARENA_BYTES / 8192 - 1)
    for (const address of held) arena.free(address)
    arena.store.trim()
    expect(arena.stats().fragmentation).toBe(0)
  })

  test('kept spans are given back before a request fails', () => {
    const arena = small(), held = Array.from({ length: 11 }, () => arena.alloc(1 << 20))
    for (const block of held) block.release()
    expect(arena.alloc(arena.stats().capacityBytes - SCRATCH_SPAN_BYTES).bytes).toBeGreaterThan(11 << 20)
  })
})

describe('handles', () => {
  test('stale, foreign, malformed and out of bounds', () => {
    const arena = small({ id: 3 }), other = small({ id: 4 }), block = arena.alloc(64), handle = block.handle
    expect(arena.check(handle)).toBe(handleIndex(handle))
    expect(failure(() => other.check(handle))).toMatchObject({ code: 'INVALID_HANDLE', reason: 'arena', handle })
    block.release()
    expect(failure(() => arena.check(handle))).toMatchObject({ code: 'INVALID_HANDLE', reason: 'freed', handle })
    const next = arena.alloc(64)
    expect(handleIndex(next.handle)).toBe(handleIndex(handle))
    expect(next.handle).not.toBe(handle)
    expect(failure(() => arena.check(handle))).toMatchObject({ reason: 'generation' })
    expect(failure(() => arena.check(makeHandle(3, 1, 1_000_000)))).toMatchObject({ reason: 'bounds' })
    for (const bad of [0, -1, 1.5, Number.NaN, Infinity, 2 ** 53]) {
      expect(failure(() => arena.check(bad))).toMatchObject({ code: 'INVALID_HANDLE', reason: 'bounds' })
    }
  })

  test('every use of a block that was given up is INVALID_HANDLE', () => {
    const arena = small(), block = arena.alloc({ dtype: 'f32', shape: [8] })
    block.release()
    for (const use of [
      () => block.handle, () => block.address, () => block.view(Float32Array), () => block.slice(0, 1), () => block.clone(),
      () => block.makeMut(),
      () => block.pin(), () => block.unpin(), () => block.retain(), () => block.release(), () => block.references,
    ]) expect(failure(use)).toMatchObject({ code: 'INVALID_HANDLE', reason: 'freed' })
    block[Symbol.dispose]()
    expect(block.closed).toBe(true)
  })

  test('a block whose holder was dropped is stale, even when its entry is used again', () => {
    const arena = small(), holder = arena.openHolder('run 1'), block = holder.alloc(64), cached = block.view(Uint8Array)
    holder.drop()
    expect(failure(() => block.view(Uint8Array))).toMatchObject({ reason: 'freed' })
    const next = arena.alloc(64)
    expect(next.address).toBe(cached.byteOffset)
    expect(failure(() => block.view(Uint8Array))).toMatchObject({ reason: 'generation' })
    block[Symbol.dispose]()
    expect(next.references).toBe(1)
  })

  test('wrong dtype and out of bounds', () => {
    const arena = small(), block = arena.alloc({ dtype: 'f32', shape: [4, 2] })
    expect(failure(() => block.view(Int16Array))).toMatchObject({ code: 'INVALID_HANDLE', reason: 'dtype' })
    expect(block.view(Uint8Array).length).toBe(32)
    for (const [from, to] of [[-1, 1], [0, 5], [3, 2], [0.5, 1], [0, Number.NaN]] as const) {
      expect(failure(() => block.slice(from, to))).toMatchObject({ reason: 'bounds' })
    }
    expect(block.slice(1, 3).shape).toEqual([2, 2])
    expect(failure(() => arena.alloc(7).view(Float32Array))).toMatchObject({ reason: 'dtype' })
  })

  test('an entry is retired after its last generation', () => {
    const arena = small({ firstGeneration: LAST_GENERATION - 1 }), seen = new Set<number>(), indices: number[] = []
    for (let i = 0; i < 4; i++) {
      const block = arena.alloc(64)
      expect(seen.has(block.handle)).toBe(false)
      seen.add(block.handle)
      indices.push(handleIndex(block.handle))
      block.release()
    }
    expect(indices[1]).toBe(indices[0])
    expect(indices[2]).not.toBe(indices[1])
    expect(failure(() => arena.check([...seen][1]!))['code']).toBe('INVALID_HANDLE')
  })

  test('free of an address where no block starts', () => {
    const arena = small(), address = arena.allocate(256), holder = arena.openHolder('other')
    expect(failure(() => arena.free(address + 64))['code']).toBe('INVALID_HANDLE')
    expect(failure(() => holder.free(address))).toMatchObject({ code: 'INVALID_HANDLE', what: 'not held by other' })
    arena.free(address)
    expect(failure(() => arena.free(address))['code']).toBe('INVALID_HANDLE')
  })

  test('open and openAt give further references', () => {
    const arena = small(), block = arena.alloc(640), again = arena.open(block.handle)
    expect([again.address, block.references]).toEqual([block.address, 2])
    const part = arena.openAt(block.address + 128, 64)!
    expect([part.address, part.bytes, part.handle, block.references]).toEqual([block.address + 128, 64, block.handle, 3])
    expect(arena.openAt(block.address + 600, 64)).toBe(null)
    expect(arena.openAt(block.address, 641)).toBe(null)
    for (const b of [block, again, part]) b.release()
    expect(arena.openAt(part.bytes, 4)).toBe(null)
  })
})

describe('references', () => {
  test('clones and slices share bytes; makeMut copies once if shared, never if unique', () => {
    const arena = small(), a = arena.alloc({ dtype: 'i32', shape: [4] })
    a.view(Int32Array).set([1, 2, 3, 4])
    expect(a.makeMut()).toBe(a)
    const b = a.clone(), s = a.slice(1, 3)
    expect([b.address, s.address, a.references]).toEqual([a.address, a.address + 4, 3])
    const copied = b.makeMut()
    expect([b.closed, copied === b, copied.references, a.references, arena.copies.count]).toEqual([true, false, 1, 2, 1])
    copied.view(Int32Array)[0] = 9
    expect([...a.view(Int32Array)]).toEqual([1, 2, 3, 4])
    const part = s.makeMut()
    expect([...part.view(Int32Array)]).toEqual([2, 3])
    expect(arena.copies.entries()).toEqual([{ edge: 'makeMut', reason: 'user', bytes: 24, copies: 2 }])
    expect(a.makeMut()).toBe(a)
    for (const block of [a, copied, part]) block.release()
    expect(arena.stats().blocks).toBe(1)
  })

  test('retain and release count', () => {
    const arena = small(), block = arena.alloc(64)
    block.retain()
    expect(block.references).toBe(2)
    block.release()
    expect(block.references).toBe(1)
    block.retain()
    block[Symbol.dispose]()
    expect([block.closed, arena.stats().blocks]).toEqual([true, 1])
  })

  test('a holder knows its exact bytes and peak, and drops everything together', () => {
    const arena = small(), node = arena.openHolder('node'), run = arena.openHolder('run')
    const a = node.alloc(1000), b = node.allocate(64)
    expect([node.bytes, node.blocks]).toEqual([1024 + 64, 2])
    const shared = a.clone(run), twice = a.clone()
    expect([node.bytes, run.bytes]).toEqual([1088, 1024])
    node.free(b)
    expect([node.bytes, node.peakBytes]).toEqual([1024, 1088])
    node.drop()
    expect([node.bytes, node.blocks, shared.references]).toEqual([0, 0, 1])
    expect(twice.closed).toBe(false)
    run.drop()
    expect(arena.stats().blocks).toBe(1)
    node.alloc(64)
    node.drop()
    expect(arena.stats().blocks).toBe(1)
  })

  test('10 000 random jobs that die anywhere leave nothing behind', () => {
    const arena = small(), before = arena.stats()
    fc.assert(fc.property(fc.array(
      fc.record({ kind: fc.integer({ min: 0, max: 5 }), bytes: fc.integer({ min: 0, max: 9000 }), pick: fc.nat() }),
      { maxLength: 24 },
    ), fc.nat(), (steps, dieAt) => {
      const holders = [arena.openHolder('run'), arena.openHolder('node')], blocks: ReturnType<Arena['alloc']>[] = []
      for (const [i, { kind, bytes, pick }] of steps.entries()) {
        if (i === dieAt % 25) break
        const holder = holders[pick % 2]!, block = blocks[pick % Math.max(1, blocks.length)]
        if (kind < 2 || block === undefined) blocks.push(holder.alloc(bytes))
        else if (kind === 2) blocks.push(block.clone(holder))
        else if (kind === 3) blocks.push(block.slice(0, block.shape[0]! >> 1, holder))
        else if (kind === 4) { block.release(); blocks.splice(blocks.indexOf(block), 1) }
        else { const own = block.makeMut(); if (own !== block) blocks.splice(blocks.indexOf(block), 1, own) }
      }
      for (const holder of holders) holder.drop()
      const { usedBytes, blocks: left } = arena.stats()
      expect({ usedBytes, left }).toEqual({ usedBytes: before.usedBytes, left: before.blocks })
    }), { numRuns: 10_000, seed: 20 })
    arena.store.trim()
    expect(arena.stats().fragmentation).toBe(0)
  })

  test('a steady loop takes nothing from the free lists', () => {
    const arena = small()
    const loop = (): void => {
      const a = arena.alloc(5000), b = arena.alloc(300), c = arena.allocate(5000)
      a.release()
      b.release()
      arena.free(c)
    }
    loop()
    const warm = arena.stats()
    for (let i = 0; i < 1000; i++) loop()
    const after = arena.stats()
    expect(after.allocs - warm.allocs).toBe(3000)
    expect(after.reused - warm.reused).toBe(3000)
    expect(after.peakBytes).toBe(warm.peakBytes)
  })

  test('two arenas work side by side', () => {
    const a = small(), b = small()
    expect(a.id).not.toBe(b.id)
    const x = a.alloc(64), y = b.alloc(64)
    x.view(Uint8Array).fill(1)
    y.view(Uint8Array).fill(2)
    expect([x.view(Uint8Array)[0], y.view(Uint8Array)[0]]).toEqual([1, 2])
    expect(failure(() => b.check(x.handle))).toMatchObject({ reason: 'arena' })
  })
})

describe('memory', () => {
  test.each([
    MIN_ARENA_BYTES - 1, MAX_ARENA_BYTES + 1, 0, -5, Number.NaN, '64' as unknown as number,
  ])('arenaBytes %s is CONFIG_INVALID', (bytes) => {
    expect(failure(() => createArena({ bytes, shared: false, wasm: true }))['code']).toBe('CONFIG_INVALID')
  })

  test('sizes are rounded up to pages', () => {
    expect([arenaBytesOf(MIN_ARENA_BYTES), arenaBytesOf(MIN_ARENA_BYTES + 1), arenaBytesOf(MAX_ARENA_BYTES)])
      .toEqual([MIN_ARENA_BYTES, MIN_ARENA_BYTES + 65_536, MAX_ARENA_BYTES])
  })

  test('a host that refuses is asked for half, down to 16 MiB, with a warning', () => {
    const asked: number[] = [], warnings: unknown[] = []
    const refuse = (limit: number) => (bytes: number): WebAssembly.Memory => {
      asked.push(bytes)
      if (bytes > limit) throw new RangeError('no')
      return new WebAssembly.Memory({ initial: bytes / 65_536, maximum: bytes / 65_536 })
    }
    const onWarning = (text: string, details: unknown): void => { warnings.push(text, details) }
    const made = createFixedMemory({ shared: false, wasm: true, makeMemory: refuse(20e6), onWarning })
    expect([asked, made.bytes]).toEqual([[64, 32, 16].map((m) => m * 2 ** 20), 2 ** 24])
    expect(warnings).toEqual(['Arena: the host refused 67108864 bytes and gave 16777216', { askedBytes: 2 ** 26, bytes: 2 ** 24 }])
    expect(failure(() => createFixedMemory({ shared: false, wasm: true, makeMemory: refuse(0) })))
      .toMatchObject({ code: 'SHARED_MEMORY', bytes: 2 ** 24, cause: 'no' })
  })

  test('a given size is not halved', () => {
    const makeMemory = (): WebAssembly.Memory => { throw new RangeError('no') }
    expect(failure(() => createFixedMemory({ bytes: 2 ** 26, shared: false, wasm: true, makeMemory })))
      .toMatchObject({ code: 'SHARED_MEMORY', bytes: 2 ** 26 })
  })

  test('a shared memory without SharedArrayBuffer is SHARED_MEMORY', () => {
    const makeMemory = (): WebAssembly.Memory => new WebAssembly.Memory({ initial: 256, maximum: 256 })
    expect(failure(() => createArena({ bytes: MIN_ARENA_BYTES, shared: true, wasm: true, makeMemory }))['code']).toBe('SHARED_MEMORY')
  })

  test('4 GiB has an end that is an address', () => {
    const arena = createArena({ bytes: MAX_ARENA_BYTES, shared: false, wasm: true }), all = arena.alloc(arena.largestFreeBytes())
    expect(all.address + all.bytes).toBe(2 ** 32 - 64)
    const view = all.view(Uint8Array)
    view[view.length - 1] = 5
    expect(arena.u8[2 ** 32 - 65]).toBe(5)
  })

  test('a header that was written over is ARENA_CORRUPT and says where', () => {
    for (const offset of [ARENA.MAGIC_LOW, ARENA.MAGIC_HIGH, ARENA.VERSION, ARENA.LAYOUT_HASH]) {
      const arena = small()
      arena.checkHeader()
      arena.u32[(arena.base + offset) >>> 2]! ^= 0xdeadbeef
      expect(failure(() => checkHeader(arena.u32, arena.base))).toMatchObject({ code: 'ARENA_CORRUPT', offset })
    }
  })
})
