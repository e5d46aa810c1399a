import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { paramNames, resolveParams } from '../../src/graph/params.js'
import { every, everyParam, resample } from '../support/sample-nodes.js'

const check = (params: Record<string, unknown>): ReturnType<typeof resolveParams> =>
  resolveParams(every.definition, params, { node: 'n', pointer: '/nodes/0/params' })

describe('resolveParams', () => {
  test('fills in defaults and keeps what is given', () => {
    expect(check({ number: 5 })).toEqual({ values: { number: 5, boolean: true, enum: 'high', seed: 0, gainDb: 0 }, diagnostics: [] })
  })

  test.each<[string, unknown, string, unknown]>([
    ['number', 0, 'min', 1], ['number', 768_001, 'max', 768_000], ['number', Number.NaN, 'type', 'a finite number'],
    ['number', Infinity, 'type', 'a finite number'],
    ['number', -Infinity, 'type', 'a finite number'], ['number', '16000', 'type', 'a finite number'],
    ['number', null, 'type', 'a finite number'], ['number', 5n, 'type', 'a finite number'],
    ['open', 0, 'exclusiveMin', 0], ['open', 1, 'exclusiveMax', 1], ['integer', 1.5, 'type', 'an integer'], ['integer', 4, 'max', 3],
    ['integer', -4, 'min', -3], ['integer', 2 ** 53, 'type', 'an integer'],
    ['boolean', 1, 'type', 'true or false'], ['string', 7, 'type', 'a string'], ['string', '', 'minLength', 1],
    ['string', 'abcde', 'maxLength', 4], ['string', 'AB', 'pattern', everyParam.string.pattern],
    ['string', 'a\ud800', 'format', 'well-formed Unicode'], ['enum', 'mid', 'enum', ['low', 'high']], ['enum', 0, 'enum', ['low', 'high']],
    ['seed', -1, 'type', 'a whole number below 2^64'], ['seed', 0.5, 'type', 'a whole number below 2^64'],
    ['seed', 2 ** 53, 'type', 'a whole number below 2^64'],
    ['seed', '18446744073709551616', 'type', 'a whole number below 2^64'], ['seed', 1n << 64n, 'type', 'a whole number below 2^64'],
    ['seed', '0x1', 'type', 'a whole number below 2^64'],
    ['vector', [], 'minItems', 1], ['vector', [0, 0, 0, 0], 'maxItems', 3], ['vector', 'x', 'type', 'a list of numbers'],
    ['color', '#12', 'format', '#rgb, #rrggbb, #rrggbbaa or 3 to 4 numbers from 0 to 1'],
    ['color', [0, 2, 0], 'format', '#rgb, #rrggbb, #rrggbbaa or 3 to 4 numbers from 0 to 1'], ['file', '', 'minLength', 1],
    ['file', {}, 'type', 'a path, address, bytes or stream'], ['file', 3, 'type', 'a path, address, bytes or stream'],
    ['file', { getReader: 1 }, 'type', 'a path, address, bytes or stream'],
    ['json', () => 0, 'type', 'a JSON value'], ['array', {}, 'type', 'an array'], ['array', [1, 2, 3], 'maxItems', 2],
    ['object', [], 'type', 'an object'], ['object', null, 'type', 'an object'],
  ])('%s refuses %o by %s', (name, value, constraint, limit) => {
    const { values, diagnostics } = check({ [name]: value })
    expect(diagnostics).toHaveLength(1)
    expect(diagnostics[0]).toMatchObject({
      code: 'PARAM_INVALID', severity: 'error', stage: 8, node: 'n', port: name, constraint, expected: limit,
      pointer: `/nodes/0/params/${name}`,
    })
    expect(diagnostics[0]?.hint).toMatch(/^Allowed: ./)
    expect(values).not.toHaveProperty(name, value)
  })

  test.each<[string, unknown]>([
    ['number', 1], ['number', 768_000], ['open', Number.MIN_VALUE], ['integer', -0], ['string', 'ab\u{1f600}\u{1f600}'],
    ['seed', '18446744073709551615'], ['seed', (1n << 64n) - 1n], ['seed', 2 ** 53 - 1],
    ['vector', new Float32Array([0, 1])], ['color', '#Ab1'], ['color', [0, 0.5, 1, 1]], ['file', 'a'], ['file', new Uint8Array(0)],
    ['file', new ArrayBuffer(1)], ['file', new URL('https://example.org/a.wav')],
    ['file', new Blob(['x'])], ['file', new ReadableStream()], ['file', { async* [Symbol.asyncIterator]() { yield* [] } }], ['json', null],
    ['json', { a: [1] }], ['array', [0, 5]], ['object', { a: 1 }],
  ])('%s takes %o', (name, value) => {
    const { values, diagnostics } = check({ [name]: value })
    expect(diagnostics).toEqual([])
    expect(values[name]).toBe(value)
  })

  test('says what, where and what is allowed', () => {
    expect(resolveParams(resample.definition, { rate: 1e9 }, { node: 'to16k' }).diagnostics[0]).toMatchObject({
      message: 'Param to16k.rate: expected at most 768000, got 1000000000.', hint: 'Allowed: numbers from 1 to 768000 Hz.', got: 1e9 })
    expect(check({ vector: [0, 2] }).diagnostics[0]?.message).toBe('Param n.vector[1]: expected at most 1, got 2.')
    expect(check({ array: [0, -1] }).diagnostics[0]?.message).toBe('Param n.array[1]: expected at least 0, got -1.')
    expect(check({ enum: 'mid' }).diagnostics[0]?.message).toBe('Param n.enum: expected one of low, high, got "mid".')
  })

  test('names that are not declared', () => {
    const [found] = check({ numbr: 1 }).diagnostics
    expect(found).toMatchObject({
      code: 'PARAM_UNKNOWN', constraint: 'additional', got: 'numbr', hint: 'Did you mean number?',
      suggestions: [{ title: 'Rename numbr to number' }, { title: 'Remove numbr' }],
    })
    // `gain_db` is no other param than `gainDb`.
    expect(check({ gainDB_: 1 }).diagnostics[0])
      .toMatchObject({ hint: 'Did you mean gainDb?', suggestions: [{ title: 'Rename gainDB_ to gainDb' }, { title: 'Remove gainDB_' }] })
    expect(check({ zzzzzzzz: 1 }).diagnostics[0]?.hint).toMatch(/^Allowed: number, open/)
  })

  test('required params: missing, given by another name, or driven by an edge', () => {
    expect(resolveParams(resample.definition, {}).diagnostics).toMatchObject([{
      code: 'PARAM_INVALID', constraint: 'required', port: 'rate',
      message: 'Param test::resample.rate: expected a value, got nothing.',
    }])
    expect(resolveParams(resample.definition, { rate: undefined }).diagnostics).toHaveLength(1)
    expect(resolveParams(resample.definition, { sampleRate: 8_000 })).toEqual({ values: { rate: 8_000, quality: 'high' }, diagnostics: [] })
    expect(resolveParams(resample.definition, { sample_rate: 8_000 }).values['rate']).toBe(8_000)
    expect(resolveParams(resample.definition, {}, { driven: new Set(['rate']) }).diagnostics).toEqual([])
  })

  test('two spellings of one param', () => {
    expect(resolveParams(resample.definition, { rate: 1, sample_rate: 2 }).diagnostics)
      .toMatchObject([{ constraint: 'other', expected: 'one spelling, rate or sample_rate' }])
    expect(paramNames(everyParam).get('gain_db')).toBe('gainDb')
  })

  test('secrets are never told', () => {
    const definition = { ...every.definition, params: { key: { type: 'string', maxLength: 3, secret: true, doc: '' } } } as const
    const text = JSON.stringify(resolveParams(definition, { key: 'hunter2' }).diagnostics)
    expect(text).toContain('(secret)')
    expect(text).not.toContain('hunter2')
  })

  test('hostile keys and values: no throw, no pollution', () => {
    const hostile = JSON.parse(
      '{ "__proto__": { "polluted": 1 }, "constructor": 1, "toString": 2, "hasOwnProperty": 3, "valueOf": 4 }',
    ) as Record<string, unknown>
    expect(check(hostile).diagnostics.map((d) => d.code)).toEqual(Array(5).fill('PARAM_UNKNOWN'))
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    fc.assert(fc.property(fc.dictionary(
      fc.oneof(fc.constantFrom(...Object.keys(everyParam), '__proto__'), fc.string()),
      fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true }),
    ), (params) => {
      const { values, diagnostics } = check(params)
      expect(Object.keys(values).every((name) => Object.hasOwn(everyParam, name))).toBe(true)
      expect(() => structuredClone(diagnostics)).not.toThrow()
    }), { numRuns: 500 })
  })
})
