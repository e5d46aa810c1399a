import workerCode from 'inline-worker:../src/workers/worker-entry.ts'
import { hostClock } from '../src/engine/host-clock.js'
import { compileModules } from '../src/kernels/compile.js'
import { PROGRAM, PROGRAM_MAGIC } from '../src/kernels/contract.js'
import { hostFacts } from '../src/kernels/host-facts.js'
import { instantiateRuntime, THREAD_SPAN_BYTES, type KernelRuntime } from '../src/kernels/runtime.js'
import { createArena, type Arena } from '../src/memory/arena.js'
import { ARENA, RUN, TASK, TASK_STATE } from '../src/memory/layout.js'
import { WorkerPool } from '../src/workers/pool.js'
import { RunTable } from '../src/workers/run-table.js'
import { browserSpawner } from '../src/workers/spawn-browser.js'
import { nodeSpawner } from '../src/workers/spawn-node.js'
import { bench } from './support/bench.js'

/** An engine's arena and a pool of one worker that sleeps. */
async function openPool(): Promise<{ readonly arena: Arena; readonly runtime: KernelRuntime; readonly pool: WorkerPool }> {
  const arena = createArena({ shared: true, wasm: true })
  const compiled = await compileModules({ shared: true })
  const runtime = instantiateRuntime(compiled, arena.memory!)
  runtime.core.alloc_donate(arena.allocate(THREAD_SPAN_BYTES), THREAD_SPAN_BYTES)
  const pool = new WorkerPool({
    arena, runtime, compiled: () => Promise.resolve(compiled), mode: { mode: 'shared', reason: 'bench' }, mayTransfer: false, size: 1,
    warmSpares: 0, startTimeoutMs: 5_000, clock: hostClock, clockOriginMs: performance.timeOrigin,
    spawn: hostFacts().node ? nodeSpawner({ code: workerCode }) : browserSpawner({ code: workerCode }),
  })
  await pool.ensure(1)
  return { arena, runtime, pool }
}

/**
 * Question: what does each way from thread to thread cost (MW-24)? Hypothesis: an inline call < 1 µs; a task through shared memory some
 * tens of µs when the engine waits in its event loop; a remote call more than that; a copy as fast as the memory, far faster than
 * structured clone.
 */
export const transport = bench('workers/transport', async (b) => {
  const { arena, runtime, pool } = await openPool()
  const letGo = pool.hold(), program = arena.allocate(PROGRAM.BYTES)
  arena.u32[(program + PROGRAM.MAGIC) >>> 2] = PROGRAM_MAGIC
  const table = new RunTable(arena, runtime.core, [{ program, pending: 0, successors: [] }]), state = (table.task(0) + TASK.STATE) >>> 2
  // The same task over and over: the run always has one left, so its end is announced.
  const left = (arena.base + ARENA.RUNS + table.index * RUN.BYTES + RUN.TASKS_LEFT) >>> 2
  const push = (): void => { Atomics.store(arena.u32, left, 1); Atomics.store(arena.u32, state, TASK_STATE.PENDING); table.push(0, 0) }
  const once = (): Promise<void> => new Promise((resolve) => {
    const stop = pool.host.listen(() => { if (table.state(0) === TASK_STATE.DONE) { stop(); resolve() } })
    push()
  })
  const inline = await b.compare('one call', { 'segment_run, same thread': () => runtime.core.segment_run(program, 0) })
  b.note(`inline call: ${(inline.variants[0]!.p50Ms * 1e6).toFixed(0)} ns (bar 1000)`)
  await b.compare('there and back', {
    'task, engine looks on': () => { push(); while (Atomics.load(arena.u32, state) !== TASK_STATE.DONE); },
    'task, engine waits for the host event': once, 'remote call (postMessage, mail)': () => pool.dump(),
  })
  const four = 4 << 20, from = arena.alloc(four), to = arena.alloc(four), outside = new Uint8Array(four)
  const a = from.view(Uint8Array), c = to.view(Uint8Array)
  await b.compare('4 MiB', {
    'copy in the arena': () => c.set(a), 'copy out': () => outside.set(a), 'structured clone': () => structuredClone(outside),
  }, { unit: { name: 'bytes', count: four } })
  letGo()
  await table.close(hostClock)
  await pool.close()
})

const ROUND_TRIPS = 10_000

/**
 * Question: what does a message to a worker of a pool and back cost (MW-39)? The worker sleeps among tasks, the engine in its event loop;
 * packets of the codec over the two rings, announced by the slot's mail flags and the host event. Bars: 10 000 round trips < 500 ms, < 50
 * µs each; ≥ 10 000 messages a second.
 */
export const transportPool = bench('workers/transport-pool', async (b) => {
  const { pool } = await openPool(), letGo = pool.hold(), [worker] = pool.workers, us = new Float64Array(ROUND_TRIPS)
  for (let n = 0; n < 1_000; n++) await worker!.ping()
  const { messages } = pool.stats(), from = performance.now()
  for (let n = 0, before = from; n < ROUND_TRIPS; n++) {
    await worker!.ping()
    const now = performance.now()
    us[n] = (now - before) * 1_000
    before = now
  }
  const all = performance.now() - from, many = performance.now()
  us.sort()
  b.note(`${ROUND_TRIPS} round trips: ${all.toFixed(0)} ms (bar 500), p50 ${us[ROUND_TRIPS / 2]!.toFixed(1)} µs, p99 ${us[ROUND_TRIPS * 0.99]!.toFixed(1)} µs; posted ${pool.stats().messages - messages}`)
  for (let n = 0; n < ROUND_TRIPS; n += 100) await Promise.all(Array.from({ length: 100 }, () => worker!.ping()))
  b.note(`100 under way: ${Math.round(ROUND_TRIPS / (performance.now() - many) * 1_000)} messages with answers a second (bar 10 000)`)
  letGo()
  await pool.close()
})
