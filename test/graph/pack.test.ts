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
import { environment } from '../support/random-edits.js'

const registry = createRegistry(gain, mix)
const read = (document: object): Graph => fromDocument(document, registry)
const text = (graph: Graph): string => writeDocument(toDocument(graph))
const insideOf = (graph: Graph, id: string): string[] => graph.nodes.map((node) => node.id).filter((one) => one.startsWith(`${id}/`))

/** A graph whose node `sub` stands for some gains and mixers, linked, bound and set at random. */
const withSubgraph = fc.record({
  count: fc.integer({ min: 1, max: 6 }), links: fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 8 }), fan: fc.array(fc.nat(5), { minLength: 1, maxLength: 3 }), chosen: fc.array(fc.nat(5), { maxLength: 3 }),
  own: fc.array(fc.option(fc.integer({ min: -9, max: 0 }), { nil: undefined }), { minLength: 6, maxLength: 6 }), preset: fc.option(fc.integer({ min: -30, max: -20 }), { nil: undefined }),
  given: fc.option(fc.integer({ min: -60, max: -50 }), { nil: undefined }), port: fc.constantFrom('edge', 'input', 'default', 'given'), settings: fc.constantFrom({}, { tier: 'js' }, { policy: { hangMs: 7 }, output: true }),
  outs: fc.array(fc.nat(5), { minLength: 1, maxLength: 2 }), nested: fc.boolean(), twice: fc.boolean(),
}).map(({ count, links, fan, chosen, own, preset, given, port, settings, outs, nested, twice }) => {
  const id = (n: number): string => `n${n % count}`, distinct = (list: readonly number[]): string[] => [...new Set(list.map(id))]
  const nodes = Array.from({ length: count }, (_, n) => ({ id: id(n), type: n % 3 === 2 ? 'audio::mix' : nested && n === 0 ? 'graph::leaf' : 'audio::gain', ...(own[n] !== undefined && n % 3 !== 2 && !(nested && n === 0) && { params: { gainDb: own[n] } }) }))
  const isGain = (one: string): boolean => nodes.find((node) => node.id === one)!.type === 'audio::gain'
  const leaf = { millrace: 1, inputs: { in: { to: [['g', 'in']] } }, nodes: [{ id: 'g', type: 'audio::gain' }], outputs: { out: ['g', 'out'] } }
  const params = distinct(chosen).filter(isGain)
  const inner = {
    millrace: 1, meta: { name: 'inner' }, nodes,
    inputs: { in: { to: distinct(fan).map((one) => [one, 'in']), ...(port === 'default' && { default: 'silence' }) }, ...(params.length > 0 && { level: { to: params.map((one) => [one, 'gainDb']), ...(preset !== undefined && { default: preset }) } }) },
    edges: links.filter(([a, b]) => a % count < b % count).map(([a, b], i) => ({ from: [id(a), 'out'], to: [id(b), 'in'], id: `e${i}` })),
    outputs: Object.fromEntries(distinct(outs).map((one, i) => [`out${i}`, [one, 'out']])), ...(nested && { definitions: { leaf } }),
  }
  const values = { ...(given !== undefined && params.length > 0 && { level: given }), ...(port === 'given' && { in: 'noise' }) }
  return {
    millrace: 1, nodes: [{ id: 'before', type: 'audio::gain' }, { id: 'sub', type: 'graph::inner', ...settings, ...(Object.keys(values).length > 0 && { params: values }) }, { id: 'after', type: 'audio::gain' }, ...(twice ? [{ id: 'other', type: 'graph::inner' }] : [])],
    ...(port === 'input' && { inputs: { x: { to: [['before', 'in'], ['sub', 'in']] } } }),
    edges: [...(port === 'edge' ? [{ from: ['before', 'out'], to: ['sub', 'in'], id: 'into' }] : []), { from: ['sub', 'out0'], to: ['after', 'in'] }],
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
  edges: [{ from: ['a', 'out'], to: ['b', 'in'] }, { from: ['b', 'out'], to: ['c', 'in'] }, { from: ['c', 'out'], to: ['d', 'in'] }, { from: ['b', 'out'], to: ['d', 'gainDb'] }], outputs: { out: ['d', 'out'], mid: ['b', 'out'] },
})

test('nodes without a definition become one: a port for every link across the border', () => {
  const packed = pack(chain, ['b', 'c'], { id: 'bc', type: 'graph::bc' })
  expect(toDocument(packed)).toEqual({
    millrace: 1, inputs: { tone: { to: [['a', 'in']] } }, nodes: [{ id: 'a', type: 'audio::gain' }, { id: 'bc', type: 'graph::bc' }, { id: 'd', type: 'audio::gain' }],
    edges: [{ from: ['a', 'out'], to: ['bc', 'in'] }, { from: ['bc', 'out'], to: ['d', 'in'] }, { from: ['bc', 'out-2'], to: ['d', 'gainDb'] }], outputs: { out: ['d', 'out'], mid: ['bc', 'out-2'] },
    definitions: { bc: {
      millrace: 1, inputs: { in: { to: [['b', 'in']] } }, nodes: [{ id: 'b', type: 'audio::gain' }, { id: 'c', type: 'audio::gain' }], edges: [{ from: ['b', 'out'], to: ['c', 'in'] }], outputs: { out: ['c', 'out'], 'out-2': ['b', 'out'] } } },
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
    expect(packed.definitions![name]).toMatchObject({ nodes: [{ id: 'b' }, { id: 'c', params: { gainDb: -3 } }], inputs: { in: {}, gainDb: { to: [['c', 'gainDb']] } } })
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
