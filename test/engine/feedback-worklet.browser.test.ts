/** A loop in an audio context: the samples of a batch run (GR-12). */
import { expect, test } from 'vitest'
import { createEngine, feedback, type WorkletInput } from '../../src/index.js'
import { audioBuffer, gain, mix } from '../../src/nodes/index.js'
import { render } from '../support/render-worklet.js'

const RATE = 48_000, FRAMES = 12_800
const x = Float32Array.from({ length: FRAMES }, (_, n) => 0.4 * Math.sin(n * n * 1e-5))

test('openWorklet runs a comb quantum by quantum', async () => {
  await using engine = await createEngine({ workers: 0 })
  for (const delayFrames of [128, 700]) {
    const build = (sound: WorkletInput): ReturnType<typeof gain> =>
      gain(feedback({ delayFrames }, (late) => mix([sound, gain(late, { gainDb: -3 })])), { gainDb: -1 })
    using result = await engine.run({ out: build(audioBuffer({ data: [x], rate: RATE }) as never) })
    const right = Float32Array.from(result.outputs.out.data.channel(0))
    const context = new OfflineAudioContext({ numberOfChannels: 1, length: FRAMES, sampleRate: RATE })
    const [made] = await render(engine, build, [x], context)
    const first = made!.findIndex((sample) => sample !== 0) - right.findIndex((sample) => sample !== 0)
    expect(first).toBeGreaterThanOrEqual(0)
    expect(Array.from(made!.subarray(first))).toEqual(Array.from(right.subarray(0, FRAMES - first)))
  }
})
