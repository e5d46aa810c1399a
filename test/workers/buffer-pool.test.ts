/** Buffers of packets that go between memories (MW-57). */
import { describe, expect, test } from 'vitest'
import { createEngine, type AnyHandle } from '../../src/index.js'
import { gain } from '../../src/nodes/index.js'
import { BufferPool, isPooled } from '../../src/workers/buffer-pool.js'
import { chunked } from '../soak/random-run.js'

describe('BufferPool', () => {
  test('gives what was given back when it fits, no more than half as much again; else a new one', () => {
    const pool = new BufferPool(), a = pool.take(10_000)
    expect([a.byteLength, pool.take(0).byteLength, pool.take(4_096).byteLength, pool.take(2 ** 22 + 1).byteLength])
      .toEqual([12_288, 0, 4_096, 2 ** 22 + 1])
    pool.give([a])
    expect(pool.take(12_289)).not.toBe(a)
    expect(pool.take(8_000)).not.toBe(a)
    expect(pool.take(8_192)).toBe(a)
    expect(pool.take(8_192)).not.toBe(a)
  })

  test('keeps sixteen, the latest; whole values and buffers that were moved on are not kept', () => {
    const pool = new BufferPool(), many = Array.from({ length: 20 }, () => new ArrayBuffer(8_192)), moved = new ArrayBuffer(8_192)
    structuredClone(moved, { transfer: [moved] })
    expect([isPooled(moved), isPooled(new ArrayBuffer(2 ** 22)), isPooled(new ArrayBuffer(2 ** 22 + 1))]).toEqual([false, true, false])
    pool.give([moved, ...many, new ArrayBuffer(2 ** 23)])
    const taken = many.map(() => many.indexOf(pool.take(8_192)))
    expect(taken.sort((a, b) => a - b)).toEqual([-1, -1, -1, -1, ...Array.from({ length: 16 }, (_, n) => n + 4)])
  })

  test('a long stream makes a few buffers, whatever its length, and each is what it was', async () => {
    const { take, give } = BufferPool.prototype, back = new Set<ArrayBuffer>()
    let taken = 0, again = 0
    BufferPool.prototype.give = function (buffers) {
      for (const buffer of buffers) back.add(buffer)
      give.call(this, buffers)
    }
    BufferPool.prototype.take = function (bytes) {
      const buffer = take.call(this, bytes)
      taken++
      if (back.has(buffer)) again++
      return buffer
    }
    try {
      await using engine = await createEngine({ tier: 'wasm', workers: 1, logger: () => undefined })
      const tone = Float32Array.from({ length: 400_000 }, (_, n) => Math.sin(n / 9))
      using result = await engine.run({ out: gain(chunked(tone), { gainDb: 0 }) as unknown as AnyHandle })
      const out = (result.outputs['out']!.data as { toArray(): Float32Array }).toArray()
      expect(out.findIndex((x, n) => x !== tone[n])).toBe(-1)
      expect(taken).toBe(80)
      // One is read, one waits, one is on its way back, whatever the thread does.
      expect(again).toBeGreaterThanOrEqual(75)
    } finally { Object.assign(BufferPool.prototype, { take, give }) }
  })
})
