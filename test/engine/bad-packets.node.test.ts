/**
 * Packets that are none, or have a field that nobody can read, are OUTPUT_INVALID where they are given (GR-27): node, port, field,
 * expected, got; alike as a value and in a stream, on both threads, item by item.
 */
import { expect, test } from 'vitest'
import {
  anyMedia, audio, bytes, createEngine, defineNode, events, json, tensor, text, tokens, type MediaConstraint, type Outputs,
} from '../../src/index.js'
import { gain, pass } from '../../src/nodes/index.js'

/**
 * What a node's code gives by row, as text: it crosses to a thread. `of`: a packet of a kind; `but`: the same with fields
 * replaced, or without where they are undefined.
 */
const GIVE = `async (row, media, ctx) => {
  const metadata = {}, base = { position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata }, tone = { kind: 'audio', rate: 8000, channels: 1, format: 'f32', layout: 'planar' }
  const sound = async () => { const data = await ctx.allocAudio({ rate: 8000, channels: 1, frames: 16 }); data.channel(0).fill(0); return data }
  const fine = { json: () => ({ media: { kind: 'json' }, data: 1 }), text: () => ({ media: { kind: 'text' }, data: 'x' }), bytes: () => ({ media: { kind: 'bytes' }, data: new Uint8Array(1) }),
    events: () => ({ media: { kind: 'events', schema: 'note', timebase: 100 }, data: [{ n: 1 }] }), tensor: () => ({ media: { kind: 'tensor', dtype: 'f32', shape: [1] }, data: new Float32Array(1) }),
    tokens: () => ({ media: { kind: 'tokens', vocab: 8, codebooks: 1 }, data: new Int32Array(1) }), audio: async () => ({ media: tone, data: await sound(), duration: 16 }) }
  const but = async (fields) => { const packet = { ...base, ...await fine[media]() }; for (const [name, value] of Object.entries(fields)) if (value === undefined) delete packet[name]; else packet[name] = value; return packet }
  const rows = {
    fine: () => but({}), nothing: () => undefined, 'null': () => null, number: () => 5, array: () => [1],
    noMetadata: () => but({ metadata: undefined }), metadata: () => but({ metadata: 5 }), noPosition: () => but({ position: undefined }), position: () => but({ position: NaN }), duration: () => but({ duration: -1 }), frames: () => but({ duration: 160 }),
    streamId: () => but({ streamId: 5 }), noMedia: () => but({ media: undefined }), kind: () => but({ media: { kind: 'video' } }), noData: () => but({ data: undefined }), data: () => but({ data: 5 }), hole: () => but({ data: [{ n: 1 }, , { n: 2 }] }),
    schema: () => but({ media: { kind: 'events', timebase: 100 } }), shape: () => but({ media: { kind: 'tensor', dtype: 'f32' } }), dtype: () => but({ data: new Uint8Array(4) }), rate: () => but({ media: { kind: 'audio' } }), other: () => but({ media: { ...tone, rate: 16000 } }),
    own: () => Object.create(base, Object.getOwnPropertyDescriptors({ media: { kind: 'json' }, data: 1 })), taken: () => but({ data: 5, list: 5, audio: 5 }),
  }
  return rows[row]()
}`
// eslint-disable-next-line @typescript-eslint/no-implied-eval
const code = <T>(source: string): T => (new Function(`return ${source}`) as () => T)()
const batch = code<never>(`async (inputs, params, ctx) => ({ out: await (${GIVE})(params.row, params.media, ctx) })`)
const stream = code<never>(`async function* (inputs, params, ctx) { const give = ${GIVE}; yield { out: await give('fine', params.media, ctx) }; const out = await give(params.row, params.media, ctx); yield { out: params.row === 'fine' ? { ...out, position: out.duration } : out } }`)

const media: Readonly<Record<string, MediaConstraint>> = {
  json: json(), text: text(), bytes: bytes(), events: events({ schema: 'note', timebase: 100 }),
  tensor: tensor({ dtype: 'f32', shape: [1] }), tokens: tokens({ vocab: 8, codebooks: 1 }),
  audio: audio({ rate: 8_000, channels: 1, format: 'f32', layout: 'planar' }),
}
/** Row, kind of media, what the error says: field, expected, got. */
const ROWS: readonly (readonly [row: string, kind: string, field: string | undefined, expected: string, got: string])[] = [
  ['nothing', 'json', undefined, 'a packet', 'nothing'], ['null', 'json', undefined, 'a packet', 'null'],
  ['number', 'audio', undefined, 'a packet', '5'], ['array', 'json', undefined, 'a packet', '[1]'],
  ['noMetadata', 'json', 'metadata', 'an object', 'nothing'], ['noMetadata', 'audio', 'metadata', 'an object', 'nothing'],
  ['metadata', 'json', 'metadata', 'an object', '5'], ['own', 'json', 'metadata', 'an object', 'nothing'],
  ['noPosition', 'json', 'position', 'a number', 'nothing'], ['position', 'audio', 'position', 'a number', 'NaN'],
  ['duration', 'json', 'duration', 'a number, 0 or more', '-1'], ['frames', 'audio', 'duration', 'the 16 frames of its data', '160'],
  ['streamId', 'json', 'streamId', 'a string', '5'], ['noMedia', 'json', 'media', 'media with a kind', 'nothing'],
  ['kind', 'json', 'media.kind', 'json', '"video"'],
  ['noData', 'json', 'data', 'a value', 'nothing'], ['data', 'text', 'data', 'a string', '5'],
  ['data', 'bytes', 'data', 'a Uint8Array', '5'], ['data', 'tokens', 'data', 'an Int32Array', '5'],
  ['data', 'events', 'data', 'an array of events', '5'],
  ['data', 'audio', 'data', 'an AudioBuffer', '5'], ['taken', 'audio', 'data', 'an AudioBuffer', '5'],
  ['hole', 'events', 'data[1]', 'an event', 'nothing'], ['dtype', 'tensor', 'data', 'a typed array of f32', 'Uint8Array(4 bytes)'],
  ['schema', 'events', 'media.schema', 'a string', 'nothing'], ['shape', 'tensor', 'media.shape', 'an array', 'nothing'],
  ['rate', 'audio', 'media.rate', 'a number', 'nothing'],
  ['other', 'audio', 'media', 'those of its data, audio f32 planar 8000 Hz, 1 channel', 'audio f32 planar 16000 Hz, 1 channel'],
]

const base = {
  version: '1.0.0', title: 'Bad', doc: 'A node of this test.', family: 'test', inputs: {},
  params: { row: { type: 'string', default: 'fine', doc: 'x' }, media: { type: 'string', default: 'json', doc: 'x' } },
} as const
const bad = (kind: string, process: never, thread: 'engine' | 'worker') =>
  defineNode({ ...base, type: 'test::bad', thread, outputs: { out: { media: media[kind]! } }, process })

const failure = (run: Promise<unknown>): Promise<Record<string, unknown>> =>
  run.then(() => { throw new Error('it ran') }, (error: unknown) => error as never)

test.each(([['engine', 'auto'], ['worker', 'auto'], ['worker', false]] as const)
  .flatMap(([thread, shared]) => ([['a value', batch], ['a stream', stream]] as const).map(([how, process]) => ({
    thread, shared, how, process,
  }))))('$how, thread $thread, shared $shared', async ({ thread, shared, process }) => {
    await using engine = await createEngine({ workers: thread === 'engine' ? 0 : 1, shared, arenaBytes: 2 ** 24 })
    const nodes = Object.fromEntries(Object.keys(media).map((kind) => [kind, bad(kind, process, thread)]))
    // What is fine goes through, and nothing of what is refused is left.
    const fine = async (): Promise<number> => {
      for (const kind of Object.keys(media)) {
        (await engine.run({ x: (kind === 'audio' ? gain : pass)(nodes[kind]!({ media: kind }) as never) } as Outputs)).close()
      }
      return engine.stats().arena.usedBytes
    }
    const used = await fine()
    for (const [row, kind, field, expected, got] of ROWS) {
      // Own fields are what crosses to a thread: there the packet has no others.
      const one = nodes[kind]!({ row, media: kind }) as never
      const seen = row === 'own' && thread === 'worker' ? undefined : { port: 'bad-1.out', expected, got }
      for (const [graph, edge] of [
        [{ x: pass(one) }, 'bad-1.out->pass-1.in'],
        ...(kind === 'audio' ? [[{ x: gain(one) }, 'bad-1.out->gain-1.in'] as const, [{ x: one }, 'output x'] as const] : []),
      ] as const) {
        const error = await failure(engine.run(graph as Outputs))
        expect(error, row).toMatchObject({
          code: 'OUTPUT_INVALID', nodeId: 'bad-1', nodeType: 'test::bad', port: 'out',
          ...(seen && {
            message: `Port bad-1.out${field === undefined ? '' : `, ${field}`}: expected ${expected}, got ${got}; edge ${edge}.`,
            details: { ...seen, edges: [edge] },
          }),
        })
        expect((error['details'] as { readonly field?: string }).field).toBe(field)
      }
    }
    expect(await fine()).toBe(used)
  })

test('lists: an item that is missing, or is none of the list\'s media', async () => {
  await using engine = await createEngine({ workers: 0, arenaBytes: 2 ** 24 })
  const used = engine.stats().arena.usedBytes
  const give = (data: (ctx: never) => unknown, of: MediaConstraint, kind: object) => defineNode({
    ...base, type: 'test::bad', outputs: { out: { media: of, list: true } },
    process: async (_inputs, _params, ctx) => ({
      out: {
        media: kind, data: await data(ctx as never), position: 0, duration: 2, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
      } as never,
    }),
  })() as never
  const tone = { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' }
  const holed = (list: unknown[]): unknown[] => { delete list[1]; return list }
  for (const [node, field, expected, got] of [
    [give(() => holed([1, 2, 3]), json(), { kind: 'json' }), 'data[1]', 'a value', 'nothing'],
    [give(() => 5, json(), { kind: 'json' }), 'data', 'a list', '5'],
    [give(() => ['a', 5], text(), { kind: 'text' }), 'data[1]', 'a string', '5'],
    [
      give(async (ctx: { allocAudio(spec: object): Promise<unknown> }) =>
        holed([await ctx.allocAudio({ rate: 8_000, channels: 1, frames: 16 }), 0]), media['audio']!, tone),
      'data[1]', 'an AudioBuffer', 'nothing',
    ],
  ] as const) expect(await failure(engine.run({ x: pass(node) } as Outputs)))
    .toMatchObject({ code: 'OUTPUT_INVALID', port: 'out', details: { field, expected, got } })
  expect(engine.stats().arena.usedBytes).toBe(used)
})

test('item by item, and a source whose media are not known before its first packet', async () => {
  await using engine = await createEngine({ workers: 0, arenaBytes: 2 ** 24 })
  const each = defineNode({
    ...base, type: 'test::each', inputs: { in: { media: anyMedia() } }, outputs: { out: { media: json() } },
    process: async () => ({
      out: { media: { kind: 'json' }, data: 1, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0 } as never,
    }),
  })
  const list = defineNode({
    ...base, type: 'test::list', outputs: { out: { media: json(), list: true } },
    process: async () => ({
      out: { media: { kind: 'json' }, data: [1, 2], position: 0, duration: 2, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } as const,
    }),
  })
  expect(await failure(engine.run({ x: each(list() as never) } as Outputs)))
    .toMatchObject({ code: 'OUTPUT_INVALID', nodeId: 'each-1', details: { field: 'metadata', expected: 'an object', got: 'nothing' } })
  let ended = 0
  const early = (packet: unknown) => defineNode({
    ...base, type: 'test::early', outputs: { out: { media: audio({ discovered: true }) } },
    pull: async function* () { try { yield packet as never } finally { ended++ } },
  })() as never
  for (const [given, details] of [
    [{ out: { media: { kind: 'audio' } } }, { port: 'early-1.out', field: 'media.rate', got: 'nothing' }],
    [{ out: 5 }, { port: 'early-1.out', expected: 'a packet' }], [7, { port: 'early-1.*', got: '7' }],
  ] as const) {
    expect(await failure(engine.run({ x: gain(early(given)) } as Outputs)))
      .toMatchObject({ code: 'OUTPUT_INVALID', nodeId: 'early-1', details })
  }
  expect(ended).toBe(3)
})
