/**
 * Question: what does a node cost beside its kernel: by the direct path against samples in JSON, the way engines behind a message boundary
 * take them (AU-17), and as a step of a running graph (KE-12, MW-24)? Hypothesis: the direct path 16 times faster than JSON on a million
 * samples, a step of a pass a few nanoseconds over its kernel.
 */
import { createEngine } from '../src/index.js'
import { convert } from '../src/nodes/audio/convert.js'
import { gain } from '../src/nodes/audio/gain.js'
import { audioBuffer } from '../src/nodes/io/audio-buffer.js'
import { bench } from './support/bench.js'

const SAMPLES = 1_048_576
/** 1.5·2⁵²: adding and subtracting it rounds half to even. */
const ROUND = 6_755_399_441_055_744

/** The same conversion behind JSON text: arrays of numbers in and out. */
function boxed(message: string): string {
  const { samples } = JSON.parse(message) as { samples: number[] }, out = new Array<number>(samples.length)
  for (let n = 0; n < samples.length; n++) out[n] = Math.max(-32_768, Math.min(32_767, samples[n]! * 32_768 + ROUND - ROUND))
  return JSON.stringify({ samples: out })
}

export const direct = bench('direct', async (b) => {
  const engine = await createEngine({ workers: 0, arenaBytes: 2 ** 26 })
  const mono = { rate: 48_000, channels: 1, format: 'f32', layout: 'planar' } as const
  const node = engine.openNode(convert, { format: 'i16' }, mono, { maxFrames: SAMPLES })
  const input = engine.audio.alloc({ rate: 48_000, channels: 1, frames: SAMPLES })
  const x = Float32Array.from({ length: SAMPLES }, (_, n) => Math.sin(n * 0.1) * 0.9)
  input.channel(0).set(x)
  const row = await b.compare('f32 → i16, 1 048 576 samples', {
    'openNode': () => node.process(input),
    'openNode, arrays in and out': () => { input.channel(0).set(x); node.process(input).toArray() },
    'JSON in and out': () => JSON.parse(boxed(JSON.stringify({ samples: Array.from(x) }))) as unknown,
  }, { unit: { name: 'samples', count: SAMPLES }, rounds: 5, roundMs: 20 })
  const [own, arrays, json] = row.variants.map((v) => v.p50Ms)
  b.note(`faster than JSON ${(json! / own!).toFixed(0)}, with arrays in and out ${(json! / arrays!).toFixed(0)} (bar 16), ${json! >= 16 * own! ? 'met' : 'missed'}`)
  node.close()
  await engine.close()
})

export const steps = bench('steps', async (b) => {
  const engine = await createEngine({ workers: 0, arenaBytes: 2 ** 26 })
  const mono = { rate: 48_000, channels: 1, format: 'f32', layout: 'planar' } as const
  for (const block of [128, 4_096]) {
    const passes = 512, frames = block * passes, data = engine.audio.alloc({ rate: 48_000, channels: 1, frames })
    data.channel(0).fill(0.25)
    const one = data.slice(0, block), node = engine.openNode(gain, { gainDb: -0.1 }, mono)
    const chain = (count: number) => async (): Promise<void> => {
      let last = gain(audioBuffer(data), { gainDb: -0.1 })
      for (let i = 1; i < count; i++) last = gain(last, { gainDb: -0.1 })
      ;(await engine.run({ out: last }, { blockFrames: block })).close()
    }
    const row = await b.compare(`${passes} passes of ${block} frames`, {
      'run of 8 gains': chain(8),
      'run of 1 gain': chain(1),
      '7 gains a pass by openNode': () => { for (let i = 0; i < 7 * passes; i++) node.process(one) },
    }, { rounds: 12, roundMs: 20 })
    const [eight, single, calls] = row.variants.map((v) => v.minMs)
    const step = (eight! - single!) / passes / 7 * 1e6, call = calls! / passes / 7 * 1e6
    b.note(`${block} frames, by the least times: one more step ${step.toFixed(0)} ns with its kernel and its share of plan and start, one openNode call ${call.toFixed(0)} ns`)
    node.close()
    one.close()
    data.close()
  }
  await engine.close()
})
