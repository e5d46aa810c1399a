import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { groupSegments } from '../../src/schedule/segments.js'
import type { ResolvedNode } from '../../src/schedule/resolved-graph.js'

type Kind = 'kernel' | 'js' | 'script' | 'value'
interface Drawn { readonly kind: Kind; readonly from: readonly number[]; readonly estUs: number }

function nodesOf(drawn: readonly Drawn[]): ResolvedNode[] {
  return drawn.map(({ kind, from, estUs }, index) => ({
    index, id: `n${index}`, params: {}, media: {}, tierWhy: '', estUs,
    tier: kind === 'kernel' ? 'wasm-threads' : kind === 'js' ? 'js' : null,
    definition: { outputs: { out: {} }, inputs: {}, ...(kind === 'value' ? { whole: () => true } : {}) },
    inputs: from.map((f, i) => ({ link: `in.${i}`, port: 'in', from: `n${f}.out` })),
  }) as unknown as ResolvedNode)
}

const drawnGraphs = fc.array(
  fc.record({
    kind: fc.constantFrom<Kind>('kernel', 'kernel', 'kernel', 'js', 'script', 'value'),
    picks: fc.array(fc.nat(1000), { maxLength: 3 }), estUs: fc.constantFrom(10, 1_000),
  }),
  { minLength: 1, maxLength: 14 },
)
  .map((list) => list.map(({ kind, picks, estUs }, i): Drawn => ({
    kind: i === 0 && kind !== 'value' ? 'script' : kind, estUs,
    from: i === 0 || kind === 'value' ? [] : [...new Set(picks.map((p) => p % i))],
  })))

/** Node → segment number; nodes of no segment count as their own task. */
function tasksOf(nodes: readonly ResolvedNode[], workers: number): number[] {
  const task = nodes.map((_, i) => 1_000 + i)
  groupSegments(nodes, new Map(), new Set(), workers).forEach((segment, s) => { for (const n of segment.nodes) task[n] = s })
  return task
}

describe('groupSegments', () => {
  test.each([0, 1, 4])('segments never form a cycle (%i self-scheduling workers)', (workers) => {
    fc.assert(fc.property(drawnGraphs, (drawn) => {
      const nodes = nodesOf(drawn), task = tasksOf(nodes, workers), edges = new Map<number, Set<number>>()
      drawn.forEach(({ from }, v) => {
        for (const u of from) if (task[u] !== task[v]) edges.set(task[u]!, (edges.get(task[u]!) ?? new Set()).add(task[v]!))
      })
      const state = new Map<number, 1 | 2>()
      const visit = (t: number): boolean => {
        if (state.get(t) === 1) return false
        if (state.get(t) === 2) return true
        state.set(t, 1)
        for (const next of edges.get(t) ?? []) if (!visit(next)) return false
        state.set(t, 2)
        return true
      }
      expect([...edges.keys()].every(visit)).toBe(true)
    }), { numRuns: 1_000, seed: 3 })
  })

  test('every kernel node is in exactly one segment, and a segment has one tier', () => {
    fc.assert(fc.property(drawnGraphs, (drawn) => {
      const nodes = nodesOf(drawn), segments = groupSegments(nodes, new Map(), new Set(), 2)
      const seen = segments.flatMap((segment) => segment.nodes)
      expect([...seen].sort((a, b) => a - b)).toEqual(nodes.filter((node) => node.tier !== null).map((node) => node.index))
      for (const segment of segments) expect(new Set(segment.nodes.map((n) => nodes[n]!.tier)).size).toBe(1)
    }), { numRuns: 500, seed: 4 })
  })

  test('a chain behind a chunked source is one segment', () => {
    const nodes = nodesOf([
      { kind: 'script', from: [], estUs: 0 },
      { kind: 'kernel', from: [0], estUs: 900 },
      { kind: 'kernel', from: [1], estUs: 900 },
      { kind: 'kernel', from: [1], estUs: 900 },
    ])
    expect(groupSegments(nodes, new Map(), new Set(), 4)).toEqual([{ nodes: [1, 2, 3], feed: 'chunks' }])
  })

  test('two heavy branches of a whole value run apart, light ones together', () => {
    const graph = (estUs: number): ResolvedNode[] => nodesOf([
      { kind: 'value', from: [], estUs: 0 }, { kind: 'kernel', from: [0], estUs: 10 }, { kind: 'kernel', from: [1], estUs },
      { kind: 'kernel', from: [1], estUs },
      { kind: 'kernel', from: [2, 3], estUs: 10 },
    ])
    expect(groupSegments(graph(500), new Map(), new Set(), 2)).toHaveLength(4)
    expect(groupSegments(graph(50), new Map(), new Set(), 2)).toHaveLength(1)
    expect(groupSegments(graph(500), new Map(), new Set(), 1)).toHaveLength(1)
  })
})
