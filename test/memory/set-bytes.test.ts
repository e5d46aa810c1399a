import { expect, test } from 'vitest'
import { setBytes } from '../../src/memory/set-bytes.js'

test('any offsets and lengths, shared or not, give the same bytes and touch no others', () => {
  const source = Uint8Array.from({ length: 50_000 }, (_, n) => n * 7 + (n >> 8))
  const memories = [new ArrayBuffer(50_064), ...(typeof SharedArrayBuffer === 'undefined' ? [] : [new SharedArrayBuffer(50_064)])]
  for (const memory of memories) {
    for (const a of [0, 1, 4, 7, 8]) for (const b of [0, 3, 4, 5]) for (const length of [0, 1, 63, 64, 16_383, 16_384, 16_385, 40_000]) {
      const all = new Uint8Array(memory).fill(0xee), to = new Uint8Array(memory, 8 + a, length), from = source.subarray(b, b + length)
      setBytes(to, from)
      expect(sameBytes(to, from), `offsets ${a} and ${b}, ${length} bytes`).toBe(true)
      expect([all[7 + a], all[8 + a + length]]).toEqual([0xee, 0xee])
    }
  }
})

function sameBytes(a: Uint8Array, b: Uint8Array): boolean { return a.length === b.length && a.every((byte, n) => byte === b[n]) }
