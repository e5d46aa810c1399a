import { describe, expect, test } from 'vitest'
import { audio, createEngine, defineNode } from '../../src/index.js'
import { channels, resample, toPcm16, vad } from '../../src/nodes/index.js'

const CHUNK = 65_536, RATE = 44_100

/** A stereo i16 recording that nobody has on a disk: `frames` of it, made chunk by chunk, as a WAV reader would give it. */
const endless = (frames: number, onChunk: () => void) => defineNode({
  type: 'test::endless', version: '1.0.0', title: 'Endless', doc: 'Silence and bursts.', family: 'test', params: {}, inputs: {},
  outputs: { out: { media: audio({ rate: RATE, channels: 2, format: 'i16', layout: 'interleaved' }) } },
  pull: async function* (_params, ctx) {
    for (let position = 0; position < frames; position += CHUNK) {
      const count = Math.min(CHUNK, frames - position)
      const data = await ctx.allocAudio({ rate: RATE, channels: 2, frames: count, format: 'i16', layout: 'interleaved' })
      data.tryView(Int16Array)!.fill(position % (CHUNK * 3) === 0 ? 8_000 : 3)
      onChunk()
      yield {
        out: {
          media: { kind: 'audio', rate: RATE, channels: 2, format: 'i16', layout: 'interleaved' },
          data, position, duration: count, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
        },
      }
    }
  },
})

describe('long recordings in the default arena of 64 MiB', () => {
  test('10 minutes of stereo: segments and 16 kHz PCM', async () => {
    await using engine = await createEngine({ workers: 1 })
    const frames = RATE * 600
    const speech = resample(endless(frames, () => undefined)(), { rate: 16_000, quality: 'high' })
    const mono = channels(speech, { to: 1, mode: 'mean' })
    using result = await engine.run({ segments: vad(mono).segments, pcm: toPcm16(mono) })
    expect(result.outputs.pcm.data).toMatchObject({ frames: 16_000 * 600, channels: 1, rate: 16_000, format: 'i16' })
    expect(result.outputs.segments.data.length).toBeGreaterThan(50)
    expect(result.metrics.arena.usedPeakBytes).toBeLessThan(64 * 1_048_576)
    const between = engine.stats().edges.map(({ copyBytes: { thread, convert } }) => thread + convert)
    expect(between.length).toBeGreaterThan(0)
    expect(between.every((bytes) => bytes === 0)).toBe(true)
  }, 60_000)

  test('2 GiB pass in bounded memory', async () => {
    await using engine = await createEngine({ workers: 1 })
    const frames = 2 ** 31 / 4
    let heap = 0
    const source = endless(frames, () => { heap = Math.max(heap, process.memoryUsage().heapUsed) })
    const detector = vad(channels(source() as never, { to: 1, mode: 'mean' }) as never)
    const before = process.memoryUsage().heapUsed
    using result = await engine.run({ frames: detector.frames })
    expect(result.outputs.frames.metadata['totalFrames']).toBe(Math.floor(frames / 1_323))
    expect(heap - before).toBeLessThan(64 * 1_048_576)
    expect(result.metrics.arena.usedPeakBytes).toBeLessThan(64 * 1_048_576)
  }, 120_000)
})
