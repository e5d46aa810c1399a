/**
 * What a node gives is what was agreed on at its port, in every negotiated field: else OUTPUT_INVALID (GR-27). Media that change in
 * mid-stream are MEDIA_CHANGED, whatever field it is (GR-35).
 */
import { describe, expect, test } from 'vitest'
import {
  anyMedia, audio, bytes, createEngine, defineNode, events, json, match, oneOf, tensor, text, tokens, video, type Engine, type Media,
  type MediaConstraint, type Outputs, type Packet, type PacketStream,
} from '../../src/index.js'
import { gain, pass } from '../../src/nodes/index.js'

const base = {
  version: '1.0.0', title: 'Test', doc: 'A node of this test.', family: 'test',
  params: { media: { type: 'json', default: [], doc: 'What it gives, packet by packet.' } },
} as const
/** Data for any media. */
const DATA = `async (media, ctx) => {
  if (media.kind === 'audio') { const { rate, channels, format, layout } = media, data = await ctx.allocAudio({ rate, channels, format, layout, frames: 16 }); return data }
  if (media.kind === 'tensor') return new Float32Array(media.shape.reduce((product, length) => product * (length ?? 1), 1))
  return { tokens: new Int32Array(4), events: [], bytes: new Uint8Array(8), text: 'x', json: 1, video: new Uint8Array(16) }[media.kind]
}`
// eslint-disable-next-line @typescript-eslint/no-implied-eval
const code = <T>(source: string): T => (new Function(`return ${source}`) as () => T)()
const PACKET = '({ media, data, position: media.kind === "audio" ? 16 * n : n, duration: media.kind === "audio" ? 16 : 0, streamId: "", seq: 0, arrivalUs: 0, metadata: {} })'
const stream = code<never>(`async function* (inputs, params, ctx) { const data = ${DATA}, packet = (media, data, n) => ${PACKET}; let n = 0; for (const media of params.media) yield { out: packet(media, await data(media, ctx), n++) } }`)
const whole = code<never>(`async (inputs, params, ctx) => { const data = ${DATA}, packet = (media, data, n) => ${PACKET}, [media] = params.media; return { out: packet(media, await data(media, ctx), 0) } }`)

type Loose = (...args: unknown[]) => never
const giver = (declared: MediaConstraint, thread: 'engine' | 'worker', process: never): Loose =>
  defineNode({ ...base, type: 'test::giver', thread, inputs: {}, outputs: { out: { media: declared } }, process }) as never
const reader = (declared: MediaConstraint, changes = false): Loose => defineNode({
  ...base, type: 'test::reader', inputs: { in: { media: declared, ...(changes && { changes }) } }, outputs: { out: { media: json() } },
  process: async (inputs) => {
    const seen: Media[] = []
    for await (const { media } of inputs['in'] as PacketStream) seen.push(media)
    return { out: { media: { kind: 'json' }, data: seen, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
  },
}) as never
const failure = (run: Promise<{ close(): void }>): Promise<Record<string, unknown>> =>
  run.then((result) => { result.close(); throw new Error('it ran') }, (error: unknown) => error as never)
const seen = async (engine: Engine, graph: never): Promise<unknown> => {
  using result = await engine.run({ x: graph } as Outputs)
  return (result.outputs as Record<string, Packet>)['x']!.data
}

const tone: Media = { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' }
const notes: Media = { kind: 'events', schema: 'note', timebase: 100 }
const vector: Media = { kind: 'tensor', dtype: 'f32', shape: [2, 3], tag: 'latent' }
const words: Media = { kind: 'tokens', vocab: 9, codebooks: 4 }
const frame: Media = { kind: 'video', width: 2, height: 2, format: 'rgba', fps: 30, still: true, matrix: 'bt709', range: 'full' }
/** Media as declared, a field that differs, what the error says of it. */
const FIELDS: readonly (readonly [of: Media, fields: object, expected: string, got: string])[] = [
  [tone, { rate: 16_000 }, '8000 Hz', '16000 Hz'], [tone, { channels: 2 }, '1 channel', '2 channels'],
  [tone, { format: 'i16' }, 'f32', 'i16'], [tone, { layout: 'interleaved' }, 'planar', 'interleaved'],
  [notes, { schema: 'vad' }, 'schema note', 'schema vad'], [notes, { timebase: 50 }, '100 Hz', '50 Hz'],
  [words, { vocab: 8 }, 'vocab 9', 'vocab 8'], [words, { codebooks: 2 }, 'codebooks 4', 'codebooks 2'],
  [vector, { shape: [2, 4] }, '[2, 3]', '[2, 4]'], [vector, { shape: [6] }, '[2, 3]', '[6]'], [vector, { tag: 'mask' }, 'latent', 'mask'],
  [frame, { width: 4 }, 'width 2', 'width 4'], [frame, { height: 4 }, 'height 2', 'height 4'], [frame, { format: 'i420' }, 'rgba', 'i420'],
  [frame, { fps: 25 }, 'fps 30', 'fps 25'], [frame, { still: false }, 'still true', 'still false'],
  [frame, { matrix: 'bt601' }, 'matrix bt709', 'matrix bt601'], [frame, { range: 'limited' }, 'range full', 'range limited'],
  [{ kind: 'text', language: 'en' }, { language: 'de' }, 'language en', 'language de'],
  [{ kind: 'json', schema: 'a' }, { schema: 'b' }, 'schema a', 'schema b'],
  [{ kind: 'bytes', mime: 'image/png' }, { mime: 'image/jpeg' }, 'mime image/png', 'mime image/jpeg'],
  [{ kind: 'bytes', maxBytes: 100 }, { maxBytes: 200 }, 'maxBytes 100', 'maxBytes 200'],
]

describe.each([['engine', 'auto'], ['worker', 'auto'], ['worker', false]] as const)('thread %s, shared %s', (thread, shared) => {
  test('GR-27: media that were not agreed on, as a value and in a stream', async () => {
    await using engine = await createEngine({ workers: thread === 'engine' ? 0 : 1, shared, arenaBytes: 2 ** 24 })
    const used = engine.stats().arena.usedBytes
    for (const [of, fields, expected, got] of FIELDS) {
      const wrong = { ...of, ...fields }, field = `media.${Object.keys(fields)[0]!}`
      for (const [process, media] of [[whole, [wrong]], [stream, [of, wrong]]] as const) {
        const one = giver(of as MediaConstraint, thread, process)({ media })
        for (const graph of [one, reader(anyMedia())(one)]) {
          const error = await failure(engine.run({ x: graph } as Outputs))
          expect(error, field).toMatchObject({
            code: 'OUTPUT_INVALID', nodeId: 'giver-1', port: 'out', details: { port: 'giver-1.out', field, expected, got },
          })
        }
      }
      ;(await engine.run({ x: giver(of as MediaConstraint, thread, stream)({ media: [of, of] }) } as Outputs)).close()
    }
    expect(engine.stats().arena.usedBytes).toBe(used)
  })
})

test('GR-35: a change in mid-stream is MEDIA_CHANGED in every field, where the first packet tells', async () => {
  await using engine = await createEngine({ workers: 0, arenaBytes: 2 ** 24 })
  const open: Readonly<Record<string, MediaConstraint>> = {
    audio: audio(), events: events(), tokens: tokens(), tensor: tensor(), video: video(), text: text(), json: json(), bytes: bytes(),
  }
  for (const [of, fields, expected, got] of FIELDS) {
    const field = `media.${Object.keys(fields)[0]!}`
    const source = defineNode({
      ...base, type: 'test::source', inputs: {},
      outputs: { out: { media: { ...open[of.kind]!, discovered: true } as never } },
      pull: ((params: never, ctx: never) => (stream as Loose)({}, params, ctx)) as never,
    }) as unknown as Loose
    // How many there are in a batch may change.
    if (field === 'media.shape' && got === '[6]') continue
    const changed = field === 'media.shape' ? expected.replace('2', '?') : expected
    expect(await failure(engine.run({ x: reader(open[of.kind]!)(source({ media: [of, { ...of, ...fields }] })) } as Outputs)), field)
      .toMatchObject({
        code: 'MEDIA_CHANGED',
        details: { field, expected: changed, got: field === 'media.shape' ? got.replace('2', '?') : got },
      })
    expect(await seen(engine, reader(open[of.kind]!, true)(source({ media: [of, { ...of, ...fields }] }))))
      .toEqual([of, { ...of, ...fields }])
  }
})

test('what is agreed may be less than a packet says: open lengths, fields left out, fewer bytes', async () => {
  await using engine = await createEngine({ workers: 0, arenaBytes: 2 ** 24 })
  const run = (declared: MediaConstraint, ...media: object[]): Promise<unknown> =>
    seen(engine, reader(anyMedia(), true)(giver(declared, 'engine', stream)({ media })))
  const lengths = [{ kind: 'tensor', dtype: 'f32', shape: [2, 3] }, { kind: 'tensor', dtype: 'f32', shape: [4, 3] }]
  expect(await run(tensor({ dtype: 'f32', shape: [null, 3] }), ...lengths)).toEqual(lengths)
  expect(await run(text({ language: 'en' }), { kind: 'text' }, { kind: 'text', language: 'en' }))
    .toEqual([{ kind: 'text', language: 'en' }, { kind: 'text', language: 'en' }])
  expect(await run(bytes({ maxBytes: 100 }), { kind: 'bytes', maxBytes: 10 })).toEqual([{ kind: 'bytes', maxBytes: 10 }])
  const small = giver(bytes({ maxBytes: 4 }), 'engine', whole)({ media: [{ kind: 'bytes' }] })
  expect(await failure(engine.run({ x: small } as Outputs)))
    .toMatchObject({ code: 'OUTPUT_INVALID', details: { field: 'data', expected: 'at most 4 bytes', got: '8' } })
})

test('nodes whose outputs follow inputs that change, discovered ports of nodes that are no source, and choices', async () => {
  await using engine = await createEngine({ workers: 0, arenaBytes: 2 ** 24 })
  const two = [{ kind: 'text', language: 'en' }, { kind: 'text', language: 'de' }]
  const source = giver({ ...text(), discovered: true }, 'engine', stream)
  const through = defineNode({
    ...base, type: 'test::through', inputs: { in: { media: match('T'), changes: true } }, outputs: { out: { media: match('T') } },
    process: async function* (inputs) { for await (const packet of inputs['in'] as PacketStream) yield { out: packet } },
  }) as unknown as Loose
  expect(await seen(engine, reader(text(), true)(through(source({ media: two }))))).toEqual(two)
  expect(await seen(engine, reader(audio())(giver(audio({ discovered: true }), 'engine', whole)({ media: [tone] })))).toEqual([tone])
  expect(await failure(engine.run({ x: giver(audio({ rate: 16_000, discovered: true }), 'engine', whole)({ media: [tone] }) } as Outputs)))
    .toMatchObject({ code: 'OUTPUT_INVALID', details: { field: 'media' } })
  const choice = oneOf(text(), json())
  expect(await seen(engine, reader(json())(giver(choice, 'engine', whole)({ media: [{ kind: 'json' }] })))).toEqual([{ kind: 'json' }])
  expect(await failure(engine.run({ x: reader(json())(giver(choice, 'engine', whole)({ media: [{ kind: 'text' }] })) } as Outputs)))
    .toMatchObject({ code: 'OUTPUT_INVALID', details: { field: 'media.kind', expected: 'json', got: 'text' } })
  // The writer is named, not the kernel that reads it.
  expect(await failure(engine.run({
    x: gain(giver(tone as MediaConstraint, 'engine', whole)({ media: [{ ...tone, rate: 16_000 }] })),
  } as Outputs)))
    .toMatchObject({ code: 'OUTPUT_INVALID', nodeId: 'giver-1' })
  ;(await engine.run({ x: pass(giver(tone as MediaConstraint, 'engine', whole)({ media: [tone] })) } as Outputs)).close()
})

test('a named length is the same number wherever its name stands; how many there are may change from packet to packet', async () => {
  await using engine = await createEngine({ workers: 0, arenaBytes: 2 ** 24 })
  const of = (...shape: number[]): object => ({ kind: 'tensor', dtype: 'f32', shape })
  const run = (shape: readonly (string | null)[], ...shapes: number[][]): Promise<unknown> => seen(
    engine,
    reader(tensor(), true)(giver(tensor({ dtype: 'f32', shape }), 'engine', stream)({ media: shapes.map((one) => of(...one)) })),
  )
  expect(await run(['n', 'm'], [2, 3], [4, 3])).toEqual([of(2, 3), of(4, 3)])
  expect(await run(['n', 'n'], [2, 2])).toEqual([of(2, 2)])
  for (const [shape, ...shapes] of [
    [['n', 'n'], [2, 3]], [['n', 'm'], [2, 3], [2, 4]], [[null, 'n', 'n'], [1, 2, 3]],
  ] as [readonly (string | null)[], ...number[][]][]) {
    await expect(run(shape, ...shapes)).rejects.toMatchObject({
      code: 'OUTPUT_INVALID', nodeId: 'giver-1', port: 'out',
      details: { field: 'media.shape', got: `[${shapes.at(-1)!.join(', ')}]` },
    })
  }
})

test('a named length that comes in is the one that goes out, also when nobody knew it before', async () => {
  await using engine = await createEngine({ workers: 0, arenaBytes: 2 ** 24 })
  const open = tensor({ dtype: 'f32', shape: [null, null] }), of = (...shape: number[]): object => ({ kind: 'tensor', dtype: 'f32', shape })
  const turn = (from: (string | null)[], to: (string | null)[], give: number[]): Loose => defineNode({
    ...base, type: 'test::turn', inputs: { in: { media: tensor({ dtype: 'f32', shape: from }) } },
    outputs: { out: { media: tensor({ dtype: 'f32', shape: to }) } },
    process: async (inputs) => {
      for await (const _ of inputs['in'] as PacketStream) break
      return {
        out: {
          media: of(...give),
          data: new Float32Array(give.reduce((a, b) => a * b)),
          position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
        } as never,
      }
    },
  }) as never
  const run = (node: Loose, ...shape: number[]): Promise<unknown> =>
    seen(engine, reader(tensor({ shape: [null, null] }))(node(giver(open, 'engine', stream)({ media: [of(...shape)] }))))
  expect(await run(turn([null, 'n'], [null, 'n'], [4, 7]), 2, 7)).toEqual([of(4, 7)])
  await expect(run(turn([null, 'n'], [null, 'n'], [4, 8]), 2, 7)).rejects.toMatchObject({
    code: 'OUTPUT_INVALID', nodeId: 'turn-1', port: 'out',
    details: { field: 'media.shape', expected: 'n = 7', got: '[4, 8]' },
  })
  await expect(run(turn(['n', 'n'], [null, null], [1, 1]), 2, 3)).rejects
    .toMatchObject({ code: 'OUTPUT_INVALID', nodeId: 'turn-1', port: 'in', details: { expected: 'n = 2', got: '[2, 3]' } })
})
