/**
 * Runs of an engine whose threads end while they start: those that do it once are replaced and the run goes on; a crash loop
 * fails it with its cause (MW-42, MW-47, MW-48).
 */
import type { Worker } from 'node:worker_threads'
import { afterAll, expect, test } from 'vitest'
import { createEngine, type Engine } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'

/** Threads with these numbers are ended as soon as they are made, as a host does that is out of memory. */
let begun = 0, ending = (_thread: number): boolean => false
/** Threads so far, and what the end of the first one waits for. */
const threads: Worker[] = []
let slow: Promise<void> | undefined
const host = process.getBuiltinModule('node:worker_threads') as { Worker: typeof Worker }, Real = host.Worker
host.Worker = class extends Real {
  constructor(...words: ConstructorParameters<typeof Worker>) {
    super(...words)
    threads.push(this)
    if (ending(++begun)) void this.terminate()
  }
  override async terminate(): Promise<number> {
    if (this === threads[0]) await slow
    return super.terminate()
  }
}
afterAll(() => { host.Worker = Real })

const samples = Float32Array.from({ length: 20_000 }, (_, n) => n / 20_000)
async function runOn(engine: Engine): Promise<Float32Array> {
  const result = await engine.run({ out: gain(audioBuffer({ data: [samples], rate: 16_000 }), { gainDb: 0 }) })
  try { return result.outputs.out.data.toArray() as Float32Array } finally { result.close() }
}

test.each([
  'wasm-threads', 'wasm',
] as const)('%s: all threads end in their first start, the run is done by those that come for them', async (tier) => {
  begun = 0
  ending = (thread) => thread <= 2
  await using engine = await createEngine({ tier, workers: 2, arenaBytes: 2 ** 24 })
  expect(await runOn(engine)).toEqual(samples)
  expect(begun).toBeGreaterThanOrEqual(3)
})

test.each([
  'wasm-threads', 'wasm',
] as const)('%s: threads that never start fail the run with what ended them, and later ones may start again', async (tier) => {
  begun = 0
  ending = () => true
  await using engine = await createEngine({ tier, workers: 1, arenaBytes: 2 ** 24 })
  await expect(runOn(engine)).rejects
    .toMatchObject({ code: 'WORKER_SPAWN', details: { cause: expect.stringMatching(/^exit: exit code/) as string, step: 'script' } })
  expect(begun).toBe(4)
  ending = () => false
  expect(await runOn(engine)).toEqual(samples)
})

test.each(['wasm-threads', 'wasm'] as const)('%s: the thread of the only worker with a tag ends slowly; work without the tag goes on, work with it is done by the one that takes its place', async (tier) => {
  threads.length = 0
  let gone: () => void = () => undefined
  slow = new Promise((resolve) => { gone = resolve })
  await using engine = await createEngine({ tier, workers: 2, workerTags: { big: 1 }, arenaBytes: 2 ** 24 })
  const big = gain.with({ requires: { tags: ['big'] } }), done: string[] = []
  const runBig = async (): Promise<void> => {
    const result = await engine.run({ out: big(audioBuffer({ data: [samples], rate: 16_000 }), { gainDb: 0 }) })
    expect(result.outputs.out.data.toArray()).toEqual(samples)
    result.close()
    done.push('big')
  }
  await runBig()
  threads[0]!.emit('error', new Error('by the test'))
  const second = runBig()
  expect(await runOn(engine)).toEqual(samples)
  expect(await runOn(engine)).toEqual(samples)
  // On a memory of its own nobody is in anybody's way.
  if (tier === 'wasm-threads') expect(done).toEqual(['big'])
  gone()
  await second
  slow = undefined
})
