/** `migrations` of node types: params of documents that name an older version of the type. */
import { describe, expect, test } from 'vitest'
import { fromDocument } from '../../src/graph/document/from-document.js'
import { toDocument } from '../../src/graph/document/to-document.js'
import { refreshTypes } from '../../src/graph/edit/edits.js'
import { hashGraph } from '../../src/graph/hash.js'
import type { NodeDefinition, ParamValues } from '../../src/graph/node-definition.js'
import { oldestOf } from '../../src/graph/semver.js'
import { validate } from '../../src/graph/validate/index.js'
import { createEngine, createRegistry, defineNode, type Packet } from '../../src/index.js'
import { json } from '../../src/media/media-type.js'
import { nodeType } from '../support/graph-nodes.js'

const item = (data: unknown): Packet => ({ media: { kind: 'json' }, data, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} })
type Steps = NonNullable<NodeDefinition['migrations']>
/** Version 3: a level in dB, once a factor (`gain`, version 1), then in dB under another name (`db`, version 2). */
const steps: Steps = [
  { from: '2.0.0', params: ({ db, ...rest }) => ({ ...rest, ...(db !== undefined && { levelDb: db }) }) },
  { from: '1.0.0', params: ({ gain, ...rest }) => ({ ...rest, ...(gain !== undefined && { db: 20 * Math.log10(gain as number) }) }) },
]
const level = (migrations: Steps = steps, version = '3.1.0'): NodeDefinition => nodeType('my::level', {
  version, migrations, params: { levelDb: { type: 'number', default: 0, doc: 'Level.' } }, outputs: { out: json() }, process: async (_inputs, params) => ({ out: item(params['levelDb']) }),
})
const registryOf = (definition: NodeDefinition): ReturnType<typeof createRegistry> => createRegistry({ definition }), registry = registryOf(level())
const documentOf = (version: string | undefined, params: ParamValues): object => ({ millrace: 1, nodes: [{ id: 'a', type: 'my::level', ...(version !== undefined && { version }), params }], outputs: { x: ['a', 'out'] } })
const problems = (document: object, types = registry): string[] => validate(document, types).map(({ code, severity, message }) => `${code} ${severity} ${message}`)

describe('a node that names an older version of its type', () => {
  test.each([
    ['^1.0.0', { gain: 10 }], ['1.4.2', { gain: 10 }], ['~1.2', { gain: 10 }], ['1.x', { gain: 10 }], ['>=1.1.0 <2', { gain: 10 }], ['^2.3.0', { db: 20 }], ['1.0.0 || ^2', { db: 20 }],
  ])('%s is read as one of this version, and is the same as one written for it', (version, params) => {
    const old = fromDocument(documentOf(version, params), registry), now = fromDocument(documentOf('^3.0.0', { levelDb: 20 }), registry)
    expect(old.nodes[0]).toMatchObject({ params: { levelDb: 20 }, version: '^3.1.0' })
    expect(hashGraph(old).graph).toBe(hashGraph(now).graph)
    expect(problems(documentOf(version, params))).toEqual([])
    // What is written is of this version: read again it stays as it is.
    const written = toDocument(old)
    expect(toDocument(fromDocument(written, registry))).toEqual(written)
  })

  test('with a range that fits, or without one, is not touched: no migration is called', () => {
    const called = registryOf(level([{ from: '1.0.0', params: () => { throw new Error('called') } }]))
    for (const version of ['^3.0.0', '>=1.0.0', '*', undefined]) expect(fromDocument(documentOf(version, { levelDb: 5 }), called).nodes[0]!.params).toEqual({ levelDb: 5 })
  })

  test('begins with the last step at or before its own version; params are a copy', () => {
    const seen: string[] = [], step = (from: string): Steps[number] => ({ from, params: (old) => { seen.push(from); (old as Record<string, unknown>)['levelDb'] = Number(old['levelDb'] ?? 0) + 1; return old } })
    const types = registryOf(level([step('1.0.0'), step('1.5.0'), step('2.0.0')])), document = documentOf('^1.6.0', { levelDb: 1 })
    expect(fromDocument(document, types).nodes[0]!.params).toEqual({ levelDb: 3 })
    expect(seen.splice(0)).toEqual(['1.5.0', '2.0.0'])
    expect(document).toMatchObject({ nodes: [{ params: { levelDb: 1 } }] })
    fromDocument(documentOf('1.4.9', {}), types)
    expect(seen.splice(0)).toEqual(['1.0.0', '1.5.0', '2.0.0'])
    // Nothing breaks within a major: the first step of its line will do for what came before it.
    fromDocument(documentOf('^1.1.0', {}), registryOf(level([step('1.5.0')], '2.0.0')))
    expect(seen.splice(0)).toEqual(['1.5.0'])
  })

  test('is NODE_VERSION as before when no step begins for it, when it is newer, and when a migration fails, which is told', () => {
    const only2 = registryOf(level([steps[0]!]))
    expect(problems(documentOf('^1.0.0', { gain: 1 }), only2)).toEqual(['NODE_VERSION error Node a: expected ^1.0.0, registry has 3.1.0.'])
    for (const range of ['^4.0.0', '<2']) expect(problems(documentOf(range, {}))).toEqual([`NODE_VERSION error Node a: expected ${range}, registry has 3.1.0.`])
    const failing = registryOf(level([{ from: '1.0.0', params: () => { throw new Error('no gain') } }])), empty = registryOf(level([{ from: '1.0.0', params: () => [] as never }]))
    expect(problems(documentOf('^1.0.0', { gain: 1 }), failing)).toEqual(['NODE_VERSION error Node a: expected ^1.0.0, registry has 3.1.0; its migration from 1.0.0 failed: no gain.'])
    expect(problems(documentOf('^1.0.0', { gain: 1 }), empty)).toEqual(['NODE_VERSION error Node a: expected ^1.0.0, registry has 3.1.0; its migration from 1.0.0 gave [].'])
    expect(fromDocument(documentOf('^1.0.0', { gain: 1 }), failing).nodes[0]).toMatchObject({ version: '^1.0.0', params: { gain: 1 } })
  })

  test('also inside a subgraph, when its type came later, and when it was replaced; what runs has the new params', async () => {
    const inner = documentOf('^1.0.0', { gain: 10 }), outer = { millrace: 1, definitions: { d: inner }, nodes: [{ id: 'sub', type: 'graph::d' }], outputs: { x: ['sub', 'x'] } }
    await using engine = await createEngine({ workers: 0, registry })
    const opaque = fromDocument(inner, createRegistry())
    expect(opaque.nodes[0]!.definition).toBeUndefined()
    expect(validate(opaque, registry)).toEqual([])
    expect(opaque.nodes[0]).toMatchObject({ version: '^1.0.0', params: { gain: 10 } })
    for (const graph of [fromDocument(outer, registry), opaque]) {
      using result = await engine.run(graph)
      expect(Object.values(result.outputs as Record<string, Packet>)[0]!.data).toBe(20)
    }
    const types = registryOf(nodeType('my::level', { params: { gain: { type: 'number', default: 1, doc: 'Factor.' } }, outputs: { out: json() } })), open = fromDocument(inner, types)
    expect(open.nodes[0]!.params).toEqual({ gain: 10 })
    types.replace({ definition: level() })
    expect(refreshTypes(open, types).nodes[0]).toMatchObject({ version: '^3.1.0', params: { levelDb: 20 } })
  })
})

test('migrations begin at different versions before the type\'s own', () => {
  for (const from of [['3.1.0'], ['4.0.0'], ['1'], ['1.0.0', '1.0.0']]) {
    expect(() => defineNode(level(from.map((one) => ({ from: one, params: (old) => old }))))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  }
})

test('what a range was written for', () => {
  const cases = { '^1.2.3': '1.2.3', '1.x': '1.0.0', '~0.3': '0.3.0', '1.0.0 - 2.0.0': '1.0.0', '>1.5.0 <2': '1.5.0', '1 || 3 || 2': '3.0.0', '^1.0.0-beta.2': '1.0.0-beta.2', '*': undefined, '<2': undefined, 'no': undefined }
  expect(Object.fromEntries(Object.keys(cases).map((range) => [range, oldestOf(range)]))).toEqual(cases)
})
