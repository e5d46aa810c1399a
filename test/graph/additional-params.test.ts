/** Node types that take params which they do not declare (spec graph.md section 5, stage 8: PARAM_UNKNOWN is a warning then). */
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  createEngine, createRegistry, defineNode, fromDocument, graphFrom, json, toDocument, validate, type AnyHandle,
} from '../../src/index.js'
import { hashGraph } from '../../src/graph/hash.js'
import type { NodeDefinition } from '../../src/graph/node-definition.js'
import { resolveParams } from '../../src/graph/params.js'
import { nodeSchema } from '../../src/graph/schema/node-schema.js'
import { typedDocumentSchema } from '../../src/graph/schema/typed-document-schema.js'

const shared = {
  version: '1.0.0', title: 'Echo', doc: 'Gives its params.', family: 'test', inputs: {}, outputs: { out: { media: json() } },
  process: (_inputs: unknown, params: Readonly<Record<string, unknown>>) => Promise.resolve({
    out: { media: { kind: 'json' as const }, data: params, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
  }),
} as const
const params = { level: { type: 'number', min: 0, default: 1, doc: 'Level.' }, name: { type: 'string', doc: 'Name.' } } as const
const open = defineNode({ ...shared, type: 'test::open', params, additionalParams: true })
const bare = defineNode({ ...shared, type: 'test::bare', params: {}, additionalParams: true })
const strict = defineNode({ ...shared, type: 'test::strict', params })
const registry = createRegistry(open, bare, strict)
const told = (type: string, given: object): unknown =>
  validate({ millrace: 1, nodes: [{ id: 'n', type, params: given }], outputs: { out: ['n', 'out'] } }, registry)
    .map(({ code, severity, stage, port, constraint, pointer }) => [code, severity, stage, port, constraint, pointer])

describe('additional params', () => {
  test('are a warning and kept as given; others stay an error', () => {
    expect(told('test::open', { level: 2, levle: 3 }))
      .toEqual([['PARAM_UNKNOWN', 'warning', 8, 'levle', 'additional', '/nodes/0/params/levle']])
    expect(told('test::strict', { levle: 3 })).toEqual([['PARAM_UNKNOWN', 'error', 8, 'levle', 'additional', '/nodes/0/params/levle']])
    expect(resolveParams(open.definition, { b: [1], level: 2, a: { x: null } }).values).toEqual({ b: [1], level: 2, a: { x: null } })
  })

  test('are JSON; declared ones keep their rules', () => {
    expect(told('test::open', { level: -1, other: 1 })).toEqual([
      ['PARAM_INVALID', 'error', 8, 'level', 'min', '/nodes/0/params/level'],
      ['PARAM_UNKNOWN', 'warning', 8, 'other', 'additional', '/nodes/0/params/other'],
    ])
    const { values, diagnostics } = resolveParams(open.definition, { f: () => 0 })
    expect([Object.keys(values), diagnostics.map(({ code, port, constraint }) => [code, port, constraint])])
      .toEqual([['level'], [['PARAM_INVALID', 'f', 'type']]])
  })

  test('of hostile names change nothing else', () => {
    const { values } =
      resolveParams(open.definition, JSON.parse('{"__proto__": {"level": 9}, "constructor": 1}') as Record<string, unknown>)
    expect(Object.getPrototypeOf(values)).toBe(Object.prototype)
    expect(Object.keys(values)).toEqual(['__proto__', 'constructor', 'level'])
    expect(values['level']).toBe(1)
  })

  test('reach the node, survive documents, and no input drives them', async () => {
    await using engine = await createEngine({ registry, tier: 'js' })
    const graph = graphFrom({ out: open({ level: 2, extra: { deep: [1, 'x'] } }) }), again = fromDocument(toDocument(graph), registry)
    using result = await engine.run(again)
    expect((result.outputs['out'] as { readonly data: unknown }).data).toEqual({ level: 2, extra: { deep: [1, 'x'] } })
    expect(result.diagnostics.map(({ code, severity }) => [code, severity])).toEqual([['PARAM_UNKNOWN', 'warning']])
    expect(validate({
      millrace: 1, inputs: { x: { to: [['n', 'extra']] } }, nodes: [{ id: 'n', type: 'test::open' }], outputs: { out: ['n', 'out'] },
    }, registry).map(({ code }) => code)).toEqual(['PORT_NOT_FOUND'])
  })

  test('enter the hash by name and value, wherever they are written', () => {
    const hash = (given: Record<string, unknown>): string => hashGraph(graphFrom({ out: open(given) })).graph
    expect(hash({ a: 1, name: 'n', z: 2 })).toBe(hash({ z: 2, a: 1, name: 'n', level: 1 }))
    const all = [hash({}), hash({ a: 1 }), hash({ a: 2 }), hash({ b: 1 }), hash({ a: 1, b: 1 }), hash({ a: '1' }), hash({ z: 1 })]
    expect(new Set(all).size).toBe(all.length)
  })

  test('are in the schemas', () => {
    const params = (schema: unknown): unknown =>
      ((schema as { properties: { params: { additionalProperties: unknown } } }).properties.params).additionalProperties
    const typed = (definition: NodeDefinition): unknown => params((typedDocumentSchema([definition])['$defs'] as {
      document: { properties: { nodes: { items: { allOf: { then: unknown }[] } } } }
    }).document.properties.nodes.items.allOf[0]!.then)
    for (const schema of [(one: NodeDefinition) => params(nodeSchema(one)), typed]) {
      expect([schema(open.definition) === false, schema(strict.definition)]).toEqual([false, false])
    }
  })

  test('are allowed by the types, declared ones still checked', () => {
    expectTypeOf(open({ level: 1, whatever: 'x' })).toExtend<AnyHandle>()
    expectTypeOf(bare({ anything: [1] })).toExtend<AnyHandle>()
    // @ts-expect-error level is a number
    open({ level: 'loud', whatever: 1 })
    // @ts-expect-error not declared, and this type takes no others
    strict({ whatever: 1 })
  })
})
