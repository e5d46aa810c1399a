import { createEngine, type AnyHandle } from '../src/index.js'
import { audioBuffer, gain } from '../src/nodes/index.js'
import { bench } from './support/bench.js'

const EDGES = 1_000, RUNS = 8, SAMPLES = new Float32Array(4_096)

/**
 * Question: what does `engine.stats()` cost after runs with many edges? Hypothesis: < 100 µs at every call but the first
 * after a run, whose rows are made then and kept.
 */
export const stats = bench('engine/stats', async (b) => {
  for (const runs of [1, RUNS]) {
    await using engine = await createEngine({ workers: 0 })
    let firstMs = 0
    for (let run = 0; run < runs; run++) {
      let out: AnyHandle = audioBuffer({ data: [SAMPLES], rate: 48_000 })
      for (let edge = 0; edge < EDGES; edge++) out = gain(out as never, { gainDb: edge % 2 === 0 ? 1 : -1 })
      const result = await engine.run({ out: out as never })
      result.close()
      const from = performance.now()
      engine.stats()
      firstMs = performance.now() - from
    }
    const { edges } = engine.stats(), row = await b.compare(`${runs} runs of ${EDGES} edges`, { stats: () => engine.stats() })
    b.note(`${edges.length} rows: ${(row.variants[0]!.p50Ms * 1_000).toFixed(1)} µs a call (bar 100), the first after a run ${(firstMs * 1_000).toFixed(0)} µs`)
  }
}, ['node'])
