import { describe, expect, test } from 'vitest'
import { audio, createEngine, defineNode, events, json, type AudioBuffer, type Packet, type PacketStream } from '../../src/index.js'
import { audioBuffer, gain, toPcm16, vad } from '../../src/nodes/index.js'
import { speechLike } from '../support/speech-like.js'

const packet = (data: AudioBuffer, position: number, rate: number): Packet => ({
  media: { kind: 'audio', rate, channels: data.channels, format: 'f32', layout: 'planar' }, data, position, duration: data.frames,
  streamId: '', seq: 0, arrivalUs: 0, metadata: { take: 7 },
})

/** A source without probe: nobody knows its media before its first packet. */
const surprise = (rates: readonly number[], ended: { closed: number }) => defineNode({
  type: 'test::surprise', version: '1.0.0', title: 'Surprise', doc: 'Media come with the first packet.', family: 'test', params: {},
  inputs: {}, outputs: { out: { media: audio({ discovered: true }) } },
  pull: async function* (_params, ctx) {
    try {
      let position = 0
      for (const rate of rates) {
        const data = await ctx.allocAudio({ rate, channels: 2, frames: 1_000 })
        for (let c = 0; c < 2; c++) data.channel(c).fill(0.25)
        yield { out: packet(data, position, rate) }
        position += 1_000
      }
    } finally { ended.closed++ }
  },
})

describe('sources whose media come with the first packet', () => {
  test.each([
    [0, undefined], [2, undefined], [2, 'wasm'],
  ] as const)('are solved then, converters and all (%i workers, tier %s)', async (workers, tier) => {
    await using engine = await createEngine({ workers, arenaBytes: 16 * 1_048_576, ...(tier && { tier }) })
    const ended = { closed: 0 }
    using result = await engine.run({ pcm: toPcm16(gain(surprise([8_000, 8_000, 8_000], ended)() as never)) })
    expect(result.outputs.pcm.data).toMatchObject({ rate: 8_000, channels: 2, frames: 3_000, format: 'i16' })
    expect(result.outputs.pcm.metadata).toMatchObject({ take: 7 })
    expect(ended.closed).toBe(1)
  })

  test('media that change in mid-stream are MEDIA_CHANGED', async () => {
    await using engine = await createEngine({ workers: 0 })
    const ended = { closed: 0 }
    await expect(engine.run({ pcm: toPcm16(surprise([8_000, 16_000], ended)() as never) })).rejects.toMatchObject({ code: 'MEDIA_CHANGED' })
    expect(ended.closed).toBe(1)
  })

  test('a graph that cannot be solved then is refused, and the source is ended', async () => {
    await using engine = await createEngine({ workers: 0 })
    const used = engine.stats().arena.usedBytes, ended = { closed: 0 }
    await expect(engine.run({ out: gain(surprise([8_000], ended)() as never) }, { negotiate: 'strict' })).resolves
      .toMatchObject({ status: 'success' })
    const picky = defineNode({
      type: 'test::picky', version: '1.0.0', title: 'Picky', doc: '44.1 kHz only.', family: 'test', params: {},
      inputs: { in: { media: audio({ rate: 44_100 }) } }, outputs: { out: { media: json() } }, process: async () => ({}),
    })
    await expect(engine.run({ out: picky(surprise([8_000], ended)() as never) } as never, { negotiate: 'strict' })).rejects
      .toMatchObject({ code: 'NEGOTIATION_CONFLICT' })
    expect(ended.closed).toBe(2)
    expect(engine.stats().arena.usedBytes).toBeGreaterThanOrEqual(used)
  })
})

describe('nodes written in TypeScript', () => {
  test('run beside kernels: a stream in, packets out, order kept', async () => {
    const halve = defineNode({
      type: 'test::halve', version: '1.0.0', title: 'Halve', doc: 'Half as loud, packet by packet.', family: 'test', params: {},
      inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } }, outputs: { out: { media: audio({ like: 'in' }) } },
      process: async function* (inputs, _params, ctx) {
        for await (const { data, position, media } of inputs['in'] as PacketStream) {
          const from = data as AudioBuffer, to = await ctx.allocAudio({ rate: from.rate, channels: from.channels, frames: from.frames })
          for (let c = 0; c < from.channels; c++) to.channel(c).set(from.channel(c).map((x) => x / 2))
          yield { out: { ...packet(to, position, from.rate), media } }
        }
      },
    })
    await using engine = await createEngine({ workers: 2, arenaBytes: 16 * 1_048_576 })
    const samples = speechLike({ rate: 16_000, seconds: 4 }), source = audioBuffer({ data: [samples], rate: 16_000 })
    using result = await engine.run({
      direct: gain(source, { gainDb: 0 }), halved: gain(halve(gain(source) as never) as never) as never,
      speech: vad(halve(source as never) as never).segments,
    } as never)
    const { direct, halved } = result.outputs as unknown as Record<'direct' | 'halved', { data: AudioBuffer }>
    expect(halved.data.frames).toBe(direct.data.frames)
    expect(halved.data.channel(0)).toEqual(direct.data.channel(0).map((x) => x / 2))
  })

  test('as many dispose as init; idle instances are reset and used again', async () => {
    const log: string[] = []
    const keeper = (kept: boolean) => defineNode({
      type: 'test::keeper', version: '1.0.0', title: 'Keeper', doc: 'Counts its life.', family: 'test',
      params: { n: { type: 'integer', default: 1, doc: 'Any.' } }, inputs: { in: { media: audio() } }, outputs: { out: { media: json() } },
      init: () => { log.push('init'); return { n: log.length } }, ...(kept ? { reset: () => { log.push('reset') } } : {}),
      dispose: () => { log.push('dispose') },
      process: async ({ in: input }, { n }, { instance }) => {
        await (input as PacketStream).whole()
        if (n === 13) throw new Error('unlucky')
        return {
          out: { media: { kind: 'json' }, data: instance, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
        }
      },
    }) as never
    const engine = await createEngine({ workers: 0 })
    const source = audioBuffer({ data: [new Float32Array(100)], rate: 8_000 })
    const node = keeper(true) as never as (input: unknown, params: { n: number }) => never
    for (const n of [1, 1, 2]) (await engine.run({ out: node(source, { n }) } as never)).close()
    await expect(engine.run({ out: node(source, { n: 13 }) } as never)).rejects.toMatchObject({ code: 'NODE_FAILED' })
    await engine.close()
    expect(log).toEqual(['init', 'reset', 'reset', 'init', 'reset', 'init', 'dispose', 'dispose', 'dispose'])
  })

  test('a declared output that never came is OUTPUT_INVALID naming port', async () => {
    const lazy = defineNode({
      type: 'test::lazy', version: '1.0.0', title: 'Lazy', doc: 'Gives nothing.', family: 'test', params: {},
      inputs: { in: { media: audio() } }, outputs: { out: { media: json() } }, process: async () => ({}),
    })
    await using engine = await createEngine({ workers: 0 })
    await expect(engine.run({ out: lazy(audioBuffer({ data: [new Float32Array(10)], rate: 8_000 }) as never) } as never)).rejects
      .toMatchObject({ code: 'OUTPUT_INVALID', nodeId: 'lazy-1', port: 'out' })
    void events
  })
})

test('outputs that cannot fit the arena are refused before anything runs', async () => {
  await using engine = await createEngine({ workers: 0, arenaBytes: 16 * 1_048_576 })
  const long = audioBuffer({ data: [new Float32Array(8_000_000)], rate: 8_000 })
  await expect(engine.run({ out: gain(long) })).rejects
    .toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: { need: expect.any(Number) as number, have: expect.any(Number) as number } })
})

test('what no output needs is neither asked nor run; a muted node takes its dependents along, a bypassed one forwards', async () => {
  let asked = 0
  const watched = defineNode({
    type: 'test::watched', version: '1.0.0', title: 'Watched', doc: 'Counts.', family: 'test', params: {}, inputs: {},
    outputs: { out: { media: audio({ discovered: true }) } },
    probe: async () => { asked++; throw new Error('not now') }, pull: async function* () { asked++ },
  })
  await using engine = await createEngine({ workers: 0 })
  const source = audioBuffer({ data: [Float32Array.of(0.5, 0.25)], rate: 8_000 })
  const unused = toPcm16(watched() as never)
  using result = await engine.run({ out: gain.with({ mode: 'bypass' })(source, { gainDb: -20 }), unused }, { outputs: ['out'] })
  expect(asked).toBe(0)
  expect([...result.outputs.out.data.channel(0)]).toEqual([0.5, 0.25])
})
