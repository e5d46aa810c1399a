import { wrap } from 'comlink'
import { Piscina } from 'piscina'
import { FixedThreadPool } from 'poolifier'
import workerpool from 'workerpool'
import workerCode from 'inline-worker:../src/workers/worker-entry-shared.ts'
import { ARENA, RUN, TASK, TASK_STATE } from '../src/memory/layout.js'
import { hostClock } from '../src/engine/host-clock.js'
import { nodeEndpoint } from '../src/workers/endpoint.js'
import { RunTable } from '../src/workers/run-table.js'
import { nodeSpawner } from '../src/workers/spawn-node.js'
import { emptyProgram, makePool } from '../test/workers/support.js'
import { bench } from './support/bench.js'

const FOLDER = `${process.cwd()}/bench/support/pool-workers`, TASKS = 1_000

/** The same no-op on `threads` threads of each pool. */
async function peers(threads: number) {
  const { Worker } = process.getBuiltinModule('worker_threads')
  const piscina = new Piscina({ filename: `${FOLDER}/piscina.mjs`, minThreads: threads, maxThreads: threads, idleTimeout: 60_000 })
  const poolifier = new FixedThreadPool<undefined, number>(threads, `${FOLDER}/poolifier.mjs`, { enableTasksQueue: true })
  const others = workerpool.pool(`${FOLDER}/workerpool.mjs`, { minWorkers: threads, maxWorkers: threads, workerType: 'thread' })
  const worker = new Worker(`${FOLDER}/comlink.mjs`), remote = wrap<{ noop(): number }>(nodeEndpoint(worker as never) as never)
  return {
    run: { piscina: () => piscina.run(undefined), poolifier: () => poolifier.execute(), // Its promise is a class of its own.
      workerpool: async () => await (others.exec('noop', []) as unknown as Promise<number>), comlink: () => remote.noop() },
    async close() { await Promise.all([piscina.destroy(), poolifier.destroy(), others.terminate(true), worker.terminate()]) },
  }
}

/**
 * Question: what does one no-op task on a worker cost (PF-10)? Hypothesis: ≥ 1.4 × the best pool while the caller waits in its event loop,
 * ≥ 2.2 × when it may block: look on, or sleep.
 */
export const one = bench('workers/one-task', async (b) => {
  const { arena, runtime, pool } = await makePool({ spawn: nodeSpawner({ code: workerCode }), size: 1, warmSpares: 0 })
  const letGo = pool.hold(), others = await peers(1)
  await pool.ensure(1)
  const table = new RunTable(arena, runtime.core, [{ program: emptyProgram(arena), pending: 0, successors: [] }])
  const state = (table.task(0) + TASK.STATE) >>> 2
  // The same task over and over: the run always has one left, so its end is announced.
  const left = (arena.base + ARENA.RUNS + table.index * RUN.BYTES + RUN.TASKS_LEFT) >>> 2
  const host = (arena.base + ARENA.HOST_EVENT) >>> 2
  const push = (): void => { Atomics.store(arena.u32, left, 1); Atomics.store(arena.u32, state, TASK_STATE.PENDING); table.push(0, 0) }
  const done = (): boolean => table.state(0) === TASK_STATE.DONE
  const waited = (): Promise<void> => new Promise((resolve) => {
    const stop = pool.host.listen(() => { if (done()) { stop(); resolve() } })
    if (done()) { stop(); resolve() }
  })
  const row = await b.compare('one no-op task', {
    'task table, caller looks on for 10 µs, then waits in its event loop': async () => {
      push()
      if (!pool.host.soon(done)) await waited()
    },
    'task table, caller waits in its event loop': async () => { push(); await waited() },
    'task table, caller looks on': () => { push(); while (Atomics.load(arena.u32, state) !== TASK_STATE.DONE); },
    // Engines do not block their thread; a caller that may is what the bar names.
    'task table, caller sleeps': () => {
      push()
      for (let seen = Atomics.load(arena.i32, host); !done(); seen = Atomics.load(arena.i32, host)) {
        Atomics.wait(arena.i32, host, seen, 1_000)
      }
    },
    ...others.run,
  })
  const [waits, plain, looks, sleeps, ...rest] = row.variants, best = Math.min(...rest.map(({ p50Ms }) => p50Ms))
  b.note(`best pool ÷ ours: ${(best / waits!.p50Ms).toFixed(2)} not blocked (bar 1.4), ${(best / Math.min(looks!.p50Ms, sleeps!.p50Ms)).toFixed(2)} blocked (bar 2.2; looking on ${(best / looks!.p50Ms).toFixed(2)}, asleep ${(best / sleeps!.p50Ms).toFixed(2)}); without looking on first ${(best / plain!.p50Ms).toFixed(2)}`)
  letGo()
  await table.close(hostClock)
  await Promise.all([pool.close(), others.close()])
}, ['node'])

/**
 * Question: what does a task cost among 1 000 that are queued at once (PF-11)? Hypothesis: ≥ 10 × piscina, ≥
 * 4 × poolifier; making the run's table counts.
 */
export const many = bench('workers/many-tasks', async (b) => {
  const { arena, runtime, pool } = await makePool({ spawn: nodeSpawner({ code: workerCode }), size: 2, warmSpares: 0 })
  const letGo = pool.hold(), others = await peers(2), program = emptyProgram(arena)
  await pool.ensure(2)
  const ours = async (): Promise<void> => {
    const table = new RunTable(arena, runtime.core, Array.from({ length: TASKS }, () => ({ program, pending: 0, successors: [] })))
    const left = (arena.base + ARENA.RUNS + table.index * RUN.BYTES + RUN.TASKS_LEFT) >>> 2
    for (let task = 0; task < TASKS; task++) table.push(task, 0)
    if (Atomics.load(arena.u32, left) > 0) {
      await new Promise<void>((resolve) => {
        const stop = pool.host.listen(() => { if (Atomics.load(arena.u32, left) === 0) { stop(); resolve() } })
        if (Atomics.load(arena.u32, left) === 0) { stop(); resolve() }
      })
    }
    await table.close(hostClock)
  }
  const all = (run: () => Promise<unknown>) => (): Promise<unknown> => Promise.all(Array.from({ length: TASKS }, run))
  const row = await b.compare(`${TASKS} queued no-op tasks`, {
    'task table': ours,
    ...Object.fromEntries(Object.entries(others.run).map(([name, run]) => [name, all(run)])),
  }, { unit: { name: 'tasks', count: TASKS }, rounds: 8, roundMs: 60 })
  const of = (name: string): number => row.variants.find(({ variant }) => variant === name)!.p50Ms
  b.note(`µs per task: ${row.variants.map(({ variant, p50Ms }) => `${variant} ${p50Ms.toFixed(2)}`).join(', ')}`)
  b.note(`piscina ÷ ours ${(of('piscina') / of('task table')).toFixed(1)} (bar 10), poolifier ÷ ours ${(of('poolifier') / of('task table')).toFixed(1)} (bar 4)`)
  letGo()
  await Promise.all([pool.close(), others.close()])
}, ['node'])
