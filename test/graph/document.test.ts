import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Document } from '../../src/graph/document/document.js'
import { fromDocument, readDocument } from '../../src/graph/document/from-document.js'
import { parseDocument } from '../../src/graph/document/parse-document.js'
import { toDocument } from '../../src/graph/document/to-document.js'
import { writeDocument } from '../../src/graph/document/write-document.js'
import { addNode, connect, disconnect, removeNode, setParam } from '../../src/graph/edit.js'
import { createGraph } from '../../src/graph/graph.js'
import { graphFrom } from '../../src/graph/graph-from.js'
import { mix, resample, source, testRegistry, vad } from '../support/sample-nodes.js'
import { CORPUS } from './document-corpus.js'

const registry = testRegistry()
const parse = (text: string): Document => {
  const { document, diagnostics } = parseDocument(text)
  if (document === undefined) throw new Error(diagnostics[0]?.message)
  return document
}
const thrown = (run: () => unknown): unknown => { try { run() } catch (error) { return error } return undefined }

describe('writeDocument', () => {
  test('the whole format, canonically', () => {
    const text = `\ufeff{"outputs":{"b":["vad","segments"],"10":["to16k","out"],"9":["read","out"]},"x-own":{"b":1,"a":[{}, []]},"revision":0,"config":{"negotiate":"auto","seed":7},
      "edges":[{"to":["vad","in"],"from":["to16k","out"],"order":1}],"ui":{},"meta":{},
      "nodes":[{"type":"test::source","params":{"z":1e21,"path":"a\\u00e9\\ud800","b":[0.1,-0,1.0]},"id":"read","tier":"auto","mode":"run","output":false,"extra":1}],"millrace":"1.0"}`
    expect(writeDocument(parse(text))).toBe(`{
  "millrace": 1,
  "nodes": [
    {
      "id": "read",
      "type": "test::source",
      "params": {
        "b": [0.1, 0, 1],
        "path": "aé\\ud800",
        "z": 1e+21
      },
      "extra": 1
    }
  ],
  "edges": [
    {
      "from": ["to16k", "out"],
      "to": ["vad", "in"],
      "order": 1
    }
  ],
  "outputs": {
    "10": ["to16k", "out"],
    "9": ["read", "out"],
    "b": ["vad", "segments"]
  },
  "config": {
    "seed": 7
  },
  "x-own": {
    "a": [
      {},
      []
    ],
    "b": 1
  }
}
`)
  })

  test('write(parse(write(x))) is write(x) for every readable document of the corpus', () => {
    const readable = CORPUS.filter((entry) => entry.diagnostics.every((d) => d['severity'] === 'warning'))
    expect(readable.length).toBeGreaterThan(20)
    for (const { text } of readable) {
      const { document } = parseDocument(text), once = writeDocument(document!)
      expect(writeDocument(parse(once))).toBe(once)
      expect(writeDocument(toDocument(fromDocument(parse(once), registry)))).toBe(once)
    }
  })

  test('1 000 random graphs: idempotent, and the same through a graph', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
      .filter((text) => !/\p{Cc}/u.test(text) && [...text].length <= 8)
    const params = fc.dictionary(fc.string({ maxLength: 6 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 })
    const port = fc.tuple(name, name)
    const node = fc.record({ id: name, type: fc.constantFrom('test::source', 'test::mix', 'my::unknown'), params,
      tier: fc.constantFrom('auto', 'js', ['wasm', 'js']), mode: fc.constantFrom('run', 'mute'),
      output: fc.boolean(), ui: fc.jsonValue({ maxDepth: 2 }), 'x-a': fc.jsonValue({ maxDepth: 1 }) }, { requiredKeys: ['id', 'type'] })
    const document = fc.record({ millrace: fc.constant(1 as const), nodes: fc.array(node, { maxLength: 6 }),
      edges: fc.array(fc.record({ from: port, to: port, order: fc.integer() }, { requiredKeys: ['from', 'to'] }), { maxLength: 6 }),
      outputs: fc.dictionary(name, port, { maxKeys: 3 }),
      inputs: fc.dictionary(
        name,
        fc.record({ to: fc.array(port, { maxLength: 2 }), default: fc.jsonValue({ maxDepth: 1 }), required: fc.boolean() }, {
          requiredKeys: ['to'],
        }),
        { maxKeys: 2 },
      ),
      revision: fc.nat(), meta: fc.record({ name, priority: fc.integer({ min: -100, max: 100 }) }, { requiredKeys: [] }),
      config: fc.record({ metrics: fc.boolean(), onError: fc.constantFrom('stop', 'continue') }, { requiredKeys: [] }),
      'x-b': fc.jsonValue({ maxDepth: 3 }) },
    { requiredKeys: ['millrace', 'nodes'] }) as fc.Arbitrary<Document>
    fc.assert(fc.property(document, (value) => {
      const once = writeDocument(value)
      expect(parseDocument(once, { strict: true }).diagnostics).toEqual([])
      expect(writeDocument(parse(once))).toBe(once)
      expect(writeDocument(toDocument(fromDocument(parse(once), registry)))).toBe(once)
    }), { numRuns: 1_000 })
  }, 60_000)

  test('what JSON cannot hold is refused with its place', () => {
    const document = (params: Record<string, unknown>): Document => ({ millrace: 1, nodes: [{ id: 'a', type: 'a::b', params }] })
    for (const value of [Number.NaN, Infinity, 1n, () => 0, new Uint8Array(1), new Date(0), [undefined]]) {
      expect(thrown(() => writeDocument(document({ p: value }))))
        .toMatchObject({ code: 'INVALID_ARGUMENT', details: { expected: expect.stringContaining('/nodes/0/params/p') as string } })
    }
    let deep: unknown = 1
    for (let i = 0; i < 100_000; i++) deep = [deep]
    expect(thrown(() => writeDocument(document({ deep })))).toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(thrown(() => toDocument(createGraph({ nodes: [{ id: 'a', type: 'a::b', params: { deep } }] }))))
      .toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(writeDocument(document({ p: undefined, q: 1 }))).toBe(writeDocument(document({ q: 1 })))
  })
})

describe('graphs and documents', () => {
  test('a graph written in TypeScript survives the way through text', () => {
    const speech = resample.with({ tier: 'js', policy: { timeoutMs: 5 } })(source('talk.wav'), { rate: 16_000 })
    const graph =
      graphFrom({ segments: vad(speech).segments, all: mix([speech, speech]) }, { id: 'g', meta: { name: 'Speech' }, config: { seed: 3 } })
    const again = fromDocument(parse(writeDocument(toDocument(graph))), registry)
    expect(again).toEqual(graph)
  })

  test('params without a JSON form: bytes are refused, seeds and addresses become text', () => {
    expect(thrown(() => toDocument(graphFrom({ a: source(new Uint8Array(4)) })))).toMatchObject({
      code: 'INVALID_ARGUMENT', message: 'toDocument: expected a JSON value for param path of node source-1, got Uint8Array(4 bytes).',
      hint: 'Give it at run time through an input.' })
    const graph = createGraph({
      nodes: [{ id: 'a', type: 'a::b', params: { seed: 1n << 60n, at: new URL('https://example.org/a'), v: new Float32Array([0.5]) } }],
    })
    expect(toDocument(graph).nodes[0]?.params).toEqual({ seed: '1152921504606846976', at: 'https://example.org/a', v: [0.5] })
  })

  test('aliases become canonical type ids; params keep their spelling', () => {
    const graph = fromDocument({ millrace: 1, nodes: [{ id: 'a', type: 'AudioResampleNode', params: { sample_rate: 8_000 } }] }, registry)
    expect(graph.nodes[0]).toMatchObject({ type: 'test::resample', definition: resample.definition, params: { sample_rate: 8_000 } })
  })

  test('a node of an unknown type stays as it stands: load, move another, save (GR-04)', () => {
    const opaque = {
      id: 'what', type: 'other::thing', version: '^9', params: { deep: { list: [1, { '2': 3 }] }, 'odd key': null },
      policy: { timeoutMs: 1 }, ui: { x: 1 }, zz: [1], 'x-q': 2,
    }
    const text = writeDocument({
      millrace: 1, nodes: [{ id: 'a', type: 'test::source', ui: { x: 0 } }, opaque],
      edges: [{ from: ['a', 'out'], to: ['what', 'in'] }, { from: ['what', 'out'], to: ['a', 'path'] }],
    } as unknown as Document)
    const graph = fromDocument(parse(text), registry)
    expect(graph.nodes[1]).toMatchObject({ type: 'other::thing', params: opaque.params })
    expect(graph.nodes[1]).not.toHaveProperty('definition')
    const moved = { ...graph, nodes: graph.nodes.map((node) => node.id === 'a' ? { ...node, ui: { x: 100 } } : node) }
    expect(writeDocument(toDocument(moved))).toBe(text.replace('"x": 0', '"x": 100'))
  })

  test('fromDocument throws the first fault as an error, readDocument has them all', () => {
    const broken = {
      millrace: 1,
      nodes: [{ id: 'a', type: 'test::source', params: 7 }, { id: 5, type: 'test::source' }, { id: 'c', type: 'test::mix' }],
      edges: [{ from: ['a', 'out'], to: ['c', 'in'] }, { from: 1 }, { from: ['c', 'out'], to: ['c', 'in'] }],
      outputs: { x: ['c', 'out'], y: 3 },
    }
    expect(thrown(() => fromDocument(broken, registry))).toMatchObject({
      code: 'SCHEMA_INVALID', kind: 'validation', httpStatus: 400, message: '/nodes/0/params: expected an object, got 7.',
    })
    expect(thrown(() => fromDocument({ millrace: 3 }, registry))).toMatchObject({ code: 'VERSION_MISMATCH' })
    const reading = readDocument(broken, registry)
    expect(reading.diagnostics.map((d) => d.pointer))
      .toEqual(['/nodes/0/params', '/nodes/1/id', '/edges/1/from', '/edges/1/to', '/outputs/y'])
    expect(reading.graph?.nodes.map((node) => node.id)).toEqual(['a', 'c'])
    expect([...reading.broken]).toEqual(['a'])
    expect(reading.nodeIndex).toEqual([0, 2])
    expect(reading.edgeIndex).toEqual([0, 2])
    expect([...reading.graph!.outputs.keys()]).toEqual(['x'])
  })

  test('values that came from no text: cycles, hostile keys, foreign things', () => {
    const cyclic: Record<string, unknown> = { millrace: 1, nodes: [] }
    cyclic['ui'] = cyclic
    expect(readDocument(cyclic, registry).diagnostics).toMatchObject([{ code: 'LIMIT_EXCEEDED', got: 65 }])
    const hostile = JSON.parse('{ "millrace": 1, "__proto__": { "nodes": [] }, "nodes": [{ "id": "__proto__", "type": "constructor", "params": { "__proto__": { "x": 1 } } }], "outputs": { "__proto__": ["__proto__", "toString"] } }') as unknown
    const graph = fromDocument(hostile, registry)
    expect(graph.outputs.get('__proto__')).toEqual(['__proto__', 'toString'])
    expect(Object.keys(toDocument(graph).outputs ?? {})).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
    fc.assert(fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }), (value) => {
      expect(readDocument(value, registry).diagnostics.length).toBeGreaterThan(0)
      expect(() => readDocument({
        millrace: 1, nodes: [value, { id: 'a', type: 'a::b', params: { value } }], edges: [value], inputs: value, outputs: value,
        config: value,
      }, registry)).not.toThrow()
    }), { numRuns: 500 })
  })
})

describe('edits', () => {
  const graph =
    graphFrom({ out: resample(source('a'), { rate: 1 }) }, { inputs: new Map([['file', { to: [['source-1', 'path'] as const] }]]) })

  test('each returns a new graph and leaves the old one', () => {
    const before = JSON.stringify(toDocument(graph))
    expect(addNode(graph, { id: 'x', type: 'a::b', params: {} }).nodes).toHaveLength(3)
    expect(setParam(graph, 'resample-1', 'rate', 5).nodes[1]?.params).toEqual({ rate: 5 })
    expect(setParam(graph, 'resample-1', 'rate', undefined).nodes[1]?.params).toEqual({})
    expect(Object.keys(setParam(graph, 'resample-1', '__proto__', 5).nodes[1]!.params)).toEqual(['rate', '__proto__'])
    const linked = connect(graph, ['source-1', 'out'], ['x', 'in'], { order: 2 })
    expect(linked.edges.at(-1)).toEqual({ from: ['source-1', 'out'], to: ['x', 'in'], order: 2 })
    expect(disconnect(linked, ['source-1', 'out'], ['x', 'in']).edges).toEqual(graph.edges)
    expect(JSON.stringify(toDocument(graph))).toBe(before)
  })

  test('removing a node takes its edges, inputs and outputs along', () => {
    expect(removeNode(graph, 'source-1')).toMatchObject({ edges: [], inputs: new Map() })
    expect(removeNode(graph, 'resample-1')).toMatchObject({ edges: [], outputs: new Map() })
  })

  test('misuse', () => {
    expect(thrown(() => addNode(graph, { id: 'source-1', type: 'a::b', params: {} }))).toMatchObject({ code: 'DUPLICATE_ID' })
    expect(thrown(() => removeNode(graph, 'x'))).toMatchObject({ code: 'NODE_NOT_FOUND' })
    expect(thrown(() => setParam(graph, 'x', 'a', 1))).toMatchObject({ code: 'NODE_NOT_FOUND' })
  })
})
