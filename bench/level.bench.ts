/**
 * Question: what do gain, mixing and the channel mean gain from vectors (AU-54, AU-58, PF-16)? Hypothesis: 5.5 × the scalar loop compiled
 * by the same compiler while the data stay in the cache; beyond it memory decides and both come together.
 */
import { channels } from '../src/nodes/audio/channels.js'
import { gain } from '../src/nodes/audio/gain.js'
import { mix } from '../src/nodes/audio/mix.js'
import type { AudioMedia } from '../src/media/media-type.js'
import { bench } from './support/bench.js'
import { benchHost, fillNoise, prepareKernel } from './support/kernel-bench.js'
import { scalarKernels } from './support/scalar-kernels.js'

const media = (count = 1): AudioMedia => ({ kind: 'audio', rate: 48_000, channels: count, format: 'f32', layout: 'planar' })
/** C −O3 on the reference server, GB/s read and written: first- and second-level cache, memory. */
const C_GAIN = { 2_048: 287, 32_768: 229, 4_194_304: 41 } as const

export const gainBench = bench('kernels/gain', async (b) => {
  const host = await benchHost(), scalar = await scalarKernels(host.memory)
  for (const frames of [128, 2_048, 32_768, 4_194_304]) {
    const own = prepareKernel(host, gain.definition, { in: media(), out: media() }, frames, { params: { gainDb: -6 } })
    const quiet = prepareKernel(host, gain.definition, { in: media(), out: media() }, frames, { params: { gainDb: -6 }, silent: true })
    const x = fillNoise(host.arena, own.inputs[0]!, frames).slice(), y = new Float32Array(frames), g = Math.fround(0.5)
    const row = await b.compare(`gain, ${frames} frames`, {
      'audio::gain': () => own.run(),
      'scalar WebAssembly': () => scalar.gain(own.outputs[0]!, own.inputs[0]!, g, frames),
      'plain TypeScript': () => { for (let n = 0; n < x.length; n++) y[n] = x[n]! * g },
      'audio::gain on silence': () => quiet.run(),
    }, { unit: { name: 'B', count: frames * 8 } })
    const [mine, other, plain] = row.variants.map((v) => v.p50Ms), reference = C_GAIN[frames as 2_048]
    b.note(`faster than scalar WebAssembly ${(other! / mine!).toFixed(2)} (bar 5.5), than TypeScript ${(plain! / mine!).toFixed(2)} (bar 6)${reference === undefined ? '' : `, by C −O3 of the reference server ${(frames * 8 / mine! / 1e6 / reference).toFixed(2)}`}`)
    own.instance.close()
    quiet.instance.close()
    for (const block of [own.inputs[0]!, own.outputs[0]!, quiet.inputs[0]!, quiet.outputs[0]!]) host.arena.free(block)
  }
}, ['node'])

export const mixBench = bench('kernels/mix', async (b) => {
  const host = await benchHost(), scalar = await scalarKernels(host.memory)
  for (const [sources, frames] of [[3, 128], [3, 2_048], [8, 4_096], [64, 1_024]] as const) {
    const gainDb = Array.from({ length: sources }, (_, i) => -i % 12)
    const links = Object.fromEntries(gainDb.map((_, i) => [`in.${i}`, media()]))
    const own = prepareKernel(host, mix.definition, { ...links, out: media() }, frames, { params: { gainDb } })
    const list = host.arena.allocate(sources * 8), weights = gainDb.map((db) => Math.fround(10 ** (db / 20)))
    const inputs = own.inputs.map((address, i) => {
      host.arena.u32[(list >>> 2) + 2 * i] = address
      host.arena.f32[(list >>> 2) + 2 * i + 1] = weights[i]!
      return fillNoise(host.arena, address, frames).slice()
    })
    const out = host.arena.allocate(frames * 4), y = new Float32Array(frames)
    const row = await b.compare(`mix of ${sources}, ${frames} frames`, {
      'audio::mix': () => own.run(),
      'scalar WebAssembly': () => scalar.mix(out, list, sources, frames),
      'plain TypeScript': () => {
        y.fill(0)
        for (let i = 0; i < inputs.length; i++) {
          const x = inputs[i]!, w = weights[i]!
          for (let n = 0; n < y.length; n++) y[n] = y[n]! + x[n]! * w
        }
      },
    }, { unit: { name: 'samples', count: frames * sources } })
    const [mine, other, plain] = row.variants.map((v) => v.p50Ms)
    b.note(
      `faster than scalar WebAssembly ${(other! / mine!).toFixed(2)} (bar 5.5), than TypeScript ${(plain! / mine!).toFixed(2)} (bar 3)`,
    )
    own.instance.close()
    for (const block of [list, out, ...own.inputs, own.outputs[0]!]) host.arena.free(block)
  }
}, ['node'])

export const meanBench = bench('kernels/mean', async (b) => {
  const host = await benchHost(), scalar = await scalarKernels(host.memory)
  for (const frames of [128, 2_048, 16_384, 2_097_152]) {
    const own = prepareKernel(host, channels.definition, { in: media(2), out: media() }, frames, { params: { to: 1, mode: 'mean' } })
    const left = own.inputs[0]!, right = left + own.strides[0]!, out = own.outputs[0]!
    const l = fillNoise(host.arena, left, frames).slice(), r = fillNoise(host.arena, right, frames).slice(), y = new Float32Array(frames)
    const row = await b.compare(`mean of stereo, ${frames} frames`, {
      'audio::channels': () => own.run(),
      'scalar WebAssembly': () => scalar.mean(out, left, right, frames),
      'plain TypeScript': () => { for (let n = 0; n < y.length; n++) y[n] = (l[n]! + r[n]!) * 0.5 },
    }, { unit: { name: 'frames', count: frames } })
    const [mine, other, plain] = row.variants.map((v) => v.p50Ms)
    b.note(`faster than scalar WebAssembly ${(other! / mine!).toFixed(2)} (bar 5.5), than TypeScript ${(plain! / mine!).toFixed(2)}`)
    own.instance.close()
    for (const block of [left, out]) host.arena.free(block)
  }
}, ['node'])
