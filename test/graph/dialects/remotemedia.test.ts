import { describe, expect, test } from 'vitest'
import type { Document } from '../../../src/graph/document/document.js'
import { fromDocument } from '../../../src/graph/document/from-document.js'
import { exportDocument } from '../../../src/graph/dialects/export-document.js'
import { importDocument } from '../../../src/graph/dialects/import-document.js'
import { hashGraph } from '../../../src/graph/hash.js'
import { remoteRegistry } from '../../support/dialect-nodes.js'
import { type Loose, thrown } from '../../support/loose.js'

const registry = remoteRegistry()
const seed = (parts: object): object => ({ version: '1.0.0', nodes: [], edges: [], ...parts })
const v1 = (parts: object): object => ({
  version: 'v1', metadata: { name: 'p' }, nodes: [{ id: 'a', node_type: 'FeedNode' }], connections: [], ...parts,
})
const again = (document: Document, dialect: 'remotemedia-seed' | 'remotemedia-v1'): unknown =>
  JSON.parse(exportDocument(fromDocument(document, registry), dialect).text)

describe('remotemedia-seed', () => {
  const source = seed({
    version: '1.2',
    nodes: [
      { id: 'a', type: 'FeedNode', params: { items: [1] }, runtime_hint: 'auto' },
      { id: 'b', type: 'SplitNode', params: { sample_rate: 8_000 }, runtime_hint: 'rust' },
      { id: 'c', type: 'JoinNode', params: { gainFactor: 1, gain_factor: 2 }, runtime_hint: 'python', colour: 'red' },
      { id: 'd', type: 'WhisperNode' },
    ],
    edges: [
      { from: 'a', to: 'b' }, { from: 'b', to: 'c' },
      { from: 'b', to: 'c', output_key: 'side', input_key: 'right' },
      { from: 'c', to: 'd' },
      { from: 'c', to: 'd', output_key: 'second', input_key: 'default', weight: 2 },
    ],
    config: { enable_metrics: false, retry_policy: 'exponential', circuit_breaker_threshold: 9, colour: 1 }, comment: 'kept',
  })

  test('nodes, hints, ports by key, the only one, default, the first; config', () => {
    const { document, report } = importDocument(source, { registry })
    expect(document.nodes).toMatchObject([
      { id: 'a', type: 'test::feed', params: { items: [1] } },
      { id: 'b', type: 'test::split', params: { sample_rate: 8_000 }, tier: ['wasm-threads', 'wasm'] },
      { id: 'c', type: 'test::join', tier: 'js' }, { id: 'd', type: 'WhisperNode' }])
    expect(document.nodes[0]).not.toHaveProperty('tier')
    expect(document.edges!.map(({ from, to }) => [from, to])).toEqual([
      [['a', 'out'], ['b', 'in']], [['b', 'default'], ['c', 'left']], [['b', 'side'], ['c', 'right']], [['c', 'first'], ['d', 'default']],
      [['c', 'second'], ['d', 'default']]])
    expect(document.config).toMatchObject({ metrics: false, retry: { kind: 'exponential', retries: 3 }, breaker: { failures: 9 } })
    expect(report).toMatchObject({
      dialect: 'remotemedia-seed', nodes: 4, missing: [{ pointer: '/nodes/3/type', type: 'WhisperNode' }], dropped: [],
    })
    expect(report.renamed).toContainEqual({ pointer: '/nodes/0/type', from: 'FeedNode', to: 'test::feed' })
    expect(report.substituted).toEqual([
      { pointer: '/nodes/1/runtime_hint', what: 'runtime_hint rust', by: 'tier wasm-threads,wasm' },
      { pointer: '/nodes/2/runtime_hint', what: 'runtime_hint python', by: 'tier js' },
    ])
    expect(report.warnings.map((one) => `${one.code} ${one.pointer}`))
      .toEqual(['UNKNOWN_FIELD /nodes/2/colour', 'UNKNOWN_FIELD /edges/4/weight', 'UNKNOWN_FIELD /config/colour', 'UNKNOWN_FIELD /comment'])
    expect(thrown(() => importDocument(source, { registry, strict: true })))
      .toMatchObject({ code: 'UNKNOWN_FIELD', details: { diagnostic: { pointer: '/nodes/2/colour', severity: 'error' } } })
  })

  test('comes out as it went in, unknown fields included', () => {
    const written = structuredClone(source) as Loose
    delete written.nodes[0].runtime_hint          // auto is the default
    delete written.edges[4].input_key             // default of an unknown type
    written.config.max_retries = 3                // filled in
    written.edges[1].input_key = 'left'           // the first of several is named
    written.edges[3].output_key = 'first'
    expect(again(importDocument(source, { registry }).document, 'remotemedia-seed')).toEqual(written)
  })

  test.each([
    ['none', undefined, { kind: 'none' }], ['fixed', 7, { kind: 'fixed', retries: 7 }], [undefined, 2, { kind: 'exponential', retries: 2 }],
    ['fixed', undefined, { kind: 'fixed', retries: 3 }],
  ])('retry_policy %s, max_retries %s', (policy, retries, expected) => {
    const { document } = importDocument(seed({
      config: { ...(policy !== undefined && { retry_policy: policy }), ...(retries !== undefined && { max_retries: retries }) },
    }))
    expect(document.config!.retry).toEqual(expected)
  })

  test.each([
    ['/nodes/0/id', { nodes: [{ type: 'A' }] }],
    ['/nodes/0/runtime_hint', { nodes: [{ id: 'a', type: 'A', runtime_hint: 'fast' }] }],
    ['/edges/0/to', { edges: [{ from: 'a' }] }], ['/config/retry_policy', { config: { retry_policy: 'often' } }],
    ['/nodes/0/params', { nodes: [{ id: 'a', type: 'A', params: [] }] }],
  ])('misfits have pointers: %s', (pointer, parts) => {
    expect(thrown(() => importDocument(seed(parts)))).toMatchObject({ code: 'SCHEMA_INVALID', details: { diagnostic: { pointer } } })
  })
})

describe('remotemedia-v1', () => {
  const source = v1({
    metadata: { name: 'Speech', description: 'All of it', created_at: '2025-10-22T12:00:00Z', auto_negotiate: true },
    nodes: [
      { id: 'a', node_type: 'FeedNode', params: { items: [] }, is_streaming: true, is_output_node: true },
      {
        id: 'b_1', node_type: 'SplitNode',
        capabilities: { gpu: { type: 'cuda', min_memory_gb: 4, required: false }, cpu: { cores: 2, arch: 'arm' }, memory_gb: 0.5 },
        host: 'gpu-server:50051', runtime_hint: 'cpython_wasm',
      },
      { id: 'c-2', node_type: 'JoinNode', execution: { placement: 'prefer_local', reason: 'near' }, fast_path: true,
        media_capabilities: { inputs: { default: { sample_rate: 16_000 } } }, docker: { image: 'x' } }],
    connections: [{ from: 'a', to: 'b_1' }, { from: 'b_1', to: 'c-2' }, { from: 'b_1', to: 'c-2', output_key: 'side', input_key: 'right' }],
  })

  test('every cell of the table', () => {
    const { document, report } = importDocument(source, { registry })
    expect(document).toMatchObject({ meta: { name: 'Speech', description: 'All of it', created: '2025-10-22T12:00:00.000Z' } })
    expect(document).not.toHaveProperty('config')
    expect(document.nodes).toMatchObject([
      { id: 'a', type: 'test::feed', output: true },
      {
        id: 'b_1', type: 'test::split', place: 'remote', tier: 'js',
        requires: {
          cores: 2, arch: 'arm', memoryBytes: 536_870_912,
          gpu: { type: 'cuda', minMemoryBytes: 4_294_967_296, required: false },
        },
      },
      { id: 'c-2', type: 'test::join', place: 'prefer-local', policy: { timeoutMs: 0 }, media: { left: { kind: 'audio', rate: 16_000 } } }])
    expect(document.edges!.map(({ from, to }) => [from[1], to[1]])).toEqual([['out', 'in'], ['default', 'left'], ['side', 'right']])
    expect(report.warnings.map((one) => `${one.code} ${one.pointer}`))
      .toEqual(['UNKNOWN_FIELD /nodes/2/execution/reason', 'UNKNOWN_FIELD /nodes/2/docker', 'IMPORT_NOTE /nodes/0/is_streaming'])
    expect(report.warnings[2]!.message).toBe('/nodes/0/is_streaming: says true, type test::feed does not stream.')
    expect(report.substituted.map((one) => one.pointer)).toEqual(['/nodes/1/runtime_hint', '/nodes/1/host'])
  })

  test('media_capabilities constrain ports; what has no place is dropped; a changed constraint is written anew', () => {
    const told = {
      inputs: { right: { sample_rate: { min: 8_000, max: 16_000 }, channels: { set: [1, 2] }, format: ['F32', 'I16'], codec: 'opus' } },
      outputs: { first: { sample_rate: { exact: 8_000 } }, gone: 'x' }, control: {},
    }
    const text = v1({ nodes: [{ id: 'j', node_type: 'JoinNode', media_capabilities: told }] })
    const { document, report } = importDocument(text, { registry })
    expect(document.nodes[0]).toMatchObject({
      media: {
        right: { kind: 'audio', rate: { min: 8_000, max: 16_000 }, channels: [1, 2], format: ['f32', 'i16'] },
        first: { kind: 'audio', rate: 8_000 },
      },
    })
    expect(report.dropped.map(({ pointer }) => pointer)).toEqual([
      '/nodes/0/media_capabilities/inputs/right/codec', '/nodes/0/media_capabilities/outputs/gone', '/nodes/0/media_capabilities/control',
    ])
    const back = (media: unknown): unknown => JSON.parse(
      exportDocument(fromDocument({ ...document, nodes: [{ ...document.nodes[0]!, media }] } as never, registry), 'remotemedia-v1').text,
    ).nodes[0].media_capabilities
    expect(back(document.nodes[0]!.media)).toEqual(told)
    expect(back({ first: { kind: 'audio', rate: 48_000 } })).toEqual({ outputs: { first: { sample_rate: 48_000 } } })
  })

  test('comes out as it went in, the first of several ports named', () => {
    const written = structuredClone(source) as Loose
    written.connections[1].input_key = 'left'
    expect(again(importDocument(source, { registry }).document, 'remotemedia-v1')).toEqual(written)
  })

  test('auto_negotiate is off unless said: strict', () => {
    expect(importDocument(v1({})).document.config).toEqual({ negotiate: 'strict' })
    expect(importDocument(v1({ metadata: { name: 'p', auto_negotiate: false } })).document.config).toEqual({ negotiate: 'strict' })
  })

  test.each([
    ['rust', ['wasm-threads', 'wasm']], ['python', 'js'], ['rust_python', 'js'], ['cpython', 'js'], ['cpython_wasm', 'js'],
    ['auto', undefined],
  ])('runtime_hint %s', (hint, tier) => {
    expect(importDocument(v1({ nodes: [{ id: 'a', node_type: 'FeedNode', runtime_hint: hint }] })).document.nodes[0]!.tier).toEqual(tier)
  })

  test.each([
    ['local', 'local'], ['remote', 'remote'], ['prefer_local', 'prefer-local'], ['prefer_remote', 'prefer-remote'], ['auto', undefined],
  ])('placement %s', (placement, place) => {
    expect(importDocument(v1({ nodes: [{ id: 'a', node_type: 'FeedNode', execution: { placement } }] })).document.nodes[0]!.place)
      .toBe(place)
  })

  test.each([
    ['/nodes', { nodes: [] }], ['/nodes/0/id', { nodes: [{ id: 'a b', node_type: 'X' }] }],
    ['/nodes/0/host', { nodes: [{ id: 'a', node_type: 'X', host: 'nowhere' }] }], ['/metadata/name', { metadata: { name: '' } }],
    ['/metadata', { metadata: undefined }],
    ['/nodes/0/capabilities/gpu/type', { nodes: [{ id: 'a', node_type: 'X', capabilities: { gpu: { type: 'tpu' } } }] }],
    ['/connections/0/from', { connections: [{ to: 'a' }] }],
  ])('misfits have pointers: %s', (pointer, parts) => {
    expect(thrown(() => importDocument(JSON.stringify(v1(parts)))))
      .toMatchObject({ code: 'SCHEMA_INVALID', details: { diagnostic: { pointer } } })
  })

  test('a graph of Millrace: what the manifest cannot say is listed', () => {
    const graph = fromDocument({ millrace: 1, id: 'x', meta: { name: 'n', tags: ['t'] }, inputs: { i: { to: [['a b', 'items']] } },
      config: { seed: 1, negotiate: 'safe' }, outputs: { o: ['c', 'items'] },
      nodes: [
        { id: 'a b', type: 'test::feed', version: '^1.0.0', policy: { timeoutMs: 5 }, ui: { x: 1 } },
        { id: 'a_b', type: 'test::pass' },
        { id: 'c', type: 'test::sink', place: 'main', requires: { simd: true } },
      ],
      edges: [{ from: ['a b', 'out'], to: ['a_b', 'in'], id: 'e' }, { from: ['a_b', 'out'], to: ['c', 'in'], capacity: 2 }] }, registry)
    const { text, report } = exportDocument(graph, 'remotemedia-v1')
    expect(JSON.parse(text)).toEqual({
      version: 'v1', metadata: { name: 'n' },
      nodes: [{ id: 'a_b_2', node_type: 'FeedNode' }, { id: 'a_b', node_type: 'PassThroughNode' }, { id: 'c', node_type: 'SinkNode' }],
      connections: [{ from: 'a_b_2', to: 'a_b' }, { from: 'a_b', to: 'c' }],
    })
    expect(report.dropped.map((one) => one.pointer)).toEqual([
      '/id', '/inputs', '/outputs', '/meta/tags', '/config/seed', '/nodes/0/version', '/nodes/0/ui', '/edges/0/id', '/edges/1/capacity',
      '/nodes/0/policy/timeoutMs', '/nodes/2/place', '/nodes/2/requires/simd',
    ])
  })
})

describe('from the one dialect to the other', () => {
  const convert = (
    source: object, dialect: 'remotemedia-seed' | 'remotemedia-v1',
  ): { readonly json: Loose; readonly dropped: readonly string[]; readonly substituted: unknown } => {
    const { text, report } = exportDocument(fromDocument(importDocument(source, { registry }).document, registry), dialect)
    return { json: JSON.parse(text), dropped: report.dropped.map((one) => one.pointer), substituted: report.substituted }
  }

  test('v1 to seed: what only v1 knows is told, what neither knows goes along', () => {
    const { json, dropped, substituted } = convert(v1({
      metadata: { name: 'p', created_at: '2025-10-22', auto_negotiate: true, team: 'x' }, comment: 'kept', config: { colour: 1 },
      nodes: [{
        id: 'a', node_type: 'FeedNode', is_streaming: true, host: 'gpu:1', docker: { image: 'x' }, runtime_hint: 'cpython', type: 'odd',
      },
        { id: 'b', node_type: 'JoinNode', execution: { placement: 'local', reason: 'near' }, capabilities: { cpu: { cores: 2 }, disk: 1 },
          media_capabilities: { inputs: { left: { sample_rate: 8_000 } } }, fast_path: true }],
      connections: [{ from: 'a', to: 'b', weight: 2 }],
    }), 'remotemedia-seed')
    expect(json).toEqual({
      version: '1.0.0', comment: 'kept',
      nodes: [{ id: 'a', type: 'FeedNode', runtime_hint: 'python', docker: { image: 'x' } }, { id: 'b', type: 'JoinNode' }],
      edges: [{ from: 'a', to: 'b', input_key: 'left', weight: 2 }],
    })
    expect([...dropped].sort()).toEqual(['/meta', '/nodes/0/place', '/nodes/0/x-remotemedia/host', '/nodes/0/x-remotemedia/is_streaming',
      '/nodes/0/x-remotemedia/type', '/nodes/1/media', '/nodes/1/place', '/nodes/1/policy', '/nodes/1/requires',
      '/nodes/1/x-remotemedia/capabilities', '/nodes/1/x-remotemedia/execution', '/nodes/1/x-remotemedia/media_capabilities',
      '/x-remotemedia/config', '/x-remotemedia/metadata'])
    expect(substituted).toEqual([{
      pointer: '/nodes/0/x-remotemedia/runtime_hint', what: 'runtime_hint cpython', by: 'runtime_hint python',
    }])
    expect(importDocument(json, { registry }).report.warnings.map((one) => one.pointer))
      .toEqual(['/nodes/0/docker', '/edges/0/weight', '/comment'])
  })

  test('seed to v1: fields of the seed and fields that would say something else in v1', () => {
    const { json, dropped } = convert(seed({
      version: '1.2', comment: 'kept', connections: 7, metadata: { name: 'no' }, config: { enable_metrics: false, colour: 1, 'a/b': 2 },
      nodes: [{ id: 'a', type: 'FeedNode', host: 'nowhere', docker: 'x', execution: 5, is_streaming: 'yes', node_type: 'odd' }], edges: [],
    }), 'remotemedia-v1')
    expect(json).toEqual({
      version: 'v1', metadata: { name: 'untitled', auto_negotiate: true }, comment: 'kept', connections: [],
      nodes: [{ id: 'a', node_type: 'FeedNode', docker: 'x' }],
    })
    expect([...dropped].sort()).toEqual(['/config/metrics', '/config/x-remotemedia/a~1b', '/config/x-remotemedia/colour',
      '/nodes/0/x-remotemedia/execution', '/nodes/0/x-remotemedia/host', '/nodes/0/x-remotemedia/is_streaming',
      '/nodes/0/x-remotemedia/node_type', '/x-remotemedia/connections', '/x-remotemedia/metadata', '/x-remotemedia/version'])
    expect(importDocument(json, { registry }).report.warnings.map((one) => one.pointer)).toEqual(['/nodes/0/docker', '/comment'])
    expect(convert(seed({ nodes: [{ id: 'a', type: 'FeedNode' }] }), 'remotemedia-v1').dropped).toEqual([])
  })

  test('a host stays beside any placement that v1 can say; retries without a policy and unknown capabilities are told on import', () => {
    const source = v1({ nodes: [{ id: 'a', node_type: 'FeedNode', host: 'gpu:1', execution: { placement: 'local' } }] })
    expect(convert(source, 'remotemedia-v1')).toMatchObject({ json: source, dropped: [] })
    const { document } = importDocument(source, { registry })
    const moved = { ...document, nodes: document.nodes.map(({ place: _place, ...node }) => node) }
    const { text, report } = exportDocument(fromDocument(moved, registry), 'remotemedia-v1')
    expect(JSON.parse(text).nodes).toEqual([{ id: 'a', node_type: 'FeedNode' }])
    expect(report.dropped.map((one) => one.pointer)).toEqual(['/nodes/0/x-remotemedia/host'])
    expect(importDocument(seed({ config: { retry_policy: 'none', max_retries: 4 } })).report.dropped.map((one) => one.pointer))
      .toEqual(['/config/max_retries'])
    const odd = v1({
      nodes: [{ id: 'a', node_type: 'FeedNode', capabilities: { gpu: { type: 'any', vendor: 'v' }, cpu: { 'so/ck': 2 } } }],
    })
    expect(importDocument(odd, { registry }).report.dropped.map((one) => one.pointer))
      .toEqual(['/nodes/0/capabilities/gpu/vendor', '/nodes/0/capabilities/cpu/so~1ck'])
  })
})

test('one pipeline in both dialects, params in both spellings: one hash', () => {
  const seedBy = (key: string): Document => importDocument(
    seed({
      nodes: [
        { id: 'f', type: 'FeedNode' },
        { id: 's', type: 'SplitNode', params: { sample_rate: 16_000 } },
        { id: 'j', type: 'JoinNode', params: { gain_factor: 2 } },
      ],
      edges: [{ from: 'f', to: 's' }, { from: 's', to: 'j', output_key: key }],
    }),
    { registry },
  ).document
  const b = importDocument(
    v1({
      nodes: [
        { id: 'j', node_type: 'JoinNode', params: { gain: 2 } },
        { id: 'one', node_type: 'FeedNode', params: { items: [] } },
        { id: 'two', node_type: 'SplitNode', params: { sampleRate: 16_000 } },
      ],
      connections: [{ from: 'two', to: 'j' }, { from: 'one', to: 'two' }],
    }),
    { registry },
  )
  expect(hashGraph(fromDocument(seedBy('default'), registry)).graph).toBe(hashGraph(fromDocument(b.document, registry)).graph)
  expect(hashGraph(fromDocument(seedBy('side'), registry)).graph).not.toBe(hashGraph(fromDocument(b.document, registry)).graph)
})
