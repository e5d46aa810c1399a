import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromDocument } from '../../../src/graph/document/from-document.js'
import { parseDocument } from '../../../src/graph/document/parse-document.js'
import { writeDocument, writeJson } from '../../../src/graph/document/write-document.js'
import { exportDocument } from '../../../src/graph/dialects/export-document.js'
import { graphdslShape } from '../../../src/graph/dialects/graphdsl.js'
import { importDocument } from '../../../src/graph/dialects/import-document.js'
import { createRegistry } from '../../../src/graph/registry.js'
import { remoteRegistry } from '../../support/dialect-nodes.js'
import { thrown } from '../../support/loose.js'

const source = (parts: object = {}): object => ({ version: '3.0.0', nodes: { a: { op_type: 'FeedNode' } }, links: [], ...parts })
const none = createRegistry()

describe('GraphDSL', () => {
  const whole = `{
  "version": "3.0.0",
  "meta": {
    "name": "Speech",
    "priority": -5,
    "user_id": "u1",
    "tags": ["a", "b"],
    "created": "2025-01-01T10:00:00+02:00",
    "modified": "2025-01-01T09:00:00.000Z",
    "team": "x"
  },
  "nodes": {
    "10": {
      "op_type": "FeedNode",
      "params": {}
    },
    "9": {
      "op_type": "Odd Type!",
      "params": {
        "count": {
          "type": "int",
          "value": 3,
          "unit": "s"
        },
        "label": {
          "value": "x"
        },
        "ratio": {
          "type": "number",
          "value": 0.5
        }
      },
      "ui": {
        "collapsed": true,
        "color": "#fff",
        "x": 1,
        "y": 2
      },
      "note": "kept"
    }
  },
  "links": [
    {
      "id": "l1",
      "source": ["10", "out"],
      "target": ["9", "in"],
      "weight": 2
    }
  ],
  "comment": 1
}
`

  test('every field', () => {
    const { document, report } = importDocument(whole, { registry: remoteRegistry() })
    expect(document).toMatchObject({
      meta: {
        name: 'Speech', priority: -5, author: 'u1', tags: ['a', 'b'], created: '2025-01-01T08:00:00.000Z',
        modified: '2025-01-01T09:00:00.000Z',
      },
      nodes: [
        { id: '9', type: 'graphdsl::Odd_Type_', params: { count: 3, label: 'x', ratio: 0.5 },
          ui: { x: 1, y: 2, collapsed: true, color: '#fff' } },
        { id: '10', type: 'test::feed' },
      ],
      edges: [{ id: 'l1', from: ['10', 'out'], to: ['9', 'in'] }] })
    expect(parseDocument(writeDocument(document), { strict: true }).diagnostics).toEqual([])
    expect(report).toMatchObject({ dialect: 'graphdsl', nodes: 2, missing: [{ pointer: '/nodes/9/op_type', type: 'Odd Type!' }] })
    expect(report.warnings.map((one) => one.pointer))
      .toEqual(['/meta/team', '/nodes/9/params/count/unit', '/nodes/9/note', '/links/0/weight', '/comment'])
    const again = exportDocument(fromDocument(document, remoteRegistry()), 'graphdsl')
    expect(again.text).toBe(whole)
    expect(again.report.dropped).toEqual([])
  })

  test('200 random documents come out byte for byte', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((text) => !/\p{Cc}/u.test(text))
    const port = fc.tuple(word, word)
    const param = fc.record(
      { type: fc.constantFrom('int', 'float', 'number', 'string', 'bool', 'object', 'null'), value: fc.jsonValue({ maxDepth: 2 }) },
      { requiredKeys: ['value'] },
    )
    const node = fc.record({
      op_type: word, params: fc.dictionary(word, param, { minKeys: 1, maxKeys: 4 }),
      ui: fc.record({ x: fc.integer(), y: fc.integer(), collapsed: fc.boolean(), color: fc.string() }, { requiredKeys: ['x'] }),
    }, { requiredKeys: ['op_type'] })
    const iso = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.toISOString())
    const document = fc.record({
      version: fc.constant('3.0.0'),
      meta: fc.record({
        name: word, priority: fc.integer({ min: -100, max: 100 }), user_id: word, tags: fc.array(word, { maxLength: 3 }),
        created: fc.oneof(iso, iso.map((text) => text.replace('.000', ''))),
        modified: iso,
      }, { requiredKeys: ['name'] }),
      nodes: fc.dictionary(word, node, { maxKeys: 6 }),
      links: fc.array(fc.record({ id: word, source: port, target: port }), { maxLength: 6 }),
    }, { requiredKeys: ['version', 'nodes', 'links'] })
    fc.assert(fc.property(document, (value) => {
      const text = writeJson(graphdslShape, value)
      const { document: read, report } = importDocument(text)
      expect(report.warnings).toEqual([])
      expect(importDocument(JSON.parse(text)).document).toEqual(read)
      expect(exportDocument(fromDocument(read, none), 'graphdsl').text).toBe(text)
      expect(exportDocument(fromDocument(parseDocument(writeDocument(read)).document, none), 'graphdsl').text).toBe(text)
    }), { numRuns: 200 })
  })

  test('limits: 10 MiB of text, 1 MiB of one param', () => {
    const text = (size: number): string =>
      JSON.stringify(source({ nodes: { a: { op_type: 'A', params: { p: { type: 'string', value: ['x'.repeat(size)] } } } } }))
    expect(thrown(() => importDocument(text(1_048_576 - 4)))).toBeUndefined()
    expect(thrown(() => importDocument(text(1_048_576 - 3))))
      .toMatchObject({ code: 'LIMIT_EXCEEDED', details: { diagnostic: { pointer: '/nodes/a/params/p/value', expected: 1_048_576 } } })
    expect(thrown(() => importDocument(new Uint8Array(10_485_761).fill(0x20))))
      .toMatchObject({ code: 'LIMIT_EXCEEDED', details: { diagnostic: { expected: 10_485_760, got: 10_485_761 } } })
    expect(thrown(() => importDocument(source(), { limits: { nodes: 1 } }))).toBeUndefined()
    expect(thrown(() => importDocument(source({ nodes: { a: { op_type: 'A' }, b: { op_type: 'A' } } }), { limits: { nodes: 1 } })))
      .toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(thrown(() => importDocument(source(), { limits: { nodes: 1e9 } }))).toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test.each([
    ['/nodes/a/op_type', { nodes: { a: {} } }],
    ['/nodes/a/params/p/value', { nodes: { a: { op_type: 'A', params: { p: { type: 'x' } } } } }],
    ['/links/0/source', { links: [{ id: 'l', source: ['a'], target: ['a', 'b'] }] }],
    ['/meta/priority', { meta: { priority: 101 } }], ['/nodes', { nodes: [] }],
  ])('misfits have pointers: %s', (pointer, parts) => {
    expect(thrown(() => importDocument(source(parts)))).toMatchObject({ code: 'SCHEMA_INVALID', details: { diagnostic: { pointer } } })
  })
})

describe('keys written twice (GR-16)', () => {
  test.each([
    ['a node', '{"version":"3.0.0","links":[],\n"nodes":{"a":{"op_type":"A"},\n "b":{"op_type":"B"}, "a":{"op_type":"C"}}}', '/nodes/a',
      'line 2, column 10', 'line 3, column 23'],
    ['a nested key', '{"version":"3.0.0","links":[],"nodes":{"a":{"op_type":"A",\n"ui":{"x":1,"\\u0078" : 2}}}}', '/nodes/a/ui/x',
      'line 2, column 7', 'line 2, column 13'],
    [
      'a key within an array',
      '{"version":"3.0.0","nodes":{},"links":[{"id":"l","source":["a","b"],"target":["a","b"]},\n{"id":"m","source":["a","b"],"target":["a","b"],"id":"n"}]}',
      '/links/1/id', 'line 2, column 2', 'line 2, column 49',
    ],
    ['a ComfyUI node', '{"1":{"class_type":"A","inputs":{}},\n"1":{"class_type":"B","inputs":{}}}', '/1', 'line 1, column 2',
      'line 2, column 1'],
    ['a ComfyUI input', '{"1":{"class_type":"A","inputs":{"a/b":"a\\":{","a/b":2}}}', '/1/inputs/a~1b', 'line 1, column 34',
      'line 1, column 48'],
  ])('%s', (_what, text, pointer, first, second) => {
    const error = thrown(() => importDocument(text))
    expect(error).toMatchObject({ code: 'DUPLICATE_ID', details: { diagnostic: { pointer, expected: first, got: second } } })
    expect(error.message).toMatch(`defined twice, at ${first} and ${second}.`)
  })

  test('spaces before a colon hide none, and colons within strings pretend none', () => {
    const text = (nodes: string): string => `{"version" :"3.0.0","links"\n: [], "nodes"\t:{${nodes}}}`
    expect(thrown(() => importDocument(text('"a" :{"op_type":"A::B"},"a"\t:{"op_type":"\\u003a"}'))))
      .toMatchObject({ code: 'DUPLICATE_ID', details: { diagnostic: { pointer: '/nodes/a' } } })
    expect(importDocument(text('"a:":{"op_type":":b","ui" : {"t":"\\": x","u":" :" , "":": "}},":":{"op_type":"c : d"}')).document.nodes)
      .toHaveLength(2)
  })

  test('what is read as it is checked is what is read after checks: fields of others, odd names, notes of the report', () => {
    const registry = remoteRegistry()
    const all = source({
      'x-a': { b: [1] }, meta: { name: 'n', 'x-m': 1, created: 'yesterday' },
      links: [{ source: ['a', 'o'], target: ['__proto__', 'i'], 'x-l': null }, { id: 'l', source: ['a', 'o'], target: ['b', 'i'] }],
      nodes: JSON.parse('{"a":{"op_type":"FeedNode","x-n":0,"params":{}},"__proto__":{"op_type":"Odd Type!","params":{"__proto__":{"type":"int","value":1,"x-p":2}}},"b":{"op_type":"Odd Type!"},"7":{"op_type":"FeedNode","ui":null}}') as unknown,
    })
    const read = importDocument(JSON.stringify(all), { registry })
    const { document, report } = importDocument(all, { registry })
    expect(read.document).toEqual(document)
    expect(JSON.stringify(read.report)).toBe(JSON.stringify(report))
    expect(read.report).toMatchObject({
      nodes: 4,
      missing: [{ pointer: '/nodes/__proto__/op_type' }, { pointer: '/nodes/b/op_type' }],
      warnings: [{ code: 'IMPORT_NOTE' }],
    })
    expect(read.document.nodes.map(({ id }) => id)).toEqual(['7', 'a', '__proto__', 'b'])
  })

  test('all of them are told, and equal keys of different objects are none', () => {
    expect(thrown(() =>
      importDocument('{"1":{"class_type":"A","class_type":"B","inputs":{"x":1,"x":1}},"1":{"class_type":"C"}}')).details.diagnostics)
      .toHaveLength(3)
    expect(thrown(() =>
      importDocument('{"1":{"class_type":"A","inputs":{"a:{":"\\"a\\":","b":[{"a":1},{"a":1}]}},"2":{"class_type":"A","inputs":{"a":1}}}')))
      .toBeUndefined()
  })

  test('dialects that keep nodes in arrays are not scanned', () => {
    expect(importDocument('{"version":"1.0.0","nodes":[{"id":"a","type":"A","id":"b"}],"edges":[]}').document.nodes)
      .toMatchObject([{ id: 'b' }])
  })
})
