import { describe, expect, test } from 'vitest'
import { createEngine, type EngineOptions } from '../../src/index.js'
import { audioBuffer, gain, wavWriter } from '../../src/nodes/index.js'

/**
 * An output that leaves packet by packet fills up in the middle of a long input. The pass must not begin then: a step held up half way
 * would leave frames in an internal buffer whose memory the first steps of the next pass use for something else (BUFFER.PASS_FRAMES).
 */
describe.each<[string, EngineOptions]>([
  ['references', { tier: 'js' }],
  ['on the engine\'s thread', { tier: ['wasm-threads', 'wasm'], workers: 0 }],
  ['on a worker', { tier: ['wasm-threads', 'wasm'], workers: 1 }],
])('a long input through shared buffers, %s', (_, options) => {
  test('arrives whole behind six steps', async () => {
    await using engine = await createEngine(options)
    const frames = 300_000, x = Float32Array.from({ length: frames }, (_unused, n) => Math.fround(Math.sin(n * 0.01) * 0.5))
    using input = engine.audio.from([x], { rate: 48_000, channels: 1 }, { copy: true })
    const steps = [-1, 1, -1, 1, -1, 1], factor = (db: number): number => Math.fround(10 ** (db / 20))
    let chain = gain(audioBuffer(input), { gainDb: steps[0]! })
    for (const gainDb of steps.slice(1)) chain = gain(chain, { gainDb })
    using result = await engine.run({ file: wavWriter(chain, { format: 'f32' }) })
    const bytes = result.outputs.file.data as Uint8Array, start = bytes.length - frames * 4
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, frames * 4)
    let wrong = 0
    for (let n = 0; n < frames; n++) {
      const expected = steps.reduce((y, db) => Math.fround(y * factor(db)), x[n]!)
      if (Math.abs(view.getFloat32(n * 4, true) - expected) > 1e-6) wrong++
    }
    expect(wrong).toBe(0)
  })
})
