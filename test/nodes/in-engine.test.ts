/**
 * The level and voice nodes wired together by the engine: what a rig of one kernel cannot show (aliases, discovered media, several links).
 */
import { describe, expect, test } from 'vitest'
import { createEngine } from '../../src/index.js'
import { audioBuffer, channels, gain, mix, segmenter, toPcm16, vad } from '../../src/nodes/index.js'
import type { AudioBuffer } from '../../src/media/audio-buffer.js'
import type { SegmentEvent } from '../../src/media/packet.js'

/** One second of silence, one of a tone, half of silence, at 16 kHz. */
function tone(level = 0.5): Float32Array {
  return Float32Array.from({ length: 40_000 }, (_, n) => n >= 16_000 && n < 32_000 ? level * Math.sin(2 * Math.PI * 440 * n / 16_000) : 0)
}
const tiers = ['wasm', 'js'] as const

describe.each(tiers)('tier %s', (tier) => {
  test('vad → segmenter through the bitmap', async () => {
    await using engine = await createEngine({ tier, workers: 0 })
    const found = vad(audioBuffer({ data: [tone()], rate: 16_000 }), { frameMs: 10 })
    const { outputs } = await engine.run({ plain: found.segments, padded: segmenter(found.frames) })
    expect((outputs.plain.data as readonly SegmentEvent[]).map(({ from, to }) => [from, to])).toEqual([[16_000, 32_000]])
    expect((outputs.padded.data as readonly SegmentEvent[]).map(({ type, from, to }) => [type, from, to]))
      .toEqual([['start', 15_520, undefined], ['end', 15_520, 32_480]])
  })
  test('filter: the audio output holds the speech frames; without it, it is the input', async () => {
    await using engine = await createEngine({ tier, workers: 0 })
    const x = audioBuffer({ data: [tone()], rate: 16_000 })
    const { outputs } = await engine.run({ speech: vad(x, { filter: true, frameMs: 10 }).audio, all: vad(x).audio })
    expect([(outputs.speech.data as AudioBuffer).frames, (outputs.all.data as AudioBuffer).frames]).toEqual([16_000, 40_000])
    expect((outputs.speech.data as AudioBuffer).channel(0).slice()).toEqual(tone().slice(16_000, 32_000))
  })
  test('gain, mix, channels and toPcm16 in one chain', async () => {
    await using engine = await createEngine({ tier, workers: 0 })
    const a = audioBuffer({ data: [tone(), tone(0.25)], rate: 16_000 }), b = audioBuffer({ data: [tone(0.1), tone(0.1)], rate: 16_000 })
    const both = mix([gain(a, { gainDb: -6 }), b], { gainDb: [0, -12] })
    const { outputs } = await engine.run({ pcm: toPcm16(channels(both, { to: 1, mode: 'mean' })) })
    const pcm = outputs.pcm.data as AudioBuffer, samples = pcm.tryView(Int16Array)!
    expect([pcm.format, pcm.layout, pcm.channels, pcm.frames]).toEqual(['i16', 'interleaved', 1, 40_000])
    const six = 10 ** (-6 / 20), twelve = 10 ** (-12 / 20)
    for (const n of [0, 16_009, 20_000, 31_999]) {
      const expected = (tone()[n]! * six + tone(0.1)[n]! * twelve + tone(0.25)[n]! * six + tone(0.1)[n]! * twelve) / 2 * 32_768
      expect(Math.abs(samples[n]! - expected)).toBeLessThanOrEqual(0.51)
    }
  })
})
