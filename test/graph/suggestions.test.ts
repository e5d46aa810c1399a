import { describe, expect, test } from 'vitest'
import type { Diagnostic } from '../../src/errors/diagnostic.js'
import { toDocument } from '../../src/graph/document/to-document.js'
import { fromDocument } from '../../src/graph/document/from-document.js'
import { applySuggestion } from '../../src/graph/edit/suggestion.js'
import type { Graph } from '../../src/graph/graph.js'
import type { ParamTable } from '../../src/graph/node-definition.js'
import { validate } from '../../src/graph/validate/index.js'
import { audio, text } from '../../src/media/media-type.js'
import { nodeType, kernel, mix, pass, registryOf, sink, source } from '../support/graph-nodes.js'

const give = source('test::give', { rate: 48_000, channels: 2, format: 'i16', layout: 'interleaved' })
const take = sink('test::take', { rate: 16_000, channels: 1, format: 'f32', layout: 'planar' })
const set = nodeType('test::set', {
  kernel, inputs: { in: audio() }, outputs: { out: audio({ like: 'in' }) },
  params: {
    level: { type: 'number', min: -60, max: 12, default: 0, doc: '' },
    mode: { type: 'enum', values: ['fast', 'slow'], default: 'fast', doc: '' }, size: { type: 'integer', exclusiveMin: 0, doc: '' },
    sampleRate: { type: 'integer', min: 1, max: 9, required: true, doc: '' },
  } satisfies ParamTable,
})
const old = nodeType('test::old', { status: 'deprecated', replacedBy: 'test::give', outputs: { out: audio() } })
const words = nodeType('test::words', { outputs: { out: text() } })
const registry = registryOf(give, take, set, old, pass, mix, words)
const rate = { sampleRate: 1 }
const node = (id: string, type: string, params: object = {}): object => ({ id, type, params })
const edge = (from: string, to: string, more: object = {}): object => ({ from: from.split('.'), to: to.split('.'), ...more })
const key = ({ code, node: at, port, edge: link, pointer, got }: Diagnostic): string => JSON.stringify([code, at, port, link, pointer, got])

/** One graph per fault, and the codes whose suggestions are to be tried. */
const faults: readonly (readonly [string, string, number, object])[] = [
  ['a node id twice', 'DUPLICATE_ID', 1,
    { nodes: [node('a', 'test::give'), node('a', 'test::give'), node('b', 'test::pass')], edges: [edge('a.out', 'b.in')] }],
  [
    'an edge id twice', 'DUPLICATE_ID', 1,
    {
      nodes: [node('a', 'test::give'), node('b', 'test::pass'), node('c', 'test::pass')],
      edges: [edge('a.out', 'b.in', { id: 'e' }), edge('a.out', 'c.in', { id: 'e' })],
    },
  ],
  ['an edge from no node', 'NODE_NOT_FOUND', 1,
    { nodes: [node('give', 'test::give'), node('b', 'test::pass')], edges: [edge('gve.out', 'b.in')] }],
  ['an output of no node', 'NODE_NOT_FOUND', 1, { nodes: [node('give', 'test::give')], outputs: { o: ['giev', 'out'] } }],
  ['an input to no node', 'NODE_NOT_FOUND', 1,
    { nodes: [node('first', 'test::set', rate)], inputs: { i: { to: [['first', 'in'], ['frist', 'level']] } } }],
  ['a node linked to itself', 'SELF_LINK', 1,
    { nodes: [node('m', 'test::mix'), node('a', 'test::give')], edges: [edge('a.out', 'm.in'), edge('m.out', 'm.in')] }],
  ['an edge twice', 'EDGE_DUPLICATE', 1,
    { nodes: [node('a', 'test::give'), node('b', 'test::mix')], edges: [edge('a.out', 'b.in'), edge('a.out', 'b.in')] }],
  ['an unknown type', 'NODE_TYPE_UNKNOWN', 3, { nodes: [node('a', 'test::giv')] }],
  ['a deprecated type', 'NODE_DEPRECATED', 1, { nodes: [node('a', 'test::old')] }],
  ['a param above its bound', 'PARAM_INVALID', 2,
    { nodes: [node('a', 'test::give'), node('s', 'test::set', { ...rate, level: 13 })], edges: [edge('a.out', 's.in')] }],
  ['a param at no word', 'PARAM_INVALID', 2,
    { nodes: [node('a', 'test::give'), node('s', 'test::set', { ...rate, mode: 'fats' })], edges: [edge('a.out', 's.in')] }],
  ['a param without a default', 'PARAM_INVALID', 1,
    { nodes: [node('a', 'test::give'), node('s', 'test::set', { ...rate, size: 0 })], edges: [edge('a.out', 's.in')] }],
  ['a required param below its bound', 'PARAM_INVALID', 1,
    { nodes: [node('a', 'test::give'), node('s', 'test::set', { sampleRate: 0 })], edges: [edge('a.out', 's.in')] }],
  ['a param in two spellings', 'PARAM_INVALID', 1,
    { nodes: [node('a', 'test::give'), node('s', 'test::set', { sampleRate: 1, sample_rate: 2 })], edges: [edge('a.out', 's.in')] }],
  [
    'a default beyond its bound', 'PARAM_INVALID', 2,
    {
      nodes: [node('a', 'test::give'), node('s', 'test::set', rate)], edges: [edge('a.out', 's.in')],
      inputs: { l: { to: [['s', 'level']], default: 99 } },
    },
  ],
  ['an unknown param', 'PARAM_UNKNOWN', 2,
    { nodes: [node('a', 'test::give'), node('s', 'test::set', { ...rate, lvel: 1 })], edges: [edge('a.out', 's.in')] }],
  [
    'a cycle', 'GRAPH_CYCLE', 1,
    {
      nodes: [node('a', 'test::give'), node('m', 'test::mix'), node('p', 'test::pass')],
      edges: [edge('a.out', 'm.in'), edge('m.out', 'p.in'), edge('p.out', 'm.in')],
    },
  ],
  ['an unknown port at the start', 'PORT_NOT_FOUND', 1,
    { nodes: [node('a', 'test::give'), node('p', 'test::pass')], edges: [edge('a.ot', 'p.in')] }],
  ['an unknown port at the end', 'PORT_NOT_FOUND', 1,
    { nodes: [node('a', 'test::give'), node('p', 'test::pass')], edges: [edge('a.out', 'p.inn')] }],
  ['an output of an unknown port', 'PORT_NOT_FOUND', 1, { nodes: [node('a', 'test::give')], outputs: { o: ['a', 'oout'] } }],
  [
    'an input to an unknown param', 'PORT_NOT_FOUND', 1,
    {
      nodes: [node('a', 'test::give'), node('s', 'test::set', rate)], edges: [edge('a.out', 's.in')],
      inputs: { i: { to: [['s', 'levle']] } },
    },
  ],
  [
    'an input linked twice', 'INPUT_OCCUPIED', 1,
    {
      nodes: [node('a', 'test::give'), node('b', 'test::give'), node('p', 'test::pass')],
      edges: [edge('a.out', 'p.in'), edge('b.out', 'p.in')],
    },
  ],
  ['media that need converters', 'NEGOTIATION_CONFLICT', 2,
    { nodes: [node('a', 'test::give'), node('t', 'test::take')], edges: [edge('a.out', 't.in')], config: { negotiate: 'strict' } }],
  [
    'media that cannot meet', 'TYPE_MISMATCH', 1,
    {
      nodes: [node('w', 'test::words'), node('a', 'test::give'), node('m', 'test::mix')],
      edges: [edge('a.out', 'm.in'), edge('w.out', 'm.in')],
    },
  ],
]

describe('every suggestion removes the diagnostic that it came with', () => {
  test.each(faults)('%s: %s', (_, code, least, parts) => {
    const document = { millrace: 1, ...parts }, graph = fromDocument(document, registry)
    const before = validate(graph, registry)
    const found = before.filter((one) => one.code === code)
    expect(found.length).toBeGreaterThan(0)
    expect(validate(document, registry).map(key)).toEqual(before.map(key))
    let tried = 0
    for (const one of found) {
      for (const suggestion of one.suggestions ?? []) {
        if (suggestion.edit === undefined) continue
        const mended = applySuggestion(graph, JSON.parse(JSON.stringify(suggestion)) as typeof suggestion, registry)
        expect([suggestion.title, validate(mended, registry).map(key)]).not.toEqual([suggestion.title, expect.arrayContaining([key(one)])])
        expect(validate(mended, registry).filter((other) => other.code === code).length).toBeLessThan(found.length)
        expect(validate(toDocument(mended), registry).map(key)).toEqual(validate(mended, registry).map(key))
        tried++
      }
    }
    expect(tried).toBe(least * found.length)
  })
})

describe('inside subgraphs the definition changes, or the node that stands for it', () => {
  const inner = (more: object = {}): object => ({
    millrace: 1, inputs: { in: { to: [['s', 'in']] }, loud: { to: [['s', 'level']], ...more } },
    nodes: [node('s', 'test::set', rate), node('t', 'test::take')],
    edges: [edge('s.out', 't.in')], outputs: { out: ['s', 'out'] },
  })
  const host = (params: object, definition: object, more: object = {}): Graph => fromDocument({
    millrace: 1,
    nodes: [node('a', 'test::give'), node('sub', 'graph::x', params)],
    edges: [edge('a.out', 'sub.in')], outputs: { o: ['sub', 'out'] }, definitions: { x: definition }, ...more,
  }, registry)
  const mended = (graph: Graph, code: string, pick = 0): Graph => {
    const found = validate(graph, registry).find((one) => one.code === code)!
    const next = applySuggestion(graph, found.suggestions![pick]!, registry)
    expect(validate(next, registry).map(key)).not.toContain(key(found))
    return next
  }
  test('a value that the outer node gives', () => {
    expect(mended(host({ loud: 99 }, inner()), 'PARAM_INVALID').nodes[1]!.params).toEqual({ loud: 12 })
    expect(mended(host({ luod: 1 }, inner()), 'PARAM_UNKNOWN').nodes[1]!.params).toEqual({ loud: 1 })
  })
  test('a default of the definition, and a value in it', () => {
    expect(mended(host({}, inner({ default: 99 })), 'PARAM_INVALID').definitions!['x']).toMatchObject({ inputs: { loud: { default: 12 } } })
    const wrong = { ...inner(), nodes: [node('s', 'test::set', { ...rate, mode: 'slwo' }), node('t', 'test::take')] }
    expect(mended(host({}, wrong), 'PARAM_INVALID').definitions!['x']).toMatchObject({ nodes: [{ params: { mode: 'slow' } }, {}] })
    expect(mended(
      host({}, { ...inner(), nodes: [node('s', 'test::set', rate), node('t', 'test::tak')] }),
      'NODE_TYPE_UNKNOWN',
    ).definitions!['x']).toMatchObject({ nodes: [{}, { type: 'test::take' }] })
  })
  test('an edge inside that leads from a wrong port or node', () => {
    for (const [from, code] of [['s.ot', 'PORT_NOT_FOUND'], ['ss.out', 'NODE_NOT_FOUND']] as const) {
      const next = mended(host({}, { ...inner(), edges: [edge(from, 't.in')] }), code)
      expect(next.definitions!['x']).toMatchObject({ edges: [{ from: ['s', 'out'], to: ['t', 'in'] }] })
    }
  })
  test('edges inside, and edges that cross the border', () => {
    const wide = fromDocument({
      ...toDocument(host({}, inner())), outputs: {}, config: { negotiate: 'strict' },
      nodes: [node('a', 'test::give'), { ...node('sub', 'graph::x'), output: true }],
    }, registry)
    const inserted =
      applySuggestion(wide, validate(wide, registry).find((one) => one.code === 'NEGOTIATION_CONFLICT')!.suggestions![0]!, registry)
    expect((inserted.definitions!['x'] as { nodes: { type: string }[] }).nodes.map(({ type }) => type))
      .toEqual(['test::set', 'test::take', 'audio::channels', 'audio::resample'])
    const direct = { ...inner(), inputs: { in: { to: [['t', 'in']] } }, edges: [], nodes: [node('t', 'test::take')], outputs: {} }
    const border = host({}, direct, { outputs: {}, config: { negotiate: 'strict' } })
    expect(mended(border, 'NEGOTIATION_CONFLICT').nodes.map(({ id }) => id)).toEqual(['a', 'sub', 'convert-1', 'channels-1', 'resample-1'])
    expect(mended(border, 'NEGOTIATION_CONFLICT', 1).edges).toEqual([])
  })
})

describe('where modes and subgraphs lead edges elsewhere', () => {
  const strict = { config: { negotiate: 'strict' } }, off = (id: string, mode: string): object => ({ ...node(id, 'test::pass'), mode })
  const chain = [edge('a.out', 'p.in'), edge('p.out', 'q.in'), edge('q.out', 't.in')]
  const inner = (first: string, id?: string): object => ({
    millrace: 1, inputs: { in: { to: [['p', 'in'], ['t', 'in']] } },
    nodes: [off('p', 'bypass'), node('t', 'test::take'), node('g', first), off('u', 'bypass'), node('v', 'test::take')],
    edges: [edge('g.out', 'u.in'), edge('u.out', 'v.in', id === undefined ? {} : { id })], outputs: { out: ['p', 'out'] },
  })
  test.each<readonly [string, string, number, object]>([
    [
      'behind one bypassed node', 'NEGOTIATION_CONFLICT', 2,
      {
        nodes: [node('a', 'test::give'), off('p', 'bypass'), node('t', 'test::take')],
        edges: [edge('a.out', 'p.in'), edge('p.out', 't.in')],
      },
    ],
    [
      'with ids', 'NEGOTIATION_CONFLICT', 2,
      {
        nodes: [node('a', 'test::give'), off('p', 'bypass'), node('t', 'test::take')],
        edges: [edge('a.out', 'p.in', { id: 'e' }), edge('p.out', 't.in', { id: 'f' })],
      },
    ],
    ['behind two', 'NEGOTIATION_CONFLICT', 2,
      { nodes: [node('a', 'test::give'), off('p', 'bypass'), off('q', 'bypass'), node('t', 'test::take')], edges: chain }],
    [
      'media that cannot meet', 'TYPE_MISMATCH', 1,
      {
        nodes: [node('w', 'test::words'), off('p', 'bypass'), node('t', 'test::take')],
        edges: [edge('w.out', 'p.in'), edge('p.out', 't.in')],
      },
    ],
    [
      'beside a muted node', 'NEGOTIATION_CONFLICT', 2,
      {
        nodes: [off('m', 'mute'), node('a', 'test::give'), off('p', 'bypass'), node('t', 'test::take')],
        edges: [edge('a.out', 'm.in'), edge('a.out', 'p.in'), edge('p.out', 't.in')],
      },
    ],
    [
      'inside a subgraph and on its border', 'NEGOTIATION_CONFLICT', 2,
      {
        nodes: [node('a', 'test::give'), { ...node('s', 'graph::x'), output: true }, node('t', 'test::take')],
        edges: [edge('a.out', 's.in'), edge('s.out', 't.in')], definitions: { x: inner('test::give') },
      },
    ],
    [
      'with ids, inside', 'TYPE_MISMATCH', 1,
      {
        nodes: [node('a', 'test::give'), { ...node('s', 'graph::x'), output: true }],
        edges: [edge('a.out', 's.in', { id: 'e' })], definitions: { x: inner('test::words', 'f') },
      },
    ],
    [
      'behind a bypassed subgraph', 'NEGOTIATION_CONFLICT', 2,
      {
        nodes: [node('a', 'test::give'), { ...node('s', 'graph::y'), mode: 'bypass' }, node('t', 'test::take')],
        edges: [edge('a.out', 's.in'), edge('s.out', 't.in')],
        definitions: {
          y: { millrace: 1, inputs: { in: { to: [['p', 'in']] } }, nodes: [node('p', 'test::pass')], outputs: { out: ['p', 'out'] } },
        },
      },
    ],
  ])('%s: %s', (_, code, each, parts) => {
    const graph = fromDocument({ millrace: 1, ...strict, ...parts }, registry), before = validate(graph, registry),
      found = before.filter((one) => one.code === code)
    expect(found.length).toBeGreaterThan(0)
    for (const one of found) {
      expect(one.suggestions).toHaveLength(each)
      for (const suggestion of one.suggestions!) {
        const after = validate(applySuggestion(graph, suggestion, registry), registry)
        expect([suggestion.title, after.map(key)]).not.toEqual([suggestion.title, expect.arrayContaining([key(one)])])
        expect(after.filter((other) => other.code === code).length).toBeLessThan(found.length)
      }
    }
  })
})

test('a suggestion that can only be read, one for another graph, one of a later version', () => {
  const graph = fromDocument({ millrace: 1, nodes: [node('a', 'test::give')] }, registry)
  expect(() => applySuggestion(graph, { title: 'Think.' }, registry)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  expect(() => applySuggestion(graph, { title: 'x', edit: { op: 'remove-edge', edge: 'x->y' } }, registry))
    .toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  expect(() => applySuggestion(graph, { title: 'x', edit: { op: 'set-default', input: 'i' } }, registry))
    .toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  expect(() => applySuggestion(graph, { title: 'x', edit: { op: 'turn-around' } }, registry))
    .toThrow(/expected an edit of this version, got "?turn-around/)
})
