/** `migrations` of node types: params of documents that name an older version of the type. */
import { describe, expect, test } from 'vitest'
import { fromDocument } from '../../src/graph/document/from-document.js'
import { toDocument } from '../../src/graph/document/to-document.js'
import { refreshTypes } from '../../src/graph/edit/edits.js'
import type { Graph } from '../../src/graph/graph.js'
import { hashGraph } from '../../src/graph/hash.js'
import type { NodeDefinition, ParamValues } from '../../src/graph/node-definition.js'
import { oldestOf } from '../../src/graph/semver.js'
import { validate } from '../../src/graph/validate/index.js'
import { createEngine, createRegistry, defineNode, type Packet } from '../../src/index.js'
import { json } from '../../src/media/media-type.js'
import { nodeType } from '../support/graph-nodes.js'

const item = (data: unknown): Packet => ({
  media: { kind: 'json' }, data, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
})
type Steps = NonNullable<NodeDefinition['migrations']>
/** Version 3: a level in dB, once a factor (`gain`, version 1), then in dB under another name (`db`, version 2). */
const steps: Steps = [
  { from: '2.0.0', params: ({ db, ...rest }) => ({ ...rest, ...(db !== undefined && { levelDb: db }) }) },
  { from: '1.0.0', params: ({ gain, ...rest }) => ({ ...rest, ...(gain !== undefined && { db: 20 * Math.log10(gain as number) }) }) },
]
const level = (migrations: Steps = steps, version = '3.1.0'): NodeDefinition => nodeType('my::level', {
  version, migrations, params: { levelDb: { type: 'number', default: 0, doc: 'Level.' } }, outputs: { out: json() },
  process: async (_inputs, params) => ({ out: item(params['levelDb']) }),
})
const registryOf = (definition: NodeDefinition): ReturnType<typeof createRegistry> => createRegistry({ definition })
const registry = registryOf(level())
const documentOf = (version: string | undefined, params: ParamValues): object => ({
  millrace: 1,
  nodes: [{ id: 'a', type: 'my::level', ...(version !== undefined && { version }), params }],
  outputs: { x: ['a', 'out'] },
})
const problems = (document: object, types = registry): string[] => validate(document, types)
  .map(({ code, severity, message }) => `${code} ${severity} ${message}`)

describe('a node that names an older version of its type', () => {
  test.each([
    ['^1.0.0', { gain: 10 }], ['1.4.2', { gain: 10 }], ['~1.2', { gain: 10 }], ['1.x', { gain: 10 }], ['>=1.1.0 <2', { gain: 10 }],
    ['^2.3.0', { db: 20 }], ['1.0.0 || ^2', { db: 20 }],
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
    for (const version of ['^3.0.0', '>=1.0.0', '*', undefined]) {
      expect(fromDocument(documentOf(version, { levelDb: 5 }), called).nodes[0]!.params).toEqual({ levelDb: 5 })
    }
  })

  test('begins with the last step at or before its own version; params are a copy', () => {
    const seen: string[] = []
    const step = (from: string): Steps[number] => ({
      from,
      params: (old) => { seen.push(from); (old as Record<string, unknown>)['levelDb'] = Number(old['levelDb'] ?? 0) + 1; return old },
    })
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
    for (const range of ['^4.0.0', '<2']) {
      expect(problems(documentOf(range, {}))).toEqual([`NODE_VERSION error Node a: expected ${range}, registry has 3.1.0.`])
    }
    const failing = registryOf(level([{ from: '1.0.0', params: () => { throw new Error('no gain') } }]))
    const empty = registryOf(level([{ from: '1.0.0', params: () => [] as never }]))
    expect(problems(documentOf('^1.0.0', { gain: 1 }), failing))
      .toEqual(['NODE_VERSION error Node a: expected ^1.0.0, registry has 3.1.0; its migration from 1.0.0 failed: no gain.'])
    expect(problems(documentOf('^1.0.0', { gain: 1 }), empty))
      .toEqual(['NODE_VERSION error Node a: expected ^1.0.0, registry has 3.1.0; its migration from 1.0.0 gave [].'])
    expect(fromDocument(documentOf('^1.0.0', { gain: 1 }), failing).nodes[0]).toMatchObject({ version: '^1.0.0', params: { gain: 1 } })
  })

  test('also inside a subgraph, when its type came later, and when it was replaced; what runs has the new params', async () => {
    const inner = documentOf('^1.0.0', { gain: 10 })
    const outer = { millrace: 1, definitions: { d: inner }, nodes: [{ id: 'sub', type: 'graph::d' }], outputs: { x: ['sub', 'x'] } }
    await using engine = await createEngine({ workers: 0, registry })
    const opaque = fromDocument(inner, createRegistry())
    expect(opaque.nodes[0]!.definition).toBeUndefined()
    expect(validate(opaque, registry)).toEqual([])
    expect(opaque.nodes[0]).toMatchObject({ version: '^1.0.0', params: { gain: 10 } })
    for (const graph of [fromDocument(outer, registry), opaque]) {
      using result = await engine.run(graph)
      expect(Object.values(result.outputs as Record<string, Packet>)[0]!.data).toBe(20)
    }
    const types =
      registryOf(nodeType('my::level', { params: { gain: { type: 'number', default: 1, doc: 'Factor.' } }, outputs: { out: json() } }))
    const open = fromDocument(inner, types)
    expect(open.nodes[0]!.params).toEqual({ gain: 10 })
    types.replace({ definition: level() })
    expect(refreshTypes(open, types).nodes[0]).toMatchObject({ version: '^3.1.0', params: { levelDb: 20 } })
  })
})

/**
 * Version 3: `in` was `side`, then `left`; `levelDb` was `gainDb`, then `dB`, and `gainDb` was
 * `other`; `shape`, once 0 to 1, is in percent.
 */
describe('names that a migration gives', () => {
  const renames: Steps = [
    { from: '1.0.0', renames: { side: 'left', gainDb: 'dB', other: 'gainDb' } },
    { from: '2.0.0', renames: { left: 'in', dB: 'levelDb' },
      params: ({ shape, ...rest }) => ({ ...rest, ...(shape !== undefined && { shape: (shape as number) * 100 }) }) },
  ]
  const number = { type: 'number', default: 0, input: true, doc: '' } as const
  const type = nodeType('my::level', {
    version: '3.0.0', migrations: renames, params: { levelDb: number, gainDb: number, shape: number },
    inputs: { in: { media: json(), optional: true } }, outputs: { out: json(), left: json() },
    process: async (_inputs, params) => ({ out: item({ ...params }), left: item(0) }),
  })
  const numbers = nodeType('my::number', {
    params: { is: { type: 'number', default: 1, doc: '' } }, outputs: { out: json() },
    process: async (_inputs, { is }) => ({ out: item(is) }),
  })
  const types = createRegistry({ definition: type }, { definition: numbers })
  const document = (version: string, names: Readonly<Record<string, string>>, more: object = {}): object => ({
    millrace: 1, inputs: { db: { to: [['a', names['db']]], default: 7 } },
    nodes: [
      { id: 'n', type: 'my::number', params: { is: 5 } },
      { id: 'a', type: 'my::level', version, params: { [names['other']!]: 3 }, policy: { skipIf: { param: names['other'], is: 99 } },
        media: { [names['in']!]: { kind: 'json' }, left: { kind: 'json' } }, ...more },
    ],
    edges: [{ from: ['n', 'out'], to: ['a', names['in']] }], outputs: { x: ['a', 'out'] },
  })
  const then = { db: 'gainDb', other: 'other', in: 'side' }, now = { db: 'levelDb', other: 'gainDb', in: 'in' }
  const old = document('^1.0.0', then), fresh = document('^3.0.0', now)

  test('edges, run-time inputs, skipIf and media follow; what was an output\'s name stays', () => {
    expect(toDocument(fromDocument(old, types))).toEqual(toDocument(fromDocument(fresh, types)))
    expect(fromDocument(old, types).nodes[1])
      .toMatchObject({ params: { gainDb: 3 }, policy: { skipIf: { param: 'gainDb' } }, media: { in: {}, left: {} } })
    expect(validate(old, types)).toEqual([])
    expect(hashGraph(fromDocument(old, types)).graph).toBe(hashGraph(fromDocument(fresh, types)).graph)
    // An edge into a param, from the middle of the chain; params under their snake_case name.
    const driven = (version: string, name: string): object => ({
      millrace: 1,
      nodes: [{ id: 'n', type: 'my::number' }, { id: 'a', type: 'my::level', version }],
      edges: [{ from: ['n', 'out'], to: ['a', name] }], outputs: { x: ['a', 'out'] },
    })
    for (const [version, name] of [['^1.0.0', 'gainDb'], ['^2.0.0', 'dB']] as const) {
      expect(fromDocument(driven(version, name), types).edges[0]!.to).toEqual(['a', 'levelDb'])
    }
    expect(fromDocument(document('^1.0.0', then, { params: { gain_db: 4, shape: 0.5 } }), types).nodes[1]!.params)
      .toEqual({ levelDb: 4, shape: 50 })
  })

  test('the document of then runs as it did: read, opaque, in a subgraph, and after its type was replaced; hashes too', async () => {
    await using engine = await createEngine({ workers: 0, registry: types })
    const opaque = fromDocument(old, createRegistry())
    const outer = (inner: object): Graph => fromDocument({
      millrace: 1, definitions: { d: inner }, inputs: { db: { to: [['s', 'db']], required: false } },
      nodes: [{ id: 's', type: 'graph::d', params: {} }], outputs: { x: ['s', 'x'] },
    }, types)
    for (const [graph, levelDb] of [[fromDocument(old, types), 7], [opaque, 7], [outer(old), 7]] as const) {
      using result = await engine.run(graph)
      expect((result.outputs as Record<string, Packet>)['x']!.data).toEqual({ levelDb, gainDb: 3, shape: 0 })
      using given = await engine.run(graph, { inputs: { db: 9 } })
      expect((given.outputs as Record<string, Packet>)['x']!.data).toMatchObject({ levelDb: 9 })
    }
    expect(hashGraph(opaque, { registry: types }).graph).toBe(hashGraph(fromDocument(fresh, types)).graph)
    expect(hashGraph(outer(old)).graph).toBe(hashGraph(outer(fresh)).graph)
    expect(validate(opaque, types)).toEqual([])
    expect(validate({ ...opaque, nodes: [...opaque.nodes, { id: '', type: 'my::number', params: {} }] }, types).map(({ code }) => code))
      .toEqual(['SCHEMA_INVALID'])
    const before = createRegistry({
      definition: nodeType('my::level', {
        version: '1.0.0', params: { gainDb: number, other: number }, inputs: { side: { media: json(), optional: true } },
        outputs: { out: json(), left: json() },
      }),
    })
    const open = fromDocument(old, before)
    before.replace({ definition: type })
    expect(toDocument(refreshTypes(open, before))).toEqual(toDocument(fromDocument(fresh, types)))
  })

  test('a name that no migration gives stays, so that the link is told; two params never become one', () => {
    const links = { ...old, edges: [{ from: ['n', 'out'], to: ['a', 'gone'] }] }
    expect(validate(links, types).map(({ code, port }) => `${code} ${port}`)).toEqual(['PORT_NOT_FOUND gone'])
    expect(problems(documentOf('^1.0.0', { gainDb: 1, gain_db: 2 }), registryOf(type)))
      .toEqual(['NODE_VERSION error Node a: expected ^1.0.0, registry has 3.0.0; its migration from 1.0.0 makes one of two params.'])
  })

  test('a range of several versions: the hint says how an old document is told from a new one', () => {
    const [unknown] = validate(documentOf('>=1.0.0', { dB: 1 }), types)
    const [none] = validate(documentOf(undefined, { dB: 1 }), types)
    const [link] = validate({ ...old, nodes: [(old as { nodes: object[] }).nodes[0], { id: 'a', type: 'my::level' }] }, types)
    const hint = "Written for an older version of my::level? Say which in the node's version (^1.0.0, ^2.0.0): it is migrated."
    for (const one of [unknown, none, link]) expect(one!.hint.endsWith(hint)).toBe(true)
    expect([unknown!.code, none!.code, link!.code]).toEqual(['PARAM_UNKNOWN', 'PARAM_UNKNOWN', 'PORT_NOT_FOUND'])
    expect(
      validate(documentOf('>=1.0.0', { q: 1 }), createRegistry({ definition: { ...type, migrations: undefined as never } }))[0]!.hint,
    ).not.toContain('older')
  })
})

test('migrations begin at different versions before the type\'s own', () => {
  for (const from of [['3.1.0'], ['4.0.0'], ['1'], ['1.0.0', '1.0.0']]) {
    expect(() => defineNode(level(from.map((one) => ({ from: one, params: (old) => old })))))
      .toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  }
})

test('what a range was written for', () => {
  const cases = {
    '^1.2.3': '1.2.3', '1.x': '1.0.0', '~0.3': '0.3.0', '1.0.0 - 2.0.0': '1.0.0', '>1.5.0 <2': '1.5.0', '1 || 3 || 2': '3.0.0',
    '^1.0.0-beta.2': '1.0.0-beta.2', '*': undefined, '<2': undefined, 'no': undefined,
  }
  expect(Object.fromEntries(Object.keys(cases).map((range) => [range, oldestOf(range)]))).toEqual(cases)
})
