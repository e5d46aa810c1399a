import { expect, test } from 'vitest'
import { createEngine } from '../../src/index.js'
import { audioBuffer, gain, mix } from '../../src/nodes/index.js'
import { drawFrom, drawGraph, outcome } from '../soak/random-run.js'

const wave = (frames: number): Float32Array => Float32Array.from({ length: frames }, (_, n) => Math.sin(n / 17) * 0.3)

test('a join that wants for one source holds up the nodes behind the other, and nothing is lost (KE-14)', async () => {
  for (const tier of ['wasm-threads', 'js'] as const) {
    await using engine = await createEngine({ tier, workers: 0 })
    // The short source ends inside the long one's first chunk.
    const { outputs } = await engine.run({
      out: mix([gain(gain(audioBuffer([wave(97_172)]), { gainDb: -4 }), { gainDb: 4 }).out, audioBuffer([wave(49_307)]).out]),
    })
    expect(outputs.out.data.frames).toBe(97_172)
    outputs.out.data.close()
  }
})

test('random graphs over two sources of different length run to their end, in every tier and on workers, with the same bits', async () => {
  const engines = [
    await createEngine({ workers: 0 }), await createEngine({ workers: 2 }), await createEngine({ workers: 2, shared: false }),
  ]
  try {
    for (let seed = 1; seed <= Number(process.env['MILLRACE_TWO_SOURCES'] ?? 25); seed++) {
      const graph = drawGraph(drawFrom(seed)), seen = []
      for (const engine of engines) seen.push((await outcome(engine, graph)).split('\n').filter((line) => line.startsWith('n')).join('\n'))
      expect(new Set(seen).size, `seed ${seed}`).toBe(1)
    }
  } finally { await Promise.all(engines.map((engine) => engine.close())) }
})
