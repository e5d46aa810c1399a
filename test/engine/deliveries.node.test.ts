/** EX-48: attempts and deliveries are two counters, for kernels too; both stand in the metrics. */
import type { Worker } from 'node:worker_threads'
import { afterAll, describe, expect, test } from 'vitest'
import { createEngine } from '../../src/index.js'
import { audioBuffer, resample } from '../../src/nodes/index.js'

const threads: Worker[] = [], host = process.getBuiltinModule('node:worker_threads') as { Worker: typeof Worker }, RealWorker = host.Worker
host.Worker = class extends RealWorker {
  constructor(...words: ConstructorParameters<typeof Worker>) { super(...words); threads.push(this) }
}
afterAll(() => { host.Worker = RealWorker })

const ROUNDS = 20, noise = Float32Array.from({ length: 1_500_000 }, (_, i) => Math.sin(i * i))

describe.each(['wasm-threads', 'wasm'] as const)('%s', (tier) => {
  test('a kernel whose thread was ended: delivered once more, attempted once', async () => {
    await using engine = await createEngine({ tier, workers: 1, arenaBytes: 2 ** 26, logger: () => undefined })
    const work = { out: resample(audioBuffer({ data: [noise], rate: 48_000 }), { rate: 44_100, quality: 'high' }) }
    const seen = new Set<number>()
    engine.run(work).then((result) => { result.close() }, () => undefined)
    // A run may be over before its thread is ended.
    for (let round = 0; round < ROUNDS && !seen.has(2); round++) {
      const run = engine.run(work)
      while (engine.stats().workers.busy === 0) await new Promise((resolve) => { setTimeout(resolve, 1) })
      await Promise.all(threads.splice(0).map((thread) => thread.terminate()))
      using result = await run
      const node = result.metrics.nodes.find(({ kernelCalls }) => kernelCalls > 0)!
      expect(node).toMatchObject({ status: 'success', attempts: 1 })
      seen.add(node.deliveries)
    }
    expect([...seen].every((deliveries) => deliveries === 1 || deliveries === 2)).toBe(true)
    expect(seen.has(2)).toBe(true)
  }, 60_000)
})
