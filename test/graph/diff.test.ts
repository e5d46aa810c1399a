import { describe, expect, test } from 'vitest'
import { fromDocument } from '../../src/graph/document/from-document.js'
import { toDocument } from '../../src/graph/document/to-document.js'
import { writeDocument } from '../../src/graph/document/write-document.js'
import { addNode, connect, disconnect, removeNode, setParam } from '../../src/graph/edit.js'
import { applyDiff, diff, type GraphDiff } from '../../src/graph/edit/diff.js'
import { renameNode, setNode, setOutput, setType } from '../../src/graph/edit/edits.js'
import type { Graph } from '../../src/graph/graph.js'
import { hashGraph } from '../../src/graph/hash.js'
import { createRegistry } from '../../src/graph/registry.js'
import { gain, mix } from '../../src/nodes/index.js'
import { environment, randomEdits, randomOf } from '../support/random-edits.js'

const registry = createRegistry(gain, mix)
const start = (): Graph => fromDocument({
  millrace: 1, inputs: { tone: { to: [['a', 'in']] } },
  nodes: ['a', 'b', 'c'].map((id) => ({ id, type: 'audio::gain', params: { gainDb: -1 } })),
  edges: [{ from: ['a', 'out'], to: ['b', 'in'] }, { from: ['b', 'out'], to: ['c', 'in'] }], outputs: { out: ['c', 'out'] },
}, registry)
const text = (graph: Graph): string => writeDocument(toDocument(graph))

describe('what differs', () => {
  const graph = start()
  test.each<[string, (graph: Graph) => Graph, GraphDiff]>([
    ['nothing', (g) => fromDocument(toDocument(g), registry), {}],
    ['a node more', (g) => addNode(g, { id: 'd', type: 'audio::gain', params: {} }),
      { nodes: { added: [{ at: 3, item: { id: 'd', type: 'audio::gain', params: {} } }], removed: [], changed: [] } }],
    [
      'a node less, with its edges', (g) => removeNode(g, 'b'),
      {
        nodes: { added: [], removed: [{ at: 1, item: { id: 'b', type: 'audio::gain', params: { gainDb: -1 } } }], changed: [] },
        edges: {
          added: [],
          removed: [{ at: 0, item: { from: ['a', 'out'], to: ['b', 'in'] } }, { at: 1, item: { from: ['b', 'out'], to: ['c', 'in'] } }],
          changed: [],
        } },
    ],
    [
      'params, each by itself',
      (g) => setParam(setParam(setParam(g, 'b', 'gainDb', undefined), 'b', 'invert', true), 'c', 'gainDb', -2),
      {
        nodes: {
          added: [], removed: [],
          changed: [
            { at: 1, id: 'b', params: { gainDb: { before: -1 }, invert: { after: true } } },
            { at: 2, id: 'c', params: { gainDb: { before: -1, after: -2 } } }],
        },
      },
    ],
    [
      'other fields of a node',
      (g) => setNode(g, 'a', { mode: 'mute', tier: ['wasm', 'js'] }),
      {
        nodes: {
          added: [], removed: [],
          changed: [{ at: 0, id: 'a', fields: { mode: { after: 'mute' }, tier: { after: ['wasm', 'js'] } } }],
        },
      },
    ],
    ['an edge', (g) => ({ ...g, edges: g.edges.with(1, { ...g.edges[1]!, capacity: 4 }) }),
      { edges: { added: [], removed: [], changed: [{ at: 1, edge: 'b.out->c.in', fields: { capacity: { after: 4 } } }] } }],
    ['order', (g) => ({ ...g, nodes: [g.nodes[2]!, g.nodes[0]!, g.nodes[1]!] }),
      { nodes: { added: [], removed: [], changed: [], order: [2, 0, 1] } }],
    [
      'inputs, outputs, config',
      (g) => ({ ...setOutput(g, 'mid', ['b', 'out']), inputs: new Map(), config: { seed: 7 } }),
      {
        inputs: { tone: { before: { to: [['a', 'in']] } } }, outputs: { mid: { after: ['b', 'out'] } },
        fields: { config: { before: {}, after: { seed: 7 } } } },
    ],
  ])('%s', (_, edit, expected) => {
    const other = edit(graph), found = diff(graph, other)
    expect(found).toEqual(expected)
    expect(text(applyDiff(graph, found, registry))).toBe(text(other))
    expect(text(applyDiff(other, diff(other, graph), registry))).toBe(text(graph))
  })

  test('a retyped node gets its definition', () => {
    const other = setType(graph, 'a', 'audio::mix', registry), back = applyDiff(graph, diff(graph, other), registry)
    expect(back.nodes[0]!.definition).toBe(mix.definition)
  })

  test('a diff is refused by a graph that it was not made from', () => {
    for (const other of [removeNode(graph, 'c'), setParam(graph, 'b', 'gainDb', 3)]) {
      const change = diff(graph, other), shorter = removeNode(graph, 'a')
      expect(() => applyDiff(shorter, change, registry)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
    const edge = diff(graph, disconnect(graph, ['b', 'out'], ['c', 'in']))
    expect(() => applyDiff(connect(disconnect(graph, ['b', 'out'], ['c', 'in']), ['a', 'out'], ['c', 'in']), edge, registry))
      .toThrow(/applyDiff: expected the graph that it was made from \(b\.out->c\.in\), got a\.out->c\.in/)
  })
})

test('apply(a, diff(a, b)) = b for random pairs, also shuffled, through JSON', () => {
  const random = randomOf(5), edit = randomEdits(random, 'x'), runs = Number(environment('MILLRACE_DIFF_RUNS') ?? 300)
  const wander = (
    graph: Graph, steps: number,
  ): Graph => { let now = graph; for (let i = 0; i < steps; i++) now = edit()[1](now); return now }
  const shuffled = <T>(list: readonly T[]): T[] =>
    list.map((item) => [random(1_000), item] as const).sort((p, q) => p[0] - q[0]).map(([, item]) => item)
  for (let run = 0; run < runs; run++) {
    const trunk = wander(start(), random(30)), a = wander(trunk, random(20)), b = wander(trunk, random(20))
    const c = random(3) === 0
      ? { ...b, nodes: shuffled(b.nodes), edges: shuffled(b.edges) }
      : fromDocument(toDocument(renameNode(b, b.nodes[0]!.id, 'first')), registry)
    for (const other of [b, c]) {
      const change = JSON.parse(JSON.stringify(diff(a, other))) as GraphDiff
      expect(text(applyDiff(a, change, registry))).toBe(text(other))
      expect(hashGraph(applyDiff(a, change, registry)).graph).toBe(hashGraph(other).graph)
    }
  }
})
