/**
 * MW-66 where the engine lives: Node's main thread and Chromium's (isolated or not); a thread of Node as the engine's own is in
 * wait-sites.node.test.ts. MW-61: the engine's instances come before any thread.
 */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createEngine, type Tier } from '../../src/index.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { audioBuffer, gain, resample } from '../../src/nodes/index.js'
import { peak } from './script/script-nodes.js'

afterEach(() => { vi.restoreAllMocks() })
const tone = Float32Array.from({ length: 30_000 }, (_, n) => Math.sin(n / 9) / 2)
const facts = hostFacts()
const host = (facts.node ? process.getBuiltinModule('node:worker_threads') : globalThis) as unknown as {
  Worker: new (...words: never[]) => object
}

describe.each(([...(facts.sab ? ['wasm-threads'] : []), 'wasm'] as Tier[]))('%s', (tier) => {
  test('MW-66: runs on workers and threads never wait on the engine\'s thread', async () => {
    const wait = vi.spyOn(Atomics, 'wait')
    await using engine = await createEngine({ tier, workers: 2, logger: () => undefined })
    for (let run = 0; run < 3; run++) {
      const sound = audioBuffer({ data: [tone], rate: 8_000 })
      using result = await engine.run({ out: resample(gain(sound, { gainDb: -6 }), { rate: 16_000 }), loudest: peak(sound) })
      expect(result.outputs['out']!.duration).toBe(60_000)
    }
    expect(engine.stats().workers).toMatchObject({ count: 3, scripts: { count: 1 } })
    expect(wait).not.toHaveBeenCalled()
  })

  test('MW-61: the engine\'s instance of the core comes before the first thread is made', async () => {
    const order: string[] = [], Worker = host.Worker, { Instance } = WebAssembly
    host.Worker = class extends Worker { constructor(...words: never[]) { super(...words); order.push('thread') } }
    WebAssembly.Instance = class extends Instance {
      constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
        super(module, imports)
        if (WebAssembly.Module.exports(module).some(({ name }) => name === 'task_take')) order.push('core')
      }
    } as typeof Instance
    try {
      await using engine = await createEngine({ tier, workers: 1, logger: () => undefined })
      expect(order.filter((one) => one === 'thread')).toEqual([])
      using result = await engine.run({ out: gain(audioBuffer({ data: [tone], rate: 8_000 }), { gainDb: -6 }) })
      expect(result.status).toBe('success')
    } finally {
      host.Worker = Worker
      WebAssembly.Instance = Instance
    }
    expect([order[0], order.includes('thread')]).toEqual(['core', true])
  })
})
