import { describe, expect, test } from 'vitest'
import { FreeLists } from '../../src/memory/free-lists.js'

/** mulberry32: small seeded generator for op sequences. */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

describe('FreeLists', () => {
  test('10⁶ random operations never overlap, never lose a granule, and merge to one span', () => {
    const granules = 1 << 15, from = 1000, lists = new FreeLists(from, granules)
    const owner = new Int32Array(granules).fill(-1), live: { id: number; at: number; size: number }[] = []
    const next = random(1)
    let used = 0, refused = 0
    for (let op = 0; op < 1_000_000; op++) {
      if (live.length > 0 && (next() < 0.5 || live.length > 400)) {
        const span = live.splice(Math.floor(next() * live.length), 1)[0]!
        for (let g = span.at; g < span.at + span.size; g++) owner[g] = -1
        used -= span.size
        lists.give(span.id)
        continue
      }
      const size = 1 + Math.floor(2 ** (next() * 11)), align = next() < 0.2 ? 4 : 1
      const id = lists.take(size, align)
      if (id < 0) { refused++; continue }
      const at = lists.start(id) - from
      if (lists.size(id) !== size || lists.start(id) % align !== 0 || at < 0 || at + size > granules) {
        throw new Error(`span ${at}+${lists.size(id)} for ${size}`)
      }
      for (let g = at; g < at + size; g++) {
        if (owner[g] !== -1) throw new Error(`granule ${g} handed out twice at operation ${op}`)
        owner[g] = id
      }
      used += size
      if (lists.freeGranules !== granules - used) throw new Error(`free count ${lists.freeGranules}, model ${granules - used}`)
      live.push({ id, at, size })
    }
    for (const span of live) lists.give(span.id)
    expect(refused).toBeGreaterThan(0)
    expect(lists.freeGranules).toBe(granules)
    expect(lists.largest()).toBe(granules)
  })

  test('refuses only what no free span holds', () => {
    const next = random(7), granules = 4096, lists = new FreeLists(0, granules)
    const used = new Uint8Array(granules), live: { id: number; at: number; size: number }[] = []
    const fits = (size: number, align: number): boolean => {
      for (let g = 0; g < granules; g += align) {
        let n = 0
        while (n < size && g + n < granules && used[g + n] === 0) n++
        if (n === size) return true
      }
      return false
    }
    for (let op = 0; op < 20_000; op++) {
      if (live.length > 0 && next() < 0.48) {
        const span = live.splice(Math.floor(next() * live.length), 1)[0]!
        used.fill(0, span.at, span.at + span.size)
        lists.give(span.id)
        continue
      }
      const size = 1 + Math.floor(next() * 300), align = next() < 0.3 ? 4 : 1, id = lists.take(size, align)
      if (id < 0) {
        if (fits(size, align)) throw new Error(`operation ${op}: ${size} granules (align ${align}) fit but were refused`)
        continue
      }
      used.fill(1, lists.start(id), lists.start(id) + size)
      live.push({ id, at: lists.start(id), size })
    }
    expect(live.length).toBeGreaterThan(0)
  })

  test.each([
    1, 15, 16, 17, 31, 32, 33, 1023, 1024, 65_535, 1 << 20, 2 ** 26 - 1,
  ])('takes the whole range of %i granules and gives it back', (granules) => {
    const lists = new FreeLists(4, granules)
    expect(lists.take(granules + 1)).toBe(-1)
    const id = lists.take(granules)
    expect(lists.start(id)).toBe(4)
    expect(lists.freeGranules).toBe(0)
    expect(lists.largest()).toBe(0)
    expect(lists.take(1)).toBe(-1)
    lists.give(id)
    expect(lists.largest()).toBe(granules)
  })
})
