import { describe, expect, test } from 'vitest'
import { readDocument } from '../../src/graph/document/from-document.js'
import { parseDocument } from '../../src/graph/document/parse-document.js'
import { DEFAULT_LIMITS, HARD_LIMITS, resolveLimits, type Limits } from '../../src/graph/limits.js'
import {
  createEngine, createRegistry, defineNode, fromDocument, graphFrom, hashGraph, json, toDocument, validate, writeDocument, type AnyOutput,
  type Graph, type Packet,
} from '../../src/index.js'
import { testRegistry } from '../support/sample-nodes.js'

const thrown = (run: () => unknown): unknown => { try { run() } catch (error) { return error } return undefined }
const node = (i: number): object => ({ id: `n${i}`, type: 'a::b' })
const edge = { from: ['n0', 'out'], to: ['n0', 'in'] }
const text = (fields: object): string => JSON.stringify({ millrace: 1, nodes: [node(0)], ...fields })
const nested = (depth: number): unknown => { let value: unknown = 1; for (let i = 0; i < depth; i++) value = [value]; return value }
const limitsFound = (source: string | Uint8Array, limits: Partial<Limits>): unknown[] =>
  parseDocument(source, { limits }).diagnostics.filter((d) => d.code === 'LIMIT_EXCEEDED').map((d) => [d.message, d.pointer])

describe('limits at n and n + 1 (GR-60)', () => {
  test('document bytes, as text and as bytes', () => {
    const source = text({ ui: 'é€\u{1f600}' }), bytes = new TextEncoder().encode(source), n = bytes.length
    for (const form of [source, bytes]) {
      expect(limitsFound(form, { documentBytes: n })).toEqual([])
      expect(limitsFound(form, { documentBytes: n - 1 })).toEqual([[`Document bytes: limit ${n - 1}, got ${n}.`, undefined]])
    }
  })

  test('nodes and edges', () => {
    const nodes = text({ nodes: [0, 1, 2].map(node) }), edges = text({ edges: [edge, edge, edge] })
    expect(limitsFound(nodes, { nodes: 3 })).toEqual([])
    expect(limitsFound(nodes, { nodes: 2 })).toEqual([['Nodes: limit 2, got 3.', '/nodes']])
    expect(limitsFound(edges, { edges: 3 })).toEqual([])
    expect(limitsFound(edges, { edges: 2 })).toEqual([['Edges: limit 2, got 3.', '/edges']])
  })

  test('nesting, brackets inside strings not counted', () => {
    const source = text({ ui: nested(9), 'x-a': '[[[[[[[[[[[[[[[[\\"[[[[[[[[[[' })
    expect(limitsFound(source, { depth: 10 })).toEqual([])
    expect(limitsFound(source, { depth: 9 })).toEqual([['Nesting: limit 9, got 10.', undefined]])
    const value = JSON.parse(source) as unknown
    expect(readDocument(value, testRegistry(), { limits: { depth: 10 } }).diagnostics.filter((d) => d.code === 'LIMIT_EXCEEDED'))
      .toEqual([])
    expect(readDocument(value, testRegistry(), { limits: { depth: 9 } }).diagnostics).toMatchObject([{ code: 'LIMIT_EXCEEDED', got: 10 }])
  })

  test.each<[string, object]>([
    ['params', { nodes: [{ ...node(0), params: { deep: nested(6) } }] }], ['ui', { ui: nested(9) }],
    ['media of an input', { inputs: { in: { to: [['n0', 'in']], media: nested(7) } } }],
    ['an x- field', { 'x-own': nested(9) }], ['an unknown field', { own: nested(9) }],
    ['a definition', { definitions: { d: { millrace: 1, nodes: [], ui: nested(7) } } }],
  ])('nesting in %s', (_name, fields) => {
    expect(limitsFound(text(fields), { depth: 10 })).toEqual([])
    expect(limitsFound(text(fields), { depth: 9 })).toEqual([['Nesting: limit 9, got 10.', undefined]])
  })

  test('one string, keys included', () => {
    for (const source of [
      text({ ui: 'x'.repeat(100) }), text({ ui: { ['x'.repeat(100)]: 1 } }), text({ ui: `${'x'.repeat(97)}"\n` }).replace('x\\"', '\\"'),
    ]) {
      expect(limitsFound(source, { stringLength: 100 })).toEqual([])
      expect(limitsFound(source, { stringLength: 99 })).toEqual([['String: limit 99, got 100.', undefined]])
    }
  })

  test('one param, one ui', () => {
    const params = (value: unknown): string => text({ nodes: [{ ...node(0), params: { small: 1, p: value } }] })
    const value = { a: ['é', 1.5, null, true, '"\u0001'] }, n = new TextEncoder().encode(JSON.stringify(value)).length
    expect(limitsFound(params(value), { paramBytes: n })).toEqual([])
    expect(limitsFound(params(value), { paramBytes: n - 1 })[0])
      .toEqual([expect.stringContaining(`Bytes of param p: limit ${n - 1}, got `), '/nodes/0/params/p'])
    expect(limitsFound(text({ ui: 'x'.repeat(98) }), { paramBytes: 100 })).toEqual([])
    expect(limitsFound(text({ ui: 'x'.repeat(99) }), { paramBytes: 100 })).toEqual([['Bytes of ui: limit 100, got 101.', '/ui']])
    expect(limitsFound(text({ nodes: [{ ...node(0), ui: 'x'.repeat(99) }] }), { paramBytes: 100 }))
      .toEqual([['Bytes of ui: limit 100, got 101.', '/nodes/0/ui']])
  })

  test('the defaults hold when nothing is said', () => {
    expect(parseDocument(text({ nodes: Array.from({ length: 10_000 }, (_, i) => node(i)) })).diagnostics).toEqual([])
    expect(parseDocument(text({ nodes: Array.from({ length: 10_001 }, (_, i) => node(i)) })).diagnostics)
      .toMatchObject([{ code: 'LIMIT_EXCEEDED', expected: 10_000, got: 10_001 }])
    expect(parseDocument(text({ ui: nested(63) })).diagnostics).toEqual([])
    expect(parseDocument(text({ ui: nested(64) })).diagnostics).toMatchObject([{ code: 'LIMIT_EXCEEDED', expected: 64, got: 65, stage: 1 }])
    const mib = 1_048_576
    expect(parseDocument(text({ nodes: [{ ...node(0), params: { p: 'x'.repeat(mib - 2) } }] })).diagnostics).toEqual([])
    expect(parseDocument(text({ nodes: [{ ...node(0), params: { p: 'x'.repeat(mib - 1) } }] })).diagnostics)
      .toMatchObject([{ code: 'LIMIT_EXCEEDED', expected: mib, got: mib + 1 }])
    expect(parseDocument(text({ ui: 'x'.repeat(mib + 1) })).diagnostics)
      .toMatchObject([{ code: 'LIMIT_EXCEEDED', expected: mib, got: mib + 1 }])
    expect(parseDocument(new Uint8Array(10 * mib + 1)).diagnostics).toMatchObject([{ code: 'LIMIT_EXCEEDED', got: 10 * mib + 1 }])
  })

  test('ten million brackets are refused by counting, not by nesting', () => {
    expect(parseDocument('['.repeat(10_000_000)).diagnostics)
      .toMatchObject([{ code: 'LIMIT_EXCEEDED', message: 'Nesting: limit 64, got 10000000.' }])
    expect(parseDocument('{"a":'.repeat(2_000_000)).diagnostics).toMatchObject([{ code: 'LIMIT_EXCEEDED', got: 2_000_000 }])
    expect(parseDocument(`"${'\\'.repeat(1_000_000)}`).diagnostics).toMatchObject([{ code: 'JSON_SYNTAX' }])
  })

  test.each(Object.keys(HARD_LIMITS) as (keyof Limits)[])('%s: the hard limit is allowed, one more is CONFIG_INVALID', (key) => {
    expect(resolveLimits({ [key]: HARD_LIMITS[key] })).toEqual({ ...DEFAULT_LIMITS, [key]: HARD_LIMITS[key] })
    expect(DEFAULT_LIMITS[key]).toBeLessThanOrEqual(HARD_LIMITS[key])
    for (const value of [HARD_LIMITS[key] + 1, 0, 1.5, Number.NaN, '5']) {
      expect(thrown(() => parseDocument('{}', { limits: { [key]: value as number } })))
        .toMatchObject({ code: 'CONFIG_INVALID', details: { key: `limits.${key}` } })
    }
  })

  test('unknown limits are misuse', () => {
    expect(thrown(() => resolveLimits({ toString: 1 } as never))).toMatchObject({ code: 'CONFIG_INVALID' })
    expect(resolveLimits({ nodes: undefined as never })).toEqual(DEFAULT_LIMITS)
  })
})

describe('params of graphs in memory have the limit of documents (GR-53, GR-60)', () => {
  const free = defineNode({
    type: 'test::free', version: '1.0.0', title: 'Free', doc: 'Takes anything.', family: 'test',
    params: { p: { type: 'json', doc: 'Anything.' }, file: { type: 'file', doc: 'Bytes.' } },
    inputs: { in: { media: json(), optional: true } },
    outputs: { out: { media: json() } }, process: async (_inputs, { p }) => ({
      out: {
        media: { kind: 'json' }, data: JSON.stringify(p ?? null).length, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0,
        metadata: {},
      } as Packet,
    }),
  })
  const registry = createRegistry(free), mib = 1_048_576
  const graph = (p: unknown, more: object = {}): Graph =>
    graphFrom({ out: (free as unknown as (params: object) => AnyOutput)({ p, ...more }) } as never)
  const found = (one: Graph, limits?: Partial<Limits>): unknown[] => validate(
    one, registry, undefined, limits === undefined ? {} : { limits },
  ).map(({ code, stage, node, pointer, expected, got }) => [code, stage, node, pointer, expected, got])

  test('at the limit and one byte more, by default and by option; the document says the same', () => {
    const value = { a: ['é', 1.5, null, true, '"\u0001'] }, n = new TextEncoder().encode(JSON.stringify(value)).length
    expect(found(graph(value), { paramBytes: n })).toEqual([])
    expect(found(graph(value), { paramBytes: n - 1 }))
      .toEqual([['LIMIT_EXCEEDED', 1, 'free-1', '/nodes/0/params/p', n - 1, expect.any(Number)]])
    expect(found(graph('x'.repeat(mib - 2)))).toEqual([])
    const [own] = validate(graph('x'.repeat(mib - 1)), registry), [read] = validate(toDocument(graph('x'.repeat(mib - 1))), registry)
    expect(own).toMatchObject({
      code: 'LIMIT_EXCEEDED', message: 'Bytes of param p: limit 1048576, got 1048577.', pointer: '/nodes/0/params/p',
    })
    expect([own!.message, own!.pointer, own!.stage]).toEqual([read!.message, read!.pointer, read!.stage])
    expect(found({ ...graph(1), ui: { note: 'x'.repeat(mib) } } as Graph).map((one) => (one as unknown[])[3])).toEqual(['/ui'])
  })

  test('nesting too, counted as in the document that the graph is', () => {
    expect(found(graph(nested(60)))).toEqual([])
    expect(found(graph(nested(61)))).toEqual([['LIMIT_EXCEEDED', 1, 'free-1', '/nodes/0/params/p', 64, 65]])
    for (const depth of [60, 61]) {
      expect(validate(toDocument(graph(nested(depth))), registry).map(({ code }) => code)).toEqual(depth === 60 ? [] : ['LIMIT_EXCEEDED'])
    }
  })

  test('a part that stands in many places is looked at once a level, in documents too', () => {
    let shared: unknown = 1
    for (let i = 0; i < 50; i++) shared = [shared, shared]
    expect(found(graph(shared)).map((one) => (one as unknown[])[0])).not.toEqual([])
    expect(validate({ millrace: 1, nodes: [{ id: 'a', type: 'test::free', params: { p: shared } }] } as never, registry)
      .map(({ code }) => code)).toContain('LIMIT_EXCEEDED')
  })

  test('bytes may be larger; what nests without end is refused for that', () => {
    const round: unknown[] = []
    round.push(round)
    expect(found(graph(null, { file: new Uint8Array(2 * mib) }))).toEqual([])
    expect(found(graph([new Float32Array(mib)]), { paramBytes: 100 })).toEqual([])
    expect(found(graph(round))).toEqual([['LIMIT_EXCEEDED', 1, 'free-1', '/nodes/0/params/p', 64, 65]])
    expect(found(graph({ get a() { throw new Error('no') } })).map((one) => (one as unknown[])[0])).toEqual(['PARAM_INVALID'])
  })

  test('every value of a graph has the limits of its document: bytes, nesting, length of a string', () => {
    const at = (fields: object, pointer: string, limits: Partial<Limits> = {}): void => {
      const one = { ...graph(1), ...fields } as Graph
      const own = validate(one, registry, undefined, { limits }).filter(({ code }) => code === 'LIMIT_EXCEEDED')
      expect(own.map((d) => d.pointer)).toEqual([pointer])
      const [read] = validate(toDocument(one), registry, undefined, { limits }).filter(({ code }) => code === 'LIMIT_EXCEEDED')
      expect(read, pointer).toBeDefined()
    }
    const node = graph(1).nodes[0]!
    const inputs = (fields: object): object => ({ inputs: new Map([['i', { to: [['free-1', 'in']], required: false, ...fields }]]) })
    const long = 'x'.repeat(mib + 1), deep = nested(64)
    for (const value of [long, deep, [{ [long]: 1 }]]) {
      at({ ui: value }, '/ui')
      at({ extras: { 'x-own': value } }, '/x-own')
      at({ extras: { params: value } }, '/params')
      at({ meta: { 'x-a': value } }, '/meta')
      at({ config: { extras: { 'x-b': value } } }, '/config/x-b')
      at({ config: { retry: { value } } }, '/config/retry')
      at({ nodes: [{ ...node, extras: { definition: value } }] }, '/nodes/0/definition')
      at({ nodes: [{ ...node, policy: { skipIf: value } }] }, '/nodes/0/policy')
      at({ nodes: [{ ...node, matrix: value }] }, '/nodes/0/matrix')
      at({ edges: [{ from: ['free-1', 'out'], to: ['free-1', 'in'], delayFrames: 128, extras: { 'x-c': value } }] }, '/edges/0/x-c')
      at(inputs({ default: value }), '/inputs/i/default')
      at(inputs({ extras: { 'x-d': value } }), '/inputs/i/x-d')
    }
    // At n and n + 1 characters, as written: an escape is two.
    const text = { stringLength: 100 }
    for (const [n, value] of [[100, 'x'.repeat(100)], [101, 'x'.repeat(101)], [100, '"'.repeat(50)], [102, '"'.repeat(51)]] as const) {
      expect(found(graph(value), text)).toEqual(n === 100 ? [] : [['LIMIT_EXCEEDED', 1, 'free-1', '/nodes/0/params/p', 100, n]])
      expect(validate({ ...graph(1), ...inputs({ default: value }) } as Graph, registry, undefined, { limits: text })
        .map(({ code, pointer, got }) => [code, pointer, got])).toEqual(n === 100 ? [] : [['LIMIT_EXCEEDED', '/inputs/i/default', n]])
      expect(validate(toDocument(graph(value)), registry, undefined, { limits: text }).map(({ code, got }) => [code, got]))
        .toEqual(n === 100 ? [] : [['LIMIT_EXCEEDED', n]])
    }
    at({ extras: { 'x-own': 'x'.repeat(2_000) } }, '/x-own', { documentBytes: 1_900 })
  })

  test('values that are made anew each time that they are read come to an end: a code, not a hang', () => {
    const forever = (): object => ({ toJSON: () => [forever(), forever()] })
    const fresh = (): object => ({ get a() { return fresh() }, get b() { return fresh() } })
    const huge: unknown[] = []
    huge.length = 2 ** 32 - 1
    const wide = (left: number): unknown => left === 0 ? 1 : { toJSON: () => [wide(left - 1), wide(left - 1)] }
    for (const [value, code] of [
      [forever(), 'PARAM_INVALID'], [fresh(), 'LIMIT_EXCEEDED'], [huge, 'LIMIT_EXCEEDED'], [{ toJSON: () => huge }, 'PARAM_INVALID'],
      [wide(100), 'PARAM_INVALID'],
    ] as const) {
      expect(found(graph(value)).map((one) => (one as unknown[])[0]), code).toEqual([code])
      expect(thrown(() => hashGraph(graph(value))))
        .toMatchObject({ code: expect.stringMatching(/^(PARAM_INVALID|INVALID_ARGUMENT)$/) as string })
      expect(thrown(() => toDocument(graph(value))))
        .toMatchObject({ code: expect.stringMatching(/^(LIMIT_EXCEEDED|INVALID_ARGUMENT)$/) as string })
      expect(validate({ millrace: 1, nodes: [{ id: 'a', type: 'test::free', params: { p: value } }] }, registry).map((one) => one.code))
        .toEqual([code])
    }
    for (const value of [1n, 2n ** 64n, -1n, [2n ** 70n]]) {
      expect(found(graph(value)).map((one) => (one as unknown[])[0])).toEqual(['PARAM_INVALID'])
    }
  })

  test('graphs that nobody validated are written within bounds, however often they share their parts', () => {
    let shared: unknown = ['x']
    for (let i = 0; i < 60; i++) shared = [shared, shared]
    const huge: unknown[] = []
    huge.length = 2 ** 32 - 1
    const one = toDocument(graph(shared))
    const over = { code: 'LIMIT_EXCEEDED', details: { what: 'Document bytes', limit: HARD_LIMITS.documentBytes } }
    expect(one.nodes[0]!.params!['p']).toHaveLength(2)
    for (const document of [one, { millrace: 1, nodes: [], ui: shared }, { millrace: 1, nodes: [], meta: { note: huge } }] as const) {
      expect(thrown(() => writeDocument(document as never))).toMatchObject(over)
    }
    const text = 'x'.repeat(2 ** 20)
    expect(thrown(() => writeDocument({ millrace: 1, nodes: [], ui: Array.from({ length: 64 }, () => text) }))).toMatchObject(over)
    expect(writeDocument({ millrace: 1, nodes: [], ui: Array.from({ length: 63 }, () => text) }).length).toBeGreaterThan(63 * 2 ** 20)
    // A loop is nesting without end.
    const round: unknown[] = []
    round.push(round, round)
    for (const write of [() => toDocument(graph(round)), () => writeDocument({ millrace: 1, nodes: [], ui: round })]) {
      expect(thrown(write)).toMatchObject({ code: 'LIMIT_EXCEEDED' })
    }
    expect(thrown(() => toDocument(graph({ get a() { throw new Error('no') } })))).toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('an engine refuses by its limits what a graph holds, not what a run is given; inside subgraphs with the pointer of the definition', async () => {
    await using engine = await createEngine({ workers: 0, registry, limits: { paramBytes: 100 } })
    const long = 'x'.repeat(200), node = { id: 'n', type: 'test::free' }
    const inner = { millrace: 1, nodes: [node], inputs: { p: { to: [['n', 'p']] } }, outputs: { out: ['n', 'out'] } }
    await expect(engine.run(graph(long))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', nodeId: 'free-1' })
    using given = await engine.run(fromDocument(inner, registry), { inputs: { p: long } })
    expect(given.outputs['out']!.data).toBe(202)
    const outer = (params: object, definition: object): Graph => fromDocument({
      millrace: 1, nodes: [{ id: 's', type: 'graph::d', params }], outputs: { out: ['s', 'out'] }, definitions: { d: definition },
    }, registry)
    for (const [one, pointer] of [
      [outer({ p: long }, inner), '/nodes/0/params/p'],
      [outer({}, { ...inner, nodes: [{ ...node, params: { p: long } }] }), '/definitions/d/nodes/0/params/p'],
    ] as const) {
      await expect(engine.run(one)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', details: { diagnostic: { pointer } } })
    }
    await using wide = await createEngine({ workers: 0, registry })
    using other = await wide.run(outer({ p: long }, inner))
    expect(other.outputs['out']!.data).toBe(202)
  })
})
