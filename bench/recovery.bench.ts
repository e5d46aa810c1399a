import privateCode from 'inline-worker:../src/workers/worker-entry-private.ts'
import workerCode from 'inline-worker:../src/workers/worker-entry-shared.ts'
import { hostClock } from '../src/engine/host-clock.js'
import { compileModules } from '../src/kernels/compile.js'
import { processEntry } from '../src/kernels/runtime.js'
import { layoutHash, TASK_STATE } from '../src/memory/layout.js'
import { RunTable, type TaskSpec } from '../src/workers/run-table.js'
import { nodeSpawner } from '../src/workers/spawn-node.js'
import { craftModule } from '../test/kernels/craft-module.js'
import { emptyProgram, makePool } from '../test/workers/support.js'
import { bench } from './support/bench.js'

/** `process` never returns: its worker is busy whenever it is ended. */
const STUCK = [0x03, 0x40, 0x0c, 0x00, 0x0b]
const EXPORTS = ['millrace_abi', 'millrace_layout', 'mine_size', 'mine_init', 'mine_reset', 'mine_process']
const ROUNDS = 100

/** Moments of one loss, ms since the thread was told to end. */
interface Moments { told: number; gone: number; rebuilt: number; busy: number }

interface Thread { terminate(): unknown; postMessage(message: unknown): void; readonly threadId: number }
/** Threads that start from now on. */
function watchThreads(): { readonly threads: Thread[]; readonly restore: () => void } {
  const host = process.getBuiltinModule('node:worker_threads') as unknown as { Worker: new (...words: never[]) => Thread }
  const Real = host.Worker, threads: Thread[] = []
  host.Worker = class extends Real { constructor(...words: never[]) { super(...words); threads.push(this) } }
  return { threads, restore: () => { host.Worker = Real } }
}

/** A pool of one worker that executes a task for ever, and how to end that worker behind the pool's back. */
async function stuckPool(warmSpares: number) {
  const { threads, restore } = watchThreads()
  const mine = craftModule({ exports: EXPORTS, body: STUCK, layout: layoutHash() })
  const tables: RunTable[] = [], at: Moments = { told: 0, gone: 0, rebuilt: 0, busy: 0 }
  // The wait before a re-delivery is left out (MW-47 counts without it).
  const bench = await makePool({
    compiled: () => compileModules({ shared: true, kernels: { mine } }), spawn: nodeSpawner({ code: workerCode }), size: 1, warmSpares,
    respawns: Number.POSITIVE_INFINITY, hangMs: 1e9,
    onLost: ({ cleaned }) => { at.told = performance.now(); void cleaned.then(() => { at.gone = performance.now() }) },
    onRecovered: () => {
      at.rebuilt = performance.now()
      for (const table of tables) if (table.state(0) === TASK_STATE.DELAYED) table.push(0, 0)
    },
  }), { pool, arena, runtime } = bench, letGo = pool.hold()
  await pool.register([{ id: 0, module: 'mine', name: 'mine' }])
  await pool.ensure(1)
  const running =
    new RunTable(arena, runtime.core, [{ program: emptyProgram(arena, 1, processEntry(0)), pending: 0, successors: [] }], {}, pool.recovery)
  tables.push(running)
  running.push(0, 0)
  return {
    pool, running, at, ready: () => running.state(0) === TASK_STATE.RUNNING && pool.stats().busy === 1 && pool.stats().spares >= warmSpares,
    /** The worker that has a slot is the older one. */
    end: () => threads.filter(({ threadId }) => threadId > 0)[0]!.terminate(),
    async close() { letGo(); await pool.close(); restore() },
  }
}

/**
 * As {@link stuckPool}, with a memory of its own: told to, its worker loops for ever. A call there and back
 * stands for the job that the next one gets.
 */
async function privatePool(warmSpares: number) {
  const { threads, restore } = watchThreads(), at = { told: 0, placed: 0 }
  const code = `${privateCode}\n;process.getBuiltinModule('node:worker_threads').parentPort.on('message', (data) => { if (data === 'loop') for (;;); })`
  const { pool } = await makePool({
    spawn: nodeSpawner({ code }), size: 1, warmSpares, respawns: Number.POSITIVE_INFINITY, hangMs: 1e9,
    onLost: () => { at.told = performance.now() }, onStarted: () => { at.placed = performance.now() },
  }, false), letGo = pool.hold()
  await pool.ensure(1)
  const last = (): Thread => threads.filter(({ threadId }) => threadId > 0)[0]!
  return {
    at, ready: () => pool.stats().count === 1 && pool.stats().spares >= warmSpares, loop: () => { last().postMessage('loop') },
    end: () => last().terminate(),
    async answered(before: number) { while (at.placed <= before) await hostClock.sleep(1); await pool.dump() },
    async close() { letGo(); await pool.close(); restore() },
  }
}

/** How long this host takes to end a thread in an endless kernel without any pool: what no pool can shorten. */
async function bareEnds(): Promise<number[]> {
  const { Worker } = process.getBuiltinModule('node:worker_threads'), times: number[] = []
  while (times.length < ROUNDS / 2) {
    const worker =
      new Worker('require("node:worker_threads").parentPort.postMessage(0); setTimeout(() => { for (;;); }, 20)', { eval: true })
    await new Promise((started) => worker.once('message', started))
    await hostClock.sleep(60)
    const from = performance.now()
    await worker.terminate()
    times.push(performance.now() - from)
  }
  return times
}

const PARTS = ['p50', 'p95', 'p99'] as const
function shares(times: readonly number[]): string {
  const sorted = [...times].sort((x, y) => x - y)
  return PARTS.map((name) =>
    `${name} ${sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * Number(name.slice(1)) / 100))]!.toFixed(1)}`).join(', ')
}

/**
 * Question: how long is a task without a worker after its own was ended? Hypothesis: p99 < 100 ms with a spare, which claims the slot
 * at once; a start of a thread more without.
 */
export const recovery = bench('workers/recovery', async (b) => {
  for (const spares of [1, 0]) {
    const { running, ready, end, at, close } = await stuckPool(spares), seen: Moments[] = []
    while (seen.length < ROUNDS) {
      while (!ready()) await hostClock.sleep(2)
      const from = performance.now(), before = running.times(0).startUs
      void end()
      // The thread itself writes when it begins: how seldom is looked here does not count.
      while (running.times(0).startUs === before) await hostClock.sleep(1)
      seen.push({ told: at.told - from, gone: at.gone - from, rebuilt: at.rebuilt - from, busy: running.times(0).startUs / 1_000 - from })
    }
    await close()
    b.note(`${spares === 1 ? 'with a spare' : 'without a spare'}: busy again after ${shares(seen.map(({ busy }) => busy))} ms (${ROUNDS} ends${spares === 1 ? ', bar p99 100 ms' : ''})`)
    for (const [name, part] of [
      ['the host ends the thread and says so', (m: Moments) => m.told],
      ['its slot, stack and leases are back', (m: Moments) => m.gone - m.told], ['runs are rebuilt', (m: Moments) => m.rebuilt - m.gone],
      ['the other thread has taken the task', (m: Moments) => m.busy - m.rebuilt], ['all but the first', (m: Moments) => m.busy - m.told],
    ] as const) b.note(`  of which ${name}: ${shares(seen.map(part))} ms`)
  }
  for (const spares of [1, 0]) {
    const { at, ready, loop, end, answered, close } = await privatePool(spares)
    const seen: { told: number; placed: number; answered: number }[] = []
    while (seen.length < ROUNDS) {
      while (!ready()) await hostClock.sleep(2)
      loop()
      await hostClock.sleep(5)
      const from = performance.now()
      void end()
      await answered(from)
      seen.push({ told: at.told - from, placed: at.placed - from, answered: performance.now() - from })
    }
    await close()
    b.note(`private memories, ${spares === 1 ? 'with a spare' : 'without a spare'}: another has the place and answers after ${shares(seen.map((m) => m.answered))} ms (${ROUNDS} ends${spares === 1 ? ', bar p99 100 ms' : ''})`)
    b.note(`  of which the host ends the thread and says so: ${shares(seen.map((m) => m.told))} ms, the place is taken: ${shares(seen.map((m) => m.placed - m.told))} ms`)
  }
  b.note(`a thread that counts for ever, ended without a pool: ${shares(await bareEnds())} ms`)
}, ['node'])

/** Question: what does a rebuild cost? Hypothesis: < 1 ms for 10 000 tasks (MW-34). */
export const rebuild = bench('workers/rebuild', async (b) => {
  const { arena, runtime, pool } = await makePool(), count = 10_000, program = emptyProgram(arena)
  const table = new RunTable(
    arena, runtime.core,
    Array.from({ length: count }, (_, task): TaskSpec => ({
      program, pending: task % 2, successors: task % 2 === 0 && task + 1 < count ? [task + 1] : [],
    })),
    {}, pool.recovery,
  )
  for (let task = 0; task < count; task += 2) table.push(task, 0)
  const row = await b.compare(`${count} tasks`, { rebuild: () => { table.raise(); table.rebuild() } })
  b.note(`${(row.variants[0]!.p50Ms * 1_000).toFixed(0)} µs (bar 1000)`)
  await pool.close()
}, ['node'])

/**
 * Question: what does a look at the arena cost, the supervisor's every 250 ms and that before and
 * after a run? Hypothesis: < 1 µs a scan (MW-02).
 */
export const scan = bench('workers/scan', async (b) => {
  const { arena, runtime, pool } = await makePool({ size: 2 }), program = emptyProgram(arena), LOOKS = 1_000, tables: RunTable[] = []
  await pool.ensure(2)
  for (const runs of [0, 1, 8, 64]) {
    while (tables.length < runs) {
      tables.push(new RunTable(
        arena, runtime.core,
        Array.from({ length: 8 }, () => ({ program, pending: 0, successors: [] })),
        {}, pool.recovery,
      ))
    }
    const row = await b.compare(`${LOOKS} looks, 2 workers, ${runs} runs of 8 tasks`, {
      whole: () => { for (let i = 0; i < LOOKS; i++) { arena.checkHeader(); pool.slots.check(); pool.recovery.check() } },
      header: () => { for (let i = 0; i < LOOKS; i++) arena.checkHeader() },
    })
    b.note(`${runs} runs: ${(row.variants[0]!.minMs * 1_000 / LOOKS).toFixed(2)} µs a look, of which the header ${(row.variants[1]!.minMs * 1_000 / LOOKS).toFixed(2)}`)
  }
  await Promise.all(tables.map((table) => table.close(hostClock)))
  await pool.close()
}, ['node'])
