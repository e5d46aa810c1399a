/**
 * A run's metrics count the threads that were lost and replaced while it was under way, not those of
 * runs before it (execution.md section 8).
 */
import { describe, expect, test } from 'vitest'
import { createEngine } from '../../src/index.js'
import { audioBuffer, gain, resample } from '../../src/nodes/index.js'
import { threadEnder } from '../support/end-threads.js'

const endAll = threadEnder(), samples = Float32Array.from({ length: 400_000 }, (_, i) => Math.sin(i / 9))

describe.each(['wasm-threads', 'wasm'] as const)('%s', (tier) => {
  test('threads lost in a run, and none in the next one', async () => {
    await using engine = await createEngine({ tier, workers: 2, warmSpares: 0, logger: () => undefined })
    const graph = { out: resample(gain(audioBuffer({ data: [samples], rate: 16_000 }), { gainDb: 3 }), { rate: 44_100, quality: 'best' }) }
    ;(await engine.run(graph)).close()
    const run = engine.run(graph)
    while (engine.stats().workers.busy === 0) await new Promise((resolve) => { setImmediate(resolve) })
    endAll()
    using hit = await run
    expect(hit.metrics.workers.lost).toBe(2)
    expect(hit.metrics.workers.respawned).toBeGreaterThan(0)
    while (engine.stats().workers.count < 2) await new Promise((resolve) => { setTimeout(resolve, 2) })
    using next = await engine.run(graph)
    expect(next.metrics.workers).toMatchObject({ count: 2, lost: 0, respawned: 0 })
  })
})
