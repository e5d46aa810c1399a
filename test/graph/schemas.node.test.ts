import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDocument } from '../../src/graph/document/parse-document.js'
import { resolveParams } from '../../src/graph/params.js'
import { documentSchema } from '../../src/graph/schema/json-schema.js'
import { nodeSchema, paramsFromSchema } from '../../src/graph/schema/node-schema.js'
import type { ParamDeclaration } from '../../src/graph/node-definition.js'
import { createRegistry } from '../../src/graph/registry.js'
import * as nodes from '../../src/nodes/index.js'
import { every, everyParam, resample, testRegistry } from '../support/sample-nodes.js'
import { CORPUS } from './document-corpus.js'

const builtin = createRegistry(...Object.values(nodes).filter((node) => typeof node === 'function' && 'definition' in node))
/** ajv: a schema validator that shares no code with ours (GR-05). */
const validator = (schema: object): ((value: unknown) => boolean) => new Ajv2020({ strict: false }).compile(schema)
const textOf = (text: string | Uint8Array): string => typeof text === 'string' ? text : new TextDecoder().decode(text)

describe('generated JSON Schemas', () => {
  test('document: agrees with stages 2 and 3 on the corpus', () => {
    const accepts = validator(documentSchema())
    for (const { name, text, diagnostics } of CORPUS) {
      if (diagnostics[0]?.['stage'] === 1 || name === 'engines not met') continue       // no JSON; a range is no matter of schemas
      const fits = diagnostics.every((d) => d['severity'] === 'warning')
      expect([name, accepts(JSON.parse(textOf(text).replace(/^\ufeff/, '')))]).toEqual([name, fits])
    }
  })

  test('document: agrees on 5 000 documents with random values in random places', () => {
    const accepts = validator(documentSchema())
    const scalar = fc.constantFrom<unknown>(
      0, 1, -1, 128, 1.5, 1e300, '', 'x', 'js', 'auto', 'run', 'on', 'none', '1.0', true, false, null, [], {}, ['a', 'b'], [['a', 'b']],
      { kind: 'none' }, '\u0007', 'a::b', 'x'.repeat(65), '\ud800',
    )
    const object = (...keys: string[]): fc.Arbitrary<unknown> => fc.dictionary(fc.constantFrom(...keys), scalar, { maxKeys: 3 })
    const node = fc.record({ id: fc.constantFrom<unknown>('a', 'b', '', 7), type: fc.constantFrom<unknown>('a::b', 'Alias', 'no type', 1) })
      .chain((base) => object('version', 'params', 'tier', 'place', 'requires', 'mode', 'policy', 'output', 'ui', 'x-y', 'zz')
        .map((more) => ({ ...base, ...(more as object) })))
    const document = fc.record({
      millrace: fc.constant(1),
      nodes: fc.array(fc.oneof({ weight: 9, arbitrary: node }, { weight: 1, arbitrary: scalar }), { maxLength: 3 }),
    })
      .chain((base) => object(
        'id', 'revision', 'meta', 'engines', 'packs', 'inputs', 'edges', 'outputs', 'definitions', 'config', 'ui', 'x-y', 'zz',
      ).map((more) => ({ ...base, ...(more as object) })))
    let good = 0
    fc.assert(fc.property(document, (value) => {
      const fits = parseDocument(JSON.stringify(value)).diagnostics.every((d) => d.severity === 'warning')
      if (fits) good++
      expect(accepts(value)).toBe(fits)
    }), { numRuns: 5_000 })
    expect(good).toBeGreaterThan(250)
  })

  test('node types: agree with stage 8 on every param with random JSON', () => {
    const accepts = validator(nodeSchema(every.definition))
    const value = fc.oneof(
      fc.constantFrom<unknown>(
        0, -0, 1, 0.5, -3, 3, 4, 768_000, 768_001, 2 ** 53, 2 ** 53 - 1, 1e300, null, true, '', 'ab', 'AB', 'abcde', 'a\ud800',
        '\u{1f600}\u{1f600}\u{1f600}\u{1f600}', 'low', 'mid', '#fff', '#ABCDEF12', '#12', [], [0], [0, 2], [0, 0, 0], [1, 1, 1, 1], [-1],
        [1, 2, 3], ['x'], {}, { a: 1 },
      ),
      fc.bigInt({ min: (1n << 64n) - 30n, max: (1n << 64n) + 30n }).map(String), fc.bigInt({ min: 0n, max: 10n ** 21n }).map(String),
      fc.jsonValue())
    const names = [...Object.keys(everyParam), 'sampleRate', 'sample_rate', 'gain_db', 'unknown']
    let good = 0
    fc.assert(fc.property(fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3 }), (params) => {
      const fits = resolveParams(every.definition, params).diagnostics.length === 0
      if (fits) good++
      expect(accepts({ id: 'a', type: 'test::every', params })).toBe(fits)
    }), { numRuns: 10_000 })
    expect(good).toBeGreaterThan(1_000)
  })

  test('required params, in any spelling, and types by any name', () => {
    const accepts = validator(nodeSchema(resample.definition))
    expect(accepts({ id: 'a', type: 'test::resample', params: { rate: 1 } })).toBe(true)
    expect(accepts({ id: 'a', type: 'AudioResampleNode', params: { sample_rate: 1 } })).toBe(true)
    expect(accepts({ id: 'a', type: 'test::resample', params: { rate: 1, sampleRate: 1 } })).toBe(false)
    expect(accepts({ id: 'a', type: 'test::resample', params: {} })).toBe(false)
    expect(accepts({ id: 'a', type: 'test::resample' })).toBe(false)
    expect(accepts({ id: 'a', type: 'test::vad', params: { rate: 1 } })).toBe(false)
  })

  test.each([
    ['every built-in type', builtin], ['types with params of every kind', testRegistry()],
  ] as const)('schema to form to value to schema is closed: %s (GR-25)', (_name, registry) => {
    const list = registry.list()
    expect(list.map(({ type }) => type)).toEqual([...registry.schemas().keys()])
    const checker = new Ajv2020({ strict: false, validateSchema: false })
    for (const definition of list) {
      // All that is known from here on is the schema, as text: an editor elsewhere has no more.
      const schema = JSON.parse(JSON.stringify(registry.schema(definition.type))) as Record<string, unknown>
      const form = paramsFromSchema(schema)
      const accepts = checker.compile({ ...(schema['properties'] as { params: object }).params, $defs: schema['$defs'] })
      expect(schema).toEqual(JSON.parse(JSON.stringify(registry.schemas().get(definition.type))))
      expect(form).toEqual(JSON.parse(JSON.stringify(definition.params)))
      // What a form holds when nothing was touched, and what it holds when every field was.
      const untouched = Object.fromEntries(Object.entries(form).flatMap(([name, param]) =>
        param.default !== undefined ? [[name, param.default]] : param.required === true ? [[name, valueOf(param)]] : []))
      const touched = Object.fromEntries(Object.entries(form).map(([name, param]) => [name, valueOf(param)]))
      for (const value of [untouched, touched]) {
        expect(accepts(value), `${definition.type} ${JSON.stringify(value)}`).toBe(true)
        const { values, diagnostics } = resolveParams(definition, value)
        expect(diagnostics).toEqual([])
        // The values stand as they were given, and as defaults the form gives them back.
        expect(values).toMatchObject(value)
        const preset = {
          ...definition,
          params: Object.fromEntries(Object.entries(form).map(([name, { required, ...param }]) => [
            name,
            Object.hasOwn(value, name)
              ? { ...param, default: value[name] as never }
              : { ...param, ...(required !== undefined && { required }) },
          ])),
        }
        expect(Object.fromEntries(Object.entries(paramsFromSchema(JSON.parse(JSON.stringify(nodeSchema(preset))) as Record<
          string, unknown
        >))
          .flatMap(([name, param]) => param.default === undefined ? [] : [[name, param.default]])))
          .toEqual({ ...value })
      }
      for (const [name, param] of Object.entries(form)) if (!['json', 'file'].includes(param.type)) {
        expect(accepts({ ...touched, [name]: param.type === 'object' ? 5 : {} }), `${definition.type}.${name}`).toBe(false)
      }
      expect(accepts({ ...touched, 'no such param': 1 })).toBe(definition.additionalParams === true)
      expect(JSON.parse(JSON.stringify(nodeSchema({ ...definition, params: form })))).toEqual(schema)
    }
  })
})

/** What a user of a form might give: in range, and not the default where there is a choice. */
function valueOf(param: ParamDeclaration): unknown {
  const number = (): number => {
    const least = param.min ?? (param.exclusiveMin === undefined ? -Infinity : param.exclusiveMin + 1e-3)
    const most = param.max ?? (param.exclusiveMax === undefined ? Infinity : param.exclusiveMax - 1e-3)
    const one = Number.isFinite(least) ? least : Number.isFinite(most) ? most : 1
    return one === param.default && Number.isFinite(most) ? most : one
  }
  switch (param.type) {
    case 'number': return number()
    case 'integer': return Math.ceil(number())
    case 'boolean': return param.default !== true
    case 'string': return param.pattern !== undefined ? param.default ?? 'ab' : 'x'.repeat(Math.max(1, param.minLength ?? 1))
    case 'enum': return param.values!.at(-1)
    case 'seed': return '18446744073709551615'
    case 'vector': return Array.from({ length: param.minItems ?? 2 }, number)
    case 'color': return '#102030'
    case 'file': return 'a.wav'
    case 'json': return { any: [1, null, 'x'] }
    case 'array':
      return Array.from({ length: Math.max(1, param.minItems ?? 1) }, () => param.items === undefined ? 1 : valueOf(param.items))
    case 'object': return { any: true }
  }
}
