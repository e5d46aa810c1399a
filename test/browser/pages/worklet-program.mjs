/** Program of a page: a segment inside an offline audio context, and the same graph as a batch run. */
import { createEngine } from '/dist/index.js'
import { audioBuffer, gain } from '/dist/nodes.js'

const RATE = 48_000, sound = Float32Array.from({ length: 4_096 }, (_, n) => 0.8 * Math.sin(n * n * 1e-5))
const build = (input) => gain(gain(input, { gainDb: -7 }), { gainDb: 3 })

globalThis.run = async ({ options = {} }) => {
  const engine = await createEngine({ workers: 0, ...options })
  try {
    const context = new OfflineAudioContext(1, sound.length, RATE), segment = await engine.openWorklet(context, build)
    const source = new AudioBufferSourceNode(context, { buffer: new AudioBuffer({ length: sound.length, sampleRate: RATE }) })
    source.buffer.copyToChannel(sound, 0)
    source.connect(segment.node).connect(context.destination)
    source.start()
    const rendered = (await context.startRendering()).getChannelData(0)
    await segment.ready
    segment.close()
    const { outputs } = await engine.run({ out: build(audioBuffer({ data: [sound], rate: RATE })) }), expected = outputs.out.data.channel(0)
    return {
      ok: true, loud: rendered.some((x) => Math.abs(x) > 0.4),
      equal: expected.length === rendered.length && rendered.every((x, n) => x === expected[n]),
      mode: engine.stats().mode.mode,
    }
  } catch (error) {
    return { ok: false, code: error.code, message: error.message, hint: error.hint }
  } finally { await engine.close() }
}
