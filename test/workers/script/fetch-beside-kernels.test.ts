/**
 * MW-37: a thread with an asynchronous job in flight does not block: it fetches on while kernels keep every worker
 * busy. Node and Chromium, shared memory and not.
 */
import { describe, expect, test } from 'vitest'
import { defineNode, json } from '../../../src/index.js'
import { audioBuffer, gain, resample, vad } from '../../../src/nodes/index.js'
import { modes, open, tone } from './script-rig.js'

/** Fetches without end, one after the other, until it is told to stop on `channel`; says there how many it has. */
const fetches = /* @__PURE__ */ defineNode({
  type: 'test::fetches', version: '1.0.0', title: 'Fetches', doc: 'Fetches.', family: 'test',
  params: { channel: { type: 'string', default: '', doc: 'Name.' } }, thread: 'worker', inputs: {}, outputs: { out: { media: json() } },
  process: async (_inputs, params) => {
    const channel = new BroadcastChannel(String(params['channel']))
    let stopped = false, count = 0
    channel.onmessage = () => { stopped = true }
    while (!stopped) {
      const answer = await fetch(`data:text/plain,answer%20${count}`), text = await answer.text()
      if (text !== `answer ${count}`) throw new Error(`expected answer ${count}, got ${text}`)
      channel.postMessage(++count)
      await new Promise((resolve) => { setTimeout(resolve, 1) })
    }
    channel.close()
    return { out: { media: { kind: 'json' }, data: count, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
  },
})

describe.each(modes)('MW-37, shared memory %s', (shared) => {
  test('a fetch in a worker while kernels run on every worker: neither waits for the other', { timeout: 60_000 }, async () => {
    await using engine = await open(shared)
    const name = `millrace-test-${shared}`, channel = new BroadcastChannel(name)
    const speech = (): ReturnType<typeof audioBuffer> => audioBuffer({ data: [tone], rate: 8_000 })
    let heard = 0, done = false
    channel.onmessage = ({ data }: { data: unknown }) => { heard = Number(data) }
    const fetching = engine.run({ out: fetches({ channel: name }) }).finally(() => { done = true })
    await expect.poll(() => heard, { timeout: 20_000 }).toBeGreaterThan(0)
    // Kernels on all workers, run after run, until the other thread has fetched thirty times more: it
    // could not if it slept where they sleep.
    const before = heard
    let runs = 0, busy = 0
    while (heard < before + 30) {
      const both = [
        engine.run({ out: vad(resample(gain(speech(), { gainDb: 3 }), { rate: 16_000 })).frames }),
        engine.run({ out: vad(resample(gain(speech(), { gainDb: -3 }), { rate: 16_000 })).frames }),
      ]
      for (const result of await Promise.all(both)) {
        busy += result.metrics.nodes.filter(({ where }) => where === 'worker').length
        result.close()
      }
      runs += 2
    }
    expect(done).toBe(false)
    expect(runs).toBeGreaterThan(0)
    expect(busy).toBeGreaterThanOrEqual(2 * runs)
    channel.postMessage('stop')
    using result = await fetching
    expect(result.outputs.out.data).toBeGreaterThanOrEqual(heard)
    channel.close()
  })
})
