import { describe, expect, test } from 'vitest'
import type { Document } from '../../../src/graph/document/document.js'
import { fromDocument } from '../../../src/graph/document/from-document.js'
import { DIALECTS, type Dialect } from '../../../src/graph/dialects/dialect.js'
import { exportDocument } from '../../../src/graph/dialects/export-document.js'
import { importDocument } from '../../../src/graph/dialects/import-document.js'
import { graphFrom } from '../../../src/graph/graph-from.js'
import { createGraph } from '../../../src/graph/graph.js'
import { createRegistry } from '../../../src/graph/registry.js'
import { validate } from '../../../src/graph/validate/index.js'
import { mix, resample, source, testRegistry } from '../../support/sample-nodes.js'
import { type Loose, thrown } from '../../support/loose.js'


/** The smallest value of each dialect. */
const SMALLEST: Readonly<Record<Dialect, object>> = {
  millrace: { millrace: 1, nodes: [{ id: 'a', type: 'A' }] },
  'remotemedia-v1': { version: 'v1', metadata: { name: 'p' }, nodes: [{ id: 'a', node_type: 'A' }], connections: [] },
  graphdsl: { version: '3.0.0', nodes: { a: { op_type: 'A' } }, links: [] },
  'remotemedia-seed': { version: '1.0', nodes: [{ id: 'a', type: 'A' }], edges: [] },
  'comfyui-workflow': { nodes: [{ id: 1, type: 'A' }], links: [] }, 'comfyui-api': { 1: { class_type: 'A', inputs: {} } },
}

describe('dialects are recognised', () => {
  test.each(DIALECTS)('%s', (dialect) => {
    const value = SMALLEST[dialect], text = JSON.stringify(value)
    for (const form of [value, text, new TextEncoder().encode(`\ufeff${text}`)]) {
      const { document, report } = importDocument(form)
      expect(report.dialect).toBe(dialect)
      expect(document.nodes).toHaveLength(1)
      expect(importDocument(form, { dialect }).report.dialect).toBe(dialect)
    }
    for (const other of DIALECTS) {
      if (other === dialect) continue
      expect(thrown(() => importDocument(value, { dialect: other })))
        .toMatchObject({ code: 'IMPORT_UNSUPPORTED', details: { dialects: [other] } })
    }
  })

  test('versions of the seed dialect have two or three numbers', () => {
    for (const version of ['1.0', '12.3.4']) {
      expect(importDocument({ version, nodes: [], edges: [] }).report.dialect).toBe('remotemedia-seed')
    }
    for (const version of ['1', '1.0.0.0', 'v1.0', 1, '1.x']) {
      expect(thrown(() => importDocument({ version, nodes: [], edges: [] }))).toMatchObject({ code: 'IMPORT_UNSUPPORTED' })
    }
  })
})

describe('foreign JSON (GR-19)', () => {
  test.each([
    ['package.json', { name: 'x', version: '1.0.0', dependencies: {} }],
    ['Node-RED', [{ id: 'a', type: 'tab' }, { id: 'b', type: 'inject', wires: [['c']] }]],
    ['n8n', { name: 'flow', nodes: [{ id: '1', type: 'n8n-nodes-base.start' }], connections: {} }],
    ['GeoJSON', { type: 'FeatureCollection', features: [] }],
    ['Cytoscape', { elements: { nodes: [{ data: { id: 'a' } }], edges: [] } }],
  ])('%s', (_name, value) => {
    const error = thrown(() => importDocument(JSON.stringify(value)))
    expect(error).toMatchObject({
      code: 'IMPORT_UNSUPPORTED', kind: 'validation', httpStatus: 400, hint: 'Name the dialect.', details: { dialects: DIALECTS },
    })
    expect(error.details.why).toHaveLength(DIALECTS.length)
    DIALECTS.forEach((dialect, i) => { expect(error.details.why[i]).toMatch(new RegExp(`^${dialect}: `)) })
    expect(error.message).toBe(`Import: none of ${DIALECTS.join(', ')} fits, because ${error.details.why.join('; ')}.`)
  })

  test('why, in words', () => {
    expect(thrown(() => importDocument({ version: '3.0.0', nodes: {} })).details.why).toEqual([
      'millrace: no field millrace', 'remotemedia-v1: version is not "v1"', 'graphdsl: no field links',
      'remotemedia-seed: no nodes with edges', 'comfyui-workflow: no array nodes',
      'comfyui-api: not every field is an object with class_type',
    ])
    expect(thrown(() => importDocument(7)).details.why[0]).toBe('millrace: not an object')
    expect(thrown(() => importDocument({}, { dialect: 'comfyui-api' })).message)
      .toBe('Import: none of comfyui-api fits, because comfyui-api: not every field is an object with class_type.')
  })

  test('no JSON, no UTF-8, too deep: the codes of parseDocument', () => {
    expect(thrown(() => importDocument('{"a":'))).toMatchObject({ code: 'JSON_SYNTAX', details: { diagnostic: { line: 1, column: 6 } } })
    expect(thrown(() => importDocument(Uint8Array.of(0x7b, 0xff)))).toMatchObject({ code: 'JSON_SYNTAX' })
    expect(thrown(() => importDocument('['.repeat(65) + ']'.repeat(65)))).toMatchObject({ code: 'LIMIT_EXCEEDED' })
    const cyclic: Record<string, unknown> = { nodes: [], links: [] }
    cyclic['extra'] = cyclic
    expect(thrown(() => importDocument(cyclic))).toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })
})

describe('millrace among the dialects', () => {
  test('stays as it is; unknown types are reported, never dropped', () => {
    const document = {
      millrace: 1,
      nodes: [{ id: 'a', type: 'AudioResampleNode' }, { id: 'b', type: 'other::thing', params: { x: 1 } }, { id: 'c', type: 'graph::sub' }],
      definitions: { sub: { millrace: 1, nodes: [{ id: 'd', type: 'test::mix' }] } },
      nodez: 1,
    }
    const { document: read, report } = importDocument(JSON.stringify(document), { registry: testRegistry() })
    expect(read).toEqual(document)
    expect(report).toMatchObject({
      nodes: 4,
      renamed: [{ pointer: '/nodes/0/type', from: 'AudioResampleNode', to: 'test::resample' }],
      missing: [{ pointer: '/nodes/1/type', type: 'other::thing' }], warnings: [{ code: 'UNKNOWN_FIELD', pointer: '/nodez' }],
    })
    expect(thrown(() => importDocument(document, { strict: true }))).toMatchObject({ code: 'UNKNOWN_FIELD' })
  })

  test('errors are thrown, all of them in the details', () => {
    expect(thrown(() => importDocument({ millrace: 2, nodes: [] }))).toMatchObject({ code: 'VERSION_MISMATCH' })
    expect(thrown(() => importDocument({ millrace: 1, nodes: [{ id: 1 }] })).details.diagnostics.map((one: Loose) => one.pointer))
      .toEqual(['/nodes/0/id', '/nodes/0/type'])
  })

  test('exportDocument refuses a name that is no dialect, and what JSON cannot hold', () => {
    expect(thrown(() => exportDocument(createGraph(), 'yaml' as Dialect)))
      .toMatchObject({ code: 'INVALID_ARGUMENT', message: `exportDocument: expected one of ${DIALECTS.join(', ')}, got "yaml".` })
    expect(thrown(() => exportDocument(graphFrom({ a: source(new Uint8Array(4)) }), 'graphdsl')))
      .toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('every dialect out and in again: nodes, params, edges', () => {
    const registry = testRegistry()
    const graph = fromDocument({ millrace: 1, meta: { name: 'n' }, config: { negotiate: 'strict' },
      nodes: [
        { id: '1', type: 'test::source', params: { path: 'a.wav' } },
        { id: '2', type: 'test::resample', params: { rate: 8_000 } },
        { id: '3', type: 'test::vad' },
      ],
      edges: [{ from: ['1', 'out'], to: ['2', 'in'], id: '1' }, { from: ['2', 'out'], to: ['3', 'in'], id: '2' }] } as Document, registry)
    for (const dialect of DIALECTS) {
      const { text, report } = exportDocument(graph, dialect)
      expect(exportDocument(graph, dialect).text).toBe(text)
      expect(report).toMatchObject({ dialect, nodes: 3 })
      const again = fromDocument(importDocument(text, { registry }).document, registry)
      expect(again.nodes.map(({ id, type, params }) => ({ id, type, params }))).toMatchObject([
        { id: '1', type: 'test::source', params: { path: 'a.wav' } },
        { id: '2', type: 'test::resample', params: { rate: 8_000 } },
        { id: '3', type: 'test::vad' },
      ])
      expect(again.edges.map(({ from, to }) => [from, to])).toEqual(graph.edges.map(({ from, to }) => [from, to]))
    }
  })
})

test('defaults of run-time inputs stay as params where a dialect knows no inputs', () => {
  const registry = testRegistry()
  const graph = fromDocument({ millrace: 1,
    nodes: [{ id: '1', type: 'test::source' }, { id: '2', type: 'test::resample', params: { sample_rate: 1 } }],
    edges: [{ from: ['1', 'out'], to: ['2', 'in'] }],
    inputs: {
      file: { to: [['1', 'path']], default: 'a.wav' }, rate: { to: [['2', 'rate']], default: 8_000 }, quality: { to: [['2', 'quality']] },
    } } as Document, registry)
  for (const dialect of DIALECTS.filter((one) => one !== 'millrace')) {
    const { text, report } = exportDocument(graph, dialect)
    expect(report).toMatchObject({ substituted: [{ pointer: '/inputs/file', by: 'its default at 1.path' }, { pointer: '/inputs/rate' }] })
    expect(report.dropped).toContainEqual(expect.objectContaining({ pointer: '/inputs' }))
    const { document } = importDocument(text, { registry })
    expect(document.nodes.map(({ params }) => params)).toMatchObject([{ path: 'a.wav' }, { rate: 8_000 }])
    expect(validate(document, registry).filter((one) => one.severity === 'error')).toEqual([])
  }
})

describe('validate says the same on three routes (GR-53)', () => {
  const registry = testRegistry()
  const withoutPlaces = (value: Parameters<typeof validate>[0], types = registry): unknown[] =>
    validate(value, types).map(({ code, stage, message, node, port }) => ({ code, stage, message, node, port }))
  const seed = (nodes: object[], edges: object[]): object => ({ version: '1.0.0', nodes, edges })

  test.each([
    ['a cycle', [{ id: 'a', type: 'test::mix' }, { id: 'b', type: 'test::mix' }],
      [{ from: ['a', 'out'], to: ['b', 'in'] }, { from: ['b', 'out'], to: ['a', 'in'] }]],
    ['missing nodes and ports', [{ id: 'a', type: 'test::source', params: { path: 'x' } }, { id: 'b', type: 'test::vad' }],
      [{ from: ['a', 'oot'], to: ['b', 'in'] }, { from: ['a', 'out'], to: ['c', 'in'] }]],
    [
      'types and params',
      [{ id: 'a', type: 'test::sorce' }, { id: 'b', type: 'test::resample', params: { rate: -1, quality: 'odd', colour: 1 } }],
      [{ from: ['a', 'out'], to: ['b', 'in'] }],
    ],
    [
      'an input twice, an input missing',
      [{ id: 'a', type: 'test::source', params: { path: 'x' } }, { id: 'b', type: 'test::vad' }, { id: 'c', type: 'test::vad' }],
      [{ from: ['a', 'out'], to: ['b', 'in'] }, { from: ['c', 'audio'], to: ['b', 'in'] }],
    ],
    ['nothing at all', [], []],
  ] as const)('%s', (_name, nodes, edges) => {
    const document = { millrace: 1, nodes, edges }
    const expected = withoutPlaces(document)
    expect(expected.length).toBeGreaterThan(0)
    const graph = createGraph({
      nodes: nodes.map((node) => ({ params: {}, ...node, ...(registry.has(node.type) && { definition: registry.get(node.type)! }) })),
      edges,
    })
    expect(withoutPlaces(graph)).toEqual(expected)
    const imports = {
      millrace: document,
      'remotemedia-seed':
        seed([...nodes], edges.map(({ from, to }) => ({ from: from[0], to: to[0], output_key: from[1], input_key: to[1] }))),
      ...(nodes.length > 0 && {
        'remotemedia-v1': {
          version: 'v1', metadata: { name: 'p' },
          nodes: nodes.map(({ type, ...node }) => ({ ...node, node_type: type })),
          connections: edges.map(({ from, to }) => ({ from: from[0], to: to[0], output_key: from[1], input_key: to[1] })),
        },
      }),
      graphdsl: {
        version: '3.0.0',
        nodes: Object.fromEntries(nodes.map(({ id, type, ...node }) => [
          id,
          {
            op_type: type,
            params: Object.fromEntries(Object.entries('params' in node ? node.params : {})
              .map(([name, value]) => [name, { type: 'any', value }])),
          },
        ])),
        links: edges.map(({ from, to }, i) => ({ id: `l${i}`, source: from, target: to })),
      },
    }
    for (const [dialect, value] of Object.entries(imports)) {
      const { document: read, report } = importDocument(value, { registry, dialect: dialect as Dialect })
      expect(report.dialect).toBe(dialect)
      const ids = edges.map((_, i) => `l${i}`)
      const found = withoutPlaces(dialect === 'graphdsl'
        ? { ...read, edges: read.edges!.map(({ id, ...edge }, i) => { expect(id).toBe(ids[i]); return edge }) }
        : { ...read, config: {} })
      expect(found, dialect).toEqual(expected)
    }
  })

  test('a graph of node calls and its document', () => {
    const graph = graphFrom({
      out: mix([resample(source('a'), { rate: 1 }), resample(source('b'), { rate: 2, quality: 'none' as never })]),
    })
    const { text } = exportDocument(graph, 'millrace')
    expect(withoutPlaces(graph)).toMatchObject([{ code: 'PARAM_INVALID' }])
    expect(withoutPlaces(importDocument(text, { registry }).document)).toEqual(withoutPlaces(graph))
  })

  test('an importer without types leaves it to validate', () => {
    const { document } = importDocument(SMALLEST['comfyui-api'])
    expect(validate(document, createRegistry()).map((one) => one.code)).toEqual(['NODE_TYPE_UNKNOWN'])
  })
})

test('a key written twice in a document of our own is refused, with both places', () => {
  const text = '{ "millrace": 1, "nodes": [],\n "inputs": { "a": { "to": [] },\n "a": { "to": [] } } }'
  expect(() => importDocument(text))
    .toThrow(expect.objectContaining({ code: 'DUPLICATE_ID', message: expect.stringMatching(/Key a.*line 2.*line 3/) as string }) as Error)
})
