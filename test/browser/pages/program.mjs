/** What the pages of test/browser run on the built package: one second with a tone from 0.3 to 0.6 s, its speech and its samples. */
import { createEngine, hostFacts } from '/dist/index.js'
import { audioBuffer, resample, toPcm16, vad } from '/dist/nodes.js'

const tone = new Float32Array(24_000)
for (let n = 7_200; n < 14_400; n++) tone[n] = 0.5 * Math.sin((2 * Math.PI * 440 * n) / 24_000)

/** Streaming compiles so far. */
let streamed = 0
const { compileStreaming } = WebAssembly
WebAssembly.compileStreaming = (...parts) => { streamed++; return compileStreaming.apply(WebAssembly, parts) }

/** Never rejects: a coded error is plain data too. `runs`: how often the same graph runs on one engine. */
globalThis.run = async ({ options = {}, runs = 1 } = {}) => {
  const from = performance.now()
  let engine
  try {
    engine = await createEngine(options)
    const outcomes = []
    for (let i = 0; i < runs; i++) {
      const speech = resample(audioBuffer({ data: [tone], rate: 24_000 }), { rate: 16_000, quality: 'high' })
      const result = await engine.run({ segments: vad(speech).segments, pcm: toPcm16(speech) })
      outcomes.push({
        segments: result.outputs.segments.data.map(({ from, to }) => [from / 16_000, to / 16_000]), frames: result.outputs.pcm.data.frames,
        where: [...new Set(result.metrics.nodes.map((node) => node.where))],
        notes: result.diagnostics.map(({ code, severity, message }) => ({ code, severity, message })),
      })
      result.close()
    }
    const { mode, workers } = engine.stats()
    return { ok: true, mode, workers, outcomes, streamed, facts: hostFacts() }
  } catch (error) {
    return {
      ok: false, code: error.code, message: error.message, hint: error.hint, ms: performance.now() - from, workers: engine?.stats().workers,
      mode: engine?.stats().mode, stack: error.stack,
    }
  } finally { await engine?.close() }
}
