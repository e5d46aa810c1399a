import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromDocument } from '../../src/graph/document/from-document.js'
import { toDocument } from '../../src/graph/document/to-document.js'
import { writeDocument } from '../../src/graph/document/write-document.js'
import { connect, setParam } from '../../src/graph/edit.js'
import type { Graph } from '../../src/graph/graph.js'
import { hashGraph } from '../../src/graph/hash.js'
import { flatGraph } from '../../src/graph/subgraph/flatten.js'
import { pack, unpack } from '../../src/graph/subgraph/pack.js'
import { createRegistry } from '../../src/graph/registry.js'
import { gain, mix } from '../../src/nodes/index.js'
import { createEngine } from '../../src/index.js'
import { graphFrom } from '../../src/graph/graph-from.js'
import { add, numbers, pass } from '../../src/nodes/index.js'
import { environment } from '../support/random-edits.js'

const registry = createRegistry(gain, mix)
const read = (document: object): Graph => fromDocument(document, registry)
const text = (graph: Graph): string => writeDocument(toDocument(graph))
const insideOf = (graph: Graph, id: string): string[] => graph.nodes.map((node) => node.id).filter((one) => one.startsWith(`${id}/`))

/** A graph whose node `sub` stands for some gains and mixers, linked, bound and set at random. */
const withSubgraph = fc.record({
  count: fc.integer({ min: 1, max: 6 }), links: fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 8 }),
  fan: fc.array(fc.nat(5), { minLength: 1, maxLength: 3 }), chosen: fc.array(fc.nat(5), { maxLength: 3 }),
  own: fc.array(fc.option(fc.integer({ min: -9, max: 0 }), { nil: undefined }), { minLength: 6, maxLength: 6 }),
  preset: fc.option(fc.integer({ min: -30, max: -20 }), { nil: undefined }),
  given: fc.option(fc.integer({ min: -60, max: -50 }), { nil: undefined }), port: fc.constantFrom('edge', 'input', 'default', 'given'),
  settings: fc.constantFrom({}, { tier: 'js' }, { policy: { hangMs: 7 }, output: true }),
  outs: fc.array(fc.nat(5), { minLength: 1, maxLength: 2 }), nested: fc.boolean(), twice: fc.boolean(),
}).map(({ count, links, fan, chosen, own, preset, given, port, settings, outs, nested, twice }) => {
  const id = (n: number): string => `n${n % count}`, distinct = (list: readonly number[]): string[] => [...new Set(list.map(id))]
  const nodes = Array.from({ length: count }, (_, n) => ({
    id: id(n),
    type: n % 3 === 2 ? 'audio::mix' : nested && n === 0 ? 'graph::leaf' : 'audio::gain',
    ...(own[n] !== undefined && n % 3 !== 2 && !(nested && n === 0) && { params: { gainDb: own[n] } }),
  }))
  const isGain = (one: string): boolean => nodes.find((node) => node.id === one)!.type === 'audio::gain'
  const leaf = {
    millrace: 1, inputs: { in: { to: [['g', 'in']] } }, nodes: [{ id: 'g', type: 'audio::gain' }], outputs: { out: ['g', 'out'] },
  }
  const params = distinct(chosen).filter(isGain)
  const inner = {
    millrace: 1, meta: { name: 'inner' }, nodes,
    inputs: {
      in: { to: distinct(fan).map((one) => [one, 'in']), ...(port === 'default' && { default: 'silence' }) },
      ...(params.length > 0 && { level: { to: params.map((one) => [one, 'gainDb']), ...(preset !== undefined && { default: preset }) } }),
    },
    edges: links.filter(([a, b]) => a % count < b % count).map(([a, b], i) => ({ from: [id(a), 'out'], to: [id(b), 'in'], id: `e${i}` })),
    outputs: Object.fromEntries(distinct(outs).map((one, i) => [`out${i}`, [one, 'out']])), ...(nested && { definitions: { leaf } }),
  }
  const values = { ...(given !== undefined && params.length > 0 && { level: given }), ...(port === 'given' && { in: 'noise' }) }
  return {
    millrace: 1,
    nodes: [
      { id: 'before', type: 'audio::gain' },
      { id: 'sub', type: 'graph::inner', ...settings, ...(Object.keys(values).length > 0 && { params: values }) },
      { id: 'after', type: 'audio::gain' }, ...(twice ? [{ id: 'other', type: 'graph::inner' }] : []),
    ],
    ...(port === 'input' && { inputs: { x: { to: [['before', 'in'], ['sub', 'in']] } } }),
    edges: [
      ...(port === 'edge' ? [{ from: ['before', 'out'], to: ['sub', 'in'], id: 'into' }] : []),
      { from: ['sub', 'out0'], to: ['after', 'in'] },
    ],
    outputs: { end: ['after', 'out'] }, definitions: { inner },
  }
})

test('unpack and pack again is identity, and neither changes what the graph computes', () => {
  fc.assert(fc.property(withSubgraph, (document) => {
    const graph = read(document), { graph: open, node } = unpack(graph, 'sub', registry)
    expect(open.nodes.some((one) => one.id === 'sub')).toBe(false)
    expect(text(pack(open, insideOf(open, 'sub'), node))).toBe(text(graph))
    const packed = pack(open, insideOf(open, 'sub'), node)
    expect(hashGraph(packed, { registry }).graph).toBe(hashGraph(graph, { registry }).graph)
    expect(hashGraph(flatGraph(open, registry), { registry }).graph).toBe(hashGraph(flatGraph(graph, registry), { registry }).graph)
  }), { numRuns: Number(environment('MILLRACE_PACK_RUNS') ?? 500), seed: 7 })
})

const chain = read({
  millrace: 1, inputs: { tone: { to: [['a', 'in']] } }, nodes: ['a', 'b', 'c', 'd'].map((id) => ({ id, type: 'audio::gain' })),
  edges: [
    { from: ['a', 'out'], to: ['b', 'in'] }, { from: ['b', 'out'], to: ['c', 'in'] }, { from: ['c', 'out'], to: ['d', 'in'] },
    { from: ['b', 'out'], to: ['d', 'gainDb'] },
  ],
  outputs: { out: ['d', 'out'], mid: ['b', 'out'] },
})

test('nodes without a definition become one: a port for every link across the border', () => {
  const packed = pack(chain, ['b', 'c'], { id: 'bc', type: 'graph::bc' })
  expect(toDocument(packed)).toEqual({
    millrace: 1, inputs: { tone: { to: [['a', 'in']] } },
    nodes: [{ id: 'a', type: 'audio::gain' }, { id: 'bc', type: 'graph::bc' }, { id: 'd', type: 'audio::gain' }],
    edges: [
      { from: ['a', 'out'], to: ['bc', 'in'] }, { from: ['bc', 'out'], to: ['d', 'in'] },
      { from: ['bc', 'out-2'], to: ['d', 'gainDb'] },
    ],
    outputs: { out: ['d', 'out'], mid: ['bc', 'out-2'] },
    definitions: {
      bc: {
        millrace: 1, inputs: { in: { to: [['b', 'in']] } }, nodes: [{ id: 'b', type: 'audio::gain' }, { id: 'c', type: 'audio::gain' }],
        edges: [{ from: ['b', 'out'], to: ['c', 'in'] }], outputs: { out: ['c', 'out'], 'out-2': ['b', 'out'] } },
    },
  })
  expect(hashGraph(packed, { registry }).graph).toBe(hashGraph(chain).graph)
})

test('what was changed while it was open is in the definition; another node that stands for the old one keeps it', () => {
  const one = pack(chain, ['b', 'c'], { id: 'bc', type: 'graph::bc' })
  const two: Graph = { ...one, nodes: [...one.nodes, { id: 'again', type: 'graph::bc', params: {} }] }
  for (const graph of [one, two]) {
    const { graph: open, node } = unpack(graph, 'bc', registry)
    const edited = connect(setParam(open, 'bc/c', 'gainDb', -3), ['a', 'out'], ['bc/c', 'gainDb'])
    const packed = pack(edited, ['bc/b', 'bc/c'], node), name = graph === one ? 'bc' : 'bc-2'
    expect(packed.nodes[1]).toEqual({ id: 'bc', type: `graph::${name}`, params: {} })
    expect(packed.definitions![name])
      .toMatchObject({ nodes: [{ id: 'b' }, { id: 'c', params: { gainDb: -3 } }], inputs: { in: {}, gainDb: { to: [['c', 'gainDb']] } } })
    if (graph === two) expect(packed.definitions!['bc']).toEqual(one.definitions!['bc'])
  }
})

test('misuse is told', () => {
  expect(() => unpack(chain, 'x', registry)).toThrow(expect.objectContaining({ code: 'NODE_NOT_FOUND' }))
  expect(() => unpack(chain, 'a', registry)).toThrow(expect.objectContaining({ code: 'NODE_TYPE_UNKNOWN' }))
  expect(() => pack(chain, [], { id: 'x', type: 'graph::x' })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  expect(() => pack(chain, ['a'], { id: 'x', type: 'x' })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  expect(() => pack(chain, ['z'], { id: 'x', type: 'graph::x' })).toThrow(expect.objectContaining({ code: 'NODE_NOT_FOUND' }))
  expect(() => pack(chain, ['a'], { id: 'b', type: 'graph::x' })).toThrow(expect.objectContaining({ code: 'DUPLICATE_ID' }))
})

/** Chains and fans of numbers, some of them to be packed; read from documents without definitions. */
const lists = createRegistry(numbers, pass, add)
const withoutDefinitions = fc.integer({ min: 2, max: 8 }).chain((count) => fc.record({
  kinds: fc.array(fc.boolean(), { minLength: count, maxLength: count }),
  parents: fc.array(fc.nat(), { minLength: count, maxLength: count }),
  addends: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: count, maxLength: count }),
  ends: fc.array(fc.nat(count - 1), { minLength: 1, maxLength: 3 }), chosen: fc.uniqueArray(fc.nat(count - 1), { minLength: 1 }),
  input: fc.boolean(),
})).map(({ kinds, parents, addends, ends, chosen, input }) => {
  const nodes = kinds.map((plain, n) => n === 0 ? { id: 'n0', type: 'core::numbers', params: { values: [1, 2, 4] } }
    : plain ? { id: `n${n}`, type: 'core::pass' }
    : { id: `n${n}`, type: 'math::add', params: { addend: addends[n]! } })
  const edges = kinds.slice(1).map((_, n) => ({ from: [`n${parents[n + 1]! % (n + 1)}`, 'out'], to: [`n${n + 1}`, 'in'] }))
  const adders = nodes.filter(({ type }) => type === 'math::add')
  return {
    document: {
      millrace: 1, nodes, edges,
      outputs: Object.fromEntries(ends.map((n, i) => [`o${i}`, [`n${n}`, 'out']])),
      ...(input && adders.length > 0 && { inputs: { k: { to: adders.map(({ id }) => [id, 'addend']), default: 3 } } }),
    },
    ids: chosen.map((n) => `n${n}`),
  }
})

test('a packed graph hashes as before without a registry, from documents without definitions', () => {
  fc.assert(fc.property(withoutDefinitions, ({ document, ids }) => {
    const graph = fromDocument(document, lists), packed = pack(graph, ids, { id: 'S', type: 'graph::S' })
    expect(hashGraph(packed).graph).toBe(hashGraph(graph).graph)
    expect(hashGraph(fromDocument(toDocument(packed), lists)).graph).toBe(hashGraph(graph).graph)
    const again = pack(packed, ['S'], { id: 'T', type: 'graph::T' })
    expect(hashGraph(again).graph).toBe(hashGraph(graph).graph)
  }), { numRuns: Number(environment('MILLRACE_PACK_RUNS') ?? 200), seed: 11 })
})

test('a packed graph runs as before in an engine that has none of its types', async () => {
  await using engine = await createEngine({ registry: createRegistry(), workers: 0, arenaBytes: 2 ** 24 })
  await fc.assert(fc.asyncProperty(withoutDefinitions, async ({ document, ids }) => {
    const graph = fromDocument(document, lists), data = async (one: Graph): Promise<unknown> => {
      await using result = await engine.run(one)
      return Object.fromEntries(Object.entries(result.outputs).map(([name, { data }]) => [name, data]))
    }
    expect(await data(pack(graph, ids, { id: 'S', type: 'graph::S' }))).toEqual(await data(graph))
  }), { numRuns: Number(environment('MILLRACE_PACK_RUNS') ?? 20), seed: 12 })
  const built = graphFrom({ o: pass(numbers({ values: [5] })) })
  await using result = await engine.run(pack(built, ['pass-1'], { id: 'S', type: 'graph::S' }))
  expect(result.status).toBe('success')
})

test('packing takes steps in proportion to the graph', () => {
  /** Accesses of `id` while packing half of a chain of `count` nodes, every second one: a link across the border for each. */
  const reads = (count: number): number => {
    let seen = 0
    const nodes = Array.from({ length: count }, (_, n) => ({
      get id() { seen++; return `n${n}` }, type: 'audio::gain', params: {}, definition: gain.definition,
    }))
    const edges = Array.from({ length: count - 1 }, (_, n) =>
      ({ get from(): readonly [string, string] { seen++; return [`n${n}`, 'out'] }, to: [`n${n + 1}`, 'in'] as const }))
    const graph = { ...chain, nodes, edges, inputs: new Map(), outputs: new Map() }
    const ids = nodes.flatMap((_, n) => n % 2 === 0 ? [`n${n}`] : [])
    const packed = pack(graph, ids, { id: 'S', type: 'graph::S' })
    expect(Object.keys((packed.definitions!['S'] as { inputs: object }).inputs)).toHaveLength(count / 2 - 1)
    return seen
  }
  expect(reads(400)).toBeLessThan(4.2 * reads(100))
})
