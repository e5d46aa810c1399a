import { expect, test } from 'vitest'
import { createEngine } from '../../../src/index.js'
import { audioBuffer, resample, wavFile, wavWriter } from '../../../src/nodes/index.js'

const RATE = 48_000
const noise = (frames: number): Float32Array => Float32Array.from({ length: frames }, (_, n) => Math.sin(n * n * 1e-5) * 0.5)

/** A stream that is slow and knows how much it got. */
function slowSink(): { stream: WritableStream<Uint8Array>; chunks: Uint8Array[]; ends: string[] } {
  const chunks: Uint8Array[] = [], ends: string[] = []
  const stream = new WritableStream<Uint8Array>({
    write: async (chunk) => { chunks.push(chunk); await new Promise((resolve) => { setTimeout(resolve, 1) }) },
    close: () => { ends.push('closed') },
    abort: (reason: Error) => { ends.push(`aborted: ${reason.message}`) },
  }, new CountQueuingStrategy({ highWaterMark: 1 }))
  return { stream, chunks, ends }
}

test('a file leaves through a WritableStream at its pace, in memory that does not grow with it (EX-33)', async () => {
  await using engine = await createEngine({ workers: 0, arenaBytes: 16 * 1_048_576 })
  const seconds = 40, { stream, chunks, ends } = slowSink()
  using result = await engine.run({
    done: wavWriter(resample(audioBuffer({ data: [noise(RATE * seconds)], rate: RATE }), { rate: 16_000 }), { to: stream }),
  })
  const bytes = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer())
  expect(ends).toEqual(['closed'])
  // The header keeps room for one of RF64.
  expect(bytes.length).toBe(80 + seconds * 16_000 * 2)
  expect(result.outputs.done.data).toHaveLength(0)
  expect(result.outputs.done.metadata).toMatchObject({ frames: seconds * 16_000 })
  // A 40 s file is 7.3 MiB at its source and 1.2 MiB at its end; queues hold 8 chunks of 65 536 frames.
  expect(result.metrics.peakMemoryBytes).toBeLessThan(6 * 1_048_576)
  // What came out is a WAV file whose length is told by its end.
  using read = await engine.run({ x: wavFile(bytes) })
  expect(read.outputs.x.data.frames).toBe(seconds * 16_000)
})

test('a run that fails or is cancelled aborts the stream; two places to write to are refused', async () => {
  await using engine = await createEngine({ workers: 0, arenaBytes: 16 * 1_048_576 })
  const { stream, ends } = slowSink(), abort = new AbortController(), x = audioBuffer({ data: [noise(RATE * 30)], rate: RATE })
  const run =
    engine.run({ done: wavWriter(x, { to: stream }) }, { signal: abort.signal, onProgress: () => { abort.abort(new Error('enough')) } })
  await expect(run).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(ends).toHaveLength(1)
  expect(ends[0]).toContain('aborted')
  await expect(engine.run({ done: wavWriter(x, { to: slowSink().stream, path: 'x.wav' }) })).rejects
    .toMatchObject({ code: 'PARAM_INVALID' })
  await expect(engine.run({ done: wavWriter(x, { to: 5 }) })).rejects.toMatchObject({ code: 'PARAM_INVALID' })
})
