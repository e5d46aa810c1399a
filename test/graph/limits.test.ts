import { describe, expect, test } from 'vitest'
import { readDocument } from '../../src/graph/document/from-document.js'
import { parseDocument } from '../../src/graph/document/parse-document.js'
import { DEFAULT_LIMITS, HARD_LIMITS, resolveLimits, type Limits } from '../../src/graph/limits.js'
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
    expect(readDocument(value, testRegistry(), { limits: { depth: 10 } }).diagnostics.filter((d) => d.code === 'LIMIT_EXCEEDED')).toEqual([])
    expect(readDocument(value, testRegistry(), { limits: { depth: 9 } }).diagnostics).toMatchObject([{ code: 'LIMIT_EXCEEDED', got: 10 }])
  })

  test.each<[string, object]>([
    ['params', { nodes: [{ ...node(0), params: { deep: nested(6) } }] }], ['ui', { ui: nested(9) }], ['media of an input', { inputs: { in: { to: [['n0', 'in']], media: nested(7) } } }],
    ['an x- field', { 'x-own': nested(9) }], ['an unknown field', { own: nested(9) }], ['a definition', { definitions: { d: { millrace: 1, nodes: [], ui: nested(7) } } }],
  ])('nesting in %s', (_name, fields) => {
    expect(limitsFound(text(fields), { depth: 10 })).toEqual([])
    expect(limitsFound(text(fields), { depth: 9 })).toEqual([['Nesting: limit 9, got 10.', undefined]])
  })

  test('one string, keys included', () => {
    for (const source of [text({ ui: 'x'.repeat(100) }), text({ ui: { ['x'.repeat(100)]: 1 } }), text({ ui: `${'x'.repeat(97)}"\n` }).replace('x\\"', '\\"')]) {
      expect(limitsFound(source, { stringLength: 100 })).toEqual([])
      expect(limitsFound(source, { stringLength: 99 })).toEqual([['String: limit 99, got 100.', undefined]])
    }
  })

  test('one param, one ui', () => {
    const params = (value: unknown): string => text({ nodes: [{ ...node(0), params: { small: 1, p: value } }] })
    const value = { a: ['é', 1.5, null, true, '"\u0001'] }, n = new TextEncoder().encode(JSON.stringify(value)).length
    expect(limitsFound(params(value), { paramBytes: n })).toEqual([])
    expect(limitsFound(params(value), { paramBytes: n - 1 })[0]).toEqual([expect.stringContaining(`Bytes of param p: limit ${n - 1}, got `), '/nodes/0/params/p'])
    expect(limitsFound(text({ ui: 'x'.repeat(98) }), { paramBytes: 100 })).toEqual([])
    expect(limitsFound(text({ ui: 'x'.repeat(99) }), { paramBytes: 100 })).toEqual([['Bytes of ui: limit 100, got 101.', '/ui']])
    expect(limitsFound(text({ nodes: [{ ...node(0), ui: 'x'.repeat(99) }] }), { paramBytes: 100 })).toEqual([['Bytes of ui: limit 100, got 101.', '/nodes/0/ui']])
  })

  test('the defaults hold when nothing is said', () => {
    expect(parseDocument(text({ nodes: Array.from({ length: 10_000 }, (_, i) => node(i)) })).diagnostics).toEqual([])
    expect(parseDocument(text({ nodes: Array.from({ length: 10_001 }, (_, i) => node(i)) })).diagnostics).toMatchObject([{ code: 'LIMIT_EXCEEDED', expected: 10_000, got: 10_001 }])
    expect(parseDocument(text({ ui: nested(63) })).diagnostics).toEqual([])
    expect(parseDocument(text({ ui: nested(64) })).diagnostics).toMatchObject([{ code: 'LIMIT_EXCEEDED', expected: 64, got: 65, stage: 1 }])
    const mib = 1_048_576
    expect(parseDocument(text({ nodes: [{ ...node(0), params: { p: 'x'.repeat(mib - 2) } }] })).diagnostics).toEqual([])
    expect(parseDocument(text({ nodes: [{ ...node(0), params: { p: 'x'.repeat(mib - 1) } }] })).diagnostics).toMatchObject([{ code: 'LIMIT_EXCEEDED', expected: mib, got: mib + 1 }])
    expect(parseDocument(text({ ui: 'x'.repeat(mib + 1) })).diagnostics).toMatchObject([{ code: 'LIMIT_EXCEEDED', expected: mib, got: mib + 1 }])
    expect(parseDocument(new Uint8Array(10 * mib + 1)).diagnostics).toMatchObject([{ code: 'LIMIT_EXCEEDED', got: 10 * mib + 1 }])
  })

  test('ten million brackets are refused by counting, not by nesting', () => {
    expect(parseDocument('['.repeat(10_000_000)).diagnostics).toMatchObject([{ code: 'LIMIT_EXCEEDED', message: 'Nesting: limit 64, got 10000000.' }])
    expect(parseDocument('{"a":'.repeat(2_000_000)).diagnostics).toMatchObject([{ code: 'LIMIT_EXCEEDED', got: 2_000_000 }])
    expect(parseDocument(`"${'\\'.repeat(1_000_000)}`).diagnostics).toMatchObject([{ code: 'JSON_SYNTAX' }])
  })

  test.each(Object.keys(HARD_LIMITS) as (keyof Limits)[])('%s: the hard limit is allowed, one more is CONFIG_INVALID', (key) => {
    expect(resolveLimits({ [key]: HARD_LIMITS[key] })).toEqual({ ...DEFAULT_LIMITS, [key]: HARD_LIMITS[key] })
    expect(DEFAULT_LIMITS[key]).toBeLessThanOrEqual(HARD_LIMITS[key])
    for (const value of [HARD_LIMITS[key] + 1, 0, 1.5, Number.NaN, '5']) {
      expect(thrown(() => parseDocument('{}', { limits: { [key]: value as number } }))).toMatchObject({ code: 'CONFIG_INVALID', details: { key: `limits.${key}` } })
    }
  })

  test('unknown limits are misuse', () => {
    expect(thrown(() => resolveLimits({ toString: 1 } as never))).toMatchObject({ code: 'CONFIG_INVALID' })
    expect(resolveLimits({ nodes: undefined as never })).toEqual(DEFAULT_LIMITS)
  })
})
