import { describe, expect, test } from 'vitest'
import { createEngine, type Engine } from '../../src/index.js'
import { audioBuffer, gain, mix, resample, toPcm16, vad, wavFile, wavWriter } from '../../src/nodes/index.js'
import { writeWav } from '../../src/formats/wav/wav-writer.js'
import { memorySink } from '../../src/formats/sink/memory-sink.js'

const RATE = 48_000
const tone = (seconds: number): Float32Array => Float32Array.from({ length: RATE * seconds }, (_, n) => Math.sin(n * 0.01) * 0.3)
async function wav(seconds: number): Promise<Uint8Array> {
  const sink = memorySink(), writer = await writeWav(sink, { rate: RATE, channels: 2 }), x = tone(seconds)
  await writer.write({ samples: [x, x], frames: x.length, format: 'f32', layout: 'planar' })
  await writer.close()
  return sink.bytes()
}

/** The estimate counts full queues, as a slow reader makes them. */
function slow(): WritableStream<Uint8Array> {
  return new WritableStream(
    { write: () => new Promise((resolve) => { setTimeout(resolve, 30) }) },
    new CountQueuingStrategy({ highWaterMark: 1 }),
  )
}

/** Graphs with the estimate of their plan; the engine's tables (resampler) are no run's. */
const GRAPHS: Readonly<Record<string, (engine: Engine) => Promise<unknown>>> = {
  'a file to its speech and 16 kHz': async () => {
    const s = resample(wavFile(await wav(30)), { rate: 16_000 })
    return { segments: vad(s).segments, pcm: toPcm16(s) }
  },
  'a file to a slow file': async () => ({ done: wavWriter(resample(wavFile(await wav(60)), { rate: 16_000 }), { to: slow() }) }),
  'arrays, a mix, one result': () => {
    const x = audioBuffer({ data: [tone(20)], rate: RATE })
    return Promise.resolve({ y: mix([gain(x, { gainDb: -3 }), gain(x, { gainDb: 3 })]) })
  },
  'audio in memory': (engine) => Promise.resolve({
    y: gain(audioBuffer({ data: engine.audio.from([tone(20)], { rate: RATE, channels: 1 }, { copy: true }) }), { gainDb: 1 }),
  }),
  'short': () => Promise.resolve({ y: gain(audioBuffer({ data: [tone(1)], rate: RATE })) }),
}

describe('estimated memory (EX-06)', () => {
  test.each(Object.keys(GRAPHS))('%s: no less than what is measured, within a tenth where queues are full', async (name) => {
    await using engine = await createEngine({ workers: 0, arenaBytes: 64 * 1_048_576 })
    const target = await GRAPHS[name]!(engine) as Record<string, never>, { estPeakBytes } = await engine.plan(target)
    using result = await engine.run(target)
    const measured = result.metrics.peakMemoryBytes
    expect(measured / estPeakBytes).toBeLessThan(1.1)
    // How full a queue gets depends on who is faster; where the slow one was the reader, or nothing waits, the estimate is close.
    const full = result.metrics.edges.every((edge) => edge.depthMax >= Math.min(8, edge.items))
    if (full) expect(measured / estPeakBytes).toBeGreaterThan(0.9)
    else expect(name).not.toMatch(/slow|short|memory/)
  })
})
