import { describe, expect, test } from 'vitest'
import { createArena } from '../../src/memory/arena.js'
import { RING } from '../../src/memory/layout.js'
import { createByteRing, type ByteRing } from '../../src/memory/ring/byte-ring.js'

/** Damaged rings; the issue asks for 10⁵. */
const ROUNDS =
  Number((globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.['MILLRACE_FUZZ_RINGS'] ?? 5_000)

const arena = createArena({ bytes: 2 ** 24, shared: false, wasm: false })
const body = (length: number, seed: number): Uint8Array => Uint8Array.from({ length }, (_, i) => seed * 31 + i * 7)
const take = ({ reader }: ByteRing): Uint8Array | null => {
  if (reader.next() !== 1) return null
  const bytes = reader.bytes.slice(reader.at, reader.at + reader.length)
  reader.release()
  return bytes
}
/** As `toEqual`, for the many and the long. */
const same = (a: Uint8Array | null, b: Uint8Array): boolean => a !== null && a.length === b.length && a.every((x, i) => x === b[i])
const words = (ring: ByteRing): Uint32Array => new Uint32Array(arena.buffer, ring.address + RING.DATA, ring.writer.capacity / 4)

describe('frames (MW-30)', () => {
  test('u32 length, body, padding to 8; a frame that would cross the end stands behind a marker', () => {
    const ring = createByteRing(arena, 64), w = words(ring)
    expect(ring.writer.push(body(13, 1))).toBe(true)
    expect([w[0], arena.u32[(ring.address + RING.WRITE) >>> 2]]).toEqual([13, 24])
    expect(ring.writer.push(body(20, 2))).toBe(true)
    expect([w[6], arena.u32[(ring.address + RING.WRITE) >>> 2]]).toEqual([20, 48])
    // 16 bytes are left to the end, 16 + 24 in all after the first is gone: too few for 28 + 16.
    expect(ring.writer.push(body(20, 3))).toBe(false)
    expect([take(ring), ring.writer.push(body(20, 3))]).toEqual([body(13, 1), true])
    expect([w[12], w[0]]).toEqual([0xffff_ffff, 20])
    expect([take(ring), take(ring), take(ring)]).toEqual([body(20, 2), body(20, 3), null])
  })

  test('every wrap position, every length of a ring of 128, indices across 2³²', () => {
    for (let start = 0; start < 128; start += 8) {
      for (let length = 1; length <= 60; length++) {
        const ring = createByteRing(arena, 128, { firstIndex: 2 ** 32 - 128 + start })
        for (let n = 0; n < 5; n++) {
          if (!ring.writer.push(body(length, n)) || !same(take(ring), body(length, n))) {
            expect.fail(`start ${start}, length ${length}, frame ${n}`)
          }
        }
        if (take(ring) !== null) expect.fail(`start ${start}, length ${length}: a frame too many`)
        ring[Symbol.dispose]()
      }
    }
  })

  test('the longest frame fits an empty ring wherever it starts; a longer one is refused', () => {
    for (let start = 0; start < 65_536; start += 4_096 + 8) {
      const ring = createByteRing(arena, 65_536, { firstIndex: start })
      expect(ring.writer.maxBody).toBe(32_764)
      expect([ring.writer.push(body(32_764, 1)), same(take(ring), body(32_764, 1))]).toEqual([true, true])
      for (const length of [32_765, 0, -1, 1.5, Number.NaN]) {
        expect(() => ring.writer.claim(length)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
      }
      ring[Symbol.dispose]()
    }
  })

  test('random traffic: in order, nothing lost, nothing invented', () => {
    const ring = createByteRing(arena, 256)
    let sent = 0, got = 0, seed = 1
    const random = (most: number): number => { seed = Math.imul(seed, 1_664_525) + 1_013_904_223 | 0; return (seed >>> 8) % most }
    for (let round = 0; round < 20_000; round++) {
      if (random(2) === 0) { if (ring.writer.push(body(1 + sent % 100, sent))) sent++ } else {
        const bytes = take(ring)
        if (bytes !== null && !same(bytes, body(1 + got % 100, got))) expect.fail(`frame ${got}`)
        if (bytes !== null) got++
      }
    }
    expect(got).toBeGreaterThan(5_000)
    expect(sent - got).toBeLessThan(40)
  })
})

describe('a damaged ring is found out, not believed (MW-40)', () => {
  const broken = (spoil: (ring: ByteRing, set: (offset: number, value: number) => void) => void): string => {
    const ring = createByteRing(arena, 256)
    ring.writer.push(body(10, 1))
    spoil(ring, (offset, value) => { arena.u32[(ring.address + offset) >>> 2] = value })
    expect(ring.reader.next()).toBe(-1)
    return ring.reader.fault
  }
  test.each<[string, number, number]>([
    ['length 0', RING.DATA, 0], ['longer than a frame may be', RING.DATA, 125], ['longer than what was written', RING.DATA, 100],
    ['huge', RING.DATA, 0xffff_fffe], ['a marker alone', RING.DATA, 0xffff_ffff],
    ['more than the ring holds', RING.WRITE, 264], ['an odd write index', RING.WRITE, 17], ['an odd read index', RING.READ, 3],
    ['a read index ahead', RING.READ, 64],
  ])('%s', (_, offset, value) => { expect(broken((_ring, set) => { set(offset, value) })).not.toBe('') })

  test('random words anywhere: never outside the ring, never a frame that is none', () => {
    let seed = 11, frames = 0, faults = 0
    const random = (most: number): number => { seed = Math.imul(seed, 1_664_525) + 1_013_904_223 | 0; return (seed >>> 8) % most }
    for (let round = 0; round < ROUNDS; round++) {
      const ring = createByteRing(arena, 256), w = words(ring)
      for (let n = random(5); n >= 0; n--) ring.writer.push(body(1 + random(60), n))
      for (let hits = 1 + random(3); hits > 0; hits--) w[random(64)] = random(3) === 0 ? random(2 ** 24) * 256 : random(200)
      if (random(4) === 0) arena.u32[(ring.address + (random(2) === 0 ? RING.WRITE : RING.READ)) >>> 2] = random(600)
      for (let n = 0; n < 70; n++) {
        const found = ring.reader.next()
        if (found === 0) break
        if (found < 0) { faults++; break }
        frames++
        if (ring.reader.at < 4 || ring.reader.length < 1 || ring.reader.at + ring.reader.length > 256) {
          expect.fail(`${ring.reader.at} + ${ring.reader.length}`)
        }
        ring.reader.release()
      }
      ring[Symbol.dispose]()
    }
    expect([frames > 1_000, faults > 500]).toEqual([true, true])
  })
})
