/**
 * Feedback edges (GR-12): loops equal their recursion to the bit, however they are cut, in every tier, inline
 * and on threads, shared and private memory.
 */
import { afterAll, describe, expect, inject, test } from 'vitest'
import {
  audio, createEngine, defineNode, feedback, graphFrom, type Engine, type Graph, type OutputRef, type RunOptions, type RunResult, type Tier,
} from '../../src/index.js'
import { audioBuffer, channels, gain, mix, resample, vad } from '../../src/nodes/index.js'
import { audioChunks } from '../support/audio-chunks.js'

type Sound = OutputRef<'audio'>
const RATE = 16_000, HALF = -20 * Math.log10(2)
/** Gain of −6.02 dB as the node works it out. */
const g = Math.fround(10 ** (Math.fround(HALF) / 20))
const drawn = (seed: number): (() => number) => {
  let state = seed
  return () => (state = Math.imul(state, 1_664_525) + 1_013_904_223 >>> 0) / 2 ** 32
}
const noise = (frames: number, seed = 1): Float32Array => {
  const next = drawn(seed)
  return Float32Array.from({ length: frames }, () => next() - 0.5)
}

/** Gives its samples in packets of the sizes named, over and over. */
const pieces = defineNode({
  type: 'test::pieces', version: '1.0.0', title: 'Pieces', doc: 'Sound in packets of any size.', family: 'test',
  params: {
    data: { type: 'json', required: true, doc: 'Samples.' },
    sizes: { type: 'json', required: true, doc: 'Frames of each packet.' },
  },
  inputs: {}, outputs: { out: { media: audio({ rate: RATE, channels: 1, format: 'f32', layout: 'planar' }) } }, deterministic: 'yes',
  pull: ({ data, sizes }, ctx) => audioChunks(ctx, data as Float32Array, sizes as readonly number[], RATE),
})

/** y[n] = x[n] + g · y[n − delay], rounded where the kernels round. */
function comb(x: Float32Array, delay: number): Float32Array {
  const y = new Float32Array(x.length)
  for (let n = 0; n < x.length; n++) y[n] = x[n]! + Math.fround((n < delay ? 0 : y[n - delay]!) * g)
  return y
}

async function play(engine: Engine, out: Sound | Graph, options: RunOptions = {}): Promise<Float32Array> {
  using result = await engine.run('nodes' in out ? out : { out }, options) as RunResult<{ readonly out: unknown }>
  return Float32Array.from((result.outputs.out as { data: { channel(c: number): Float32Array } }).data.channel(0))
}

const echo = (x: Sound, delayFrames: number): Sound => feedback({ delayFrames }, (late) => mix([x, gain(late, { gainDb: HALF })]))
/** The same loop with its delay at another place: what leaves it is read late inside. */
const echoBefore = (x: Sound, delayFrames: number): Sound => {
  let out!: Sound
  feedback({ delayFrames }, (late) => gain(out = mix([x, late]), { gainDb: HALF }))
  return out
}

const isolated = typeof window === 'undefined' || inject('isolated')
const CASES = [...(isolated ? [['wasm-threads', 0], ['wasm-threads', 2]] as const : []), ['wasm', 0], ['wasm', 2], ['js', 0]] as const
const engines = new Map<string, Promise<Engine>>()
const engineOf = (tier: Tier, workers: number): Promise<Engine> => {
  const key = `${tier} ${workers}`
  if (!engines.has(key)) engines.set(key, createEngine({ tier, workers }))
  return engines.get(key)!
}
afterAll(async () => { for (const engine of engines.values()) await (await engine).close() })

describe.each(CASES)('%s with %i workers', (tier, workers) => {
  test('a comb equals its recursion and its closed form for any chunking', async () => {
    const engine = await engineOf(tier, workers), x = noise(9_345), next = drawn(7)
    for (const delay of [128, 481, 3_000]) {
      const right = comb(x, delay)
      for (const [i, sizes] of [
        [9_345], [1, 2_900], [1_270, 1_280, 1_290],
        Array.from({ length: 9 }, () => 1 + Math.floor(next() * 4_000)),
      ].entries()) {
        const source = pieces({ data: x, sizes }), blockFrames = 64 + Math.floor(next() * 1_000)
        expect(await play(engine, (i % 2 === 0 ? echo : echoBefore)(source, delay), i < 2 ? { blockFrames } : {})).toEqual(right)
      }
      for (let n = 0; n < x.length; n += 97) {
        let sum = 0
        for (let k = 0; n - k * delay >= 0; k++) sum += g ** k * x[n - k * delay]!
        expect(right[n]).toBeCloseTo(sum, 5)
      }
    }
  })

  test('whole values, which workers take by themselves', async () => {
    const engine = await engineOf(tier, workers), x = noise(20_000, 3)
    using whole = engine.audio.from([x], { rate: RATE, channels: 1 }, { copy: true })
    expect(await play(engine, echo(audioBuffer(whole), 700))).toEqual(comb(x, 700))
    expect(await play(engine, echoBefore(gain(audioBuffer(whole)), 700))).toEqual(comb(x, 700))
  })

  test('two loops, one in the other; a node linked to itself; a delay in no loop', async () => {
    const engine = await engineOf(tier, workers), x = noise(6_000, 5)
    const source = pieces({ data: x, sizes: [900, 1] })
    const at = (y: Float32Array, n: number): number => n < 0 ? 0 : y[n]!
    // u[n] = x[n] + ½·w[n − 300], w[n] = u[n] + ½·w[n − 200]
    const w = new Float32Array(x.length)
    for (let n = 0; n < x.length; n++) w[n] = Math.fround(x[n]! + Math.fround(at(w, n - 300) * g)) + Math.fround(at(w, n - 200) * g)
    const inner = (u: Sound): Sound => feedback({ delayFrames: 200 }, (late) => mix([u, gain(late, { gainDb: HALF })]))
    expect(await play(engine, feedback({ delayFrames: 300 }, (late) => inner(mix([source, gain(late, { gainDb: HALF })]))))).toEqual(w)
    const sum = new Float32Array(x.length)
    for (let n = 0; n < x.length; n++) sum[n] = x[n]! + at(sum, n - 150)
    expect(await play(engine, feedback({ delayFrames: 150 }, (late) => mix([source, late])))).toEqual(sum)
    // What comes late and is in no loop is played to its end.
    const tap = Float32Array.from({ length: x.length + 400 }, (_, n) => (n < x.length ? x[n]! : 0) + at(x, n - 400))
    const straight = graphFrom({ out: mix([source, gain(source)]) })
    const edges = straight.edges.map((edge) => edge.from[0] === 'gain-1' ? { ...edge, delayFrames: 400 } : edge)
    expect(await play(engine, { ...straight, edges })).toEqual(tap)
    await expect(engine.run({
      ...straight,
      edges: straight.edges.map((edge) => edge.to[0] === 'gain-1' ? { ...edge, delayFrames: 400 } : edge),
    })).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })

  test('silence, stereo, resamplers, pass-through and identities in a loop: the same bits however it is cut', async () => {
    const engine = await engineOf(tier, workers), one = await engineOf('js', 0), x = noise(8_000, 9).fill(0, 2_000, 5_000)
    const graphs: readonly ((source: Sound) => Sound)[] = [
      (s) => feedback({ delayFrames: 256 }, (back) => mix([s, gain(vad(back).audio, { gainDb: -3 })])),
      (s) => feedback({ delayFrames: 256 }, (back) => gain(mix([s, resample(back, { rate: RATE })]), { gainDb: -3 })),
      (s) => gain(feedback({ delayFrames: 256 }, (back) => gain(s, { gainDb: back })), { gainDb: -1 }),
      (s) => channels(
        feedback({ delayFrames: 300 }, (back) => mix([channels(s, { to: 2 }), gain(back, { gainDb: -9 })], { pan: [-0.5, 0.5] })),
        { to: 1 },
      ),
    ]
    for (const build of graphs) {
      const right = await play(one, build(pieces({ data: x, sizes: [8_000] })))
      for (const sizes of [[8_000], [2_047, 1]]) expect(await play(engine, build(pieces({ data: x, sizes })))).toEqual(right)
      expect(right.length).toBe(x.length)
    }
    const round = (s: Sound, delayFrames: number): Sound => feedback({ delayFrames }, (back) =>
      mix([s, gain(resample(resample(back, { rate: 8_000 }), { rate: RATE }), { gainDb: -9 })]))
    const whole = await play(engine, round(pieces({ data: x, sizes: [8_000] }), 6_000))
    expect(await play(engine, round(pieces({ data: x, sizes: [770, 1] }), 6_000))).toEqual(whole)
    expect(whole.length).toBe(x.length)
    // Resamplers ring before what they were given.
    expect(whole.subarray(0, 5_000)).toEqual(x.subarray(0, 5_000))
    expect(whole.subarray(6_000)).not.toEqual(x.subarray(6_000))
    await expect(engine.run({ out: round(pieces({ data: x, sizes: [100] }), 128) })).rejects
      .toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('whose nodes hold back') as string })
  })

  test('ends: the output is as long as what comes in; what is read behind the delay rings once more', async () => {
    const engine = await engineOf(tier, workers), x = noise(1_000, 2)
    let inside!: Sound, out!: Sound
    feedback({ delayFrames: 640 }, (back) => out = mix([pieces({ data: x, sizes: [130] }), inside = gain(back, { gainDb: HALF })]))
    using result = await engine.run({ out, inside })
    const { data } = result.outputs.out as unknown as { data: { frames: number } }
    const { data: behind } = result.outputs.inside as unknown as { data: { frames: number; channel(c: number): Float32Array } }
    expect([data.frames, behind.frames]).toEqual([1_000, 1_640])
    expect(Float32Array.from(behind.channel(0).subarray(640))).toEqual(comb(x, 640).map((y) => y * g))
  })
})

test('the plan says what goes round, and holds no delay in its block', async () => {
  const engine = await engineOf('js', 0), plan = await engine.plan({ out: echo(pieces({ data: noise(10), sizes: [10] }), 200) })
  expect(plan.edges.filter(({ delayFrames }) => delayFrames !== undefined)).toMatchObject([{ delayFrames: 200, transport: 'address' }])
  expect(plan.segments).toMatchObject([{ nodes: ['gain-1', 'mix-1'], blockFrames: 200 }])
})
