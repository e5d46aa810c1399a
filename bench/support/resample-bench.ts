/**
 * The resampler over blocks of a shared arena, whole or in small calls. All instances of one input length share
 * input and output: only their states differ.
 */
import type { AudioMedia } from '../../src/media/media-type.js'
import { resolveParams } from '../../src/graph/params.js'
import { KernelInstance } from '../../src/kernels/kernel-instance.js'
import { describeKernel } from '../../src/kernels/kernel-spec.js'
import { resample } from '../../src/nodes/audio/resample.js'
import type { BenchHost } from './kernel-bench.js'

export interface ResamplerSetup {
  readonly from: number
  readonly to: number
  readonly quality: string
  readonly method?: string
  /** Frames of a call at most. */
  readonly maxFrames: number
}
/** Addresses of input and output that several resamplers may use in turn. */
export interface ResamplerRoom { readonly input: number; readonly output: number; readonly frames: number; readonly outputFrames: number }
export interface PreparedResampler {
  readonly input: Float32Array
  /** Resamples the first frames at once. */
  run(frames: number): Float32Array
  /** Resamples the whole room in calls of `size` frames. */
  blocks(size: number): void
  close(): void
}

export function resamplerRoom({ arena }: BenchHost, from: number, to: number, frames: number): ResamplerRoom {
  const outputFrames = Math.ceil((frames + from / 10) * to / from)
  return { input: arena.allocate(frames * 4), output: arena.allocate(outputFrames * 4), frames, outputFrames }
}

export function prepareResampler({ arena, runtime }: BenchHost, setup: ResamplerSetup, room: ResamplerRoom): PreparedResampler {
  const { from, to, quality, method = 'auto', maxFrames } = setup
  const media = (rate: number): AudioMedia => ({ kind: 'audio', rate, channels: 1, format: 'f32', layout: 'planar' })
  const spec = describeKernel(resample.definition, {
    nodeId: 'bench', params: resolveParams(resample.definition, { rate: to, quality, method }).values,
    media: { in: media(from), out: media(to) }, inputs: ['in'],
    connectedOutputs: new Set(['out']), maxFrames,
  })
  const instance = new KernelInstance(runtime.kernel(spec.module, spec.export), spec, arena)
  const call = (at: number, frames: number, made: number): number => {
    instance.setInput(0, { data: room.input + at * 4, frames, stride: 0 })
    instance.setOutput(0, { data: room.output + made * 4, frames: room.outputFrames - made, stride: 0 })
    return instance.process(frames, at)
  }
  return {
    input: new Float32Array(arena.buffer, room.input, room.frames),
    run(frames) {
      instance.reset()
      return new Float32Array(arena.buffer, room.output, call(0, frames, 0))
    },
    blocks(size) {
      instance.reset()
      for (let at = 0, made = 0; at < room.frames; at += size) made += call(at, Math.min(size, room.frames - at), made)
    },
    close: () => instance.close(),
  }
}
