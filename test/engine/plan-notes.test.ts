import { expect, test } from 'vitest'
import { createEngine } from '../../src/index.js'
import { audioBuffer, convert, resample } from '../../src/nodes/index.js'

test('each note of negotiation stands in a plan and in a result once; the resampler\'s method is printed', async () => {
  await using engine = await createEngine({ workers: 0, arenaBytes: 16 * 1_048_576 })
  const pcm = convert(audioBuffer({ data: [new Float32Array(9_000)], rate: 44_100 }), { format: 'i16', layout: 'interleaved' })
  const target = { y: resample(pcm, { rate: 16_000, quality: 'high' }) }
  const plan = await engine.plan(target), notes = plan.diagnostics.filter((d) => d.code === 'CONVERTER_INSERTED')
  expect(notes.length).toBe(1)
  expect(plan.nodes.find((node) => node.type === 'audio::resample')!.note).toBe('fft')
  using result = await engine.run(target)
  expect(result.diagnostics.filter((d) => d.code === 'CONVERTER_INSERTED')).toEqual(notes)
})
