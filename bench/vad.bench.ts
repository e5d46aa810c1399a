/**
 * Question: what does energy voice activity cost per 30 ms at 16 kHz (AU-45, PF-05)? Hypothesis: at most 0.3 × WebRTC's detector in
 * WebAssembly, at least 4 × plain TypeScript. fvad does more (six sub-bands, Gaussian models): it is what a user would take instead, not an
 * equal in quality.
 */
import fvad from '@echogarden/fvad-wasm'
import { vad } from '../src/nodes/voice/vad.js'
import type { Media } from '../src/media/media-type.js'
import { bench } from './support/bench.js'
import { benchHost, fillNoise, prepareKernel } from './support/kernel-bench.js'
import { scalarKernels } from './support/scalar-kernels.js'

const LENGTH = 480
interface Fvad {
  readonly HEAP16: Int16Array
  _malloc(bytes: number): number
  _fvad_new(): number
  _fvad_set_mode(vad: number, mode: number): number
  _fvad_set_sample_rate(vad: number, rate: number): number
  _fvad_process(vad: number, samples: number, count: number): number
}

export const vadBench = bench('kernels/vad', async (b) => {
  const host = await benchHost(), scalar = await scalarKernels(host.memory)
  const media: Record<string, Media> = {
    in: { kind: 'audio', rate: 16_000, channels: 1, format: 'f32', layout: 'planar' },
    segments: { kind: 'events', schema: 'vad', timebase: 16_000 },
    frames: { kind: 'tensor', dtype: 'bool', shape: [null] },
  }
  const peer = await (fvad as unknown as () => Promise<Fvad>)(), handle = peer._fvad_new(), samples = peer._malloc(LENGTH * 2 * 1_000)
  peer._fvad_set_mode(handle, 0)
  peer._fvad_set_sample_rate(handle, 16_000)
  for (const count of [1, 100]) {
    const own = prepareKernel(host, vad.definition, media, LENGTH * count, { outputs: ['segments', 'frames'] })
    const quiet = prepareKernel(host, vad.definition, media, LENGTH * count, { outputs: ['segments', 'frames'], silent: true })
    const x = fillNoise(host.arena, own.inputs[0]!, LENGTH * count, 0.3).slice(), threshold = 0.02 * 0.02 * LENGTH
    for (let n = 0; n < x.length; n++) peer.HEAP16[(samples >> 1) + n] = x[n]! * 32_767
    let speech = 0
    const row = await b.compare(`${count} × 30 ms at 16 kHz`, {
      'voice::vad': () => own.run(),
      '@echogarden/fvad-wasm': () => { for (let n = 0; n < count; n++) peer._fvad_process(handle, samples + n * LENGTH * 2, LENGTH) },
      'scalar WebAssembly, energy alone': () => {
        for (let n = 0; n < count; n++) if (scalar.energy(own.inputs[0]! + n * LENGTH * 4, LENGTH) > threshold) speech++
      },
      'plain TypeScript': () => {
        for (let at = 0; at < x.length; at += LENGTH) {
          let sum = 0
          for (let n = at; n < at + LENGTH; n++) sum += x[n]! * x[n]!
          if (sum > threshold) speech++
        }
      },
      'voice::vad on silence': () => quiet.run(),
    }, { unit: { name: 'frames', count } })
    const [mine, theirs, , plain] = row.variants.map((v) => v.p50Ms)
    b.note(`by fvad ${(mine! / theirs!).toFixed(3)} (bar 0.3), ${(mine! * 1e3 / count).toFixed(3)} µs per frame (aim 1), faster than TypeScript ${(plain! / mine!).toFixed(1)} (bar 4)`)
    own.instance.close()
    quiet.instance.close()
  }
}, ['node'])
