import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  audio, bytes, createEngine, createRegistry, defineNode, events, fromDocument, hashGraph, json, text, type AudioBuffer, type Engine,
  type NodeDefinition,
} from '../../src/index.js'
import { add, listSink, numbers, pass, textSink } from '../../src/nodes/index.js'

type Loose = Readonly<Record<string, unknown>>
const taker = (name: string, media: object, more: object = {}) => defineNode({
  type: `test::${name}`, version: '1.0.0', title: 'T', doc: 'T.', family: 'test', params: {}, inputs: { in: { media, ...more } },
  outputs: { out: { media: json() } },
  process: async (inputs: { in: { whole(): Promise<Loose> } }) => {
    const { media, data, position, metadata } = await inputs.in.whole()
    const shown = data instanceof Uint8Array ? [...data]
      : typeof data === 'object' && data !== null && 'frames' in data ? data.frames
      : data
    return {
      out: {
        media: { kind: 'json' },
        data: { kind: (media as { kind: string }).kind, data: shown, position, metadata, isBytes: data instanceof Uint8Array },
        position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
      },
    }
  },
} as unknown as NodeDefinition)
const far = defineNode({
  type: 'test::far', version: '1.0.0', title: 'T', doc: 'T.', family: 'test', thread: 'worker', params: {},
  inputs: { in: { media: json() } }, outputs: { out: { media: json() } },
  async process(inputs: { in: { whole(): Promise<Loose> } }) { return { out: await inputs.in.whole() } },
} as unknown as NodeDefinition)
const asker = defineNode({
  type: 'test::asker', version: '1.0.0', title: 'T', doc: 'T.', family: 'test', params: { graph: { type: 'json', doc: 'A document.' } },
  inputs: {}, outputs: { out: { media: json() }, said: { media: text() } },
  async *pull(
    params: Loose,
    ctx: { expand(graph: unknown): Promise<Loose>; callOp(type: string, inputs: object, params: object): Promise<Loose> },
  ) {
    yield { out: (await ctx.expand(params['graph']))['o'] }
    yield { said: (await ctx.callOp('text::sink', { in: 'spoken' }, {}))['text'] }
  },
} as unknown as NodeDefinition)
const takers = [
  taker('json', json()), taker('text', text()), taker('bytes', bytes()), taker('events', events({ schema: 'vad', timebase: 16_000 })),
  taker('any-events', events()), taker('list', json(), { list: true }), taker('audio', audio()),
]
const registry = createRegistry(add, listSink, numbers, pass, textSink, far, asker, ...takers)
const plain = (type: string, input: object = {}, params: object = {}, out = 'out'): object => ({
  millrace: 1, nodes: [{ id: 'n', type, params }], inputs: { k: { to: [['n', 'in']], ...input } }, outputs: { o: ['n', out] },
})
const packet = (media: object, data: unknown, more: object = {}): object => ({
  media, data, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {}, ...more,
})
const when = [{ type: 'segment', from: 3, to: 9, timestampUs: 0, probability: 1, rms: 0, peak: 0 }]

for (const workers of [0, 2]) describe(`a value for a port, ${workers} workers`, () => {
  let engine: Engine
  beforeAll(async () => { engine = await createEngine({ workers, registry, logger: () => undefined }) })
  afterAll(() => engine.close())
  const run = async (document: object, k?: unknown): Promise<unknown> => {
    using result = await engine.run(fromDocument(document, registry), k === undefined ? {} : { inputs: { k } })
    return result.outputs['o']!.data
  }

  test.each<[string, object, unknown, unknown]>([
    ['a number', plain('math::add', {}, { addend: 1 }), 5, 6],
    ['a number on a thread of its own', plain('test::far'), { a: [1, null, 'x'] }, { a: [1, null, 'x'] }],
    ['null', plain('test::json'), null, { kind: 'json', data: null }],
    ['an object', plain('test::json'), { a: [1] }, { kind: 'json', data: { a: [1] } }],
    ['a string where json is taken', plain('test::json'), 'abc', { kind: 'json', data: 'abc' }],
    ['a text', plain('test::text'), 'abc', { kind: 'text', data: 'abc' }],
    ['texts, one call each', plain('test::text'), ['a', 'b'], [{ kind: 'text', data: 'a' }, { kind: 'text', data: 'b' }]],
    ['a text among others', plain('text::sink', {}, {}, 'text'), 'abc', 'abc'],
    ['a number among others', plain('text::sink', {}, {}, 'text'), 5, '5'],
    ['bytes', plain('test::bytes'), Uint8Array.of(1, 2), { kind: 'bytes', data: [1, 2], isBytes: true }],
    ['an ArrayBuffer', plain('test::bytes'), Uint8Array.of(3).buffer, { kind: 'bytes', data: [3], isBytes: true }],
    ['events', plain('test::events'), when, { kind: 'events', data: when }],
    ['events by the declared media', plain('test::any-events', { media: { kind: 'events', schema: 'vad', timebase: 8_000 } }), when,
      { kind: 'events', data: when }],
    ['a list', plain('test::list'), [1, 2], { kind: 'json', data: [1, 2] }],
    ['an array where anything is taken', plain('core::list-sink', {}, {}, 'items'), [1, 2], [[1, 2]]],
    ['a value through a pass', plain('core::pass'), 5, 5],
    ['audio', plain('test::audio'), [new Float32Array(7)], { kind: 'audio', data: 7 }],
    ['a packet', plain('test::json'), packet({ kind: 'json' }, 8, { position: 4, metadata: { by: 'me' } }),
      { kind: 'json', data: 8, position: 4, metadata: { by: 'me' } }],
    ['a packet of events', plain('test::any-events'), packet({ kind: 'events', schema: 'note', timebase: 100 }, when),
      { kind: 'events', data: when }],
  ])('%s', async (_name, document, value, expected) => {
    const found = await run(document, value)
    if (typeof expected === 'object' && expected !== null) expect(found).toMatchObject(expected); else expect(found).toBe(expected)
  })

  test('a packet of audio goes as it is, and its buffer stays the caller\'s', async () => {
    const before = engine.stats().arena.blocks
    const { outputs } = await engine.run(fromDocument(plain('core::pass'), registry), { inputs: { k: [new Float32Array(5)] } })
    const data = outputs['o']!.data as AudioBuffer
    const given = { ...outputs['o'], metadata: { by: 'me' } }
    for (let i = 0; i < 2; i++) {
      expect(await run(plain('test::audio'), given)).toMatchObject({ kind: 'audio', data: 5, metadata: { by: 'me' } })
    }
    expect(data.channel(0)).toHaveLength(5)
    data.close()
    expect(engine.stats().arena.blocks).toBe(before)
  })

  test('defaults: of a document, of a subgraph\'s port, of a graph that a node expands; what callOp is given', async () => {
    const adding = plain('math::add', { default: 5 }, { addend: 1 })
    expect(await run(adding)).toBe(6)
    expect(await run(adding, 7)).toBe(8)
    const outer = { millrace: 1, nodes: [{ id: 'g', type: 'graph::x' }], outputs: { o: ['g', 'o'] }, definitions: { x: adding } }
    expect(await run(outer)).toBe(6)
    const asking = {
      millrace: 1,
      nodes: [{ id: 'a', type: 'test::asker', params: { graph: adding } }],
      outputs: { o: ['a', 'out'], said: ['a', 'said'] },
    }
    using result = await engine.run(fromDocument(asking, registry))
    expect([result.outputs['o']!.data, result.outputs['said']!.data]).toEqual([6, 'spoken'])
  })

  test('what cannot fit is one error that names input, port, media and value', async () => {
    const cyclic: unknown[] = []
    cyclic.push(cyclic)
    for (const [document, value, message] of [
      [plain('test::text'), 5, /input k: expected text for n\.in, got 5/],
      [plain('test::json'), () => 1, /input k: expected json for n\.in, got a function/],
      [plain('test::json'), cyclic, /expected json for n\.in/],
      [plain('test::json'), new Map(), /expected json for n\.in, got .*Map/],
      [plain('test::bytes'), 'abc', /expected bytes for n\.in, got "abc"/], [plain('test::audio'), [1], /expected audio for n\.in/],
      [plain('test::any-events'), when, /expected events for n\.in/],
      [plain('test::text'), packet({ kind: 'json' }, 5), /expected text for n\.in, got a packet of json/],
      [plain('test::json', { media: { kind: 'text' } }), 5, /expected text for n\.in, got 5/],
    ] as const) await expect(run(document, value)).rejects
      .toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) as string })
  })

  test('values enter the hash of a plan: equal ones alike, others not', async () => {
    const hash = async (value: unknown, type = 'test::json'): Promise<string> =>
      String((await engine.plan(fromDocument(plain(type), registry), { inputs: { k: value } })).graphHash)
    const values = [1, 2, '1', null, [1], { a: 1 }, packet({ kind: 'json' }, 3), packet({ kind: 'json' }, 3, { position: 1 })]
    const hashes = await Promise.all(values.map((value) => hash(value)))
    expect(new Set(hashes).size).toBe(values.length)
    expect(await Promise.all(structuredClone(values).map((value) => hash(value)))).toEqual(hashes)
    expect(await hash(packet({ kind: 'json' }, 3, { arrivalUs: 99 }))).toBe(hashes[6])
    expect(await hash(Uint8Array.of(1), 'test::bytes')).not.toBe(await hash(Uint8Array.of(2), 'test::bytes'))
    expect(await hash('abc', 'test::text')).toBe(await hash('abc', 'test::text'))
    const graph = fromDocument(plain('test::json'), registry)
    const whole = (k: unknown): string => String(hashGraph(graph, { inputs: { k } }).graph)
    expect([whole(1) === whole(1), whole(1) === whole(2)]).toEqual([true, false])
  })
})
