import { describe, expect, test } from 'vitest'
import type { Diagnostic } from '../../../src/errors/diagnostic.js'
import { defineNode } from '../../../src/graph/define-node.js'
import { fromDocument } from '../../../src/graph/document/from-document.js'
import { toDocument } from '../../../src/graph/document/to-document.js'
import { graphFrom } from '../../../src/graph/graph-from.js'
import { createGraph, type Graph, type GraphNode } from '../../../src/graph/graph.js'
import { connect } from '../../../src/graph/edit.js'
import type { NodeDefinition, ParamTable } from '../../../src/graph/node-definition.js'
import { createRegistry } from '../../../src/graph/registry.js'
import { validate, type ValidationHost } from '../../../src/graph/validate/index.js'
import { commonErrors } from '../../../src/errors/common-errors.js'
import { audio, text } from '../../../src/media/media-type.js'
import { detect, graphOf, kernel, mix, nodeType, pass, registryOf, resample, sink, source } from '../../support/graph-nodes.js'

const give = source('test::give', { rate: 48_000, channels: 2, format: 'f32', layout: 'planar' })
const take = sink('test::take', { rate: 48_000, channels: 2, format: 'f32', layout: 'planar' })
const mono16k = sink('test::mono16k', { rate: 16_000, channels: 1, format: 'f32', layout: 'planar' })
const words = sink('test::words', {})
const readText = nodeType('test::read-text', { inputs: { in: text() }, outputs: { out: text() } })
const old = nodeType('test::old', { status: 'deprecated', replacedBy: 'test::give', outputs: { out: audio() } })
const driven = nodeType('test::driven', {
  kernel,
  params: {
    gain: { type: 'number', default: 1, input: true, rate: 'sample', doc: '' },
    fixed: { type: 'number', default: 1, doc: '' },
  } satisfies ParamTable,
  inputs: { in: audio() }, outputs: { out: audio({ like: 'in' }) },
})
const two = nodeType('test::two', { inputs: { a: audio(), b: { media: audio(), optional: true } }, outputs: { out: audio() } })
const registry = registryOf(give, take, mono16k, words, readText, old, driven, two, pass, detect, mix)
const host: ValidationHost = { wasm: true, simd: true, sab: true }
const good = graphOf({ give, pass, take }, ['give.out->pass.in', 'pass.out->take.in'])
const codes = (found: readonly Diagnostic[]): string[] => found.map((one) => one.code)
const edit = (graph: Graph, id: string, change: Partial<GraphNode>): Graph =>
  ({ ...graph, nodes: graph.nodes.map((node) => node.id === id ? { ...node, ...change } : node) })

test('a sound graph has no diagnostics, on any host that can run it', () => {
  expect(validate(good, registry)).toEqual([])
  expect(validate(good, registry, host)).toEqual([])
  expect(validate(toDocument(good), registry, host)).toEqual([])
})

describe('one diagnostic per code', () => {
  const check = (graph: Graph, expected: Partial<Diagnostic>, on?: ValidationHost): void => {
    const found = validate(graph, registry, on)
    expect(found).toEqual([expect.objectContaining({ docs: `errors/${expected.code}`, ...expected })])
  }

  test('LIMIT_EXCEEDED', () => {
    expect(validate(good, registry, undefined, { limits: { nodes: 2 } }))
      .toMatchObject([{ code: 'LIMIT_EXCEEDED', stage: 1, expected: 2, got: 3, pointer: '/nodes' }])
    expect(validate(good, registry, undefined, { limits: { edges: 1 } }))
      .toMatchObject([{ code: 'LIMIT_EXCEEDED', stage: 1, expected: 1, got: 2, pointer: '/edges' }])
    const many = graphOf({ a: give, b: give, c: give, mix, take }, ['a.out->mix.in', 'b.out->mix.in', 'c.out->mix.in', 'mix.out->take.in'])
    expect(validate(many, registry, undefined, { limits: { linksPerInput: 3 } })).toEqual([])
    expect(validate(many, registry, undefined, { limits: { linksPerInput: 2 } }))
      .toMatchObject([{ code: 'LIMIT_EXCEEDED', node: 'mix', port: 'in', expected: 2, got: 3, pointer: '/edges/2' }])
  })

  test('GRAPH_EMPTY', () => {
    check(createGraph(), {
      code: 'GRAPH_EMPTY', severity: 'error', stage: 4, message: 'Graph: expected at least one node, got 0.', pointer: '/nodes',
      expected: 1, got: 0,
    })
  })

  test('DUPLICATE_ID of nodes and edges', () => {
    check({ ...good, nodes: [...good.nodes, { ...good.nodes[0]! }] }, {
      code: 'DUPLICATE_ID', severity: 'error', stage: 5, node: 'give', pointer: '/nodes/3/id', expected: '/nodes/0', got: '/nodes/3',
      message: 'Node give: defined twice, at /nodes/0 and /nodes/3.', hint: 'Rename one.',
    })
    check({ ...good, edges: good.edges.map((edge) => ({ ...edge, id: 'e' })) }, {
      code: 'DUPLICATE_ID', stage: 5, edge: 'e', pointer: '/edges/1/id', message: 'Edge e: defined twice, at /edges/0 and /edges/1.',
    })
  })

  test('NODE_NOT_FOUND in edges, outputs and inputs', () => {
    check(connect(good, ['givee', 'out'], ['take', 'in']), {
      code: 'NODE_NOT_FOUND', severity: 'error', stage: 6, node: 'givee', edge: 'givee.out->take.in', pointer: '/edges/2/from/0',
      expected: 'give', got: 'givee',
      message: 'Edge givee.out->take.in: no node givee.', hint: 'Did you mean give?',
      suggestions: [{ title: 'Use node give', edit: { op: 'relink-edge', edge: 'givee.out->take.in', from: ['give', 'out'] } }],
    })
    check({
      ...good,
      outputs: new Map([['y', ['give', 'out']], ['a/b', ['pas', 'out']]]),
      nodes: good.nodes.map((node) => ({ ...node, output: true })),
    }, {
      code: 'NODE_NOT_FOUND', stage: 6, node: 'pas', pointer: '/outputs/a~1b/0', expected: 'pass', got: 'pas',
      message: 'Output a/b: no node pas.',
    })
    check({ ...good, inputs: new Map([['x', { to: [['nowhere', 'in']] }]]) }, {
      code: 'NODE_NOT_FOUND', stage: 6, node: 'nowhere', pointer: '/inputs/x/to/0/0', message: 'Input x: no node nowhere.', hint: '',
    })
  })

  test('SELF_LINK', () => {
    check(connect(graphOf({ give, mix, take }, ['give.out->mix.in', 'mix.out->take.in']), ['mix', 'out'], ['mix', 'in']), {
      code: 'SELF_LINK', severity: 'error', stage: 6, node: 'mix', port: 'in', edge: 'mix.out->mix.in', pointer: '/edges/2',
      message: 'Node mix: linked to itself.',
      hint: 'Use a feedback edge with delayFrames.', suggestions: [{
        title: 'Remove edge mix.out->mix.in',
        edit: { op: 'remove-edge', edge: 'mix.out->mix.in', from: ['mix', 'out'], to: ['mix', 'in'] },
      }],
    })
  })

  test('EDGE_DUPLICATE', () => {
    check(connect(good, ['give', 'out'], ['pass', 'in']), {
      code: 'EDGE_DUPLICATE', severity: 'error', stage: 6, node: 'pass', port: 'in', edge: 'give.out->pass.in', pointer: '/edges/2',
      expected: '/edges/0', got: '/edges/2',
      message: 'Input pass.in: already linked from give.out, got give.out.', hint: 'Remove one link.',
    })
  })

  test('NODE_TYPE_UNKNOWN', () => {
    const graph = edit(good, 'pass', { type: 'test::pas' })
    const { definition: _, ...opaque } = graph.nodes[1]!
    check({ ...graph, nodes: [graph.nodes[0]!, opaque, graph.nodes[2]!] }, {
      code: 'NODE_TYPE_UNKNOWN', severity: 'error', stage: 7, node: 'pass', pointer: '/nodes/1/type', got: 'test::pas',
      expected: expect.arrayContaining(['test::pass']),
      message: 'Node pass: type test::pas is not registered.', hint: expect.stringMatching(/^Did you mean test::pass/),
      suggestions: expect.arrayContaining([{ title: 'Use test::pass', edit: { op: 'set-type', node: 'pass', to: 'test::pass' } }]),
    })
  })

  test('NODE_VERSION', () => {
    check(edit(good, 'pass', { version: '^2.0.0' }), {
      code: 'NODE_VERSION', severity: 'error', stage: 7, node: 'pass', pointer: '/nodes/1/version', expected: '^2.0.0', got: '1.0.0',
      message: 'Node pass: expected ^2.0.0, registry has 1.0.0.',
    })
    expect(validate(edit(good, 'pass', { version: '^1.0.0' }), registry)).toEqual([])
  })

  test('NODE_DEPRECATED', () => {
    check(graphOf({ old, pass }, ['old.out->pass.in']), {
      code: 'NODE_DEPRECATED', severity: 'warning', stage: 7, node: 'old', pointer: '/nodes/0/type', got: 'test::old',
      expected: 'test::give',
      message: 'Node old: type test::old is deprecated.', hint: 'Use test::give.',
    })
  })

  test('PARAM_INVALID at a node and in the default of a run-time input', () => {
    const rated = graphOf({ give, resample: [resample, { rate: -5 }] }, ['give.out->resample.in'])
    check(rated, {
      code: 'PARAM_INVALID', severity: 'error', stage: 8, node: 'resample', port: 'rate', pointer: '/nodes/1/params/rate',
      constraint: 'min', expected: 1, got: -5, hint: 'Allowed: integers from 1 to 768000 Hz.',
    })
    check(graphOf({ give, resample }, ['give.out->resample.in'], {
      inputs: new Map([['r', { to: [['resample', 'rate']], default: 'fast' }]]),
    }), {
      code: 'PARAM_INVALID', stage: 8, node: 'resample', port: 'rate', pointer: '/inputs/r/default', constraint: 'type', got: 'fast',
    })
  })

  test('PARAM_UNKNOWN', () => {
    check(graphOf({ give, resample: [resample, { rat: 5 }] }, ['give.out->resample.in']), {
      code: 'PARAM_UNKNOWN', severity: 'error', stage: 8, node: 'resample', port: 'rat', pointer: '/nodes/1/params/rat',
      hint: 'Did you mean rate?',
    })
  })

  test('GRAPH_CYCLE, one per part, with the shortest concrete cycle', () => {
    const a = graphOf({ give, a: mix, b: pass, c: pass }, ['give.out->a.in', 'a.out->b.in', 'b.out->c.in', 'c.out->a.in'])
    check(a, {
      code: 'GRAPH_CYCLE', severity: 'error', stage: 9, node: 'a', edge: 'c.out->a.in', pointer: '/edges/3', got: 'a -> b -> c -> a',
      message: 'Graph: cycle a -> b -> c -> a.',
      hint: 'Remove edge c.out->a.in or set delayFrames.', suggestions: [{
        title: 'Remove edge c.out->a.in',
        edit: { op: 'remove-edge', edge: 'c.out->a.in', from: ['c', 'out'], to: ['a', 'in'] },
      }],
    })
    const both = graphOf({ a: pass, b: pass, c: pass, d: pass }, ['a.out->b.in', 'b.out->a.in', 'c.out->d.in', 'd.out->c.in'])
    expect(validate(both, registry).map((one) => one.got)).toEqual(['a -> b -> a', 'c -> d -> c'])
    const feedback = { ...a, edges: a.edges.map((edge) => edge.from[0] === 'c' ? { ...edge, delayFrames: 128 } : edge) }
    expect(validate({ ...feedback, outputs: new Map([['y', ['c', 'out'] as const]]) }, registry)).toEqual([])
    check(feedback, {
      code: 'GRAPH_NO_END', severity: 'error', stage: 10, message: 'Graph: expected at least one sink, got 0.', pointer: '/outputs',
    })
  })

  test('GRAPH_NO_END when everything is muted, or nothing can start', () => {
    check({ ...good, nodes: good.nodes.map((node) => ({ ...node, mode: 'mute' as const })) }, {
      code: 'GRAPH_NO_END', severity: 'error', stage: 10, message: 'Graph: expected at least one source, got 0.', pointer: '/nodes',
    })
    expect(codes(validate(graphOf({ a: pass, b: pass }), registry).filter((one) => one.severity === 'error'))).toEqual(['GRAPH_NO_END'])
  })

  test('ORPHAN_NODE and PRUNED_NODE', () => {
    const graph = {
      ...good,
      nodes: [...good.nodes, ...graphOf({ lone: pass, spare: pass }).nodes],
      outputs: new Map([['y', ['pass', 'out'] as const]]),
    }
    const found = validate(connect(graph, ['pass', 'out'], ['spare', 'in']), registry)
    expect(found).toMatchObject([
      { code: 'PRUNED_NODE', severity: 'info', stage: 10, node: 'take', pointer: '/nodes/2',
        message: 'Node take: left out: no output of the run needs it.' },
      { code: 'ORPHAN_NODE', severity: 'warning', stage: 10, node: 'lone', pointer: '/nodes/3', message: 'Node lone: linked to nothing.',
        hint: 'Link it or remove it.' },
      { code: 'PRUNED_NODE', node: 'lone' }, { code: 'PRUNED_NODE', node: 'spare' },
    ])
  })

  test('BYPASS_IMPOSSIBLE', () => {
    const graph = graphOf({ readText, words, give, pass }, ['give.out->pass.in', 'pass.out->words.in'])
    const bypassed = { ...graphOf({ give, two, take }, ['give.out->two.a', 'two.out->take.in']), inputs: new Map() }
    expect(validate(edit(bypassed, 'two', { mode: 'bypass' }), registry)).toEqual([])
    const maker = nodeType('test::maker', { inputs: { in: text() }, outputs: { out: audio() } })
    check(edit(graphOf({ maker, take, give, other: take }, ['maker.out->take.in', 'give.out->other.in']), 'maker', { mode: 'bypass' }), {
      code: 'BYPASS_IMPOSSIBLE', severity: 'warning', stage: 10, node: 'maker', port: 'out', pointer: '/nodes/0/mode',
      message: 'Node maker: no input can stand for out; who reads it is skipped.',
    })
    expect(graph.nodes).toHaveLength(4)
  })

  test('TIER_UNAVAILABLE for a named tier, for auto without fallback, for a tier that does not exist', () => {
    check(edit(good, 'pass', { tier: 'wasm-threads' }), {
      code: 'TIER_UNAVAILABLE', severity: 'error', stage: 11, node: 'pass', pointer: '/nodes/1/tier', constraint: 'node',
      expected: 'wasm-threads', got: ['shared memory'],
      message: 'Node pass: tier wasm-threads needs shared memory.', hint: "Use `tier: 'auto'` or enable shared memory.",
    }, { ...host, sab: false })
    check(good, { code: 'TIER_UNAVAILABLE', constraint: 'probe', node: 'pass' }, { ...host, sab: false, fallback: false })
    check(good, { code: 'TIER_UNAVAILABLE', constraint: 'option', node: 'pass' }, { ...host, wasm: false, tierOption: 'wasm' })
    check(edit(good, 'pass', { tier: 'fast' }), { code: 'SCHEMA_INVALID', stage: 3, pointer: '/nodes/1/tier', got: 'fast' }, host)
    expect(validate(edit(good, 'give', { tier: 'wasm' }), registry, { ...host, wasm: false, tierOption: 'js' })).toEqual([])
  })

  test('TIER_FALLBACK once', () => {
    const graph = graphOf({ give, a: pass, b: pass, take }, ['give.out->a.in', 'a.out->b.in', 'b.out->take.in'])
    check(graph, {
      code: 'TIER_FALLBACK', severity: 'warning', stage: 11, node: 'a', expected: 'wasm-threads', got: 'js',
      message: 'Node a: runs in tier js, because wasm-threads needs WebAssembly, SIMD, shared memory.',
    }, { wasm: false, simd: false, sab: false })
    expect(validate(graph, registry, { wasm: false, simd: false, sab: false, fallbackReported: true })).toEqual([])
    expect(validate(edit(edit(graph, 'a', { tier: 'rust' }), 'b', { tier: 'rust' }), registry, { ...host, sab: false })).toEqual([])
  })

  test('params that say a size are wishes; what requires says goes first (GR-47)', () => {
    const model = nodeType('test::model', {
      params: {
        threads: { type: 'integer', default: 8, size: 'cores', doc: '' },
        bytes: { type: 'integer', default: 1, size: 'memoryBytes', doc: '' },
      } satisfies ParamTable,
      inputs: { in: audio() }, outputs: { out: audio() },
    })
    const graph = graphOf({ give, model, take }, ['give.out->model.in', 'model.out->take.in']), known = registryOf(give, model, take)
    const on = (facts: object, change: Partial<GraphNode> = {}): unknown[] =>
      validate(edit(graph, 'model', change), known, { ...host, ...facts }).map(({ code, constraint, node }) => [code, constraint, node])
    expect(on({ cores: 2, memoryBytes: 1 })).toEqual([['CAPABILITY_PREFERRED', 'cores', 'model']])
    expect(on({ cores: 8, memoryBytes: 1 })).toEqual([])
    expect(on({ cores: 8, memoryBytes: 1 }, { params: { bytes: 2 } })).toEqual([['CAPABILITY_PREFERRED', 'memoryBytes', 'model']])
    expect(on({ cores: 2, memoryBytes: 1 }, { requires: { cores: 2 } })).toEqual([])
    expect(on({ cores: 2, memoryBytes: 1 }, { requires: { cores: 4 } })).toEqual([['CAPABILITY_MISSING', 'cores', 'model']])
    expect(on({})).toEqual([]) // a host that does not say
  })

  test('CAPABILITY_MISSING and CAPABILITY_PREFERRED', () => {
    const on = (requires: Readonly<Record<string, unknown>>, expected: Partial<Diagnostic>): void =>
      check(edit(good, 'pass', { requires }), { stage: 11, node: 'pass', pointer: '/nodes/1/requires', ...expected }, host)
    on({ webgpu: true }, {
      code: 'CAPABILITY_MISSING', severity: 'error', constraint: 'webgpu', message: 'Node pass: needs webgpu, host has none.',
    })
    on({ memory64: 'preferred' }, { code: 'CAPABILITY_PREFERRED', severity: 'info', constraint: 'memory64' })
    on({ cores: 4 }, { code: 'CAPABILITY_MISSING', constraint: 'cores', got: '0' })
    on({ arch: 'aarch64' }, { code: 'CAPABILITY_MISSING', constraint: 'arch', got: 'unknown' })
    on({ tags: ['GPU ', 'x'] }, { code: 'CAPABILITY_MISSING', constraint: 'tags', got: 'none' })
    on({ gpu: {} }, { code: 'CAPABILITY_MISSING', constraint: 'gpu', got: 'none', message: 'Node pass: needs gpu any, host has none.' })
    on({ gpu: { type: 'cuda', required: false } }, { code: 'CAPABILITY_PREFERRED', constraint: 'gpu' })
    const gpu = (wanted: object, facts: object): string[] =>
      validate(edit(good, 'pass', { requires: { gpu: wanted } }), registry, { ...host, ...facts }).map((one) => one.code)
    expect([
      gpu({}, { webgpu: true }), gpu({ type: 'webgpu', minMemoryBytes: 1 }, { webgpu: true }), gpu({ type: 'metal' }, { webgpu: true }),
    ]).toEqual([[], ['CAPABILITY_MISSING'], ['CAPABILITY_MISSING']])
    const gpus = [{ type: 'cuda', memoryBytes: 8 }]
    expect([
      gpu({ type: 'cuda', minMemoryBytes: 8 }, { gpus }), gpu({ type: 'cuda', minMemoryBytes: 9 }, { gpus }),
      gpu({ type: 'any' }, { gpus }),
    ]).toEqual([[], ['CAPABILITY_MISSING'], []])
    expect(validate(edit(good, 'pass', { requires: { simd: true, threads: true, cores: 2, tags: ['Gpu'], arch: 'any' } }), registry, {
      ...host, cores: 2, tags: [' gPU'],
    })).toEqual([])
  })

  test('UNSUPPORTED: feedback through a node written in TypeScript', () => {
    const graph = graphOf({ give, two, echo: pass }, ['give.out->two.a', 'two.out->echo.in'])
    const looped = {
      ...graph,
      edges: [...graph.edges, { from: ['echo', 'out'] as const, to: ['two', 'b'] as const, delayFrames: 480 }],
      outputs: new Map([['y', ['two', 'out'] as const]]),
    }
    check(looped, {
      code: 'UNSUPPORTED', severity: 'error', stage: 12, edge: 'echo.out->two.b', node: 'two', pointer: '/edges/2/delayFrames', got: 480,
      message: 'Feedback edge echo.out->two.b: not available in a loop through two, which is written in TypeScript.',
      hint: 'Take two out of the loop: only kernels run there.',
      suggestions: [{
        title: 'Remove edge echo.out->two.b',
        edit: { op: 'remove-edge', edge: 'echo.out->two.b', from: ['echo', 'out'], to: ['two', 'b'] },
      }],
    })
  })

  test('PLACE_IMPOSSIBLE', () => {
    check(edit(good, 'pass', { place: 'remote' }), {
      code: 'PLACE_IMPOSSIBLE', severity: 'error', stage: 11, node: 'pass', pointer: '/nodes/1/place', expected: 'remote',
    }, host)
    expect(validate(edit(good, 'pass', { place: 'remote' }), registry, { ...host, remote: true })).toEqual([])
    expect(validate(edit(good, 'pass', { place: 'prefer-remote' }), registry, host)).toEqual([])
  })

  test('PORT_NOT_FOUND in edges, outputs and inputs', () => {
    check(graphOf({ give, pass, take }, ['give.out->pass.inn', 'pass.out->take.in']), {
      code: 'PORT_NOT_FOUND', severity: 'error', stage: 12, node: 'pass', port: 'inn', edge: 'give.out->pass.inn', pointer: '/edges/0/to/1',
      expected: ['in'], got: 'inn',
      message: 'Node pass: no port inn; has in.', hint: 'Did you mean in?',
      suggestions: [{ title: 'Use port in', edit: { op: 'relink-edge', edge: 'give.out->pass.inn', to: ['pass', 'in'] } }],
    })
    check(graphOf({ give, pass }, ['give.audio->pass.in']), {
      code: 'PORT_NOT_FOUND', node: 'give', port: 'audio', pointer: '/edges/0/from/1', expected: ['out'],
    })
    check({
      ...good,
      outputs: new Map([['y', ['pass', 'ou']], ['z', ['pass', 'out']]]),
      nodes: good.nodes.map((node) => ({ ...node, output: true })),
    }, { code: 'PORT_NOT_FOUND', pointer: '/outputs/y/1', port: 'ou' })
    check({ ...good, inputs: new Map([['x', { to: [['pass', 'volume']] }]]) }, {
      code: 'PORT_NOT_FOUND', pointer: '/inputs/x/to/0/1', port: 'volume',
    })
  })

  test('an edge may drive a param that says so, and no other', () => {
    const graph = (port: string): Graph =>
      graphOf({ give, driven, take }, ['give.out->driven.in', `give.out->driven.${port}`, 'driven.out->take.in'])
    // A stereo stream drives it as mono.
    expect(codes(validate(graph('gain'), registry))).toEqual(['CONVERTER_INSERTED'])
    check(graph('fixed'), { code: 'PORT_NOT_FOUND', node: 'driven', port: 'fixed', expected: ['in', 'gain'] })
  })

  test('INPUT_OCCUPIED by edges and by run-time inputs', () => {
    check(graphOf({ give, other: give, take }, ['give.out->take.in', 'other.out->take.in']), {
      code: 'INPUT_OCCUPIED', severity: 'error', stage: 12, node: 'take', port: 'in', edge: 'other.out->take.in', pointer: '/edges/1',
      expected: 'give.out', got: 'other.out',
      message: 'Input take.in: already linked from give.out, got other.out.',
    })
    check({ ...good, inputs: new Map([['x', { to: [['take', 'in']] }]]) }, {
      code: 'INPUT_OCCUPIED', pointer: '/inputs/x/to/0', expected: 'pass.out', got: 'input x',
    })
  })

  test('INPUT_MISSING unless linked, bound or optional', () => {
    check(graphOf({ give, two, take }, ['give.out->two.b', 'two.out->take.in']), {
      code: 'INPUT_MISSING', severity: 'error', stage: 12, node: 'two', port: 'a', pointer: '/nodes/1', constraint: 'required',
      expected: 'audio', message: 'Input two.a: expected audio, got nothing.', hint: 'Link it or give a default.',
    })
    check(graphOf({ mono16k }), { code: 'INPUT_MISSING', expected: 'audio 16000 Hz, 1 channel, f32, planar' })
    expect(validate(graphOf({ give, two, take }, ['two.out->take.in'], { inputs: new Map([['x', { to: [['two', 'a']] }]]) }), registry)
      .filter((one) => one.severity === 'error')).toEqual([])
  })

  test('TYPE_MISMATCH, NEGOTIATION_CONFLICT and CONVERTER_INSERTED', () => {
    check(graphOf({ give, readText }, ['give.out->readText.in']), {
      code: 'TYPE_MISMATCH', severity: 'error', stage: 12, node: 'readText', port: 'in', edge: 'give.out->readText.in', pointer: '/edges/0',
      constraint: 'kind',
      expected: 'text', got: 'audio 48000 Hz, 2 channels, f32, planar',
      message: 'Edge give.out→readText.in: expected text, got audio 48000 Hz, 2 channels, f32, planar.',
    })
    const converted = graphOf({ give, mono16k }, ['give.out->mono16k.in'])
    expect(validate(converted, registry)).toMatchObject([
      { code: 'CONVERTER_INSERTED', severity: 'info', stage: 12, node: '~give.out~1', edge: 'give.out->mono16k.in', pointer: '/edges/0' },
      { code: 'CONVERTER_INSERTED', node: '~give.out~2' },
    ])
    check({ ...converted, config: { negotiate: 'strict' } }, {
      code: 'NEGOTIATION_CONFLICT', severity: 'error', stage: 12, constraint: 'rate, channels', pointer: '/edges/0',
    })
  })

  test('a node\'s own validate sees params and media; what it throws is told', () => {
    const own = (validateNode: NodeDefinition['validate']): Diagnostic[] => {
      const picky = { ...nodeType('test::picky', { inputs: { in: audio() } }), validate: validateNode! }
      return validate(graphOf({ give, picky }, ['give.out->picky.in']), registry)
    }
    expect(own((_params, media) => media['in']?.kind === 'audio' && media['in'].rate === 48_000
      ? [commonErrors.UNSUPPORTED.diagnostic({ feature: '48 kHz', runtime: 'this node' })]
      : []))
      .toMatchObject([{ code: 'UNSUPPORTED', stage: 12, node: 'picky', pointer: '/nodes/1' }])
    expect(own(() => { throw new Error('boom') }))
      .toMatchObject([{ code: 'INTERNAL', node: 'picky', message: 'Node type test::picky: validate failed: boom' }])
  })
})

describe('all problems at once (GR-48)', () => {
  const document = {
    millrace: 1,
    nodes: [
      { id: 'give', type: 'test::give' }, { id: 'slow', type: 'audio::resample', params: { rate: 0 } }, { id: 'what', type: 'test::pasd' },
      { id: 'take', type: 'test::take' },
      { id: 'loop', type: 'test::mix' }, { id: 'back', type: 'test::pass' }, { id: 'text', type: 'test::read-text' },
    ],
    edges: [
      { from: ['give', 'out'], to: ['slow', 'in'] }, { from: ['give', 'out'], to: ['what', 'in'] },
      { from: ['give', 'out'], to: ['take', 'in'] }, { from: ['give', 'out'], to: ['loop', 'in'] },
      { from: ['loop', 'out'], to: ['back', 'in'] }, { from: ['back', 'out'], to: ['loop', 'in'] },
      { from: ['nobody', 'out'], to: ['take', 'in'] }, { from: ['give', 'out'], to: ['text', 'in'] },
    ],
  }

  test('five unrelated faults, five diagnostics, by stage', () => {
    expect(validate(document, registry).map((one) => [one.stage, one.code, one.pointer])).toEqual([
      [6, 'NODE_NOT_FOUND', '/edges/6/from/0'], [7, 'NODE_TYPE_UNKNOWN', '/nodes/2/type'], [8, 'PARAM_INVALID', '/nodes/1/params/rate'],
      [9, 'GRAPH_CYCLE', '/edges/5'],
      [12, 'TYPE_MISMATCH', '/edges/7'],
    ])
  })

  test('three routes, equal diagnostics: document, its graph, the graph written back (GR-53)', () => {
    const expected = validate(document, registry)
    const graph = fromDocument(document, registry)
    expect(validate(graph, registry)).toEqual(expected)
    expect(validate(toDocument(graph), registry)).toEqual(expected)
    expect(validate(JSON.parse(JSON.stringify(document)) as object, registry)).toEqual(expected)
  })

  test('a graph written in TypeScript and its document are told the same', () => {
    const giveNode = defineNode({
      ...give, inputs: {}, params: {},
      outputs: { out: { media: audio({ rate: 48_000, channels: 2, format: 'f32', layout: 'planar' }) } },
    })
    const rate = defineNode({
      ...resample, inputs: { in: { media: audio() } }, params: resample.params,
      outputs: { out: { media: audio({ like: 'in', rate: (p) => p['rate'] as number }) } },
    })
    const own = createRegistry(giveNode, rate)
    const graph = graphFrom({ y: rate(giveNode(), { rate: 900_000 }), z: rate(giveNode(), { rate: 0.5 }) })
    const found = validate(graph, own)
    expect(found.map((one) => [one.code, one.node, one.constraint]))
      .toEqual([['PARAM_INVALID', 'resample-1', 'max'], ['PARAM_INVALID', 'resample-2', 'type']])
    expect(validate(toDocument(graph), own)).toEqual(found)
  })

  test('schema faults stand with the later stages; a node that breaks the schema is looked at no further', () => {
    const broken = { ...document, nodes: [...document.nodes, { id: 'bad', type: 'test::pass', params: 3 }], colour: 'red' }
    const found = validate(broken, registry)
    expect(found.map((one) => [one.stage, one.code]).slice(0, 2)).toEqual([[3, 'SCHEMA_INVALID'], [3, 'UNKNOWN_FIELD']])
    expect(found.slice(2).filter((one) => one.node === 'bad').map((one) => one.code)).toEqual(['ORPHAN_NODE', 'PRUNED_NODE'])
    expect(validate({ millrace: 7 }, registry).map((one) => one.code)).toEqual(['VERSION_MISMATCH'])
    expect(validate({ millrace: 1, nodes: [] }, registry).map((one) => one.code)).toEqual(['GRAPH_EMPTY'])
    expect(validate({ millrace: 1 }, registry).map((one) => one.code)).toEqual(['SCHEMA_INVALID'])
    expect(validate({ ...document, colour: 'red' }, registry, undefined, { strict: true })[0])
      .toMatchObject({ code: 'UNKNOWN_FIELD', severity: 'error' })
  })

  test('one fault is told once: a wrong port is no missing input, a broken source still links its target', () => {
    expect(codes(validate(graphOf({ give, take }, ['give.out->take.inn']), registry))).toEqual(['PORT_NOT_FOUND'])
    expect(codes(validate(graphOf({ give, take }, ['give.put->take.in']), registry))).toEqual(['PORT_NOT_FOUND'])
    expect(codes(validate(graphOf({ give, take, words }, ['giv.out->take.in', 'give.out->words.in']), registry)))
      .toEqual(['NODE_NOT_FOUND'])
  })

  test('what comes after a cycle is checked', () => {
    const graph = graphOf({ give, loop: mix, back: pass, after: readText, end: mono16k }, [
      'give.out->loop.in', 'loop.out->back.in', 'back.out->loop.in', 'loop.out->after.in', 'back.out->end.in',
    ])
    expect(codes(validate(graph, registry))).toEqual(['GRAPH_CYCLE', 'TYPE_MISMATCH'])
  })

  test('muted and pruned nodes are not held to what only running needs', () => {
    const mutedSink = edit(graphOf({ give, pass, two }, ['give.out->pass.in']), 'two', { mode: 'mute' })
    expect(validate(mutedSink, registry).filter((one) => one.severity === 'error')).toEqual([])
    const pruned =
      graphOf({ give, pass, readText }, ['give.out->pass.in', 'pass.out->readText.in'], { outputs: new Map([['y', ['pass', 'out']]]) })
    expect(codes(validate(pruned, registry))).toEqual(['PRUNED_NODE'])
  })

  test('edge pointers are the document\'s even when a bypassed node shifts them', () => {
    const graph = edit(
      graphOf({ give, pass, a: take, readText }, ['give.out->pass.in', 'pass.out->a.in', 'give.out->readText.in']),
      'pass', { mode: 'bypass' },
    )
    expect(validate(graph, registry)).toMatchObject([{ code: 'TYPE_MISMATCH', pointer: '/edges/2' }])
  })

  test('diagnostics are plain data', () => {
    const found = validate(document, registry)
    expect(structuredClone(found)).toEqual(found)
  })
})
