import { describe, expect, test } from 'vitest'
import type { Document } from '../../src/graph/document/document.js'
import { fromDocument } from '../../src/graph/document/from-document.js'
import { toDocument } from '../../src/graph/document/to-document.js'
import { hashGraph } from '../../src/graph/hash.js'
import { DEFAULT_LIMITS } from '../../src/graph/limits.js'
import { flatGraph, flattenGraph } from '../../src/graph/subgraph/flatten.js'
import { subgraphType } from '../../src/graph/subgraph/subgraph-type.js'
import { validate } from '../../src/graph/validate/index.js'
import { createEngine, createRegistry } from '../../src/index.js'
import * as nodes from '../../src/nodes/index.js'
import { environment, randomOf } from '../support/random-edits.js'

const registry = createRegistry(...Object.values(nodes).filter((node) => typeof node === 'function' && 'definition' in node))
const read = (document: object): ReturnType<typeof fromDocument> => fromDocument(document, registry)
const flat = (document: object): Document => toDocument(flatGraph(read(document), registry))

/** Two gains in a row, both their factors chosen params. */
const pair = {
  millrace: 1,
  inputs: {
    in: { to: [['first', 'in']] }, gain: { to: [['first', 'gainDb']], default: -6 },
    both: { to: [['first', 'invert'], ['second', 'invert']] },
  },
  nodes: [{ id: 'first', type: 'audio::gain' }, { id: 'second', type: 'audio::gain', params: { gainDb: -3 } }],
  edges: [{ from: ['first', 'out'], to: ['second', 'in'], id: 'e' }], outputs: { out: ['second', 'out'] },
} as const
const source = { id: 'read', type: 'io::wav-file', params: { path: 'talk.wav' } }
const host = (more: object = {}, node: object = {}): object => ({
  millrace: 1, nodes: [source, { id: 'sub', type: 'graph::pair', ...node }, { id: 'end', type: 'audio::gain' }],
  edges: [{ from: ['read', 'out'], to: ['sub', 'in'] }, { from: ['sub', 'out'], to: ['end', 'in'] }], outputs: { out: ['end', 'out'] },
  definitions: { pair }, ...more,
})

describe('flattening', () => {
  test('a subgraph hashes like the same graph written by hand, and its document is that graph', () => {
    const byHand = {
      millrace: 1,
      nodes: [
        source,
        { id: 'sub/first', type: 'audio::gain', params: { gainDb: -12, invert: true } },
        { id: 'sub/second', type: 'audio::gain', params: { gainDb: -3, invert: true } },
        { id: 'end', type: 'audio::gain' },
      ],
      edges: [
        { from: ['sub/first', 'out'], to: ['sub/second', 'in'], id: 'sub/e' }, { from: ['read', 'out'], to: ['sub/first', 'in'] },
        { from: ['sub/second', 'out'], to: ['end', 'in'] }],
      outputs: { out: ['end', 'out'] },
    }
    const given = host({}, { params: { gain: -12, both: true } })
    expect(flat(given)).toEqual(byHand)
    const hashes = hashGraph(read(given)), hand = hashGraph(read(byHand))
    expect(hashes.graph).toBe(hand.graph)
    expect(hashes.node('sub/second')).toBe(hand.node('sub/second'))
    expect(hashGraph(read(host({}, { params: { gain: -11, both: true } }))).graph).not.toBe(hand.graph)
  })

  test('defaults of inner inputs hold where nothing is given; an edge or run-time input takes their place', () => {
    expect(flat(host()).nodes[1]!.params).toEqual({ gainDb: -6 })
    const open = flat(host({
      inputs: { level: { to: [['sub', 'gain'], ['end', 'gainDb']], default: -1 }, flip: { to: [['sub', 'both']], required: false } },
    }))
    expect(open.inputs).toEqual({
      level: { to: [['sub/first', 'gainDb'], ['end', 'gainDb']], default: -1 },
      flip: { to: [['sub/first', 'invert'], ['sub/second', 'invert']], required: false },
    })
  })

  test('settings of the outer node hold where inner nodes have none', () => {
    const inner = { ...pair, nodes: [{ id: 'first', type: 'audio::gain', tier: 'js', policy: { hangMs: 5 } }, pair.nodes[1]] }
    const [, first, second] =
      flat(host({ definitions: { pair: inner } }, { tier: 'wasm', policy: { hangMs: 1, timeoutMs: 2 }, output: true })).nodes
    expect(first).toMatchObject({ tier: 'js', policy: { hangMs: 5, timeoutMs: 2 } })
    expect(second).toMatchObject({ tier: 'wasm', policy: { hangMs: 1, timeoutMs: 2 }, output: true })
    expect(first).not.toHaveProperty('output')
  })

  test('subgraphs nest, with definitions of their own or of documents around them', () => {
    const outer = {
      ...pair,
      nodes: [{ id: 'first', type: 'graph::twice', params: { db: -1 } }, { id: 'second', type: 'audio::gain' }],
      inputs: { in: { to: [['first', 'x']] } }, edges: [{ from: ['first', 'y'], to: ['second', 'in'] }],
    }
    const twice = {
      millrace: 1,
      inputs: { x: { to: [['a', 'in']] }, db: { to: [['a', 'gainDb']] } },
      nodes: [{ id: 'a', type: 'audio::gain' }], outputs: { y: ['a', 'out'] },
    }
    const around = flat(host({ definitions: { pair: outer, twice } }))
    const inside = flat(host({ definitions: { pair: { ...outer, definitions: { twice } } } }))
    expect(around.nodes.map(({ id }) => id)).toEqual(['read', 'sub/first/a', 'sub/second', 'end'])
    expect(around.nodes[1]!.params).toEqual({ gainDb: -1 })
    expect(inside).toEqual(around)
    const nearest = flat(host({
      definitions: {
        pair: {
          ...outer,
          definitions: {
            twice: {
              ...twice, nodes: [{ id: 'b', type: 'audio::gain' }],
              inputs: { x: { to: [['b', 'in']] }, db: { to: [['b', 'gainDb']] } },
              outputs: { y: ['b', 'out'] },
            },
          },
        },
        twice,
      },
    }))
    expect(nearest.nodes[1]!.id).toBe('sub/first/b')
  })

  test('an inner document that declares no outputs shows its unconnected ones as node.port', () => {
    const { outputs: _outputs, ...inner } = pair
    const document = {
      ...host({ definitions: { pair: inner } }),
      edges: [{ from: ['read', 'out'], to: ['sub', 'in'] }, { from: ['sub', 'second.out'], to: ['end', 'in'] }],
    }
    expect(validate(document, registry).filter((one) => one.severity === 'error')).toEqual([])
    expect(flat(document).edges).toContainEqual({ from: ['sub/second', 'out'], to: ['end', 'in'] })
  })

  test('bypass forwards the first input, mute skips what depends on the subgraph', () => {
    const bypassed = host({}, { mode: 'bypass' })
    const direct = {
      millrace: 1, nodes: [source, { id: 'end', type: 'audio::gain' }], edges: [{ from: ['read', 'out'], to: ['end', 'in'] }],
      outputs: { out: ['end', 'out'] },
    }
    expect(validate(bypassed, registry)).toEqual(validate(direct, registry))
    expect(hashGraph(read(bypassed)).graph).toBe(hashGraph(read(direct)).graph)
    expect(validate(host({}, { mode: 'mute' }), registry).map(({ code }) => code)).toContain('GRAPH_NO_END')
  })
})

test('subgraphType: ports, chosen params with their defaults, outputs', () => {
  const type = subgraphType(read(host()), 'pair', registry)!
  expect(type).toMatchObject({
    type: 'graph::pair',
    params: { gain: { type: 'number', unit: 'dB', min: -120, max: 48, default: -6 }, both: { type: 'boolean', default: false } },
  })
  expect([Object.keys(type.inputs), type.inputs['in']!.media.kind, Object.keys(type.outputs), type.outputs['out']!.media.kind])
    .toEqual([['in'], 'audio', ['out'], 'audio'])
  expect(type.inputs['in']!.optional).toBeUndefined()
  expect([
    subgraphType(read(host()), 'none', registry),
    subgraphType(
      read(host({ definitions: { pair: { ...pair, nodes: [{ id: 'x', type: 'graph::pair' }], inputs: {}, outputs: {}, edges: [] } } })),
      'pair', registry,
    )?.inputs,
  ]).toEqual([undefined, {}])
})

describe('problems', () => {
  const codes = (document: object): (string | undefined)[][] =>
    validate(document, registry).filter((one) => one.severity === 'error').map(({ code, node, pointer }) => [code, node, pointer])

  test('recursion is GRAPH_CYCLE naming the definitions', () => {
    const inner = (type: string): object => ({
      millrace: 1, inputs: { in: { to: [['n', 'in']] } }, nodes: [{ id: 'n', type }], outputs: { out: ['n', 'out'] },
    })
    const document = host({ definitions: { pair: inner('graph::b'), b: inner('graph::c'), c: inner('graph::b') } })
    expect(validate(document, registry)).toContainEqual(expect.objectContaining({
      code: 'GRAPH_CYCLE', message: 'Graph: cycle graph::b -> graph::c -> graph::b.', hint: 'A definition cannot hold itself.',
      pointer: '/definitions/b',
    }))
    expect(() => hashGraph(read(document))).toThrow(expect.objectContaining({ code: 'GRAPH_CYCLE' }))
  })

  test('depth at the limit and one more', () => {
    const chain = (levels: number): object => host({
      definitions: Object.fromEntries(Array.from({ length: levels }, (_, i) => [
        i === 0 ? 'pair' : `d${i}`,
        {
          millrace: 1, inputs: { in: { to: [['n', 'in']] } },
          nodes: [{ id: 'n', type: i === levels - 1 ? 'audio::gain' : `graph::d${i + 1}` }], outputs: { out: ['n', 'out'] } },
      ])),
    })
    expect(codes(chain(16))).toEqual([])
    expect(flat(chain(16)).nodes[1]!.id).toBe(`sub${'/n'.repeat(16)}`)
    expect(validate(chain(17), registry)).toContainEqual(expect.objectContaining({
      code: 'LIMIT_EXCEEDED', message: expect.stringContaining('Subgraph depth') as string, expected: 16, got: 17,
    }))
  })

  test('a bomb of definitions is refused before its nodes are made', () => {
    const ten = (type: string): object => ({ millrace: 1, nodes: Array.from({ length: 10 }, (_, i) => ({ id: `n${i}`, type })) })
    const definitions =
      Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`d${i}`, ten(i === 11 ? 'audio::gain' : `graph::d${i + 1}`)]))
    const document = { millrace: 1, nodes: [{ id: 'a', type: 'graph::d0' }], definitions }
    expect(validate(document, registry)).toContainEqual(expect.objectContaining({ code: 'LIMIT_EXCEEDED', expected: 10_000 }))
    const few = { millrace: 1, nodes: [{ id: 'a', type: 'graph::d9' }], definitions }
    const at = (expandedNodes: number): readonly string[] =>
      flattenGraph(read(few), registry, { limits: { ...DEFAULT_LIMITS, expandedNodes } }).diagnostics.map(({ code }) => code)
    expect([at(1_000), at(999)]).toEqual([[], ['LIMIT_EXCEEDED']])
  })

  test('wrong ports and params at the border, wrong params inside, with pointers into the definition', () => {
    expect(codes(host({
      edges: [{ from: ['read', 'out'], to: ['sub', 'inn'] }, { from: ['sub', 'ot'], to: ['end', 'in'] }],
      inputs: { v: { to: [['sub', 'gian']] } },
    })))
      .toEqual(expect.arrayContaining([
        ['PORT_NOT_FOUND', 'sub', '/edges/0/to/1'], ['PORT_NOT_FOUND', 'sub', '/edges/1/from/1'],
        ['PORT_NOT_FOUND', 'sub', '/inputs/v/to/0/1']]))
    expect(codes(host({}, { params: { gian: 1 } }))).toEqual([['PARAM_UNKNOWN', 'sub', '/nodes/1/params/gian']])
    expect(codes(host({}, { params: { gain: 1_000 } }))).toEqual([['PARAM_INVALID', 'sub/first', '/nodes/1/params/gain']])
    expect(codes(host({ definitions: { pair: { ...pair, nodes: [pair.nodes[0], { id: 'second', type: 'audio::gian' }] } } })))
      .toEqual([['NODE_TYPE_UNKNOWN', 'sub/second', '/definitions/pair/nodes/1/type']])
    expect(codes(host({ definitions: {} }))).toEqual([['NODE_TYPE_UNKNOWN', 'sub', '/nodes/1/type']])
    expect(codes(host({ definitions: { pair: { ...pair, revision: -1 } } })))
      .toEqual([['SCHEMA_INVALID', undefined, '/definitions/pair/revision']])
    expect(codes({
      ...host(),
      nodes: [source, { id: 'sub', type: 'graph::pair' }, { id: 'sub', type: 'graph::pair' }, { id: 'end', type: 'audio::gain' }],
    })).toEqual([['DUPLICATE_ID', 'sub', '/nodes/2/id']])
  })

  test('ids inside a subgraph are no nodes of the document around it', () => {
    const [into, out] = (host() as { edges: object[] }).edges
    expect(codes(host({
      edges: [into, out, { from: ['read', 'out'], to: ['sub/second', 'in'] }, { from: ['sub/first', 'out'], to: ['end', 'gainDb'] }],
    })))
      .toEqual([
        ['NODE_NOT_FOUND', 'sub/second', '/edges/2/to/0'], ['NODE_NOT_FOUND', 'sub/first', '/edges/3/from/0']])
    expect(codes(host({
      outputs: { out: ['end', 'out'], mid: ['sub/first', 'out'] },
      inputs: { level: { to: [['end', 'gainDb'], ['sub/second', 'gainDb']], default: 0 } },
    })))
      .toEqual([
        ['NODE_NOT_FOUND', 'sub/second', '/inputs/level/to/1/0'], ['NODE_NOT_FOUND', 'sub/first', '/outputs/mid/0']])
    // Nodes that bear such names of their own are found.
    expect(codes({
      ...host(),
      nodes: [source, { id: 'sub', type: 'graph::pair' }, { id: 'end', type: 'audio::gain' }, { id: 'sub/own', type: 'audio::gain' }],
      edges: [into, out, { from: ['end', 'out'], to: ['sub/own', 'in'] }],
    })).toEqual([])
    const outer = {
      ...pair, nodes: [{ id: 'first', type: 'graph::leaf' }, pair.nodes[1]], inputs: { in: { to: [['first', 'in']] } },
      edges: [{ from: ['first/g', 'out'], to: ['second', 'in'] }],
    }
    const leaf = {
      millrace: 1, inputs: { in: { to: [['g', 'in']] } }, nodes: [{ id: 'g', type: 'audio::gain' }], outputs: { out: ['g', 'out'] },
    }
    expect(codes(host({ definitions: { pair: outer, leaf } })))
      .toContainEqual(['NODE_NOT_FOUND', 'first/g', '/definitions/pair/edges/0/from/0'])
  })

  test('an unknown id inside a subgraph does not find a node of the document around it', () => {
    const bystanders = [{ id: 'sub/astray', type: 'audio::gain' }, { id: 'deep/sub/astray', type: 'audio::gain' }]
    const [into, out] = (host() as { edges: object[] }).edges
    const beside = (inner: object, more: object = {}): readonly unknown[] => codes(host({
      nodes: [source, { id: 'sub', type: 'graph::pair' }, { id: 'end', type: 'audio::gain' }, bystanders[0]],
      edges: [into, out, { from: ['read', 'out'], to: ['sub/astray', 'in'] }],
      definitions: { pair: { ...pair, ...inner } }, ...more,
    }))
    const edge = { from: ['astray', 'out'], to: ['second', 'in'] }
    expect(beside({ edges: [edge] })).toEqual([
      ['NODE_NOT_FOUND', 'astray', '/definitions/pair/edges/0/from/0'], ['INPUT_MISSING', 'sub/second', '/definitions/pair/nodes/1'],
    ])
    expect(beside({ edges: [...pair.edges, { from: ['first', 'out'], to: ['astray', 'in'] }] }))
      .toEqual([['NODE_NOT_FOUND', 'astray', '/definitions/pair/edges/1/to/0']])
    expect(beside({ inputs: { ...pair.inputs, gain: { to: [['astray', 'gainDb']] } } }))
      .toEqual([['NODE_NOT_FOUND', 'astray', '/definitions/pair/inputs/gain/to/0/0']])
    expect(beside({ outputs: { out: ['astray', 'out'] } })).toContainEqual(['NODE_NOT_FOUND', 'astray', '/definitions/pair/outputs/out/0'])
    // Through two levels, and where nothing bears the name: once, where it was written.
    const deep = {
      millrace: 1, inputs: { in: { to: [['sub', 'in']] } }, nodes: [{ id: 'sub', type: 'graph::pair' }], outputs: { out: ['sub', 'out'] },
    }
    expect(codes(host({
      nodes: [source, { id: 'deep', type: 'graph::deep' }, { id: 'end', type: 'audio::gain' }, bystanders[1]],
      edges: [
        { from: ['read', 'out'], to: ['deep', 'in'] },
        { from: ['deep', 'out'], to: ['end', 'in'] },
        { from: ['read', 'out'], to: ['deep/sub/astray', 'in'] },
      ],
      definitions: { deep, pair: { ...pair, edges: [edge] } },
    })))
      .toEqual([
        ['NODE_NOT_FOUND', 'sub/astray', '/definitions/pair/edges/0/from/0'],
        ['INPUT_MISSING', 'deep/sub/second', '/definitions/pair/nodes/1'],
      ])
    expect(codes(host({ definitions: { pair: { ...pair, outputs: { out: ['astray', 'out'] } } } })))
      .toEqual([['NODE_NOT_FOUND', 'astray', '/definitions/pair/outputs/out/0'], ['INPUT_MISSING', 'end', '/nodes/2']])
    expect(codes(host({ definitions: { pair: { ...pair, edges: [edge] } } })).map((one) => (one as string[]).slice(0, 2)))
      .toContainEqual(['NODE_NOT_FOUND', 'sub/astray'])
  })

  test('versions: of the format in a definition, of a subgraph as a node type', () => {
    const found = validate(host({ definitions: { pair: { ...pair, millrace: 2 }, unused: { ...pair, millrace: 'x' } } }), registry)
      .filter(({ severity }) => severity === 'error')
    expect(found.map(({ code, stage, pointer, expected, got }) => [code, stage, pointer, expected, got])).toEqual([
      ['VERSION_MISMATCH', 2, '/definitions/pair/millrace', 1, 2], ['VERSION_MISMATCH', 2, '/definitions/unused/millrace', 1, 'x']])
    expect(() => read(host({ definitions: { pair: { ...pair, millrace: 2 } } })))
      .toThrow(expect.objectContaining({ code: 'VERSION_MISMATCH' }))
    expect(codes(host({}, { version: '^1' }))).toEqual([])
    for (const mode of ['run', 'bypass']) {
      expect(codes(host({}, { version: '^2', mode }))).toEqual([['NODE_VERSION', 'sub', '/nodes/1/version']])
    }
    expect(() => hashGraph(read(host({}, { version: '^2' })))).toThrow(expect.objectContaining({ code: 'NODE_VERSION' }))
  })

  test('the same diagnostics for the document and for the graph read from it', () => {
    for (const document of [host(), host({}, { params: { gian: 1 } }), host({ definitions: {} }), host({ edges: [] })]) {
      expect(validate(read(document), registry)).toEqual(validate(document, registry))
    }
  })
})

test('hostile definitions: coded diagnostics, nothing thrown, no key of a prototype', () => {
  const random = randomOf(17), pick = <T>(list: readonly T[]): T => list[random(list.length)]!
  const junk: readonly unknown[] = [
    null, 5, 'x', [], {}, { millrace: 1 }, { millrace: 2, nodes: [] }, { millrace: 1, nodes: 7 },
    { millrace: 1, nodes: [null, { id: 'first', type: 'graph::pair' }] },
    pair,
  ]
  const words = ['in', 'first', 'sub', 'gain', 'graph::pair', 'graph::__proto__', 'graph::constructor', -3, ...junk]
  /** One value somewhere in the document replaced, or one key renamed. */
  const mutate = (root: object): void => {
    const places: [object, string][] = []
    const walk = (at: object): void => {
      for (const [key, value] of Object.entries(at)) {
        places.push([at, key])
        if (typeof value === 'object' && value !== null) walk(value as object)
      }
    }
    walk(root)
    const [at, key] = pick(places) as [Record<string, unknown>, string], value = at[key]
    if (random(5) > 0 || Array.isArray(at)) {
      Object.defineProperty(at, key, { value: structuredClone(pick(words)), enumerable: true, writable: true, configurable: true })
      return
    }
    delete at[key]
    Object.defineProperty(at, pick(['__proto__', 'constructor', 'in', 'a/b~c', 'x-y']), {
      value, enumerable: true, writable: true, configurable: true,
    })
  }
  let opened = 0
  for (let run = 0; run < Number(environment('MILLRACE_HOSTILE_RUNS') ?? 600); run++) {
    const document = JSON.parse(JSON.stringify(host({}, { params: { gain: -1 } }))) as object
    for (let n = random(3); n >= 0; n--) mutate(document)
    const found = validate(document, registry)
    for (const one of found) expect(one.code).toMatch(/^[A-Z_]+$/)
    if (found.some(({ severity }) => severity === 'error')) continue
    opened++
    hashGraph(read(document))
  }
  expect(opened).toBeGreaterThan(5)
  expect(({} as Record<string, unknown>)['nodes']).toBeUndefined()
})

test('runs, with inputs, outputs and metrics named by the flattened graph', async () => {
  await using engine = await createEngine({ workers: 0, arenaBytes: 2 ** 24 })
  const { inputs: _inputs, ...inner } = pair
  const document = {
    millrace: 1, inputs: { tone: { to: [['sub', 'in']] }, level: { to: [['sub', 'gain']], default: 0 } },
    nodes: [{ id: 'sub', type: 'graph::pair' }], outputs: { out: ['sub', 'out'] },
    definitions: { pair: { ...inner, inputs: { in: { to: [['first', 'in']] }, gain: { to: [['first', 'gainDb']] } } } },
  }
  const tone = engine.audio.alloc({ rate: 16_000, channels: 1, frames: 100 })
  tone.channel(0).fill(0.5)
  using result = await engine.run(read(document), { inputs: { tone, level: -20 } })
  const out = result.outputs['out']!.data as typeof tone
  expect(out.channel(0)[50]).toBeCloseTo(0.5 * 10 ** (-23 / 20), 6)
  expect(result.metrics.nodes.map(({ id }) => id)).toEqual(expect.arrayContaining(['sub/first', 'sub/second']))
  tone.close()
})
