import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findCycles } from '../../src/graph/cycles.js'
import { edgeListOf, type EdgeList } from '../../src/graph/edge-list.js'
import { levelOrder, orderOf, topologicalOrder } from '../../src/graph/order.js'
import { reaching } from '../../src/graph/reach.js'

const list = (count: number, edges: readonly (readonly [number, number])[]): EdgeList =>
  ({ count, from: Uint32Array.from(edges, (edge) => edge[0]), to: Uint32Array.from(edges, (edge) => edge[1]) })
const graph = (ids: string, ...edges: string[]) =>
  ({
    nodes: [...ids].map((id) => ({ id })),
    edges: edges.map((edge) => ({ from: [edge[0]!, 'out'] as const, to: [edge[1]!, 'in'] as const })),
  })

/** Any directed graph, self-links and parallel edges included. */
const anyGraph = fc.integer({ min: 1, max: 9 }).chain((count) => fc.record({
  count: fc.constant(count), edges: fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 18 }),
}))
/** A graph without cycles whose document order is not its topological order. */
const acyclic = fc.integer({ min: 2, max: 12 }).chain((count) => fc.record({
  count: fc.constant(count), names: fc.shuffledSubarray(Array.from({ length: count }, (_, n) => n), { minLength: count }),
  edges: fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)).filter(([a, b]) => a !== b), { maxLength: 30 }),
})).map(({ count, names, edges }) =>
  ({ count, edges: edges.map(([a, b]): [number, number] => [names[Math.min(a, b)]!, names[Math.max(a, b)]!]) }))

/** Oracle: of all nodes whose predecessors stand in the order already, take the smallest. Quadratic. */
function naiveOrder(count: number, edges: readonly (readonly [number, number])[]): number[] {
  const order: number[] = []
  for (;;) {
    const next = Array.from({ length: count }, (_, n) => n)
      .find((n) => !order.includes(n) && edges.every(([a, b]) => b !== n || order.includes(a)))
    if (next === undefined) return order
    order.push(next)
  }
}

/** Oracle: the longest path into a node, by trying all. */
function naiveLevel(node: number, edges: readonly (readonly [number, number])[]): number {
  const before = new Set(edges.filter(([, b]) => b === node).map(([a]) => a))
  return Math.max(0, ...[...before].map((a) => 1 + naiveLevel(a, edges)))
}

/** Oracle: the nodes that can be reached in at least one step. */
function naiveReach(from: number, edges: readonly (readonly [number, number])[]): Set<number> {
  const seen = new Set<number>()
  for (let before = -1; seen.size !== before;) {
    before = seen.size
    for (const [a, b] of edges) if (a === from || seen.has(a)) seen.add(b)
  }
  return seen
}

describe('order (GR-58)', () => {
  test('chain, diamond, document order as tie-break', () => {
    expect([...topologicalOrder(graph('cba', 'ab', 'bc')).order]).toEqual([2, 1, 0])
    const diamond = topologicalOrder(graph('dcba', 'ab', 'ac', 'bd', 'cd'))
    expect([...diamond.order]).toEqual([3, 1, 2, 0])
    expect([...diamond.levels]).toEqual([2, 1, 1, 0])
    expect([...topologicalOrder(graph('abc')).order]).toEqual([0, 1, 2])
    expect([...topologicalOrder(graph('')).order]).toEqual([])
  })

  test('a level is the longest path, not the shortest', () => {
    expect([...topologicalOrder(graph('abcd', 'ad', 'ab', 'bc', 'cd')).levels]).toEqual([0, 1, 2, 3])
  })

  test('random graphs equal the oracle, and 1 000 repeats are identical', () => {
    fc.assert(fc.property(acyclic, ({ count, edges }) => {
      const { order, levels } = orderOf(list(count, edges))
      expect([...order]).toEqual(naiveOrder(count, edges))
      const byLevel = levelOrder(list(count, edges))
      expect(byLevel.levels).toEqual(levels)
      expect([...byLevel.order].sort((a, b) => a - b)).toEqual([...order].sort((a, b) => a - b))
      expect([...byLevel.order].every((node, i, all) => i === 0 || levels[all[i - 1]!]! <= levels[node]!)).toBe(true)
      expect([...levels]).toEqual(Array.from({ length: count }, (_, n) => naiveLevel(n, edges)))
    }), { numRuns: 500, seed: 1 })
    const fixed = list(40, Array.from({ length: 60 }, (_, i): [number, number] => [(i * 7) % 39, 39 - ((i * 5) % 1)]))
    const first = orderOf(fixed).order.join()
    for (let i = 0; i < 1_000; i++) expect(orderOf(fixed).order.join()).toBe(first)
  })

  test('feedback edges and edges that name no node order nothing', () => {
    const loop = { nodes: [{ id: 'a' }, { id: 'b' }], edges: [
      { from: ['b', 'out'] as const, to: ['a', 'in'] as const },
      { from: ['a', 'out'] as const, to: ['b', 'in'] as const, delayFrames: 128 },
      { from: ['x', 'out'] as const, to: ['a', 'in'] as const },
    ] }
    expect([...topologicalOrder(loop).order]).toEqual([1, 0])
  })

  test('a cycle is thrown by name', () => {
    expect(() => topologicalOrder(graph('abcd', 'ab', 'bc', 'ca', 'cd'))).toThrow(expect.objectContaining({
      code: 'GRAPH_CYCLE', message: 'Graph: cycle a -> b -> c -> a.',
      details: { nodes: ['a', 'b', 'c', 'a'], edges: ['a.out->b.in', 'b.out->c.in', 'c.out->a.in'] },
    }))
  })

  test('of nodes on and behind a cycle nothing is ordered', () => {
    fc.assert(fc.property(anyGraph, ({ count, edges }) => {
      expect([...orderOf(list(count, edges)).order]).toEqual(naiveOrder(count, edges))
      expect([...levelOrder(list(count, edges)).order].sort()).toEqual(naiveOrder(count, edges).sort())
    }), { numRuns: 500, seed: 2 })
  })
})

describe('cycles', () => {
  test('one per strongly connected part, each shortest, real, and named from its smallest node', () => {
    fc.assert(fc.property(anyGraph, ({ count, edges }) => {
      const cycles = findCycles(list(count, edges))
      const reach = Array.from({ length: count }, (_, n) => naiveReach(n, edges))
      const parts = new Map<string, number[]>()
      for (let n = 0; n < count; n++) {
        if (!reach[n]!.has(n)) continue
        const key = [...reach[n]!].filter((m) => reach[m]!.has(n)).sort((a, b) => a - b).join()
        parts.set(key, key.split(',').map(Number))
      }
      expect(cycles).toHaveLength(parts.size)
      expect(cycles.map((cycle) => cycle[0]!)).toEqual([...cycles.map((cycle) => cycle[0]!)].sort((a, b) => a - b))
      for (const cycle of cycles) {
        expect(new Set(cycle).size).toBe(cycle.length)
        expect(cycle[0]).toBe(Math.min(...cycle))
        cycle.forEach((node, i) => { expect(edges.some(([a, b]) => a === node && b === cycle[(i + 1) % cycle.length])).toBe(true) })
        const part = [...parts.values()].find((nodes) => nodes.includes(cycle[0]!))!
        expect(cycle.length).toBe(Math.min(...part.map((node) => shortestThrough(node, edges))))
      }
    }), { numRuns: 1_000, seed: 3 })
  })

  test('a long ring with one chord gives the short way round', () => {
    const count = 1_000
    const ring = Array.from({ length: count }, (_, n): [number, number] => [n, (n + 1) % count])
    expect(findCycles(list(count, ring))[0]).toHaveLength(count)
    expect(findCycles(list(count, [...ring, [700, 650]]))[0]).toEqual(Array.from({ length: 51 }, (_, n) => 650 + n))
  })

  test('the part of the graph that orders is named by its edges', () => {
    expect(edgeListOf(graph('ab', 'ab', 'xb', 'ba')).source).toEqual(Uint32Array.of(0, 2))
  })
})

/** Oracle: steps of the shortest way from a node back to itself. */
function shortestThrough(node: number, edges: readonly (readonly [number, number])[]): number {
  let reached = new Set([node])
  for (let steps = 1; steps <= edges.length; steps++) {
    reached = new Set(edges.filter(([a]) => reached.has(a)).map(([, b]) => b))
    if (reached.has(node)) return steps
  }
  return Infinity
}

describe('reachability (GR-09)', () => {
  test('1 000 random graphs equal brute force', () => {
    fc.assert(fc.property(anyGraph, fc.array(fc.nat(8), { maxLength: 3 }), ({ count, edges }, wanted) => {
      const ends = wanted.filter((n) => n < count)
      const expected = Array.from({ length: count }, (_, n) => ends.some((end) => end === n || naiveReach(n, edges).has(end)) ? 1 : 0)
      const { from, to } = list(count, edges)
      expect([...reaching({ count, fromAt: Int32Array.from(from), toAt: Int32Array.from(to) }, ends)]).toEqual(expected)
    }), { numRuns: 1_000, seed: 4 })
  })
})
