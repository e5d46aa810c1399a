/**
 * Question: what do sample conversion and (de)interleaving cost in the arena (AU-16, AU-21, PF-07)? Hypothesis: at least 0.4 × the speed of
 * copying the same number of bytes, ten times the plain loop; copying in and out of WebAssembly loses most of that.
 */
import peer from 'pcm-convert'
import { convert } from '../src/nodes/audio/convert.js'
import type { AudioMedia, SampleFormat, SampleLayout } from '../src/media/media-type.js'
import { bench } from './support/bench.js'
import { benchHost, fillNoise, prepareKernel } from './support/kernel-bench.js'
import { scalarKernels } from './support/scalar-kernels.js'

const SAMPLES = 1_048_576
const media = (format: SampleFormat, channels = 1, layout: SampleLayout = 'planar'): AudioMedia => ({
  kind: 'audio', rate: 48_000, channels, format, layout,
})

function plainToFloat(x: Int16Array, y: Float32Array): void { for (let n = 0; n < x.length; n++) y[n] = x[n]! / 32_768 }
function plainToInt(x: Float32Array, y: Int16Array): void {
  for (let n = 0; n < x.length; n++) y[n] = Math.max(-32_768, Math.min(32_767, Math.round(x[n]! * 32_768)))
}
/** 1.5·2⁵²: adding and subtracting it rounds half to even. */
const ROUND = 6_755_399_441_055_744
/** The same without branches or Math.round: what a careful hand writes (3 to 6 times faster than the plain one on noise). */
function tunedToInt(x: Float32Array, y: Int16Array): void {
  for (let n = 0; n < x.length; n++) y[n] = Math.max(-32_768, Math.min(32_767, x[n]! * 32_768 + ROUND - ROUND))
}

export const convertBench = bench('kernels/convert', async (b) => {
  const host = await benchHost(), { arena } = host, scalar = await scalarKernels(host.memory), unit = { name: 'samples', count: SAMPLES }
  const up = prepareKernel(host, convert.definition, { in: media('i16'), out: media('f32') }, SAMPLES)
  const down = prepareKernel(host, convert.definition, { in: media('f32'), out: media('i16') }, SAMPLES, { params: { format: 'i16' } })
  const floats = fillNoise(arena, down.inputs[0]!, SAMPLES), shorts = new Int16Array(arena.buffer, up.inputs[0]!, SAMPLES)
  tunedToInt(floats, shorts)
  // 2 read + 4 written = a copy of 3 bytes a sample
  const a = arena.allocate(4 * SAMPLES), z = arena.allocate(4 * SAMPLES), same = 3 * SAMPLES
  fillNoise(arena, a, SAMPLES) // memory that was never written is one page of zeros to the processor: copying it looks twice as fast
  const outsideFloats = floats.slice(), outsideShorts = shorts.slice()
  const floatResult = new Float32Array(SAMPLES), shortResult = new Int16Array(SAMPLES)
  const upOut = new Float32Array(arena.buffer, up.outputs[0]!, SAMPLES), downOut = new Int16Array(arena.buffer, down.outputs[0]!, SAMPLES)

  const one = await b.compare('i16 → f32, 1 048 576 samples', {
    'audio::convert in the arena': () => up.run(),
    'memory.copy of the same bytes': () => scalar.copy(z, a, same),
    'plain loop': () => plainToFloat(outsideShorts, floatResult),
    'pcm-convert': () => peer(outsideShorts, 'int16', 'float32'),
    'audio::convert, arrays in and out': () => { shorts.set(outsideShorts); up.run(); floatResult.set(upOut) },
  }, { unit })
  report(b.note, 'i16→f32', one.variants.map((v) => v.p50Ms), 2.2)
  const two = await b.compare('f32 → i16, 1 048 576 samples', {
    'audio::convert in the arena': () => down.run(),
    'memory.copy of the same bytes': () => scalar.copy(z, a, same),
    'tuned loop': () => tunedToInt(outsideFloats, shortResult),
    'pcm-convert': () => peer(outsideFloats, 'float32', 'int16'),
    'audio::convert, arrays in and out': () => { floats.set(outsideFloats); down.run(); shortResult.set(downOut) },
    'plain loop': () => plainToInt(outsideFloats, shortResult),
  }, { unit, quality: { 'pcm-convert': 'asymmetric scale', 'plain loop': 'halves up' } })
  report(b.note, 'f32→i16', two.variants.map((v) => v.p50Ms), 3.2)

  fillNoise(arena, down.inputs[0]!, SAMPLES, 1.5)
  await b.compare('f32 → i16, a third of the samples clipped', {
    'audio::convert in the arena': () => down.run(),
    'tuned loop': () => tunedToInt(floats, shortResult),
  }, { unit })
}, ['node'])

export const smallConvertBench = bench('kernels/convert-block', async (b) => {
  const host = await benchHost(), scalar = await scalarKernels(host.memory)
  for (const frames of [128, 4_096, 65_536]) {
    const up = prepareKernel(host, convert.definition, { in: media('i16'), out: media('f32') }, frames)
    const down = prepareKernel(host, convert.definition, { in: media('f32'), out: media('i16') }, frames, { params: { format: 'i16' } })
    fillNoise(host.arena, down.inputs[0]!, frames)
    const z = host.arena.allocate(4 * frames), unit = { name: 'samples', count: frames }
    await b.compare(`i16 → f32, ${frames} samples that stay in the cache`, {
      'audio::convert': () => up.run(),
      'memory.copy of the same bytes': () => scalar.copy(z, up.outputs[0]!, 3 * frames),
    }, { unit })
    await b.compare(`f32 → i16, ${frames} samples that stay in the cache`, {
      'audio::convert': () => down.run(),
      'memory.copy of the same bytes': () => scalar.copy(z, down.inputs[0]!, 3 * frames),
    }, { unit })
  }
}, ['node'])

export const layoutBench = bench('kernels/layout', async (b) => {
  const host = await benchHost(256), scalar = await scalarKernels(host.memory), frames = 500_000
  for (const channels of [2, 6, 8]) for (const format of ['f32', 'i16'] as const) {
    const bytes = frames * channels * (format === 'f32' ? 4 : 2)
    const a = host.arena.allocate(bytes), z = host.arena.allocate(bytes)
    const unit = { name: 'samples', count: frames * channels }
    fillNoise(host.arena, a, bytes / 4)
    const together = prepareKernel(
      host, convert.definition,
      { in: media(format, channels), out: media(format, channels, 'interleaved') },
      frames,
      { params: { format, layout: 'interleaved' } },
    )
    const apart = prepareKernel(
      host, convert.definition,
      { in: media(format, channels, 'interleaved'), out: media(format, channels) },
      frames, { params: { format } },
    )
    for (const block of [together.inputs[0]!, apart.inputs[0]!]) fillNoise(host.arena, block, bytes / 4)
    const row = await b.compare(`${format}, ${channels} channels, 500 000 frames`, {
      'planar → interleaved': () => together.run(),
      'interleaved → planar': () => apart.run(),
      'memory.copy of the same bytes': () => scalar.copy(z, a, bytes),
    }, { unit })
    const [first, second, copy] = row.variants.map((v) => v.p50Ms)
    if (channels === 2) b.note(`AU-16, bar 2 × memcpy: ${(first! / copy!).toFixed(2)} and ${(second! / copy!).toFixed(2)}, ${Math.max(first!, second!) <= 2 * copy! ? 'met' : 'missed'}`)
    for (const block of [a, z, together.inputs[0]!, together.outputs[0]!, apart.inputs[0]!, apart.outputs[0]!]) host.arena.free(block)
    together.instance.close()
    apart.instance.close()
  }
}, ['node'])

/** PF-07 and AU-21 in words. `times`: ours, copy, best loop, pcm-convert, arrays in and out, then other loops. */
function report(note: (text: string) => void, name: string, times: readonly number[], copies: number): void {
  const [own, copy, firstLoop, peerTime, arrays, otherLoop] = times, loop = Math.min(firstLoop!, otherLoop ?? Infinity)
  const say = (what: string, value: number, bar: number, least: boolean): void =>
    note(`${name}, ${what}: ${value.toFixed(2)}, bar ${bar}, ${(least ? value >= bar : value <= bar) ? 'met' : 'missed'}`)
  say('time by memcpy of the same bytes (AU-21)', own! / copy!, copies, false)
  say('speed by memcpy (PF-07)', copy! / own!, 0.4, true)
  say('faster than the best loop (PF-07)', loop / own!, 10, true)
  say('faster than pcm-convert', peerTime! / own!, 10, true)
  say('arrays in and out, faster than the best loop (PF-07)', loop / arrays!, 2.5, true)
}
