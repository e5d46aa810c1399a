/** Random graphs for tests that run long: drawn from a seed, the same each time. */
import { audio, defineNode, type AnyHandle, type AudioBuffer, type Engine, type RunOptions, type RunResult } from '../../src/index.js'
import { audioBuffer, channels, gain, mix, resample, vad } from '../../src/nodes/index.js'

export type Audio = ReturnType<typeof gain>
/** Numbers from 0 to below `n`. */
export type Draw = (n: number) => number

/** Small numbers that look random. */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0
  return (n) => { state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; return Math.floor(state / 2 ** 32 * n) }
}

const samples = (frames: number, seed: number): Float32Array => Float32Array.from({ length: frames }, (_, n) =>
  Math.sin(n * (0.01 + seed / 50)) * 0.4 + Math.sin(n * n * 1e-7) * 0.2)
const whole = (data: Float32Array): Audio => audioBuffer({ data: [data], rate: 16_000 }) as never

/**
 * A graph of gains, mixes and detectors over two sources of 40 000 … 100 000 frames; its last three nodes are outputs, some
 * of them resampled. Each call makes it anew.
 */
export function drawGraph(draw: Draw, source: (data: Float32Array) => Audio = whole): () => Record<string, AnyHandle> {
  const sources = [0, 1].map((seed) => samples(40_000 + draw(60_000), seed))
  const drawn = Array.from({ length: 2 + draw(6) }, (_, i) => ({ kind: draw(5), reads: [draw(i + 2), draw(i + 2)], value: draw(12) - 6 }))
  return () => {
    const handles: Audio[] = sources.map((data) => source(data))
    for (const { kind, reads: [a, b], value } of drawn) {
      const [x, y] = [handles[a!]!, handles[b!]!]
      handles.push((kind === 0 || x === y ? gain(x, { gainDb: value })
        : kind === 1 ? mix([x, y])
        : kind === 2 ? gain(x, { gainDb: value / 2, invert: true })
        : kind === 3 ? channels(x, { to: 1, mode: 'mean' })
        : vad(x).audio) as never)
    }
    return Object.fromEntries(handles.slice(2).slice(-3).map((handle, i) =>
      [`n${i}`, (i % 2 === 0 ? resample(handle, { rate: 22_050 }) : handle) as AnyHandle]))
  }
}

/** Digest of all samples, in any host: comparing them one by one takes longer than computing them. */
function bits(data: AudioBuffer): string {
  let a = 0x811c9dc5, b = 0x9e3779b9
  for (let c = 0; c < data.channels; c++) {
    const samples = data.channel(c), words = new Uint32Array(samples.buffer, samples.byteOffset, samples.length)
    for (const word of words) {
      a = Math.imul(a ^ word, 0x01000193)
      b = Math.imul((b << 5 | b >>> 27) ^ word, 0x85ebca6b)
      a ^= a >>> 15
      b ^= b >>> 13
    }
  }
  return `${data.channels} x ${data.frames}: ${(a >>> 0).toString(16)} ${(b >>> 0).toString(16)}`
}

/**
 * The samples in pieces of 5 000: what reads them is fed chunk by chunk, and every chunk is a delivery of its own. `before`: called ahead
 * of each piece. `tells`: its length is known before the run.
 */
export function chunked(data: Float32Array, before: (position: number) => unknown = () => undefined, tells = false): Audio {
  return defineNode({
    type: 'test::pieces', version: '1.0.0', title: 'Pieces', doc: 'Samples in pieces.', family: 'test', params: {}, inputs: {},
    outputs: { out: { media: audio({ rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }) } },
    ...(tells && {
      probe: () => Promise.resolve({
        media: { out: { kind: 'audio', rate: 16_000, channels: 1, format: 'f32', layout: 'planar' } },
        frames: data.length,
      }),
    }),
    pull: async function* (_params, ctx) {
      for (let position = 0; position < data.length; position += 5_000) {
        await before(position)
        const piece = data.subarray(position, position + 5_000)
        const buffer = await ctx.allocAudio({ rate: 16_000, channels: 1, frames: piece.length })
        buffer.makeMut().channel(0).set(piece)
        yield {
          out: {
            media: { kind: 'audio', rate: 16_000, channels: 1, format: 'f32', layout: 'planar' },
            data: buffer, position, duration: piece.length, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
          },
        }
      }
    },
  })() as never
}

/** Runs a graph; its outputs' digests and what each kernel counted, as text. */
export async function outcome(engine: Engine, graph: () => Record<string, AnyHandle>, options: RunOptions = {}): Promise<string> {
  using result = await engine.run(graph() as never, options) as RunResult
  const outputs = Object.entries(result.outputs as Record<string, { data: AudioBuffer }>).map(([name, { data }]) => `${name} ${bits(data)}`)
  return [
    ...outputs,
    ...result.metrics.nodes.map(({ id, framesIn, framesOut, kernelCalls }) => `${id} ${framesIn} ${framesOut} ${kernelCalls}`),
  ].join('\n')
}
