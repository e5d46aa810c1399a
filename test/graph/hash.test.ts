import { describe, expect, test } from 'vitest'
import { hashGraph, type HashOptions } from '../../src/graph/hash.js'
import { codeDigest } from '../../src/graph/hash-type.js'
import { HashWriter } from '../../src/graph/hash-writer.js'
import { connect, setParam } from '../../src/graph/edit.js'
import type { Graph, GraphNode } from '../../src/graph/graph.js'
import { negotiate } from '../../src/graph/negotiate/index.js'
import type { NodeDefinition, ParamTable } from '../../src/graph/node-definition.js'
import { hexOf, sha256 } from '../../src/graph/sha256.js'
import { audio, json } from '../../src/media/media-type.js'
import { graphOf, idle, mix, nodeType, pass, registryOf, resample, sink, source } from '../support/graph-nodes.js'

const table = (params: ParamTable): ParamTable => params
const anyParams: NodeDefinition = nodeType('test::any', {
  params: table({ v: { type: 'json', doc: '' }, a: { type: 'json', doc: '' }, ab: { type: 'json', doc: '' } }),
  outputs: { out: json() },
})
const of = (definition: NodeDefinition, params: Readonly<Record<string, unknown>> = {}, o?: HashOptions): string =>
  hashGraph(graphOf({ n: [definition, params] }), o).node('n')
const value = (v: unknown): string => of(anyParams, { v })
const split = nodeType('test::split', { outputs: { left: audio(), right: audio() } })
const subtract = nodeType('test::subtract', { inputs: { a: audio(), b: audio() }, outputs: { out: audio() } })
const one = source('test::one', { rate: 1 }), two = source('test::two', { rate: 2 })

describe('changes with (GR-54)', () => {
  test('seed: spelled as number, bigint or text alike', () => {
    const noise = nodeType('test::noise', {
      params: table({ seed: { type: 'seed', default: 0, doc: '' } }), outputs: { out: audio() }, deterministic: 'seeded',
    })
    expect(of(noise, { seed: 1 })).not.toBe(of(noise, { seed: 2 }))
    expect(of(noise, { seed: 1 })).toBe(of(noise, { seed: '1' }))
    expect(of(noise, { seed: 1 })).toBe(of(noise, { seed: 1n }))
    expect(of(noise, { seed: '18446744073709551615' })).not.toBe(of(noise, { seed: '18446744073709551614' }))
    expect(of(noise, {}, { seed: 1n })).not.toBe(of(noise, {}, { seed: 2n }))
    expect(of(resample, {}, { seed: 1n })).toBe(of(resample, {}, { seed: 2n }))
  })

  test('any param', () => {
    expect(of(resample, { rate: 16_000 })).not.toBe(of(resample, { rate: 16_001 }))
    expect(of(anyParams, { a: 1 })).not.toBe(of(anyParams, { ab: 1 }))
  })

  test('code: kernel bytes, or version and function source', () => {
    const digest = (n: number): HashOptions => ({ codeHash: () => new Uint8Array(32).fill(n) })
    expect(of(pass, {}, digest(1))).not.toBe(of(pass, {}, digest(2)))
    const a = nodeType('test::a', { process: async () => ({}) }), b = nodeType('test::a', { process: async () => ({ ...{} }) })
    expect(of(a)).not.toBe(of(b))
    expect(of(a)).toBe(of(nodeType('test::a', { process: async () => ({}) })))
    expect(of(a)).not.toBe(of({ ...a, version: '1.0.1' }))
    expect(hexOf(codeDigest(pass))).not.toBe(hexOf(codeDigest({ ...pass, reference: { ...idle, process: () => 1 } })))
  })

  test('swapped inputs', () => {
    const graph = (...edges: string[]): string => hashGraph(graphOf({ one, two, subtract }, edges)).node('subtract')
    expect(graph('one.out->subtract.a', 'two.out->subtract.b')).not.toBe(graph('two.out->subtract.a', 'one.out->subtract.b'))
    const mixed = (...edges: string[]): string => hashGraph(graphOf({ one, two, mix }, edges)).node('mix')
    expect(mixed('one.out->mix.in', 'two.out->mix.in')).not.toBe(mixed('two.out->mix.in', 'one.out->mix.in'))
  })

  test('another output of the same parent', () => {
    const graph = (port: string): string => hashGraph(graphOf({ split, pass }, [`split.${port}->pass.in`])).node('pass')
    expect(graph('left')).not.toBe(graph('right'))
    const hashes = hashGraph(graphOf({ split }))
    expect(hashes.output(['split', 'left'])).not.toBe(hashes.output(['split', 'right']))
  })

  test('a referenced file\'s bytes', () => {
    const file = nodeType('test::file', { params: table({ path: { type: 'file', required: true, doc: '' } }), outputs: { out: audio() } })
    const bytes = (n: number): HashOptions => ({
      referenced: (node, param) => node === 'n' && param === 'path' ? sha256(Uint8Array.of(n)) : undefined,
    })
    expect(of(file, { path: 'a.wav' }, bytes(1))).not.toBe(of(file, { path: 'a.wav' }, bytes(2)))
    expect(of(file, { path: 'a.wav' }, bytes(1))).toBe(of(file, { path: 'a.wav' }, bytes(1)))
    expect(of(file, { path: Uint8Array.of(1) })).not.toBe(of(file, { path: Uint8Array.of(2) }))
    const blob = new Blob(['x'])
    expect(of(file, { path: blob })).not.toBe(of(file, { path: blob }))
    for (const stream of [new ReadableStream(), (async function* () { yield* [] })(), { async* [Symbol.asyncIterator]() { yield* [] } }]) {
      expect(of(file, { path: stream })).not.toBe(of(file, { path: stream }))
    }
    expect(of(file, { path: blob }, bytes(1))).toBe(of(file, { path: new Blob(['y']) }, bytes(1)))
  })

  test('a change upstream reaches every descendant and nothing else', () => {
    const graph = graphOf({ one, a: [resample, { rate: 8 }], b: pass, two, c: pass }, ['one.out->a.in', 'a.out->b.in', 'two.out->c.in'])
    const before = hashGraph(graph), after = hashGraph(setParam(graph, 'a', 'rate', 9))
    expect(['one', 'a', 'b', 'two', 'c'].map((id) => before.node(id) === after.node(id))).toEqual([true, false, false, true, true])
  })

  test('a run-time value, and equals the same value written at the node when it drives a param', () => {
    const graph = graphOf({ one, a: resample, pass }, ['one.out->a.in'], {
      inputs: new Map([['rate', { to: [['a', 'rate']], default: 8_000 }], ['x', { to: [['pass', 'in']] }]]),
    })
    const with_ = (inputs: Record<string, unknown>, id: string): string => hashGraph(graph, { inputs }).node(id)
    expect(with_({}, 'a')).toBe(with_({ rate: 8_000 }, 'a'))
    expect(with_({ rate: 9_000 }, 'a')).not.toBe(with_({}, 'a'))
    expect(with_({ rate: 9_000 }, 'a')).toBe(hashGraph(graphOf({ one, a: [resample, { rate: 9_000 }] }, ['one.out->a.in'])).node('a'))
    expect(with_({ x: [1] }, 'pass')).not.toBe(with_({ x: [2] }, 'pass'))
    expect(hashGraph(graph, { inputDigests: { x: new Uint8Array(32) } }).node('pass')).not.toBe(with_({}, 'pass'))
  })

  test('tier, where tiers may differ in their numbers; else not', () => {
    const rough = { ...pass, parity: { peak: 1e-6, rms: 1e-7 } }
    expect(of(rough, {}, { tier: () => 'js' })).not.toBe(of(rough, {}, { tier: () => 'wasm' }))
    expect(of(pass, {}, { tier: () => 'js' })).toBe(of(pass, {}, { tier: () => 'wasm' }))
  })

  test('fingerprint; null is never equal', () => {
    const marked = (mark: Uint8Array | null): NodeDefinition => ({ ...pass, fingerprint: () => mark })
    expect(of(marked(Uint8Array.of(1)))).not.toBe(of(marked(Uint8Array.of(2))))
    expect(of(marked(Uint8Array.of(1)))).toBe(of(pass, {}, { fingerprint: () => Uint8Array.of(1) }))
    expect(of(marked(null))).not.toBe(of(marked(null)))
    expect(() => of({ ...pass, fingerprint: async () => null })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  test('everything, for a node that is not deterministic; its nonce may be given', () => {
    const clock = nodeType('test::clock', { deterministic: 'no', outputs: { out: json() } })
    expect(of(clock)).not.toBe(of(clock))
    const nonce = (): Uint8Array => new Uint8Array(16)
    expect(of(clock, {}, { nonce })).toBe(of(clock, {}, { nonce }))
  })
})

describe('does not change with (GR-54)', () => {
  const graph = graphOf({ one, two, a: [resample, { rate: 8_000 }], mix }, ['one.out->a.in', 'a.out->mix.in', 'two.out->mix.in'], {
    outputs: new Map([['y', ['mix', 'out']]]),
  })
  const base = hashGraph(graph).graph
  const change = (edit: (node: GraphNode) => GraphNode): Graph => ({ ...graph, nodes: graph.nodes.map(edit) })

  test('moving', () => { expect(hashGraph(change((node) => ({ ...node, ui: { x: 1 } }))).graph).toBe(base) })
  test('renaming', () => {
    const renamed = graphOf({ first: one, second: two, third: [resample, { rate: 8_000 }], last: mix }, [
      'first.out->third.in', 'third.out->last.in', 'second.out->last.in',
    ], { outputs: new Map([['y', ['last', 'out']]]) })
    expect(hashGraph(renamed).graph).toBe(base)
  })
  test('reordering nodes, and edges of different ports', () => {
    expect(hashGraph({ ...graph, nodes: [...graph.nodes].reverse() }).graph).toBe(base)
    expect(hashGraph({ ...graph, edges: [graph.edges[1]!, graph.edges[0]!, graph.edges[2]!] }).graph).toBe(base)
    expect(hashGraph({ ...graph, edges: [graph.edges[2]!, graph.edges[1]!, graph.edges[0]!] }).graph).not.toBe(base)
    expect(hashGraph({ ...graph, edges: [{ ...graph.edges[2]!, order: 9 }, { ...graph.edges[1]!, order: 4 }, graph.edges[0]!] }).graph)
      .toBe(base)
  })
  test('spelling a default', () => {
    expect(of(resample)).toBe(of(resample, { rate: 48_000 }))
    expect(of(resample)).not.toBe(of(resample, { rate: 48_001 }))
  })
  test('ids, ui, meta, policy, tier of exact nodes, mode run', () => {
    const other = change((node) => ({ ...node, policy: { timeoutMs: 1 }, mode: 'run', tier: 'js', extras: { 'x-a': 1 } }))
    expect(hashGraph({ ...other, id: 'g', revision: 3, meta: { name: 'n' }, ui: 1 }).graph).toBe(base)
  })
  test('cosmetic params', () => {
    const labelled = nodeType('test::label', { params: table({ label: { type: 'string', cosmetic: true, doc: '' } }) })
    expect(of(labelled, { label: 'a' })).toBe(of(labelled, { label: 'b' }))
  })
  test('nodes that no declared output needs', () => {
    expect(hashGraph({ ...graph, nodes: [...graph.nodes, graphOf({ z: two }).nodes[0]!] }).graph).toBe(base)
  })
})

describe('values', () => {
  test('{a: "bc"} is not {ab: "c"}, and no other pair of values meets', () => {
    const values: unknown[] = [
      { a: 'bc' }, { ab: 'c' }, { a: 'b', c: '' }, [], {}, '', null, false, true, 0, 1, '0', '1', [1], [[1]], [1, 2], [[1], 2], [[1, 2]],
      Uint8Array.of(1), Uint8Array.of(1, 2), 'é', 'e\u0301',
      { a: null }, 5e-324, 1n, Infinity, -Infinity, NaN, ['a', 'b'], ['ab'], ['a', ['b']],
    ]
    expect(new Set(values.map(value)).size).toBe(values.length)
  })

  test('−0 is 0, every NaN is one, 1 is 1.0, key order does not matter, undefined fields are absent', () => {
    expect(value(-0)).toBe(value(0))
    const odd = new DataView(new ArrayBuffer(8))
    odd.setBigUint64(0, 0xfff8_0000_0000_0001n)
    expect(value(odd.getFloat64(0))).toBe(value(NaN))
    expect(value(JSON.parse('1.0'))).toBe(value(1))
    expect(value({ a: 1, b: 2 })).toBe(value({ b: 2, a: 1, c: undefined }))
    expect(value([1, 2])).toBe(value(Float64Array.of(1, 2)))
    expect(value(new URL('http://a/b'))).toBe(value('http://a/b'))
  })

  test('keys sort by UTF-8 bytes, which is not the order of UTF-16', () => {
    const bytes = (writer: HashWriter): string => hexOf(writer.takeDigest(0))
    const write = (keys: readonly string[]): string => bytes(new HashWriter().utf8('').raw(Uint8Array.of(8)).u32(2).u32(3).utf8(keys[0]!)
      .raw(Uint8Array.of(0)).u32(4).utf8(keys[1]!).raw(Uint8Array.of(0)))
    const object = new HashWriter()
    object.value({ '\u{1f600}': null, '\uffff': null })
    expect(bytes(object)).toBe(write(['\uffff', '\u{1f600}']))
  })

  test('text without a UTF-8 form, and nesting without end, are refused, with node and param', () => {
    const refused = (given: unknown, message: string): void => {
      expect(() => value(given))
        .toThrow(expect.objectContaining({ code: 'PARAM_INVALID', nodeId: 'n', message: expect.stringContaining(message) }))
    }
    refused('\ud800', 'Param n.v:')
    refused({ a: [0, 'b\udc00'] }, 'Param n.v.a[1]:')
    refused({ a: { '\ud800': 1 } }, 'Unicode')
    const loop: unknown[] = []
    loop.push(loop)
    refused(loop, 'nested at most 256 deep')
    // A type that nobody knows.
    const unknown = { ...graphOf({ n: [anyParams, { v: '\ud800' }] }) }
    expect(() => hashGraph({ ...unknown, nodes: unknown.nodes.map(({ definition: _, ...node }) => node) as never }))
      .toThrow(expect.objectContaining({ code: 'PARAM_INVALID', nodeId: 'n' }))
  })

  test('secret params are hashed as their digest', () => {
    const plain = nodeType('test::key', { params: table({ key: { type: 'string', doc: '' } }) })
    const secret = nodeType('test::key', { params: table({ key: { type: 'string', secret: true, doc: '' } }) })
    expect(of(secret, { key: 'a' })).not.toBe(of(secret, { key: 'b' }))
    expect(of(secret, { key: 'a' })).not.toBe(of(plain, { key: 'a' }))
  })
})

describe('records (spec section 6)', () => {
  test('a node\'s hash is that of the bytes written by hand', () => {
    const code = new Uint8Array(32).fill(7)
    const tone = nodeType('test::tone', {
      params: table({ hz: { type: 'number', default: 440, doc: '' }, amp: { type: 'number', default: 0.5, doc: '' } }),
      outputs: { out: audio() },
    })
    const graph = graphOf({ t: tone, pass: pass }, ['t.out->pass.in'])
    const hashes = hashGraph(graph, { codeHash: () => code })
    const text = (s: string): number[] => [...new TextEncoder().encode(s)]
    const record = (tag: number, content: readonly number[]): number[] => [tag, content.length & 255, content.length >> 8, 0, 0, ...content]
    const f64 = (x: number): number[] => [3, ...new Uint8Array(Float64Array.of(x).buffer)]
    const parent = sha256(Uint8Array.from([
      ...record(1, text('millrace-node-hash/1')), ...record(2, text('test::tone')), ...record(3, text('1.0.0')), ...record(4, [...code]),
      ...record(5, [0]),
      ...record(6, [...record(0x10, text('amp')), ...record(0x11, f64(0.5))]),
      ...record(6, [...record(0x10, text('hz')), ...record(0x11, f64(440))]),
    ]))
    expect(hashes.node('t')).toBe(hexOf(parent))
    const child = sha256(Uint8Array.from([
      ...record(1, text('millrace-node-hash/1')), ...record(2, text('test::pass')), ...record(3, text('1.0.0')), ...record(4, [...code]),
      ...record(5, [0]),
      ...record(7, [
        ...record(0x20, text('in')), ...record(0x21, [0, 0, 0, 0]), ...record(0x22, [...parent]), ...record(0x23, text('out')),
      ]),
    ]))
    expect(hashes.node('pass')).toBe(hexOf(child))
    const output = sha256(Uint8Array.from([...child, ...record(0x23, text('out'))]))
    expect(hashes.output(['pass', 'out'])).toBe(hexOf(output))
    expect(hashes.graph).toBe(hexOf(sha256(Uint8Array.from([...record(0x23, []), ...output]))))
    expect(hashGraph({ ...graph, outputs: new Map([['y', ['pass', 'out']]]) }, { codeHash: () => code }).graph)
      .toBe(hexOf(sha256(Uint8Array.from([...record(0x23, text('y')), ...output]))))
  })

  test('an unknown node has no hash', () => {
    expect(() => hashGraph(graphOf({ one })).node('two')).toThrow(expect.objectContaining({ code: 'NODE_NOT_FOUND' }))
  })

  test('a muted node hashes as if it were not there, a bypassed one as if it were a wire', () => {
    const graph = graphOf({ one, a: pass, b: [resample, { rate: 9 }] }, ['one.out->a.in', 'a.out->b.in'])
    const bypassed = { ...graph, nodes: graph.nodes.map((node) => node.id === 'a' ? { ...node, mode: 'bypass' as const } : node) }
    expect(hashGraph(bypassed).graph).toBe(hashGraph(graphOf({ one, b: [resample, { rate: 9 }] }, ['one.out->b.in'])).graph)
    const muted = { ...graph, nodes: graph.nodes.map((node) => node.id === 'b' ? { ...node, mode: 'mute' as const } : node) }
    expect(hashGraph(muted).graph).toBe(hashGraph(graphOf({ one, a: pass }, ['one.out->a.in'])).graph)
  })
})

test('inserted converters hash as if written by hand (GR-37)', () => {
  const stereo16 = source('test::stereo16', { rate: 48_000, channels: 2, format: 'i16', layout: 'planar' })
  const mono = sink('test::mono', { rate: 16_000, channels: 1, format: 'f32', layout: 'planar' })
  const solved = negotiate(graphOf({ stereo16, mono }, ['stereo16.out->mono.in']), registryOf())
  const registry = registryOf()
  const type = (id: string): NodeDefinition => registry.get(id)!
  let written = graphOf({
    stereo16, mono, decode: type('audio::convert'), down: [type('audio::channels'), { mode: 'mean', to: 1 }],
    slow: [type('audio::resample'), { rate: 16_000 }],
  })
  for (const [from, to] of [['stereo16', 'decode'], ['decode', 'down'], ['down', 'slow'], ['slow', 'mono']] as const) {
    written = connect(written, [from, 'out'], [to, 'in'])
  }
  expect(solved.inserted).toHaveLength(3)
  expect(hashGraph(solved.graph).node('mono')).toBe(hashGraph(written).node('mono'))
  expect(hashGraph(solved.graph).graph).toBe(hashGraph(written).graph)
})
