/**
 * Text with half of a surrogate pair has no UTF-8 form: `validate` says so wherever it stands, so that
 * planning, saving and hashing never meet it.
 */
import { describe, expect, test } from 'vitest'
import { createRegistry, defineNode, fromDocument, graphFrom, hashGraph, json, parseDocument, validate } from '../../src/index.js'
import type { ParamTable } from '../../src/graph/node-definition.js'

const params = {
  any: { type: 'json', doc: '' }, object: { type: 'object', doc: '' }, list: { type: 'array', doc: '' },
  items: { type: 'array', items: { type: 'json', doc: '' }, doc: '' }, text: { type: 'string', doc: '' },
  file: { type: 'file', doc: '' }, texts: { type: 'array', items: { type: 'string', doc: '' }, doc: '' },
  key: { type: 'json', secret: true, doc: '' },
} as const satisfies ParamTable
const type = defineNode({
  type: 'test::texts', version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test', params, inputs: {},
  outputs: { out: { media: json() } },
  process: () => Promise.resolve({
    out: { media: { kind: 'json' }, data: 1, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } as const,
  }),
})
const registry = createRegistry(type)
const BAD = 'a\ud800b'

const cases: readonly [name: keyof typeof params, value: unknown, steps: string][] = [
  ['any', BAD, ''], ['any', ['a', { b: [BAD] }], '/1/b/0'], ['any', { a: { [BAD]: 1 } }, `/a/${BAD}`],
  ['any', { 'x/y': { '~': BAD } }, '/x~1y/~0'], ['object', { a: BAD }, '/a'], ['object', { [BAD]: 1 }, `/${BAD}`],
  ['list', [1, [BAD]], '/1/0'], ['items', [{}, { a: BAD }], '/1/a'], ['text', BAD, ''], ['file', BAD, ''], ['texts', ['a', BAD], '/1'],
  ['any', '\udc00', ''], ['any', '\udc00\ud800', ''],
]

describe('is PARAM_INVALID with node, constraint and pointer', () => {
  test.each(cases)('%s: %j', (name, value, steps) => {
    const document = { millrace: 1, nodes: [{ id: 'n', type: 'test::texts', params: { [name]: value } }], outputs: { o: ['n', 'out'] } }
    for (const given of [document, fromDocument(document as never, registry), graphFrom({ o: type({ [name]: value } as never) })]) {
      const found = validate(given as never, registry).filter(({ severity }) => severity === 'error')
      expect(found).toEqual([expect.objectContaining({
        code: 'PARAM_INVALID', stage: 8, port: name, constraint: 'format', pointer: `/nodes/0/params/${name}${steps}`,
      })])
    }
    expect(() => hashGraph(fromDocument(document as never, registry)))
      .toThrow(expect.objectContaining({ code: 'PARAM_INVALID', nodeId: 'n' }))
  })

  test('as JSON text with an escape', () => {
    const { document } =
      parseDocument('{"millrace":1,"nodes":[{"id":"n","type":"test::texts","params":{"any":{"k":["\\ud800"]}}}],"edges":[],"outputs":{}}')
    expect(validate(document as never, registry))
      .toContainEqual(expect.objectContaining({ code: 'PARAM_INVALID', pointer: '/nodes/0/params/any/k/0' }))
  })

  test('in the name of a param that nobody declared', () => {
    const free = defineNode({ ...type.definition, type: 'test::free', params: {}, additionalParams: true } as never) as never,
      graph = fromDocument({ millrace: 1, nodes: [{ id: 'n', type: 'test::free', params: { [BAD]: 1 } }] } as never, createRegistry(free))
    expect(validate(graph, createRegistry(free))).toContainEqual(expect.objectContaining({
      code: 'PARAM_INVALID', severity: 'error', constraint: 'format', pointer: `/nodes/0/params/${BAD}`,
    }))
    expect(() => hashGraph(graph)).toThrow(expect.objectContaining({ code: 'PARAM_INVALID' }))
  })

  test('a secret is not told', () => {
    const graph = graphFrom({ o: type({ key: { a: `password ${BAD}` } }) }), [found] = validate(graph, registry)
    expect(found).toMatchObject({ code: 'PARAM_INVALID', got: '(secret)' })
    expect(JSON.stringify(found)).not.toContain('password')
    expect(() => hashGraph(graph)).toThrow(expect.not.objectContaining({ message: expect.stringContaining('password') as string }))
  })

  test('objects that cannot be read; nesting without end is beyond a limit, and is no value to hash', () => {
    for (const value of [
      { get a(): number { throw new Error('no') } },
      { toJSON: () => { throw new Error('no') } },
      new Proxy({}, { ownKeys: () => { throw new Error('no') } }),
    ]) {
      expect(validate(graphFrom({ o: type({ any: value as never }) }), registry))
        .toEqual([expect.objectContaining({ code: 'PARAM_INVALID', constraint: 'type', pointer: '/nodes/0/params/any' })])
    }
    const loop: unknown[] = []
    loop.push(loop)
    expect(validate(graphFrom({ o: type({ any: loop as never }) }), registry))
      .toEqual([expect.objectContaining({ code: 'LIMIT_EXCEEDED', pointer: '/nodes/0/params/any' })])
    expect(() => hashGraph(graphFrom({ o: type({ any: loop as never }) }))).toThrow(expect.objectContaining({ code: 'PARAM_INVALID' }))
  })
})

test('whole pairs, bytes, dates and addresses are fine', () => {
  for (const any of [
    '\u{1f600}', ['\u{1f600}', 1, null, true], { '\u{1f600}': 'x' }, new Uint8Array(3), new Date(0), new URL('http://a/b'),
    new Map([[BAD, BAD]]), Float32Array.of(1),
  ]) {
    expect(validate(graphFrom({ o: type({ any: any as never }) }), registry)).toEqual([])
  }
})

test('names of outputs and run-time inputs, ids of nodes: refused where they are read', () => {
  const document = (more: object): unknown => ({
    millrace: 1, nodes: [{ id: 'n', type: 'test::texts' }], outputs: { o: ['n', 'out'] }, ...more,
  })
  for (const one of [
    document({ outputs: { [BAD]: ['n', 'out'] } }), document({ inputs: { [BAD]: { to: [['n', 'any']] } } }),
    document({ nodes: [{ id: BAD, type: 'test::texts' }], outputs: {} }),
  ]) {
    expect(validate(one as never, registry)).toContainEqual(expect.objectContaining({ severity: 'error', stage: 3 }))
  }
})
