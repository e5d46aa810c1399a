import { describe, expectTypeOf, test } from 'vitest'
import { defineNode } from '../../src/graph/define-node.js'
import { graphFrom } from '../../src/graph/graph-from.js'
import type { ParamTable } from '../../src/graph/node-definition.js'
import type { NodeHandle } from '../../src/graph/node-factory.js'
import type { OutputRef } from '../../src/graph/output-ref.js'
import type { PacketStream } from '../../src/media/packet.js'
import type { AudioBuffer } from '../../src/media/audio-buffer.js'
import type { Reference } from '../../src/graph/reference.js'
import { anyMedia, audio, bytes, events, json, match, oneOf, tensor, text } from '../../src/media/media-type.js'

const process = async (): Promise<Record<string, never>> => ({})
const base = { version: '1.0.0', title: 'Test', doc: 'Test.', family: 'test', process } as const

const file = defineNode({
  ...base, type: 'test::file', inputs: {}, outputs: { out: { media: audio() } },
  params: {
    path: { type: 'file', main: true, required: true, doc: 'Where.' },
    chunkFrames: { type: 'integer', default: 65_536, doc: 'Frames.' },
  },
})
const resampleParams = {
  rate: { type: 'number', unit: 'Hz', min: 1, max: 768_000, required: true, alias: ['sampleRate'], doc: 'Target.' },
  quality: { type: 'enum', values: ['low', 'medium', 'high', 'best'], default: 'high', doc: 'Quality.' },
  trim: { type: 'boolean', default: true, doc: 'Trim.' },
  taps: { type: 'vector', doc: 'Taps.' },
  seed: { type: 'seed', doc: 'Seed.' },
  names: { type: 'array', items: { type: 'enum', values: ['a', 'b'], doc: '' }, doc: 'Names.' },
} as const satisfies ParamTable
const resample = defineNode({
  ...base, type: 'test::resample', params: resampleParams, inputs: { in: { media: audio() } },
  outputs: { out: { media: audio({ like: 'in' }) } },
})
const vad = defineNode({
  ...base, type: 'test::vad', params: { threshold: { type: 'number', default: 0.02, input: true, doc: 'Level.' } },
  inputs: { in: { media: audio() } },
  outputs: { audio: { media: audio() }, segments: { media: events({ schema: 'vad' }) }, frames: { media: tensor() } },
})
const mainVad = defineNode({
  ...base, type: 'test::main-vad', params: {}, inputs: { in: { media: audio() } }, main: 'audio',
  outputs: { audio: { media: audio() }, segments: { media: events() } },
})
const mix = defineNode({
  ...base, type: 'test::mix', params: { gainDb: { type: 'number', default: 0, doc: 'Gain.' } },
  inputs: { in: { media: audio(), multi: true } }, outputs: { out: { media: audio() } },
})
const either = defineNode({
  ...base, type: 'test::either', params: {}, inputs: { in: { media: oneOf(audio(), text()) } },
  outputs: { out: { media: oneOf(text(), bytes()) } },
})
const any = defineNode({
  ...base, type: 'test::any', params: {}, inputs: { in: { media: anyMedia(), optional: true } }, outputs: { out: { media: match('T') } },
})
const two = defineNode({
  ...base, type: 'test::two', params: { depth: { type: 'number', doc: 'Depth.' } },
  inputs: { carrier: { media: audio() }, score: { media: events(), optional: true } },
  outputs: { out: { media: audio() } },
})
const level = defineNode({
  ...base, type: 'test::level', inputs: {}, outputs: { out: { media: json() } },
  params: { name: { type: 'string', input: true, doc: 'Name.' }, data: { type: 'json', input: true, doc: 'Data.' } },
})
const compiled = defineNode({ version: '1.0.0', title: 'Test', doc: 'Test.', family: 'test', type: 'test::compiled', inputs: {},
  outputs: { out: { media: audio() } }, params: { gainDb: { type: 'number', rate: 'block', input: true, doc: 'Gain.' } },
  kernel: { module: 'core', export: 'gain' }, reference: {} as Reference })
const writer = defineNode({
  ...base, type: 'test::writer', params: { path: { type: 'file', main: true, doc: 'Where.' } }, inputs: { in: { media: audio() } },
  outputs: {},
})

describe('node calls', () => {
  test('wires of the right kind compile, and carry their ports', () => {
    const x = resample(file('talk.wav'), { rate: 16_000, quality: 'high' })
    expectTypeOf(x).toExtend<OutputRef<'audio'>>()
    expectTypeOf(x.out).toEqualTypeOf<OutputRef<'audio'>>()
    expectTypeOf(vad(x).segments).toEqualTypeOf<OutputRef<'events'>>()
    expectTypeOf(mainVad(x)).toExtend<OutputRef<'audio'>>()
    expectTypeOf(file('talk.wav')).toEqualTypeOf<NodeHandle<{ readonly out: 'audio' }, 'out'>>()
    file(new Uint8Array(4)); file(new URL('file:///talk.wav')); file(new Blob([])); file({ path: 'talk.wav', chunkFrames: 1_024 })
    mix([x, vad(x).audio]); mix(x); mix([x], { gainDb: -3 }); mix([])
    either(x); any(); any(x); any(vad(x).segments); any(undefined); writer(x, 'out.wav'); writer(x)
    two({ carrier: x, score: vad(x).segments }, { depth: 1 }); two({ carrier: x }); two(x, vad(x).segments, { depth: 1 }); two(x)
    // A value drives a param of TypeScript code, a value per frame one of a kernel.
    vad(x, { threshold: level() }); level({ name: either(x), data: vad(x).segments }); compiled({ gainDb: x })
    // @ts-expect-error audio carries no values
    vad(x, { threshold: x.out })
    // @ts-expect-error text is no number
    vad(x, { threshold: either(x) })
    // @ts-expect-error json is no value per frame
    compiled({ gainDb: level() })
    resample(x, { rate: 1, taps: [1, 2], seed: 7n, names: ['a'] })
    graphFrom({ a: x, b: vad(x).frames, c: writer(x) })
  })

  test('an output of several kinds fits where one of them does', () => {
    const out = either(file('talk.wav'))
    expectTypeOf(out.out).toEqualTypeOf<OutputRef<'text' | 'bytes'>>()
    either(out)
    // @ts-expect-error text or bytes, audio wanted
    const refused = (): unknown => resample(out, { rate: 1 })
    expectTypeOf(refused).toBeFunction()
  })

  test('the functions of a definition know its ports and params', () => {
    const make = (): unknown => defineNode({
      ...base, type: 'test::typed',
      inputs: { in: { media: audio() }, more: { media: text(), multi: true, optional: true }, items: { media: json(), list: true } },
      outputs: { out: { media: json() } },
      params: {
        level: { type: 'number', default: 1, doc: '' },
        mode: { type: 'enum', values: ['a', 'b'], required: true, doc: '' },
        note: { type: 'string', doc: '' },
      },
      process: async (inputs, params, ctx) => {
        expectTypeOf(inputs.in).toEqualTypeOf<PacketStream<AudioBuffer>>()
        expectTypeOf(inputs.more).toEqualTypeOf<readonly PacketStream<string>[] | undefined>()
        expectTypeOf(inputs.items).toEqualTypeOf<PacketStream<readonly unknown[]>>()
        expectTypeOf(params).toEqualTypeOf<{ readonly level: number; readonly mode: 'a' | 'b'; readonly note: string | undefined }>()
        expectTypeOf(ctx.signal).toEqualTypeOf<AbortSignal>()
        // @ts-expect-error no such input
        void inputs.inn
        // @ts-expect-error no such param
        void params.lvel
        return {}
      },
      validate: ({ level }) => level > 1 ? [] : [],
    })
    // @ts-expect-error a field that definitions do not have
    const unknown = (): unknown => defineNode({ ...base, type: 'test::typo', inputs: {}, outputs: {}, params: {}, proces: process })
    expectTypeOf(make).toBeFunction()
    expectTypeOf(unknown).toBeFunction()
  })

  test('what is wrong does not compile', () => {
    const x = file('talk.wav')
    const never = (): unknown[] => [
      // @ts-expect-error a number for the params of a node whose params are all optional
      mix(x, 3),
      // @ts-expect-error a list of outputs is no params object
      mix([x], [x]),
      // @ts-expect-error one wire too many
      vad(x, x),
      // @ts-expect-error one wire too many, of another kind
      vad(x, vad(x).segments),
      // @ts-expect-error a text for the params
      vad(x, 'loud'),
      // @ts-expect-error a wire in place of required params
      resample(x, x),
      // @ts-expect-error events into audio
      resample(vad(x).segments, { rate: 1 }),
      // @ts-expect-error unknown port
      vad(x).speech,
      // @ts-expect-error unknown param
      resample(x, { rate: 1, speed: 2 }),
      // @ts-expect-error wrong type of param
      resample(x, { rate: '16000' }),
      // @ts-expect-error no value of the enum
      resample(x, { rate: 1, quality: 'great' }),
      // @ts-expect-error required param missing
      resample(x, {}),
      // @ts-expect-error required params missing altogether
      resample(x),
      // @ts-expect-error required input missing
      resample({ rate: 1 }),
      // @ts-expect-error several outputs and no main one
      resample(vad(x), { rate: 1 }),
      // @ts-expect-error a sink has no output
      resample(writer(x), { rate: 1 }),
      // @ts-expect-error this node has no params
      mainVad(x, { speed: 2 }),
      // @ts-expect-error a list into a single input
      resample([x, x], { rate: 1 }),
      // @ts-expect-error one input too many
      vad(x, x, { threshold: 1 }),
      // @ts-expect-error a text in the list
      mix([x, either(x), vad(x).segments]),
      // @ts-expect-error named input of the wrong kind
      two({ carrier: vad(x).segments }),
      // @ts-expect-error unknown named input
      two({ carrier: x, modulator: x }),
      // @ts-expect-error neither audio nor events
      two(vad(x).frames),
      // @ts-expect-error a number is no file
      file(7),
      // @ts-expect-error an unknown param beside a good one
      file({ path: 'talk.wav', port: '80' }),
      // @ts-expect-error this param cannot be driven by an edge
      mix([x], { gainDb: x.out }),
      // @ts-expect-error an item that the array does not list
      resample(x, { rate: 1, names: ['c'] }),
      // @ts-expect-error a plain object is no output
      graphFrom({ a: { node: 'x' } }),
    ]
    expectTypeOf(never).toBeFunction()
  })
})
