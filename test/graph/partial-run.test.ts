import { expect, test } from 'vitest'
import { createEngine, createRegistry, defineNode, fromDocument, json, type Packet, type PacketStream } from '../../src/index.js'

const ran: string[] = []
const step = defineNode({
  type: 'test::step', version: '1.0.0', title: 'Step', doc: 'Notes that it ran.', family: 'test', params: {},
  inputs: { in: { media: json(), optional: true, multi: true } }, outputs: { out: { media: json() } },
  process: async (inputs, _params, { node }) => {
    await Promise.all([inputs['in'] ?? []].flat().map((stream) => (stream as PacketStream).whole()))
    ran.push(node.id)
    return {
      out: { media: { kind: 'json' }, data: node.id, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } as Packet,
    }
  },
})

test('GR-10: running one of five outputs executes its ancestors only, and its plan holds no others', async () => {
  const registry = createRegistry(step), links = ['s>a', 's>b', 'a>c', 'b>c', 'c>d', 'b>e', 't>e', 'e>f'].map((one) => one.split('>'))
  const graph = fromDocument({
    millrace: 1, nodes: ['s', 't', 'a', 'b', 'c', 'd', 'e', 'f'].map((id) => ({ id, type: 'test::step' })),
    edges: links.map(([from, to]) => ({ from: [from, 'out'], to: [to, 'in'] })),
    outputs: Object.fromEntries(['a', 'b', 'c', 'd', 'f'].map((id) => [`out-${id}`, [id, 'out']])),
  }, registry)
  const ancestors = (id: string): string[] =>
    [...new Set([id, ...links.filter(([, to]) => to === id).flatMap(([from]) => ancestors(from!))])].sort()
  await using engine = await createEngine({ workers: 0, registry })
  for (const wanted of [['a'], ['b'], ['c'], ['d'], ['f'], ['a', 'f']]) {
    ran.length = 0
    const outputs = wanted.map((id) => `out-${id}`), needed = [...new Set(wanted.flatMap(ancestors))].sort()
    using result = await engine.run(graph, { outputs })
    expect([...ran].sort()).toEqual(needed)
    expect(Object.keys(result.outputs)).toEqual(outputs)
    expect((await engine.plan(graph, { outputs })).nodes.map(({ id }) => id).sort()).toEqual(needed)
    expect(result.diagnostics.filter(({ code }) => code === 'PRUNED_NODE').map(({ node }) => node).sort())
      .toEqual(graph.nodes.map(({ id }) => id).filter((id) => !needed.includes(id)).sort())
  }
  await expect(engine.run(graph, { outputs: ['out-x'] })).rejects.toMatchObject({ code: 'OUTPUT_NOT_FOUND' })
})

test('GR-10: what the chosen outputs do not need is not looked at: an unknown type, a wrong param, a link from nowhere, an input without a value', async () => {
  const registry = createRegistry(step)
  const node = (id: string, more: object = {}): object => ({ id, type: 'test::step', ...more })
  const edge = (from: string, to: string): object => ({ from: [from, 'out'], to: [to, 'in'] })
  const graph = fromDocument({
    millrace: 1, nodes: [node('x', { type: 'test::unknown' }), node('y'), node('w', { params: { wrong: 1 } }), node('a'), node('b')],
    edges: [edge('x', 'y'), edge('nobody', 'w'), edge('a', 'b'), edge('a', 'y')],
    inputs: { k: { to: [['w', 'in']] } }, outputs: { bad: ['y', 'out'], worse: ['w', 'out'], good: ['b', 'out'] },
  }, registry)
  await using engine = await createEngine({ workers: 0, registry })
  ran.length = 0
  using result = await engine.run(graph, { outputs: ['good'] })
  expect(ran).toEqual(['a', 'b'])
  expect(result.outputs['good']!.data).toBe('b')
  expect(result.diagnostics.filter(({ code }) => code !== 'TIER_FALLBACK').map(({ code, node: id, pointer }) => [code, id, pointer]))
    .toEqual([['PRUNED_NODE', 'x', '/nodes/0'], ['PRUNED_NODE', 'y', '/nodes/1'], ['PRUNED_NODE', 'w', '/nodes/2']])
  await expect(engine.run(graph, { outputs: ['bad'] })).rejects.toMatchObject({ code: 'NODE_TYPE_UNKNOWN' })
  await expect(engine.run(graph, { outputs: ['worse'], inputs: { k: 1 } })).rejects.toMatchObject({ code: 'NODE_NOT_FOUND' })
  await expect(engine.run(graph, { outputs: ['worse'] })).rejects.toMatchObject({ code: 'INPUT_MISSING' })
})

test('GR-10: a subgraph that cannot be opened refuses only the outputs that need it', async () => {
  const registry = createRegistry(step)
  const node = (id: string, type = 'test::step', more: object = {}): object => ({ id, type, ...more })
  const edge = (from: string, to: string): object => ({ from: from.split('.'), to: to.split('.') })
  const good = {
    millrace: 1, inputs: { in: { to: [['x', 'in']] } }, nodes: [node('x'), node('seen', 'test::step', { output: true })],
    outputs: { out: ['x', 'out'] },
  }
  const graph = fromDocument({
    millrace: 1,
    nodes: [
      node('idle'), node('round', 'graph::round'), node('after'), node('a'), node('fine', 'graph::good'), node('wrong', 'graph::good'),
      node('bad'),
    ],
    edges: [edge('round.out', 'after.in'), edge('a.out', 'fine.in'), edge('wrong.oops', 'bad.in'), edge('idle.out', 'bad.in')],
    outputs: {
      after: ['after', 'out'], inside: ['round', 'out'], fine: ['fine', 'out'], bad: ['bad', 'out'], lost: ['wrong', 'oops'],
      idle: ['idle', 'out'],
    },
    definitions: { good, round: { millrace: 1, nodes: [node('again', 'graph::round')], outputs: { out: ['again', 'out'] } } },
  }, registry)
  await using engine = await createEngine({ workers: 0, registry })
  for (const [output, needed] of [
    ['fine', ['a', 'fine/seen', 'fine/x', 'wrong/seen']], ['idle', ['fine/seen', 'idle', 'wrong/seen']],
  ] as const) {
    ran.length = 0
    using result = await engine.run(graph, { outputs: [output] })
    expect([...ran].sort()).toEqual(needed)
    expect(result.outputs[output]!.data).toBe(needed.find((id) => id.endsWith('/x')) ?? 'idle')
    const pruned = result.diagnostics.filter(({ code }) => code === 'PRUNED_NODE').map(({ node: id, pointer }) => [id, pointer])
    expect(pruned).toEqual(expect.arrayContaining([
      ['round/again', '/definitions/round/nodes/0'], ['after', '/nodes/2'], ['wrong/x', '/definitions/good/nodes/0'], ['bad', '/nodes/6'],
    ]))
    expect(pruned).toHaveLength(graph.nodes.length + 2 - needed.length)
  }
  for (const output of ['after', 'inside']) {
    await expect(engine.run(graph, { outputs: [output] })).rejects.toMatchObject({ code: 'GRAPH_CYCLE' })
  }
  for (const output of ['bad', 'lost']) {
    await expect(engine.run(graph, { outputs: [output] })).rejects.toMatchObject({
      details: { diagnostics: expect.arrayContaining([expect.objectContaining({ code: 'PORT_NOT_FOUND', port: 'oops' })]) },
    })
  }
  await expect(engine.run(graph)).rejects.toMatchObject({ code: 'GRAPH_CYCLE' })
  await expect(engine.run(graph, { outputs: ['nothing'] })).rejects.toMatchObject({ code: 'OUTPUT_NOT_FOUND' })
  await expect(engine.run(graph, { outputs: [] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})
