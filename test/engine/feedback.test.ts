import { describe, expect, test } from 'vitest'
import { createEngine, feedback, graphFrom, type Engine, type OutputRef } from '../../src/index.js'
import { audioBuffer, gain, mix } from '../../src/nodes/index.js'

type Sound = OutputRef<'audio'>
const noise = (frames: number, seed = 1): Float32Array => {
  let state = seed
  return Float32Array.from({ length: frames }, () => (state = Math.imul(state, 1_664_525) + 1_013_904_223 >>> 0) / 2 ** 32 - 0.5)
}
const HALF = -20 * Math.log10(2)
/** Gain of −6.02 dB as the node works it out. */
const g = Math.fround(10 ** (Math.fround(HALF) / 20))

/** y[n] = x[n] + g · y[n − delay], rounded where the kernels round. */
function comb(x: Float32Array, delay: number, gains = g): Float32Array {
  const y = new Float32Array(x.length)
  for (let n = 0; n < x.length; n++) y[n] = x[n]! + Math.fround((n < delay ? 0 : y[n - delay]!) * gains)
  return y
}

async function play(engine: Engine, out: Sound): Promise<Float32Array> {
  const { outputs } = await engine.run({ out })
  const data = Float32Array.from(outputs.out.data.channel(0))
  outputs.out.data.close()
  return data
}

const echo = (x: Sound, delayFrames: number): Sound => feedback({ delayFrames }, (late) => mix([x, gain(late, { gainDb: HALF })]))
/** The same loop with its delay at another place. */
const echoBefore = (x: Sound, delayFrames: number): Sound => {
  let out!: Sound
  feedback({ delayFrames }, (late) => gain(out = mix([x, late]), { gainDb: HALF }))
  return out
}

describe('comb filter', () => {
  test('equals its recursion to the bit and its closed form', async () => {
    await using engine = await createEngine({ workers: 0 })
    for (const delay of [128, 129, 480, 5_000]) {
      const x = noise(12_345), y = await play(engine, echo(audioBuffer([x]), delay))
      expect(y).toEqual(comb(x, delay))
      expect(await play(engine, echoBefore(audioBuffer([x]), delay))).toEqual(comb(x, delay))
      for (let n = 0; n < x.length; n += 97) {
        let sum = 0
        for (let k = 0; n - k * delay >= 0; k++) sum += g ** k * x[n - k * delay]!
        expect(y[n]).toBeCloseTo(sum, 5)
      }
    }
  })
})
