import { describe, expect, test } from 'vitest'
import { fromDocument } from '../../src/graph/document/from-document.js'
import { toDocument } from '../../src/graph/document/to-document.js'
import { addNode, connect, disconnect, removeNode, setParam } from '../../src/graph/edit.js'
import { applyChange, changeOf } from '../../src/graph/edit/change.js'
import { ChangeLog, replay, type ChangeRecord, type ChangeType } from '../../src/graph/edit/change-log.js'
import { groupNodes, moveNodes, relinkEdge, removeEdge, renameNode, setInputTarget, setNode } from '../../src/graph/edit/edits.js'
import type { Graph } from '../../src/graph/graph.js'
import { hashGraph } from '../../src/graph/hash.js'
import { createRegistry } from '../../src/graph/registry.js'
import { gain, mix } from '../../src/nodes/index.js'
import { environment, randomEdits, randomOf } from '../support/random-edits.js'

const registry = createRegistry(gain, mix)
let clock = 0
const options = { now: (): number => Date.UTC(2026, 0, 1) + clock++ * 1_000 }
const start = (): Graph => fromDocument({
  millrace: 1, revision: 3, inputs: { tone: { to: [['a', 'in']] } }, nodes: ['a', 'b', 'c'].map((id) => ({ id, type: 'audio::gain' })),
  edges: [
    { from: ['a', 'out'], to: ['b', 'in'] }, { from: ['b', 'out'], to: ['c', 'in'] },
    { from: ['a', 'out'], to: ['c', 'gainDb'], id: 'side' },
  ],
  outputs: { out: ['c', 'out'] },
}, registry)
const state = (graph: Graph): string => JSON.stringify({ ...toDocument(graph), revision: 0 })

describe('records', () => {
  test('a node that goes takes its edges, inputs and outputs along in one record, and comes back with them', () => {
    const log = new ChangeLog(start(), { ...options, author: 'ada' }), before = state(log.graph)
    clock = 0
    const record = log.change('remove', (graph) => removeNode(graph, 'a'))!
    expect(record).toEqual({
      id: 'c4', type: 'remove', time: '2026-01-01T00:00:00.000Z', revision: 4, author: 'ada',
      before: {
        nodes: [{ at: 0, node: { id: 'a', type: 'audio::gain', params: {} } }],
        edges: [
          { at: 0, edge: { from: ['a', 'out'], to: ['b', 'in'] } },
          { at: 2, edge: { from: ['a', 'out'], to: ['c', 'gainDb'], id: 'side' } },
        ],
        inputs: [['tone', { to: [['a', 'in']] }]],
      },
      after: { nodes: [], edges: [], inputs: [] },
    })
    expect(JSON.parse(JSON.stringify(record))).toEqual(record)
    expect(log.undo()).toMatchObject({ id: 'c5', type: 'undo', revision: 5, of: 'c4', time: '2026-01-01T00:00:01.000Z' })
    expect(state(log.graph)).toBe(before)
    expect(log.graph.nodes[0]!.definition).toBe(gain.definition)
    expect(log.graph.revision).toBe(5)
  })

  test.each<[Exclude<ChangeType, 'undo' | 'redo'>, (graph: Graph) => Graph, object, object]>([
    ['add', (g) => addNode(g, { id: 'd', type: 'x::y', params: {} }), { nodes: [] },
      { nodes: [{ at: 3, node: { id: 'd', type: 'x::y', params: {} } }] }],
    ['connect', (g) => connect(g, ['c', 'out'], ['b', 'gainDb']), { edges: [] },
      { edges: [{ at: 3, edge: { from: ['c', 'out'], to: ['b', 'gainDb'] } }] }],
    ['disconnect', (g) => disconnect(g, ['a', 'out'], ['b', 'in']), { edges: [{ at: 0 }] }, { edges: [] }],
    ['set-param', (g) => setParam(g, 'b', 'gainDb', -3), { nodes: [{ at: 1, node: { params: {} } }] },
      { nodes: [{ at: 1, node: { params: { gainDb: -3 } } }] }],
    ['rename', (g) => renameNode(g, 'c', 'end'), { nodes: [{ at: 2 }], edges: [{ at: 1 }, { at: 2 }], outputs: [['out', ['c', 'out']]] },
      { outputs: [['out', ['end', 'out']]] }],
    ['move', (g) => moveNodes(g, { a: { x: 1, y: 2 }, c: { x: 3, y: 4 } }), { nodes: [{ at: 0 }, { at: 2 }] },
      { nodes: [{ node: { ui: { x: 1, y: 2 } } }, { node: { ui: { x: 3, y: 4 } } }] }],
    ['group', (g) => groupNodes(g, { id: 'g', title: 'G', nodes: ['a', 'b'] }), { fields: {} },
      { fields: { ui: { groups: [{ id: 'g', title: 'G', nodes: ['a', 'b'] }] } } }],
    ['set', (g) => setNode(g, 'b', { mode: 'mute' }), { nodes: [{ at: 1 }] }, { nodes: [{ node: { mode: 'mute' } }] }],
    ['set', (g) => ({ ...g, meta: { name: 'n' }, config: { seed: 1 } }), { fields: { config: {} } },
      { fields: { meta: { name: 'n' }, config: { seed: 1 } } }],
  ])('%s is one record with its inverse', (type, edit, before, after) => {
    const log = new ChangeLog(start(), options), first = state(log.graph), record = log.change(type, edit)!
    expect(record).toMatchObject({ type, before, after, revision: 4 })
    const second = state(log.graph)
    log.undo()
    expect(state(log.graph)).toBe(first)
    log.redo()
    expect(state(log.graph)).toBe(second)
  })

  test('an edit that changes nothing makes no record; a change after an undo ends what could be done again', () => {
    const log = new ChangeLog(start(), options)
    expect(log.change('rename', (graph) => renameNode(graph, 'a', 'a'))).toBeUndefined()
    expect(log.change('disconnect', (graph) => disconnect(graph, ['x', 'y'], ['z', 'w']))).toBeUndefined()
    expect([log.canUndo, log.undo(), log.redo(), log.revision]).toEqual([false, undefined, undefined, 3])
    log.change('set-param', (graph) => setParam(graph, 'a', 'gainDb', 1))
    log.undo()
    expect(log.canRedo).toBe(true)
    log.change('set-param', (graph) => setParam(graph, 'a', 'gainDb', 2))
    expect(log.canRedo).toBe(false)
  })

  test('100 undo steps are kept, records as many as asked for; older revisions go into the snapshot', () => {
    const log = new ChangeLog(start(), { ...options, keep: 50 })
    for (let i = 0; i < 120; i++) log.change('set-param', (graph) => setParam(graph, 'a', 'gainDb', -i / 2))
    expect([log.records.length, log.snapshot.revision, log.snapshot.nodes[0]!.params]).toEqual([50, 73, { gainDb: -34.5 }])
    expect(() => log.at(72))
      .toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message: 'ChangeLog.at: expected a revision from 73 to 123, got 72.' }))
    expect(log.at(73)).toBe(log.snapshot)
    let undone = 0
    while (log.undo() !== undefined) undone++
    expect([undone, log.graph.nodes[0]!.params]).toEqual([100, { gainDb: -9.5 }])
  })

  test('a change of another graph is refused', () => {
    const graph = start(), change = changeOf(graph, setParam(graph, 'b', 'gainDb', 1))!
    expect(() => applyChange(removeNode(graph, 'a'), change, registry)).toThrow(expect.objectContaining({
      code: 'INVALID_ARGUMENT',
      message: 'applyChange: expected the graph that it was made for (b at 1), got c.',
    }))
  })

  test('edits that name nothing are refused', () => {
    const graph = start()
    for (const edit of [
      () => renameNode(graph, 'x', 'y'), () => moveNodes(graph, { x: { x: 0, y: 0 } }), () => groupNodes(graph, { id: 'g', nodes: ['x'] }),
      () => setNode(graph, 'x', {}),
    ]) expect(edit).toThrow(expect.objectContaining({ code: 'NODE_NOT_FOUND' }))
    expect(() => renameNode(graph, 'a', 'b')).toThrow(expect.objectContaining({ code: 'DUPLICATE_ID' }))
    for (const edit of [
      () => removeEdge(graph, 'x'), () => relinkEdge(graph, 'x', {}),
      () => setInputTarget(graph, 'tone', 1, ['a', 'in']),
    ]) expect(edit).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})

test('1 000 random edits: the hash and the document at every revision, undo all is the start, redo all the end', () => {
  const random = randomOf(11), edit = randomEdits(random, 'n')
  const edits = Number(environment('MILLRACE_EDITS') ?? 1_000)
  const log = new ChangeLog(start(), { ...options, steps: edits }), states = [state(log.graph)], hashes = [hashGraph(log.graph).graph]
  for (let i = 0; i < edits; i++) {
    const before = log.revision, [type, change] = edit()
    if (random(10) === 0) { if (random(2) === 0) log.undo(); else log.redo() } else log.change(type, change)
    if (log.revision === before) continue
    states.push(state(log.graph))
    hashes.push(hashGraph(log.graph).graph)
  }
  expect(states.length).toBe(log.records.length + 1)
  expect(states.length).toBeGreaterThan(edits * 0.7)
  const records = JSON.parse(JSON.stringify(log.records)) as ChangeRecord[]
  let graph = start()
  records.forEach((record, i) => {
    graph = replay(graph, [record], registry)
    expect(state(graph)).toBe(states[i + 1])
    expect(hashGraph(graph).graph).toBe(hashes[i + 1])
  })
  for (const n of [0, 1, Math.floor(records.length / 2), records.length]) expect(hashGraph(log.at(3 + n)).graph).toBe(hashes[n])
  const end = state(log.graph)
  let undone = 0
  while (log.undo() !== undefined) undone++
  expect(state(log.graph)).toBe(states[0])
  while (undone-- > 0) log.redo()
  expect(state(log.graph)).toBe(end)
})
