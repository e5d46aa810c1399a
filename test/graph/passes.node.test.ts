/** The passes of the core against those in TypeScript, and both against `node:crypto` (GR-56, GR-58). */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { EdgeList } from '../../src/graph/edge-list.js'
import { plainPasses, type GraphPasses, type HashBatch } from '../../src/graph/passes.js'
import { compress, hexOf, startWords } from '../../src/graph/sha256.js'
import { compileModules } from '../../src/kernels/compile.js'
import { corePasses } from '../../src/kernels/graph-passes.js'
import { randomFrom } from '../support/random-graphs.js'

const modules = await compileModules({ shared: false })
const passes = corePasses(modules)
const shared = corePasses(await compileModules({ shared: true }))
const WAYS: readonly (readonly [string, GraphPasses])[] = [['TypeScript', plainPasses], ['core', passes], ['core on shared memory', shared]]

/** Messages padded by hand; `parents` of a message stand in its first bytes. */
function batchOf(messages: readonly Uint8Array[], levels: readonly number[], gaps: readonly number[]): HashBatch {
  const offsets = [0]
  for (const { length } of messages) offsets.push(offsets.at(-1)! + Math.ceil((length + 9) / 64) * 64)
  const bytes = new Uint8Array(offsets.at(-1)!), view = new DataView(bytes.buffer)
  messages.forEach((message, n) => {
    bytes.set(message, offsets[n])
    bytes[offsets[n]! + message.length] = 0x80
    view.setUint32(offsets[n + 1]! - 4, 8 * message.length)
  })
  return {
    bytes, count: messages.length, offsets: Uint32Array.from(offsets), levels: Uint32Array.from(levels), gaps: Uint32Array.from(gaps),
    states: Uint32Array.from(startWords()), starts: new Uint32Array(messages.length),
  }
}

const digestsOf = (digests: Uint8Array): string[] => Array.from({ length: digests.length / 32 }, (_, n) =>
  hexOf(digests, 32 * n, 32 * n + 32))

describe('SHA-256', () => {
  const random = randomFrom(56)
  const vectors = Array.from({ length: 1_000 }, (_, n) => Uint8Array.from({ length: n < 300 ? n : random(4_000) }, () => random(256)))

  test.each(WAYS)('1 000 golden vectors in %s equal node:crypto and the digest of their digests is pinned (GR-56)', (_, way) => {
    const found = digestsOf(way.hash(batchOf(vectors, [vectors.length], [])))
    expect(found).toEqual(vectors.map((vector) => createHash('sha256').update(vector).digest('hex')))
    expect(createHash('sha256').update(found.join()).digest('hex')).toBe('c58fe852998938d9ce21ca82c4e12fe6d81ff48a1640c4cdff2c33df457cb791')
  })

  test.each(WAYS)('parents, level by level, in %s', (_, way) => {
    for (const width of [1, 2, 3, 4, 5, 7, 64]) {
      const count = 320, messages: Uint8Array[] = [], gaps: number[] = [], expected: Buffer[] = [], levels: number[] = []
      let offset = 0
      for (let n = 0; n < count; n++) {
        const level = Math.floor(n / width)
        const parents = level === 0 ? [] : Array.from({ length: random(4) }, () => random(level * width))
        const length = 32 * parents.length + random(200)
        const message = Uint8Array.from({ length }, () => random(256)), filled = message.slice()
        parents.forEach((parent, i) => { gaps.push(offset + 32 * i, parent); filled.set(expected[parent]!, 32 * i) })
        messages.push(message)
        expected.push(createHash('sha256').update(filled).digest())
        offset += Math.ceil((length + 9) / 64) * 64
        if ((n + 1) % width === 0 || n === count - 1) levels.push(n + 1)
      }
      expect(digestsOf(way.hash(batchOf(messages, levels, gaps)))).toEqual(expected.map((digest) => digest.toString('hex')))
    }
  })

  test.each([
    ...WAYS, ['core, small batches too', corePasses(modules, 0)],
  ] as const)('0 to 300 bytes in every lane beside one to seven others, in %s', (_, way) => {
    const wide = vectors.find(({ length }) => length > 300)!
    const mixed = Array.from({ length: 301 }, (_, n) => wide.slice(0, n * 37 % 301))
    const more = Uint8Array.of(1)
    const expected = (messages: readonly Uint8Array[]): string[] => messages.map((message) =>
      createHash('sha256').update(message).digest('hex'))
    const others = expected(mixed)
    // Each message stands in each lane once: as many others come before it.
    for (let width = 1; width <= 8; width++) for (let lane = 0; lane < Math.min(width, 4); lane++) {
      const before = Array.from({ length: lane }, () => more)
      const messages = [...before, ...mixed]
      const ends = messages.flatMap((_, n) => n > 0 && n % width === 0 ? [n] : [])
      expect(digestsOf(way.hash(batchOf(messages, [...ends, messages.length], [])))).toEqual([...expected(before), ...others])
    }
  })

  test.each(WAYS)('messages without the blocks that they share in %s', (_, way) => {
    const openings = [0, 1, 3].map((blocks) => Uint8Array.from({ length: 64 * blocks }, () => random(256)))
    const states = openings.flatMap((opening) => {
      const state = startWords()
      for (let at = 0; at < opening.length; at += 64) compress(state, new DataView(opening.buffer), at)
      return [...state]
    })
    const messages = vectors.slice(0, 400)
    const starts = Uint32Array.from(messages, () => random(3))
    const batch = batchOf(messages, [400], []), view = new DataView(batch.bytes.buffer)
    messages.forEach(({ length }, n) => { view.setUint32(batch.offsets[n + 1]! - 4, 8 * (length + openings[starts[n]!]!.length)) })
    const expected = messages.map((message, n) => createHash('sha256').update(openings[starts[n]!]!).update(message).digest('hex'))
    expect(digestsOf(way.hash({ ...batch, starts, states: Uint32Array.from(states) }))).toEqual(expected)
  })

  test('tables that contradict themselves are left to TypeScript, never read by the core', () => {
    const messages = vectors.slice(0, 300), good = batchOf(messages, [300], [])
    const digests = digestsOf(plainPasses.hash(batchOf(messages, [300], [])))
    for (const bad of [
      { levels: Uint32Array.of(299) },
      { levels: Uint32Array.of(200, 100, 300) },
      { gaps: Uint32Array.of(0xffff_fff0, 0) },
    ]) {
      expect(digestsOf(passes.hash({ ...good, bytes: good.bytes.slice(), ...bad }))).toEqual(digests)
    }
  })
})

describe('order', () => {
  const tangle = (seed: number, count: number, edges: number, cyclic: boolean): EdgeList => {
    const random = randomFrom(seed)
    const place = Array.from({ length: count }, (_, n) => n)
      .sort((a, b) => Math.imul(a + seed, 0x9e37_79b1) - Math.imul(b + seed, 0x9e37_79b1))
    const pairs = Array.from({ length: edges }, (): [number, number] => {
      const a = random(count), b = random(count)
      return cyclic ? [a, b] : a < b ? [a, b] : [b, a]
    }).filter(([a, b]) => cyclic || a !== b)
    return { count, from: Uint32Array.from(pairs, ([a]) => place[a]!), to: Uint32Array.from(pairs, ([, b]) => place[b]!) }
  }

  test.each([false, true])('core and TypeScript agree, cyclic: %s', (cyclic) => {
    for (let seed = 1; seed <= 40; seed++) {
      const edges = tangle(seed, 256 + seed * 11, [0, 100, 500, 3_000][seed % 4]!, cyclic), plain = plainPasses.order(edges)
      for (const way of [passes, shared]) {
        const { order, levels } = way.order(edges)
        expect(order).toEqual(plain.order)
        if (!cyclic) expect(levels).toEqual(plain.levels)
      }
      expect(plain.order.length === edges.count || cyclic).toBe(true)
    }
  })

  test('cycles: core and TypeScript find the same ones (GR-50)', () => {
    const ring = {
      count: 1_000,
      from: Uint32Array.from({ length: 1_000 }, (_, n) => n),
      to: Uint32Array.from({ length: 1_000 }, (_, n) => (n + 1) % 1_000),
    }
    const pairs = {
      count: 40_000,
      from: Uint32Array.from({ length: 40_000 }, (_, n) => n),
      to: Uint32Array.from({ length: 40_000 }, (_, n) => n ^ 1),
    }
    const own = { count: 300, from: Uint32Array.of(299, 4, 5, 5), to: Uint32Array.of(299, 5, 4, 5) }
    expect([passes.cycles(ring)[0]!.length, passes.cycles(pairs).length, passes.cycles(own)]).toEqual([1_000, 20_000, [[5], [299]]])
    for (let seed = 1; seed <= 60; seed++) {
      const count = 256 + seed * 7, edges = tangle(seed, count, [count >> 1, count, Math.round(1.3 * count), 3 * count][seed % 4]!, true)
      for (const way of [passes, shared]) expect(way.cycles(edges)).toEqual(plainPasses.cycles(edges))
    }
    expect(passes.cycles(tangle(1, 400, 900, false))).toEqual([])
  })

  test('1 000 repeats are identical (GR-58)', () => {
    const edges = tangle(3, 300, 900, false), first = passes.order(edges).order.join()
    for (let i = 0; i < 1_000; i++) expect(passes.order(edges).order.join()).toBe(first)
  })

  test('an edge to a node that is not there is left to TypeScript', () => {
    const edges = { count: 300, from: Uint32Array.of(5), to: Uint32Array.of(300) }
    expect(passes.order(edges).order.length).toBe(plainPasses.order(edges).order.length)
  })
})
