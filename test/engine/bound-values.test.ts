/**
 * Values that are bound to a graph: shared and endless ones, lists of unequal media, many of them; plans that wait while the engine ends.
 */
import { describe, expect, test } from 'vitest'
import {
  createEngine, createRegistry, defineNode, fromDocument, hashGraph, json, type NodeDefinition, type Packet, type PacketStream,
} from '../../src/index.js'
import { createGraph, type GraphNode } from '../../src/graph/graph.js'
import { LastEdges } from '../../src/graph/input-source.js'
import { validate } from '../../src/graph/validate/index.js'
import { bindInputs } from '../../src/schedule/bind-inputs.js'
import { show } from '../../src/errors/show.js'
import { listSink, listSource, mix, pass, switchTo } from '../../src/nodes/index.js'

const item = (data: unknown): Packet => ({
  media: { kind: 'json' }, data, position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
})
const base = { version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test' } as const
const count = defineNode({
  ...base, type: 'test::count', params: { given: { type: 'json', doc: 'Anything.' } }, inputs: { in: { media: json(), optional: true } },
  outputs: { out: { media: json() } },
  process: async (inputs) => {
    await (inputs['in'] as PacketStream | undefined)?.whole()
    return { out: item(1) }
  },
})
const registry = createRegistry(count, listSink, pass, mix)
const document = (params: object = {}): object => ({
  millrace: 1, nodes: [{ id: 'n', type: 'test::count', params }], inputs: { k: { to: [['n', 'in']], required: false } },
  outputs: { o: ['n', 'out'] },
})
/** `levels` levels of a list of the one below, twice: 2 to that power values, and a few objects. */
const shared = (
  levels: number, leaf: unknown = 1,
): unknown => { let value = leaf; for (let i = 0; i < levels; i++) value = [value, value]; return value }
const cycle: unknown[] = []
cycle.push({ inside: cycle })

describe('values that share their parts', () => {
  test.each([
    ['60 levels of sharing', shared(60)], ['a cycle', cycle], ['300 levels', shared(300)],
  ])('%s: a coded error at once, as an input and as a param', async (_name, value) => {
    await using engine = await createEngine({ workers: 0, registry })
    await expect(engine.run(fromDocument(document(), registry), { inputs: { k: value } })).rejects
      .toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/run input k: expected json/) })
    const graph = createGraph({
      nodes: [{ id: 'n', type: 'test::count', definition: count.definition, params: { given: value } } as unknown as GraphNode],
    })
    expect(validate(graph, registry).map(({ code, pointer }) => [code, pointer])).toEqual([['LIMIT_EXCEEDED', '/nodes/0/params/given']])
    await expect(engine.run({ o: count({ given: value } as never) } as never)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(() => hashGraph(graph)).toThrow(expect.objectContaining({ code: 'PARAM_INVALID' }))
    expect(() => hashGraph(fromDocument(document(), registry), { inputs: { k: value } }))
      .toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(show(value).length).toBeLessThan(100)
  })

  test('what shares little is taken as it is, and hashes as what it says', async () => {
    await using engine = await createEngine({ workers: 0, registry })
    const part = { a: [1, 2] }, value = Array.from({ length: 1_000 }, () => part)
    using result = await engine.run(fromDocument(document(), registry), { inputs: { k: value } })
    expect(result.outputs['o']!.data).toBe(1)
    const hash = (given: unknown): string => hashGraph(fromDocument(document({ given }), registry)).graph
    expect(hash(value)).toBe(hash(JSON.parse(JSON.stringify(value))))
    expect(hash(shared(10))).toBe(hash(JSON.parse(JSON.stringify(shared(10)))))
  })
})

test('a list of unequal audio is no list of one medium: INVALID_ARGUMENT says both', async () => {
  await using engine = await createEngine({ workers: 0, registry })
  const graph = fromDocument({ millrace: 1, nodes: [{ id: 'n', type: 'core::pass' }], inputs: { k: { to: [['n', 'in']] } } }, registry)
  const buffers = [8_000, 16_000].map((rate) => engine.audio.from([new Float32Array(10)], { rate, channels: 1 }, { copy: true }))
  const at = (rate: number): unknown => buffers[rate / 8_000 - 1]
  await expect(engine.run(graph, { inputs: { k: [at(8_000), at(16_000)] } })).rejects
    .toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/8000 Hz.*16000 Hz/) })
  using equal = await engine.run(graph, { inputs: { k: [at(8_000), at(8_000)] } })
  expect(Object.values(equal.outputs as Record<string, Packet>)[0]!.data).toHaveLength(2)
  for (const buffer of buffers) buffer.close()
})

test('a switch that comes back to a plain input after its end, beside lists, has nothing more from it', async () => {
  const list = (data: readonly unknown[]) => defineNode({
    ...base, type: 'test::list', params: {}, inputs: {}, outputs: { out: { media: json(), list: true } },
    process: () => Promise.resolve({ out: item(data) }),
  })()
  await using engine = await createEngine({ workers: 0, arenaBytes: 2 ** 24 })
  const out = async (which: readonly number[], plain: readonly unknown[] = [7]): Promise<unknown> => {
    using result = await engine.run({
      x: switchTo([list([1, 2]), listSource(plain as never)], { which: listSource(which) } as never),
    } as never)
    return (result.outputs as Record<string, Packet>)['x']!.data
  }
  expect(await out([1, 0, 1])).toEqual([7, 1, 2])
  expect(await out([1, 0])).toEqual([7, 1, 2])
  expect(await out([1], [])).toEqual([])
})

describe('plans that are still being made', () => {
  const gated = (gate: Promise<void>, entered: () => void) => defineNode({
    ...base, type: 'test::gated', params: {}, inputs: {}, outputs: { out: { media: json() } },
    fingerprint: async () => { entered(); await gate; return Uint8Array.of(1) }, process: async () => ({ out: item(1) }),
  } as NodeDefinition)
  test.each(['drain', 'close'] as const)('%s waits for one that hashes', async (end) => {
    let open = (): void => undefined, begun = (): void => undefined
    const gate = new Promise<void>((resolve) => { open = resolve })
    const entered = new Promise<void>((resolve) => { begun = resolve })
    const engine = await createEngine({ workers: 0 }), order: string[] = []
    const plan = engine.plan({ out: (gated(gate, begun) as unknown as () => never)() })
      .then(() => { order.push('planned') }, (error: { code: string }) => { order.push(error.code) })
    await entered
    const ended = engine[end]().then(() => { order.push('ended') })
    await new Promise((resolve) => { setTimeout(resolve, 0) })
    if (end === 'drain') expect(order).toEqual([])
    open()
    await Promise.all([plan, ended])
    expect(order).toEqual(end === 'drain' ? ['planned', 'ended'] : ['CLOSED', 'ended'])
  })
})

test('thousands of inputs are bound in one pass, each behind what its port has', () => {
  const many = 20_000, definition = mix.definition
  const graph = createGraph({
    nodes: [
      { id: 'm', type: definition.type, definition, params: {} },
      { id: 'n', type: count.definition.type, definition: count.definition, params: { given: 0 } },
    ] as unknown as GraphNode[],
    edges: [{ from: ['n', 'out'], to: ['m', 'in'], order: 70_000 }] as never,
    inputs: new Map<string, never>([
      ...Array.from({ length: many }, (_, i) => [`k${i}`, { to: [['m', 'in']] } as never] as const),
      ['p', { to: [['n', 'given']] } as never],
    ]),
  })
  let spreads = 0
  const watched = new Proxy(graph.edges as unknown[], {
    get: (target, name, self) => { if (name === Symbol.iterator) spreads++; return Reflect.get(target, name, self) as unknown },
  })
  const bound = bindInputs({ ...graph, edges: watched as never }, Object.fromEntries([...graph.inputs.keys()].map((name) => [name, 5])), (
    id,
  ) => ({ id, type: pass.definition.type, definition: pass.definition, params: {} }) as unknown as GraphNode)
  expect([bound.nodes.length, bound.edges.length, bound.nodes[1]!.params]).toEqual([many + 2, many + 1, { given: 5 }])
  expect(bound.edges.slice(1).map(({ order }) => order)).toEqual(Array.from({ length: many }, (_, i) => 70_001 + i))
  expect(spreads).toBeLessThanOrEqual(2)
  const links = new LastEdges([{ from: ['a', 'out'], to: ['m', 'in'] } as never])
  links.add(['b', 'out'] as never, ['m', 'in'] as never)
  expect(links.edges[1]).toEqual({ from: ['b', 'out'], to: ['m', 'in'] })
})
