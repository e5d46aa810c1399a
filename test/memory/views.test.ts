import { describe, expect, test } from 'vitest'
import { CopyLedger, copyBytes, copyParts } from '../../src/memory/copies.js'
import { isShared, tryView, viewsDtype, type MemoryArrayConstructor } from '../../src/memory/views.js'

describe('tryView', () => {
  const TYPES: readonly MemoryArrayConstructor[] = [Uint8Array, Int16Array, Float32Array, Int32Array, Float64Array]
  test('all offsets 0–7 and lengths 0–40: a view exactly when the address aligns and the length divides', () => {
    const buffer = new ArrayBuffer(64)
    for (const type of TYPES) for (let offset = 0; offset < 8; offset++) for (let length = 0; length <= 40; length++) {
      const view = tryView(new Uint8Array(buffer, offset, length), type), size = type.BYTES_PER_ELEMENT
      if (offset % size !== 0 || length % size !== 0) { expect(view).toBe(null); continue }
      expect([view!.buffer === buffer, view!.byteOffset, view!.byteLength, view!.constructor]).toEqual([true, offset, length, type])
    }
  })
})

test('dtypes are seen by their own arrays, and as bytes', () => {
  expect(viewsDtype(Float32Array, 'f32')).toBe(true)
  expect(viewsDtype(Uint8Array, 'f64')).toBe(true)
  expect(viewsDtype(Uint16Array, 'bf16')).toBe(true)
  expect(viewsDtype(BigInt64Array, 'i64')).toBe(true)
  expect(viewsDtype(Int16Array, 'f16')).toBe(false)
  expect(viewsDtype(Float32Array, 'i32')).toBe(false)
})

test('isShared knows a buffer without the name SharedArrayBuffer', () => {
  expect(isShared(new ArrayBuffer(8))).toBe(false)
  if (typeof SharedArrayBuffer !== 'undefined') expect(isShared(new SharedArrayBuffer(8))).toBe(true)
})

describe('copies', () => {
  test('are charged to edge and reason', () => {
    const ledger = new CopyLedger(), to = new Uint8Array(16)
    copyBytes(to, Float32Array.of(1, 2), { ledger, edge: 'a -> b', reason: 'thread' })
    copyBytes(to, new Uint8Array(3), { ledger, edge: 'a -> b', reason: 'thread' })
    copyParts([{ to: to.subarray(8), from: Float32Array.of(3) }, { to: to.subarray(12), from: Float32Array.of(4) }], {
      ledger, edge: 'c', reason: 'user',
    })
    ledger.add('a -> b', 5, 'convert')
    expect(ledger.entries()).toEqual([
      { edge: 'a -> b', reason: 'thread', bytes: 11, copies: 2 }, { edge: 'c', reason: 'user', bytes: 8, copies: 1 },
      { edge: 'a -> b', reason: 'convert', bytes: 5, copies: 1 },
    ])
    expect([
      ledger.bytes(), ledger.bytes({ edge: 'a -> b' }), ledger.bytes({ reason: 'user' }), ledger.bytes({ edge: 'c', reason: 'thread' }),
      ledger.count,
    ]).toEqual([24, 16, 8, 0, 4])
    expect([...new Float32Array(to.buffer, 8, 2)]).toEqual([3, 4])
  })
})
