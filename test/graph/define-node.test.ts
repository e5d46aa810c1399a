import { describe, expect, test } from 'vitest'
import { defineNode } from '../../src/graph/define-node.js'
import { graphFrom } from '../../src/graph/graph-from.js'
import type { NodeDefinition } from '../../src/graph/node-definition.js'
import { callOf, outputFacts, type AnyOutput } from '../../src/graph/output-ref.js'
import { audio } from '../../src/media/media-type.js'
import { every, mix, resample, source, two, vad, writer } from '../support/sample-nodes.js'

/** Calls with types put aside, as JavaScript does. */
const loose = (node: unknown): ((...args: unknown[]) => unknown) => node as never
const thrown = (run: () => unknown): unknown => { try { run() } catch (error) { return error } return undefined }

describe('node calls', () => {
  test('inputs come first, params last, and the result carries its ports', () => {
    const x = source('talk.wav')
    const call = callOf(resample(x, { rate: 16_000 }))!
    expect(call.params).toEqual({ rate: 16_000 })
    expect(call.links).toEqual([{ to: 'in', from: outputFacts(x) }])
    expect(Object.keys(vad(x))).toEqual(['audio', 'segments', 'frames'])
    expect(outputFacts(vad(x).segments)?.port).toBe('segments')
    expect(outputFacts(vad(x))).toBeUndefined()
    expect(outputFacts(x)?.port).toBe('out')
  })

  test('a main param may be given alone, as text or bytes', () => {
    const bytes = new Uint8Array([1])
    expect(callOf(source('a'))?.params).toEqual({ path: 'a' })
    expect(callOf(source(bytes))?.params['path']).toBe(bytes)
    expect(callOf(writer(source('a'), 'out.wav'))?.params).toEqual({ path: 'out.wav' })
    expect(callOf(source({ path: 'b' }))?.params).toEqual({ path: 'b' })
  })

  test('a list feeds a multi input, in order', () => {
    const a = source('a'), b = source('b')
    expect(callOf(mix([a, b, a]))?.links.map((link) => [link.from.call.params['path'], link.order])).toEqual([['a', 0], ['b', 1], ['a', 2]])
    expect(callOf(mix([]))?.links).toEqual([])
    expect(callOf(mix(a))?.links).toHaveLength(1)
  })

  test('several inputs: in order or by name; undefined leaves a port open', () => {
    const a = source('a'), s = vad(a).segments
    const named = callOf(two({ score: s, carrier: a }, { depth: 2 }))!, ordered = callOf(two(a, s, { depth: 2 }))!
    expect(named.links.map((link) => link.to)).toEqual(['carrier', 'score'])
    expect(ordered.links).toEqual(named.links)
    expect(named.params).toEqual(ordered.params)
    expect(callOf(two(a, undefined, { depth: 3 }))).toMatchObject({ params: { depth: 3 }, links: [{ to: 'carrier' }] })
  })

  test('an output given for a param becomes a link', () => {
    const a = source('a')
    expect(callOf(vad(a, { threshold: every().out }))).toMatchObject({ params: {}, links: [{ to: 'in' }, { to: 'threshold' }] })
  })

  test('settings are kept beside params', () => {
    const x = resample.with({ tier: 'js', mode: 'bypass' }).named('to16k')(source('a'), { rate: 16_000 })
    expect(callOf(x)?.settings).toEqual({ tier: 'js', mode: 'bypass', id: 'to16k' })
    expect(callOf(resample(source('a'), { rate: 1 }))?.settings).toEqual({})
  })

  test.each<[string, () => unknown, string, string]>([
    ['several outputs, no main', () => loose(resample)(vad(source('a')), { rate: 1 }), 'all outputs of test::vad',
      'Choose one of .audio, .segments, .frames.'],
    ['a sink as input', () => loose(resample)(writer(source('a')), { rate: 1 }), 'all outputs of test::writer', 'That node has no output.'],
    ['too many inputs', () => loose(vad)(source('a'), source('b')), 'one more wire than it has inputs', ''],
    ['two params objects', () => loose(vad)(source('a'), {}, {}), '3 arguments, {} among them', ''],
    ['a list into a single input', () => loose(resample)([source('a'), source('b')], { rate: 1 }), 'a list of 2', ''],
    ['a hole in a list', () => loose(mix)([source('a'), 7]), '7', ''],
    ['a number for params', () => loose(vad)(source('a'), 7), '7', ''],
  ])('misuse throws INVALID_ARGUMENT: %s', (_name, run, got, hint) => {
    expect(thrown(run)).toMatchObject({ code: 'INVALID_ARGUMENT', details: { got }, hint })
  })

  test('hostile params are kept as plain data', () => {
    const params = JSON.parse('{ "__proto__": { "polluted": 1 }, "constructor": 2, "threshold": 1 }') as object
    const call = callOf(loose(vad)(source('a'), params))!
    expect(Object.keys(call.params)).toEqual(['__proto__', 'constructor', 'threshold'])
    expect(Object.getPrototypeOf(call.params)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

describe('definitions that contradict themselves', () => {
  const good: NodeDefinition = {
    type: 'a::b', version: '1.0.0', title: 'T', doc: '', family: 'f', params: {}, inputs: {}, outputs: {}, process: async () => ({}),
  }
  const awaited = ['th', 'en'].join(''), thenable: NodeDefinition['outputs'] = { [awaited]: { media: audio() } }
  const p = (o: object): NodeDefinition['params'] => ({ x: { type: 'number', doc: '', ...o } })
  test.each<[string, Partial<NodeDefinition>, string]>([
    ['type', { type: 'b' }, 'type `family::name` of at most 64 characters'],
    ['long type', { type: `a::${'b'.repeat(62)}` }, 'type `family::name` of at most 64 characters'],
    ['version', { version: '1.0' }, 'a semantic version'],
    ['title', { title: '' }, 'a title of 1 to 80 characters'],
    ['port name', { inputs: { 'a.b': { media: audio() } } },
      'names of letters, digits, _ and - starting with a letter, at most 64 characters'],
    ['thenable', { outputs: thenable }, 'names of letters, digits, _ and - starting with a letter, at most 64 characters'],
    ['same name', { inputs: { x: { media: audio() } }, params: p({}) }, 'different names for inputs and params'],
    ['main', { main: 'x' }, 'main to name an output'],
    ['nothing to run', { process: undefined as never }, 'a kernel, a process function or a pull function'],
    ['kernel alone', { kernel: { module: 'm', export: 'e' } }, 'a reference beside the kernel'],
    ['empty enum', { params: p({ type: 'enum' }) }, 'values for enum x'],
    ['default of required', { params: p({ required: true, default: 1 }) }, 'no default for required param x'],
    ['empty range', { params: p({ min: 2, max: 1 }) }, 'a range that is not empty for x'],
    ['alias taken', { params: { ...p({ alias: ['y'] }), y: { type: 'number', doc: '' } } }, 'alias y of x to be free'],
    ['thread', { thread: 'nonsense' as never }, 'thread as engine or worker'],
    ['codeURL', { thread: 'worker', codeURL: 5 as never }, 'codeURL as text or a URL'],
    ['codeURL, an object', { thread: 'worker', codeURL: { href: 'data:,' } as never }, 'codeURL as text or a URL'],
    ['codeURL without a thread', { codeURL: new URL('data:,') }, "thread: 'worker' beside codeURL"],
    ['two main params', { params: { ...p({ main: true }), y: { type: 'number', doc: '', main: true } } }, 'one main param'],
  ])('%s', (_name, change, expected) => {
    expect(thrown(() => defineNode({ ...good, ...change }))).toMatchObject({ code: 'INVALID_ARGUMENT', details: { expected } })
    expect(() => defineNode(good)).not.toThrow()
  })
  test.each([
    { thread: 'engine' }, { thread: 'worker' }, { thread: 'worker', codeURL: 'data:,' },
    { thread: 'worker', codeURL: new URL('data:,') },
  ] as const)('places that hold: %o', (change) => {
    expect(() => defineNode({ ...good, ...change })).not.toThrow()
  })
})

describe('graphFrom', () => {
  test('collects what the outputs need, sources first, with counted ids', () => {
    const file = source('talk.wav'), speech = resample(file, { rate: 16_000 }), v = vad(speech)
    resample(file, { rate: 8_000 })                                       // not read: not in the graph
    const graph = graphFrom({ segments: v.segments, pcm: resample(speech, { rate: 8_000 }) })
    expect(graph.nodes.map((node) => [node.id, node.type])).toEqual([
      ['source-1', 'test::source'], ['resample-1', 'test::resample'], ['vad-1', 'test::vad'], ['resample-2', 'test::resample']])
    expect(graph.edges).toEqual([
      { from: ['source-1', 'out'], to: ['resample-1', 'in'] }, { from: ['resample-1', 'out'], to: ['vad-1', 'in'] },
      { from: ['resample-1', 'out'], to: ['resample-2', 'in'] }])
    expect([...graph.outputs]).toEqual([['segments', ['vad-1', 'segments']], ['pcm', ['resample-2', 'out']]])
    expect(graph.nodes[1]?.definition).toBe(resample.definition)
  })

  test('given ids are kept and never taken by a count', () => {
    const a = source.named('source-1')('a'), graph = graphFrom({ out: mix([source('b'), a, source('c')]) })
    expect(graph.nodes.map((node) => node.id)).toEqual(['source-2', 'source-1', 'source-3', 'mix-1'])
    expect(thrown(() => graphFrom({ out: mix([a, source.named('source-1')('b')]) }))).toMatchObject({ code: 'DUPLICATE_ID' })
  })

  test('a sink is kept though it has no output', () => {
    const graph = graphFrom({ file: writer(source('a'), 'b') })
    expect(graph.nodes[1]).toMatchObject({ id: 'writer-1', output: true })
    expect(graph.outputs.size).toBe(0)
  })

  test('misuse: no output, or a node with several', () => {
    expect(thrown(() => graphFrom({ a: 7 as never })))
      .toMatchObject({ code: 'INVALID_ARGUMENT', details: { expected: 'an output of a node as a', got: '7' } })
    expect(thrown(() => graphFrom({ a: vad(source('a')) })))
      .toMatchObject({ code: 'INVALID_ARGUMENT', details: { got: 'all outputs of test::vad' } })
  })

  test('a chain of 20 000 nodes and a shared diamond of 40 levels need no deep stack and no repeated work', () => {
    let chain: AnyOutput = source('a').out
    for (let i = 0; i < 20_000; i++) chain = resample(chain as never, { rate: 1 })
    expect(graphFrom({ chain }).nodes).toHaveLength(20_001)
    let diamond: AnyOutput = source('a').out
    for (let i = 0; i < 40; i++) diamond = mix([diamond as never, diamond as never])
    expect(graphFrom({ diamond }).edges).toHaveLength(80)
  })
})
