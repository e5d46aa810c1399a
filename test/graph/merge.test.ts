import { describe, expect, test } from 'vitest'
import { fromDocument } from '../../src/graph/document/from-document.js'
import { toDocument } from '../../src/graph/document/to-document.js'
import { writeDocument } from '../../src/graph/document/write-document.js'
import { addNode, connect, disconnect, removeNode, setParam } from '../../src/graph/edit.js'
import { moveNodes, setNode, setOutput } from '../../src/graph/edit/edits.js'
import { sameValue } from '../../src/graph/edit/same-value.js'
import { merge3, type MergeConflict } from '../../src/graph/edit/merge.js'
import type { Graph } from '../../src/graph/graph.js'
import { createRegistry } from '../../src/graph/registry.js'
import { gain, mix } from '../../src/nodes/index.js'
import { environment, randomEdits, randomOf } from '../support/random-edits.js'

const registry = createRegistry(gain, mix)
const base = fromDocument({
  millrace: 1, inputs: { tone: { to: [['a', 'in']] } },
  nodes: ['a', 'b', 'c', 'd'].map((id) => ({ id, type: 'audio::gain', params: { gainDb: -1 } })),
  edges: [{ from: ['a', 'out'], to: ['b', 'in'] }, { from: ['b', 'out'], to: ['c', 'in'] }], outputs: { out: ['c', 'out'] },
}, registry)
const text = (graph: Graph): string => writeDocument(toDocument(graph))
const gainNode = (id: string): Graph['nodes'][number] => ({ id, type: 'audio::gain', definition: gain.definition as never, params: {} })

describe('no conflict', () => {
  test.each<[string, (graph: Graph) => Graph, (graph: Graph) => Graph]>([
    ['params of different nodes', (g) => setParam(g, 'a', 'gainDb', -2), (g) => setParam(g, 'b', 'gainDb', -3)],
    ['different params of one node', (g) => setParam(g, 'a', 'gainDb', -2), (g) => setParam(g, 'a', 'invert', true)],
    ['a param and a position', (g) => setParam(g, 'a', 'gainDb', -2), (g) => moveNodes(g, { a: { x: 1, y: 2 } })],
    ['a new node and a link between old ones', (g) => addNode(g, gainNode('e')), (g) => connect(g, ['c', 'out'], ['d', 'in'])],
    ['a link away and an output more', (g) => disconnect(g, ['a', 'out'], ['b', 'in']), (g) => setOutput(g, 'mid', ['b', 'out'])],
    ['a node away and another changed', (g) => removeNode(g, 'd'), (g) => setNode(g, 'a', { mode: 'bypass' })],
    ['the same change on both sides', (g) => setParam(g, 'a', 'gainDb', -2), (g) => setParam(g, 'a', 'gainDb', -2)],
    ['config by field', (g) => ({ ...g, config: { ...g.config, seed: 1 } }),
      (g) => ({ ...g, config: { ...g.config, onError: 'continue' } })],
  ])('%s: both changes are there, whichever side is ours', (_, ours, theirs) => {
    const both = text(theirs(ours(base)))
    expect(merge3(base, ours(base), theirs(base))).toMatchObject({ conflicts: [] })
    for (const [a, b] of [[ours, theirs], [theirs, ours]] as const) {
      const merged = merge3(base, a(base), fromDocument(toDocument(b(base)), registry))
      expect(merged.conflicts).toEqual([])
      expect(text(merged.graph)).toBe(both)
    }
  })

  test('nodes that only one side moved in the list stand where that side has them; additions of the other stand behind their neighbours', () => {
    const reversed = { ...base, nodes: base.nodes.toReversed() }, more = { ...base, nodes: base.nodes.toSpliced(1, 0, gainNode('new')) }
    for (const merged of [merge3(base, reversed, more), merge3(base, more, reversed)]) {
      expect(merged.graph.nodes.map(({ id }) => id)).toEqual(['d', 'c', 'b', 'a', 'new'])
    }
  })
})

describe('conflicts are data, and ours stays', () => {
  const conflict = (ours: Graph, theirs: Graph, expected: readonly MergeConflict[], stays: Graph): void => {
    const { graph, conflicts } = merge3(base, ours, theirs)
    expect(conflicts).toEqual(expected)
    expect(text(graph)).toBe(text(stays))
    expect(JSON.parse(JSON.stringify(conflicts))).toEqual(conflicts)
  }
  test('one param, two values', () => {
    const ours = setParam(base, 'a', 'gainDb', -2)
    conflict(ours, setParam(base, 'a', 'gainDb', -3), [{
      kind: 'field', path: ['nodes', 'a', 'params', 'gainDb'], base: -1, ours: -2, theirs: -3,
    }], ours)
    conflict(ours, setParam(base, 'a', 'gainDb', undefined), [{
      kind: 'field', path: ['nodes', 'a', 'params', 'gainDb'], base: -1, ours: -2,
    }], ours)
  })
  test('taken away here, changed there: it is kept', () => {
    const changed = setParam(base, 'd', 'gainDb', -3)
    const was = { id: 'd', type: 'audio::gain', params: { gainDb: -1 } }
    const now = { ...was, params: { gainDb: -3 } }
    conflict(removeNode(base, 'd'), changed, [{ kind: 'removed', path: ['nodes', 'd'], base: was, theirs: now }], changed)
    conflict(changed, removeNode(base, 'd'), [{ kind: 'removed', path: ['nodes', 'd'], base: was, ours: now }], changed)
  })
  test('a link, an output or an input to what the other took away is dropped', () => {
    const less = removeNode(base, 'd')
    conflict(less, connect(base, ['c', 'out'], ['d', 'in']), [{
      kind: 'dangling', path: ['edges', 'c.out->d.in'], ours: { from: ['c', 'out'], to: ['d', 'in'] },
    }], less)
    conflict(setOutput(base, 'end', ['d', 'out']), less, [{ kind: 'dangling', path: ['outputs', 'end'], ours: ['d', 'out'] }], less)
    conflict(less, { ...base, inputs: new Map([...base.inputs, ['x', { to: [['d', 'in']] }]]) }, [{
      kind: 'dangling', path: ['inputs', 'x'], ours: ['d', 'in'],
    }], less)
  })
  test('two links into one single input', () => {
    const ours = connect(base, ['a', 'out'], ['d', 'in'])
    conflict(ours, connect(base, ['c', 'out'], ['d', 'in']), [{
      kind: 'occupied', path: ['edges', 'c.out->d.in'], ours: { from: ['a', 'out'], to: ['d', 'in'] },
      theirs: { from: ['c', 'out'], to: ['d', 'in'] },
    }], ours)
  })
  test('a node of one id added on both sides', () => {
    const ours = addNode(base, { ...gainNode('e'), params: { gainDb: -9 } })
    conflict(ours, addNode(base, { ...gainNode('e'), params: { gainDb: -8 } }), [{
      kind: 'field', path: ['nodes', 'e', 'params', 'gainDb'], ours: -9, theirs: -8,
    }], ours)
  })
})

test('random sides: a side without changes takes the other, equal sides agree, and a merge never has dangling ends', () => {
  const random = randomOf(3), runs = Number(environment('MILLRACE_DIFF_RUNS') ?? 300)
  const left = randomEdits(random, 'l'), right = randomEdits(random, 'r')
  const wander = (
    graph: Graph, edit: typeof left,
  ): Graph => { let now = graph; for (let i = random(12); i > 0; i--) now = edit()[1](now); return now }
  for (let run = 0; run < runs; run++) {
    const trunk = wander(base, left), ours = wander(trunk, left), theirs = wander(trunk, right)
    const again = fromDocument(toDocument(ours), registry)
    for (const merged of [
      merge3(trunk, ours, trunk), merge3(trunk, trunk, ours), merge3(trunk, ours, again),
      merge3(fromDocument(toDocument(trunk), registry), again, trunk),
    ]) {
      expect(merged.conflicts).toEqual([])
      expect(text(merged.graph)).toBe(text(ours))
    }
    const { graph } = merge3(trunk, ours, theirs), ids = new Set(graph.nodes.map(({ id }) => id))
    expect(ids.size).toBe(graph.nodes.length)
    for (const { from, to } of graph.edges) expect([ids.has(from[0]), ids.has(to[0])]).toEqual([true, true])
    for (const [id] of graph.outputs.values()) expect(ids.has(id)).toBe(true)
    // Nodes that only one side touched are as that side left them.
    const nodeOf = (of: Graph, id: string): unknown => toDocument(of).nodes.find((node) => node.id === id)
    const same = (a: Graph, b: Graph, id: string): boolean => sameValue(nodeOf(a, id), nodeOf(b, id))
    for (const { id } of theirs.nodes) if (same(trunk, ours, id)) expect(same(graph, theirs, id)).toBe(true)
  }
})
