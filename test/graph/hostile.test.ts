/**
 * Documents and graphs made to harm: every one is answered with codes, nothing of the host changes, and
 * memory is asked for only once limits allow it.
 */
import { describe, expect, test, vi } from 'vitest'
import type { Diagnostic } from '../../src/errors/diagnostic.js'
import { fromDocument } from '../../src/graph/document/from-document.js'
import { parseDocument } from '../../src/graph/document/parse-document.js'
import { toDocument } from '../../src/graph/document/to-document.js'
import { writeDocument } from '../../src/graph/document/write-document.js'
import { hashGraph } from '../../src/graph/hash.js'
import type { ParamTable } from '../../src/graph/node-definition.js'
import { createRegistry } from '../../src/graph/registry.js'
import { validate } from '../../src/graph/validate/index.js'
import { createEngine } from '../../src/index.js'
import { anyMedia } from '../../src/media/media-type.js'
import { graphOf, nodeType, registryOf, sink, source } from '../support/graph-nodes.js'

const params = {
  level: { type: 'number', default: 0, doc: '' }, count: { type: 'integer', default: 0, doc: '' },
  seed: { type: 'seed', default: 0, doc: '' }, name: { type: 'string', default: '', doc: '' }, any: { type: 'json', doc: '' },
} as const satisfies ParamTable
const node =
  nodeType('h::node', { params, inputs: { in: { media: anyMedia(), optional: true, multi: true } }, outputs: { out: anyMedia() } })
const registry = createRegistry({ definition: node })
const doc = (nodes: string, rest = ''): string => `{"millrace":1,"nodes":[${nodes}]${rest}}`
const one = (given: string): string => doc(`{"id":"a","type":"h::node","params":${given}}`)
/** Codes of reading, then of validation. */
const told = (text: string): string[] => {
  const { document, diagnostics } = parseDocument(text)
  return [
    ...diagnostics,
    ...(document === undefined ? [] : validate(document, registry)
      .filter((later) => !diagnostics.some((before) => before.code === later.code && before.pointer === later.pointer))),
  ].map(({ code }) => code)
}
const thrown = (run: () => unknown): unknown => {
  try { run() } catch (error) { return (error as { code?: unknown }).code }
  return undefined
}

describe('names that objects have', () => {
  const own = Object.getOwnPropertyNames(Object.prototype).join()
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf']

  test.each(names)('%s as a field, a param, an id, a port, an input, an output and a definition', (name) => {
    const value = '{"polluted":true,"nodes":[],"id":"x"}', q = JSON.stringify(name)
    const texts = [
      `{"millrace":1,${q}:${value},"nodes":[{"id":"a","type":"h::node",${q}:${value}}],"config":{${q}:${value}},"meta":{${q}:${value}},"engines":{${q}:${value}}}`,
      one(`{${q}:${value}}`), one(`{"any":{${q}:${value}}}`),
      doc(`{"id":${q},"type":"h::node"}`, `,"edges":[{"from":[${q},${q}],"to":[${q},${q}]}],"inputs":{${q}:{"to":[[${q},${q}]],"default":${value}}},"outputs":{${q}:[${q},${q}]}`),
      doc(`{"id":"a","type":"graph::${name}"}`, `,"definitions":{${q}:{"millrace":1,"nodes":[{"id":"b","type":"h::node"}]}}`),
      doc(`{"id":"a","type":${q}}`), doc(`{"id":"a","type":"h::node","policy":{${q}:${value}},"requires":{${q}:true},"ui":{${q}:1}}`),
    ]
    for (const text of texts) {
      const { document, diagnostics } = parseDocument(text)
      expect(diagnostics.every(({ code, severity }) => code !== '' && (severity === 'warning' || code === 'SCHEMA_INVALID'))).toBe(true)
      expect(Array.isArray(validate(document!, registry))).toBe(true)
      if (diagnostics.some(({ severity }) => severity === 'error')) continue
      const graph = fromDocument(document, registry)
      expect(JSON.parse(writeDocument(toDocument(graph)))).toEqual(JSON.parse(writeDocument(document!)))
      expect(hashGraph({ ...graph, definitions: {}, edges: [] }, { registry }).graph).toHaveLength(64)
    }
    expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(own)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('a param of such a name is unknown, not inherited', () => {
    for (const name of names) expect(told(one(`{${JSON.stringify(name)}:1}`))).toEqual(['PARAM_UNKNOWN'])
  })
})

describe('values that have no place', () => {
  test.each<[string, string[]]>([
    ['{"name":"\\ud800"}', ['PARAM_INVALID']], ['{"name":"a\\udc00b"}', ['PARAM_INVALID']],
    ['{"seed":9007199254740993}', ['PARAM_INVALID']], ['{"seed":"18446744073709551616"}', ['PARAM_INVALID']],
    ['{"seed":-1}', ['PARAM_INVALID']], ['{"count":9007199254740993}', ['PARAM_INVALID']], ['{"count":1e300}', ['PARAM_INVALID']],
    ['{"level":1e999}', ['PARAM_INVALID']], ['{"level":-1e999}', ['PARAM_INVALID']],
    ['{"level":null}', ['PARAM_INVALID']], ['{"seed":"18446744073709551615"}', []], ['{"seed":9007199254740991}', []],
    ['{"level":1e308}', []], ['{"level":5e-324}', []],
  ])('param %s: %j', (given, codes) => { expect(told(one(given))).toEqual(codes) })

  test('lone surrogates in ids, types and names of ports are schema errors; raw bytes of them are no UTF-8', () => {
    for (const text of [
      doc('{"id":"\\ud800","type":"h::node"}'), doc('{"id":"a","type":"h::\\ud800"}'),
      doc('{"id":"a","type":"h::node"}', ',"edges":[{"from":["a","\\udfff"],"to":["a","in"]}]'),
      doc('{"id":"a","type":"h::node"}', ',"outputs":{"\\ud83d":["a","out"]}'),
    ]) {
      expect(told(text)).toContain('SCHEMA_INVALID')
    }
    expect(parseDocument(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)).diagnostics.map(({ code }) => code)).toEqual(['JSON_SYNTAX'])
    expect(thrown(() => hashGraph(graphOf({ a: [node, { any: { '\ud800': 1 } }] })))).toBe('PARAM_INVALID')
  })

  test('revision and capacity beyond 2^53', () => {
    for (const text of [
      doc('{"id":"a","type":"h::node"}', ',"revision":9007199254740993'),
      doc('{"id":"a","type":"h::node"}', ',"revision":1e999'),
      doc('{"id":"a","type":"h::node"}', ',"edges":[{"from":["a","out"],"to":["a","in"],"capacity":1e17}]'),
    ]) {
      expect(told(text)).toContain('SCHEMA_INVALID')
    }
  })

  test('NaN and infinity by arithmetic: refused as numbers, one hash as data, no text', () => {
    for (const value of [Number.NaN, Infinity - Infinity, 1 / 0, -1 / 0]) {
      const graph = graphOf({ a: [node, { level: value }] })
      expect(validate(graph, registry).map(({ code }) => code)).toEqual(['PARAM_INVALID'])
      expect(thrown(() => toDocument(graph))).toBe('INVALID_ARGUMENT')
      expect(thrown(() => writeDocument({ millrace: 1, nodes: [{ id: 'a', type: 'h::node', params: { any: { deep: [value] } } }] })))
        .toBe('INVALID_ARGUMENT')
    }
    const hash = (any: unknown): string => hashGraph(graphOf({ a: [node, { any }] })).graph
    expect(hash(0 / 0)).toBe(hash(Number.NaN))
    expect(hash(Infinity)).not.toBe(hash(-Infinity))
  })

  test('values that are no data: getters, cycles, functions, symbols', () => {
    const loop: { self?: unknown } = {}
    loop.self = loop
    for (const any of [loop, () => 1, Symbol('x')]) {
      const graph = graphOf({ a: [node, { any }] })
      expect(Array.isArray(validate(graph, registry))).toBe(true)
      expect(['INVALID_ARGUMENT', 'LIMIT_EXCEEDED']).toContain(thrown(() => toDocument(graph)))
    }
    expect(thrown(() => hashGraph(graphOf({ a: [node, { any: loop }] })))).toBe('PARAM_INVALID')
  })

  test('ids given twice, by nodes and edges', () => {
    expect(told(doc(
      '{"id":"a","type":"h::node"},{"id":"a","type":"h::node"},{"id":"b","type":"h::node"}',
      ',"edges":[{"id":"e","from":["a","out"],"to":["b","in"]},{"id":"e","from":["b","out"],"to":["b","in"]}],"outputs":{"y":["b","out"],"z":["a","out"]}',
    )))
      .toEqual(['DUPLICATE_ID', 'DUPLICATE_ID', 'SELF_LINK'])
  })
})

describe('sizes (memory is bounded before it is taken)', () => {
  const mib = 1_048_576
  /** What reading tells, and the longest text that was given to the JSON parser. */
  function parsed(input: string | Uint8Array): { readonly codes: string[]; readonly longest: number } {
    const spy = vi.spyOn(JSON, 'parse')
    try {
      return {
        codes: parseDocument(input).diagnostics.map(({ code }: Diagnostic) => code),
        longest: spy.mock.calls.reduce((most, [text]) => Math.max(most, String(text).length), 0),
      }
    } finally {
      spy.mockRestore()
    }
  }

  test.each<[string, () => string | Uint8Array]>([
    ['a string of 10 MiB less a little', () => one(`{"name":"${'x'.repeat(10 * mib - 100)}"}`)],
    ['a key of 2 MiB', () => one(`{"${'k'.repeat(2 * mib)}":1}`)],
    ['text above 10 MiB', () => one(`{"name":"${'x'.repeat(10 * mib)}"}`)],
    ['bytes above 10 MiB', () => new Uint8Array(10 * mib + 1).fill(0x20)],
    ['three-byte text above 10 MiB', () => one(`{"name":"${'€'.repeat(4 * mib)}"}`)],
    ['five million brackets', () => '['.repeat(5_000_000)], ['half a million levels of objects', () => '{"a":'.repeat(500_000)],
  ])('%s is refused before it is parsed', (_, make) => {
    expect(parsed(make())).toEqual({ codes: ['LIMIT_EXCEEDED'], longest: 0 })
  })

  test('a million nodes, edges or params are counted, not built', () => {
    expect(told(doc(Array(300_000).fill('{}').join()))).toEqual(['LIMIT_EXCEEDED'])
    expect(told(doc('{"id":"a","type":"h::node"}', `,"edges":[${Array(300_000).fill('[]').join()}]`))).toEqual(['LIMIT_EXCEEDED'])
    expect(told(one(`{"any":[${Array(600_000).fill('1').join()}]}`))).toContain('LIMIT_EXCEEDED')
  })

  test('half a million faults of one kind are told in bounded words', () => {
    const { diagnostics } =
      parseDocument(doc('{"id":"a","type":"h::node"}', `,"ui":1,${Array.from({ length: 20_000 }, (_, i) => `"f${i}":1`).join()}`))
    expect(diagnostics.length).toBeLessThanOrEqual(20_001)
    expect(diagnostics.every(({ message }) => message.length < 300)).toBe(true)
  })

  test('ports of a node and converters of an edge, at the limit and beyond (GR-60)', () => {
    const wide = nodeType('h::wide', {
      inputs: Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`i${n}`, { media: anyMedia(), optional: true }])),
      outputs: Object.fromEntries(Array.from({ length: 56 }, (_, n) => [`o${n}`, { media: anyMedia() }])),
    })
    const wider = { ...wide, outputs: { ...wide.outputs, more: { media: anyMedia() } } }
    expect(validate(graphOf({ wide }), createRegistry({ definition: wide }))).toEqual([])
    expect(validate(graphOf({ wider }), createRegistry({ definition: wider })))
      .toMatchObject([{ code: 'LIMIT_EXCEEDED', node: 'wider', expected: 256, got: 257 }])
    expect(validate(graphOf({ wider }), createRegistry({ definition: wider }), undefined, { limits: { portsPerNode: 257 } })).toEqual([])
    const far = graphOf({
      a: source('test::a', { rate: 48_000, channels: 2, format: 'i16', layout: 'interleaved' }),
      b: sink('test::b', { rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }),
    }, ['a.out->b.in'])
    const errors = (convertersPerEdge: number): string[] => validate(far, registryOf(), undefined, { limits: { convertersPerEdge } })
      .filter(({ severity }) => severity === 'error').map(({ code }) => code)
    expect([errors(3), errors(2)]).toEqual([[], ['NEGOTIATION_CONFLICT']])
  })
})

test('thousands of edges inside a subgraph that name nobody are each told, by one look at its ids', () => {
  const ids = Array.from({ length: 2_000 }, (_, n) => `n${n}`), looked = vi.spyOn(Array.prototype, 'includes')
  const nodes = ids.map((id) => ({ id, type: 'h::node' }))
  const edges = Array.from({ length: 5_000 }, (_, n) => ({ from: [`x${n}`, 'out'], to: [ids[n % ids.length], 'in'] }))
  const text = JSON.stringify({ millrace: 1, nodes: [{ id: 'a', type: 'graph::s' }], definitions: { s: { millrace: 1, nodes, edges } } })
  const { document } = parseDocument(text)
  looked.mockClear()
  const found = validate(document!, registry)
  const asked = looked.mock.contexts.filter((list) => (list as readonly unknown[]).length >= ids.length).length
  looked.mockRestore()
  expect(found.filter(({ code }) => code === 'NODE_NOT_FOUND').length).toBeGreaterThan(0)
  expect(asked).toBe(0)
})

describe('graphs and documents that are none, whatever their types say', () => {
  const no = (): never => { throw new Error('no') }
  const good = { id: 'a', type: 'h::node', params: {} }
  const parts = { nodes: [good], edges: [], inputs: new Map(), outputs: new Map(), config: {} }
  const throwing = (target: object): object => new Proxy(target, { get: no, ownKeys: no, has: no })
  const holed = (...rest: readonly object[]): unknown[] => new Array<unknown>(1).concat(rest)
  test.each<[string, object, string[]]>([
    ['no node', { nodes: [null] }, ['SCHEMA_INVALID']],
    ['holes', { nodes: holed(good), edges: holed() }, ['SCHEMA_INVALID', 'SCHEMA_INVALID']],
    ['no edge', { edges: [null, { from: null, to: 1 }] }, ['SCHEMA_INVALID', 'SCHEMA_INVALID', 'SCHEMA_INVALID']],
    ['no input, no output', { inputs: new Map([['x', null]]), outputs: new Map([['y', null]]) }, ['SCHEMA_INVALID', 'SCHEMA_INVALID']],
    ['no config', { config: undefined }, ['SCHEMA_INVALID']], ['no params', { nodes: [{ id: 'a', type: 'h::node' }] }, ['SCHEMA_INVALID']],
    ['a node that throws', { nodes: [throwing(good)] }, ['SCHEMA_INVALID']],
  ])('%s: validate tells, plan and run refuse with the same code', async (_name, change, codes) => {
    const graph = { ...parts, ...change } as never
    expect(validate(graph, registry).filter(({ severity }) => severity === 'error').map(({ code }) => code)).toEqual(codes)
    await using engine = await createEngine({ workers: 0, registry })
    await expect(engine.plan(graph)).rejects.toMatchObject({ code: 'SCHEMA_INVALID' })
    await expect(engine.run(graph)).rejects.toMatchObject({ code: 'SCHEMA_INVALID' })
  })

  test('documents that throw when they are read', () => {
    for (const document of [
      throwing({ millrace: 1, nodes: [] }),
      { millrace: 1, get nodes() { return no() } },
      { millrace: 1, nodes: [throwing(good)] },
    ]) {
      expect(validate(document, registry).map(({ code }) => code)).toEqual(['SCHEMA_INVALID'])
      expect(thrown(() => fromDocument(document, registry))).toBe('SCHEMA_INVALID')
    }
  })

  test('a subgraph without nodes leaves none', () => {
    expect(validate({ millrace: 1, nodes: [{ id: 's', type: 'graph::d' }], definitions: { d: { millrace: 1, nodes: [] } } }, registry)
      .map(({ code }) => code)).toEqual(['GRAPH_EMPTY'])
  })

  test('bytes that went elsewhere are no bytes', () => {
    const gone = new ArrayBuffer(8)
    structuredClone(gone, { transfer: [gone] })
    expect(hashGraph({ ...parts, nodes: [{ ...good, params: { any: gone } }] } as never, { registry }).graph).toHaveLength(64)
  })

  test('a bigint is a seed, and no JSON: it could not be read back', () => {
    const told = (params: object): string[] => validate({ ...parts, nodes: [{ ...good, params }] } as never, registry)
      .filter(({ severity }) => severity === 'error').map(({ code }) => code)
    expect([told({ seed: 2n ** 64n - 1n }), told({ any: 1n }), told({ any: [1n] })]).toEqual([[], ['PARAM_INVALID'], ['PARAM_INVALID']])
  })
})
