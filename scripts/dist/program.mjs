import { createEngine } from 'millrace'
import { audioBuffer, resample, toPcm16, vad } from 'millrace/nodes'

// One second at 24 kHz: silence, 300 ms of a 440 Hz tone from 0.3 s on, silence.
const pcm = new Float32Array(24_000)
for (let n = 7_200; n < 14_400; n++) pcm[n] = 0.5 * Math.sin((2 * Math.PI * 440 * n) / 24_000)

/** What the chain finds, on this thread and on two workers: both must agree. */
export async function segments() {
  const here = await found({ workers: 0 }), there = await found({ workers: 2 })
  return here === there ? here : `here ${here}, on workers ${there}`
}

async function found({ workers } = { workers: 0 }) {
  const engine = await createEngine({ workers })
  try {
    const speech = resample(audioBuffer({ data: [pcm], rate: 24_000 }), { rate: 16_000, quality: 'high' })
    const { outputs } = await engine.run({ segments: vad(speech).segments, pcm: toPcm16(speech) })
    return JSON.stringify({
      segments: outputs.segments.data.filter((event) => event.type === 'segment')
        .map(({ from, to = from }) => [from / 16_000, to / 16_000]),
      pcm: [outputs.pcm.data.frames, outputs.pcm.data.format],
    })
  } finally {
    await engine.close()
  }
}
