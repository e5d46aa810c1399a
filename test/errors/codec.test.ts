import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codeOf } from '../../src/errors/code-of.js'
import { decodeError, encodeError } from '../../src/errors/codec.js'
import { commonErrors } from '../../src/errors/common-errors.js'
import { ERROR_ALIASES } from '../../src/errors/error-aliases.js'
import { ERROR_CODES } from '../../src/errors/error-codes.js'
import { errorOf } from '../../src/errors/error-of.js'
import { isMillraceError, MillraceError, type MillraceErrorFields } from '../../src/errors/millrace-error.js'
import { show, showList } from '../../src/errors/show.js'
import { withContext } from '../../src/errors/with-context.js'
import { graphErrors } from '../../src/graph/errors.js'
import { memoryErrors } from '../../src/memory/errors.js'
import { scheduleErrors } from '../../src/schedule/errors.js'
import { wrapNodeFailure } from '../../src/schedule/node-failure.js'

/** What a wire does to an error. */
const cross = (error: unknown): MillraceError => decodeError(JSON.parse(JSON.stringify(encodeError(error)))) as MillraceError

describe('codec', () => {
  test('all fields cross unchanged; the stack becomes the remote one', () => {
    const error = memoryErrors.ARENA_FULL({ need: 100, largest: 50, fragmentation: 0.25, reason: 'bytes' }, {
      nodeId: 'n', nodeType: 'a::b', port: 'out', edge: 'e', runId: 'r', operation: 'process', attempt: 2, delivery: 1,
      cause: new TypeError('deep', { cause: 'text' }) })
    const again = cross(error)
    expect(isMillraceError(again)).toBe(true)
    for (const key of [
      'message', 'code', 'kind', 'severity', 'hint', 'httpStatus', 'retryable', 'details', 'nodeId', 'nodeType', 'port', 'edge', 'runId',
      'operation', 'attempt', 'delivery',
    ] as const) {
      expect([key, again[key]]).toEqual([key, error[key]])
    }
    expect(again.remoteStack).toBe(error.stack)
    expect(cross(again).remoteStack).toBe(error.stack)
    expect(again.cause).toBeInstanceOf(TypeError)
    expect((again.cause as Error).cause).toBe('text')
  })

  test('every code of the library crosses as itself', () => {
    for (const [code, [kind, httpStatus]] of Object.entries(ERROR_CODES)) {
      expect(cross(new MillraceError('text', { code, kind, httpStatus }))).toMatchObject({ code, kind, httpStatus, message: 'text' })
    }
  })

  test('members of an AggregateError, in order', () => {
    const again = decodeError(JSON.parse(JSON.stringify(encodeError(new AggregateError([
      commonErrors.CLOSED({ thing: 'Engine' }), new RangeError('b'), 7,
    ], 'many'))))) as AggregateError
    expect(again).toBeInstanceOf(AggregateError)
    expect(again.message).toBe('many')
    expect(again.errors[0]).toMatchObject({ code: 'CLOSED' })
    expect(again.errors[1]).toBeInstanceOf(RangeError)
    expect(again.errors[2]).toBe(7)
    const outer = cross(commonErrors.INTERNAL({ what: 'x' }, { cause: new AggregateError([new Error('in')], 'all') }))
    expect((outer.cause as AggregateError).errors).toMatchObject([{ message: 'in' }])
  })

  test('an unknown code becomes INTERNAL and keeps the original', () => {
    const again = cross(new MillraceError('from the future', {
      code: 'TIME_TRAVEL', kind: 'execution', details: { year: 2_077 }, cause: new Error('why'),
    }))
    expect(again).toMatchObject({
      code: 'INTERNAL', kind: 'internal',
      details: { original: { message: 'from the future', fields: { code: 'TIME_TRAVEL', details: { year: 2_077 } } } },
    })
    expect(again.message).toContain('TIME_TRAVEL')
    expect(again.cause).toMatchObject({ message: 'why' })
    const known = decodeError(encodeError(new MillraceError('own', { code: 'MY_CODE', kind: 'execution' })), (code) => code === 'MY_CODE')
    expect(known).toMatchObject({ code: 'MY_CODE', kind: 'execution' })
  })

  test('classes that are not native keep their name and stack', () => {
    class DeviceGone extends Error { override readonly name = 'DeviceGone' }
    const error = new DeviceGone('lost'), again = decodeError(encodeError(error))
    expect([again.name, again.message, again.stack]).toEqual(['DeviceGone', 'lost', error.stack])
    expect(decodeError(encodeError(new SyntaxError('s')))).toBeInstanceOf(SyntaxError)
  })

  test('cycles, long chains and hostile objects end', () => {
    const a = new Error('a'), b = new Error('b', { cause: a })
    a.cause = b
    expect(() => cross(a)).not.toThrow()
    let chain = new Error('0')
    for (let i = 1; i < 5_000; i++) chain = new Error(String(i), { cause: chain })
    expect(JSON.stringify(encodeError(chain)).length).toBeLessThan(100_000)
    const trap =
      new Proxy({}, { get() { throw new Error('no') }, ownKeys() { throw new Error('no') }, getPrototypeOf() { throw new Error('no') } })
    const hostile = Object.defineProperty(new Error('x'), 'message', { get() { throw new Error('no') } })
    for (const value of [
      trap, hostile,
      new MillraceError('m', {
        code: 'INTERNAL', kind: 'internal',
        details: { trap, f: () => 0, big: 1n, bytes: new Uint8Array(3), nan: Number.NaN },
      }),
    ]) {
      expect(() => cross(value)).not.toThrow()
    }
  })

  test('anything can be encoded, and anything decoded', () => {
    fc.assert(fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true, withNullPrototype: true }), (
      value,
    ) => {
      expect(cross(value)).toBeInstanceOf(Error)
      expect(decodeError(value)).toBeInstanceOf(Error)
      expect(decodeError({ type: 'millrace', name: 'x', message: 'y', fields: value })).toMatchObject({ code: 'INTERNAL' })
      expect(decodeError({ type: 'error', name: 'x', message: 'y', cause: value, errors: value })).toBeInstanceOf(Error)
    }), { numRuns: 1_000 })
    expect(decodeError(encodeError('a string'))).toMatchObject({ code: 'INTERNAL', details: { original: 'a string' } })
  })
})

describe('what a node throws', () => {
  const place = { node: 'n', type: 'a::b', operation: 'process', runId: 'r' }

  test('any error becomes the cause of NODE_FAILED', () => {
    const cause = new Error('disk gone', { cause: new Error('cable') })
    expect(wrapNodeFailure(cause, place)).toMatchObject({
      code: 'NODE_FAILED', message: 'Node n (a::b) process: disk gone.', nodeId: 'n', nodeType: 'a::b', operation: 'process', runId: 'r',
      retryable: true, cause })
    expect(wrapNodeFailure(Object.assign(new Error('x'), { hint: 'plug it in' }), place).hint).toBe('plug it in')
  })

  test.each<[unknown, boolean]>([
    [new TypeError('t'), false], [new RangeError('t'), false], [new SyntaxError('t'), false], [new ReferenceError('t'), false],
    [new Error('t'), true],
    [Object.assign(new TypeError('t'), { retryable: true }), true], [Object.assign(new Error('t'), { retryable: false }), false],
  ])('retry rule: %s → %s', (thrown, retryable) => { expect(wrapNodeFailure(thrown, place).retryable).toBe(retryable) })

  test.each<[unknown, unknown]>([
    ['boom', 'boom'], [7, 7], [null, null], [undefined, undefined], [{ a: 1 }, '{"a":1}'], [Symbol('s'), 'Symbol(s)'],
  ])('a thrown %o stands in details', (thrown, kept) => {
    const error = wrapNodeFailure(thrown, place)
    expect(error).toMatchObject({ code: 'NODE_FAILED', nodeId: 'n' })
    expect(error.details['thrown']).toEqual(kept)
    expect(error.message).toMatch(/^Node n \(a::b\) process: threw .+\.$/)
  })

  test('a MillraceError keeps code, stack and cause, and gains the place', () => {
    const inner = commonErrors.UNSUPPORTED({ feature: 'x', runtime: 'Node' }, { cause: new Error('c') })
    const outer = wrapNodeFailure(inner, place)
    expect(outer).toMatchObject({
      code: 'UNSUPPORTED', message: inner.message, nodeId: 'n', nodeType: 'a::b', operation: 'process', runId: 'r', stack: inner.stack,
      cause: inner.cause,
    })
    expect(wrapNodeFailure(outer, { ...place, node: 'other' }).nodeId).toBe('n')
    expect(withContext(outer, { nodeId: 'z' })).toBe(outer)
  })
})

describe('names and texts', () => {
  test('aliases lead to codes', () => {
    expect([codeOf('VE-001'), codeOf('CycleError'), codeOf('VE-103'), codeOf('GRAPH_CYCLE'), codeOf('toString'), codeOf('nothing')])
      .toEqual(['GRAPH_CYCLE', 'GRAPH_CYCLE', 'CONFIG_INVALID', 'GRAPH_CYCLE', undefined, undefined])
    for (const [code, names] of Object.entries(ERROR_ALIASES)) for (const alias of names.split(' ')) expect(codeOf(alias)).toBe(code)
  })

  test('a diagnostic as an error', () => {
    const diagnostic =
      graphErrors.NODE_VERSION.diagnostic({ node: 'n', range: '^2', version: '1.0.0' }, { node: 'n', pointer: '/nodes/0/version' })
    expect(diagnostic).toEqual({
      code: 'NODE_VERSION', severity: 'error', stage: 7, message: 'Node n: expected ^2, registry has 1.0.0.',
      hint: 'Update the pack or the range.', docs: 'errors/NODE_VERSION', node: 'n', pointer: '/nodes/0/version',
    })
    expect(errorOf(diagnostic)).toMatchObject({
      code: 'NODE_VERSION', kind: 'validation', httpStatus: 400, nodeId: 'n', message: diagnostic.message, details: { diagnostic },
    })
    for (const one of [
      graphErrors.TIER_UNAVAILABLE.diagnostic({ node: 'n', wanted: 'wasm', missing: [] }),
      commonErrors.INTERNAL.diagnostic({ what: 'x' }),
      commonErrors.LIMIT_EXCEEDED.diagnostic({ what: 'x', limit: 1, got: 2 }),
    ]) {
      const { kind, httpStatus } = errorOf({ ...one })
      expect([kind, httpStatus]).toEqual(ERROR_CODES[one.code])
    }
    expect(errorOf({ ...diagnostic, code: 'OF_ANOTHER_LIBRARY' }))
      .toMatchObject({ code: 'OF_ANOTHER_LIBRARY', kind: 'validation', httpStatus: 400 })
  })

  test('errors of another copy of the library are recognised', () => {
    const foreign = { [Symbol.for('millrace.error')]: true, code: 'CLOSED' }
    expect([isMillraceError(foreign), isMillraceError(new Error('x')), isMillraceError(null), isMillraceError('x')])
      .toEqual([true, false, false, false])
    expect(scheduleErrors.DEPENDENCY_FAILED({ node: 'b', port: 'in', failed: 'a' })).toBeInstanceOf(Error)
  })

  test('values in messages are short and never throw', () => {
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = cyclic
    expect([
      show(undefined), show(null), show('a"b'), show(1n), show(Number.NaN), show([1, 2]), show({ a: 1 }), show(new Uint8Array(3)),
      show(new Map()), show(() => 0), show(cyclic),
    ])
      .toEqual(['nothing', 'null', '"a\\"b"', '1n', 'NaN', '[1,2]', '{"a":1}', 'Uint8Array(3 bytes)', 'a Map', 'a function', 'an object'])
    expect(show('x'.repeat(1_000)).length).toBeLessThanOrEqual(80)
    expect(showList([])).toBe('none')
    expect(showList(Array.from({ length: 20 }, (_, i) => i))).toMatch(/11, …$/)
    fc.assert(fc.property(fc.anything(), (value) => { expect(show(value).length).toBeLessThanOrEqual(80) }), { numRuns: 500 })
  })

  test('fields of the class', () => {
    const fields: MillraceErrorFields = { code: 'INTERNAL', kind: 'internal' }
    expect(new MillraceError('m', fields))
      .toMatchObject({ name: 'MillraceError', severity: 'error', hint: '', httpStatus: 500, retryable: false, details: {} })
    expect(Object.keys(new MillraceError('m', fields))).not.toContain('nodeId')
  })
})
