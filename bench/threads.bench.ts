/** Life of threads: how soon one is ready, wakes, answers, gets memory. Each beside what the host itself takes for the same. */
import { createEngine, defineNode, json } from '../src/index.js'
import { makePool } from '../test/workers/support.js'
import { bench, tail } from './support/bench.js'
import { sleepingWorker } from './support/sleeping-worker.js'

const now = (): number => performance.now()

/**
 * Question: how soon does a worker take tasks (MW-42)? Bar: 100 ms, where a bare thread takes some tens to say a word. Threads
 * start one at a time, in turn with bare ones.
 */
export const ready = bench('workers/ready', async (b) => {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  const times = { shared: [] as number[], private: [] as number[], bare: [] as number[] }
  for (let round = 0; round < 100; round++) {
    for (const shared of [true, false]) {
      const { pool } = await makePool({ size: 1, warmSpares: 0 }, shared), from = now()
      await pool.ensure(1)
      times[shared ? 'shared' : 'private'].push(now() - from)
      await pool.close()
    }
    const from = now(), worker = new Worker('require("node:worker_threads").parentPort.postMessage(0)', { eval: true })
    await new Promise((heard) => worker.once('message', heard))
    times.bare.push(now() - from)
    await worker.terminate()
  }
  const bare = { 'a bare thread: started, has said a word': times.bare }
  b.note(tail('worker on shared memory', 100, b.record('worker ready, shared memory', { 'pool.ensure': times.shared, ...bare }), 'p50'))
  b.note(tail(
    'worker on a memory of its own', 100,
    b.record('worker ready, private memory', { 'pool.ensure': times.private, ...bare }),
    'p50',
  ))
}, ['node'])

const WAKES = 2_000

/**
 * Question: how long does a worker that sleeps take to do a task (MW-33)? Bar: p99 200 µs. The engine looks on, so that both threads have a
 * core where there are two; the peer is a thread that only waits and answers.
 */
export const wake = bench('workers/wake', async (b) => {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  const { push, asleep, lookOn, close } = await sleepingWorker()
  const ours: number[] = [], bare: number[] = []
  const words = new Int32Array(new SharedArrayBuffer(128))
  const peer = new Worker('const w = require("node:worker_threads").workerData; for (let n = 0; ; n = Atomics.load(w, 0)) { Atomics.store(w, 16, n); Atomics.wait(w, 0, n) }', { eval: true, workerData: words })
  while (ours.length < WAKES) {
    await asleep()
    let from = now()
    push()
    lookOn()
    ours.push(now() - from)
    await new Promise((slept) => setTimeout(slept, 1 + ours.length % 4))
    from = now()
    const n = Atomics.add(words, 0, 1) + 1
    Atomics.notify(words, 0)
    while (Atomics.load(words, 16) !== n);
    bare.push(now() - from)
  }
  b.note(tail('push to done, worker asleep', 0.2, b.record('wake of a worker that sleeps', {
    'task pushed, taken and done': ours, 'Atomics.wait and notify alone': bare,
  })))
  await Promise.all([close(), peer.terminate()])
}, ['node'])

/**
 * Question: how soon does a worker that sleeps in its wait, where no message is read, answer a Comlink call (MW-67)? Bar: 5 ms. Beside a
 * worker with a memory of its own, which waits in its event loop.
 */
export const control = bench('workers/control', async (b) => {
  const { pool, asleep, close } = await sleepingWorker()
  const own = await makePool({ size: 1 }, false)
  const times: Record<string, number[]> = { asleep: [], loop: [] }
  await own.pool.ensure(1)
  while (times['asleep']!.length < 1_000) {
    for (const [name, from] of [['asleep', pool], ['loop', own.pool]] as const) {
      await asleep()
      const began = now()
      await from.dump()
      times[name]!.push(now() - began)
    }
  }
  b.note(tail(
    'call to a worker that sleeps', 5,
    b.record('Comlink call to an idle worker', {
      'shared memory, asleep': times['asleep']!, 'private memory, in its event loop': times['loop']!,
    }),
    'p50',
  ))
  await Promise.all([close(), own.pool.close()])
}, ['node'])

const ASKS = 2_000
const asks = defineNode({
  type: 'bench::asks', version: '1.0.0', title: 'Asks', doc: 'Asks for blocks and gives how long each took, ms.', family: 'bench',
  thread: 'worker',
  params: { count: { type: 'integer', min: 1, max: 1_000_000, default: 1, doc: 'Blocks.' } }, inputs: {},
  outputs: { ms: { media: json(), doc: 'Times.' } },
  async process(_inputs, { count }, ctx) {
    const ms: number[] = []
    for (let n = 0; n < (count as number); n++) {
      const from = performance.now(), block = await ctx.alloc(4_096)
      ms.push(performance.now() - from)
      block.release()
    }
    return { ms: { media: { kind: 'json' }, data: ms, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
  },
})

/**
 * Question: what does code on a thread of its own pay to get memory that only the engine may give (MW-07)? Bar: 100 µs there and back.
 * The peer: an empty message there and back.
 */
export const ask = bench('workers/ask', async (b) => {
  const { Worker } = process.getBuiltinModule('node:worker_threads'), bare: number[] = []
  const echo = new Worker(
    'const { parentPort } = require("node:worker_threads"); parentPort.on("message", (m) => { parentPort.postMessage(m) })',
    { eval: true },
  )
  for (let n = 0; n < ASKS; n++) {
    const from = now()
    echo.postMessage({ ask: n })
    await new Promise((heard) => echo.once('message', heard))
    bare.push(now() - from)
  }
  await echo.terminate()
  for (const [name, shared] of [['shared memory', true], ['private memory', false]] as const) {
    await using engine = await createEngine({ workers: 1, shared })
    const run = async (count: number): Promise<readonly number[]> =>
      (await engine.run({ ms: asks({ count }).ms })).outputs.ms.data as readonly number[]
    await run(200)
    b.note(tail(
      `ask and answer, ${name}`, 0.1,
      b.record(`ctx.alloc of 4 KiB from a thread, ${name}`, { 'ctx.alloc': await run(ASKS), 'postMessage there and back': bare }),
      'p50',
    ))
  }
}, ['node'])
