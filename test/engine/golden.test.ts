import { describe, expect, test } from 'vitest'
import { createEngine } from '../../src/index.js'
import { resample, toPcm16, vad, wavFile } from '../../src/nodes/index.js'
import { hasSharedData, sharedData } from '../support/shared-data.js'

/** Frames that an energy detector (30 ms, 0.02) calls speech after resampling to 16 kHz: published facts of the shared data. */
const FACTS = [['speech-24k', 93, 141], ['quiet-speech-44k', 32, 142], ['sine-440-16k', 166, 166]] as const

const present = await hasSharedData('speech/speech-24k.wav')

describe.skipIf(!present).each(['auto', 'wasm', 'js'] as const)('energy detector on real speech, tier %s', (tier) => {
  test.each(FACTS)('%s: %i of %i frames', async (name, speechFrames, totalFrames) => {
    const bytes = await sharedData(`speech/${name}.wav`)
    await using engine = await createEngine({ tier, workers: 0, arenaBytes: 16 * 1_048_576 })
    const speech = resample(wavFile(bytes), { rate: 16_000, quality: 'high' }), detector = vad(speech)
    using result = await engine.run({ frames: detector.frames, segments: detector.segments, pcm: toPcm16(speech) })
    expect(result.outputs.frames.metadata).toMatchObject({ speechFrames, totalFrames, isSpeech: true })
    expect(result.outputs.pcm.data.frames).toBe(totalFrames * 480 + Number(result.outputs.frames.metadata['ignoredFrames']))
    const inSegments = result.outputs.segments.data.reduce((sum, { from, to }) => sum + (to! - from), 0)
    expect(inSegments).toBe(speechFrames * 480)
  })
})
