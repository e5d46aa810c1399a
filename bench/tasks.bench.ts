import { ARENA, ARENA_FLAG, QUEUE, RUN, SLOT, TASK, TASK_STATE } from '../src/memory/layout.js'
import { compileModules } from '../src/kernels/compile.js'
import { THREAD_SPAN_BYTES } from '../src/kernels/runtime.js'
import type { Address } from '../src/memory/memory-host.js'
import { bench } from './support/bench.js'
import { benchHost, type BenchHost } from './support/kernel-bench.js'

const COUNT = 4_096

/** A run of `count` tasks without edges. */
function openRun({ arena, runtime }: BenchHost, count: number): { readonly tasks: Address; readonly record: Address } {
  const record = arena.base + ARENA.RUNS, tasks = arena.allocate(count * TASK.BYTES)
  const capacity = 2 ** Math.ceil(Math.log2(count)), { u32 } = arena
  for (const lane of [RUN.RING_HIGH, RUN.RING_NORMAL, RUN.RING_LOW]) {
    const ring = arena.allocate(QUEUE.CELLS + capacity * QUEUE.CELL_BYTES)
    runtime.core.queue_init(ring, capacity)
    u32[(record + lane) >>> 2] = ring
  }
  for (let n = 0; n < count; n++) u32[(tasks + n * TASK.BYTES + TASK.LANE) >>> 2] = 1
  u32[(record + RUN.TASKS) >>> 2] = tasks
  u32[(record + RUN.TASK_COUNT) >>> 2] = count
  u32[(record + RUN.TASKS_LEFT) >>> 2] = 0xffff_ffff
  u32[(record + RUN.EPOCH) >>> 2] = 1
  return { tasks, record }
}

/**
 * Question: what does scheduling itself cost on one thread? Hypothesis: pop and push < 0.5 µs (MW-31), a task pushed, taken and
 * finished < 1 µs, so 20 000 a second are nothing.
 */
export const tasks = bench('kernels/tasks', async (b) => {
  const host = await benchHost(64), { core } = host.runtime, { arena } = host, { tasks: first } = openRun(host, COUNT), { u32 } = arena
  const ring = arena.allocate(QUEUE.CELLS + COUNT * QUEUE.CELL_BYTES)
  core.queue_init(ring, COUNT)
  u32[(arena.base + ARENA.SLOTS + SLOT.PID) >>> 2] = 1
  const row = await b.compare(`${COUNT} of them, one thread`, {
    'push, take, finish': () => {
      for (let n = 0; n < COUNT; n++) {
        u32[(first + n * TASK.BYTES) >>> 2] = TASK_STATE.PENDING
        core.task_push(arena.base, 0, first + n * TASK.BYTES)
      }
      for (let n = 0; n < COUNT; n++) core.task_finish(arena.base, 0, core.task_take(arena.base, 0, -1, 0), TASK_STATE.DONE, 0)
    },
    'ring push and pop': () => { for (let n = 1; n <= COUNT; n++) { core.queue_push(ring, n); core.queue_pop(ring) } },
  }, { unit: { name: 'tasks', count: COUNT } })
  b.note(`push + pop ${(row.variants[1]!.p50Ms * 1e6 / COUNT).toFixed(0)} ns (bar 500); a whole task ${(row.variants[0]!.p50Ms * 1e6 / COUNT).toFixed(0)} ns`)
})

/**
 * Question: how many no-op tasks do 8 workers get through in shared memory? Bar: 20 000 a second
 * (MW-32). Threads are started before the clock.
 */
export const throughput = bench('kernels/task-throughput', async (b) => {
  const { Worker } = process.getBuiltinModule('worker_threads'), total = 200_000, compiled = await compileModules({ shared: true }),
    host = await benchHost(128), { arena, runtime } = host
  const { tasks: first, record } = openRun(host, total)
  const gate = arena.allocate(64), seen = arena.allocate(total * 4), rest = arena.allocate(total * 12)
  const workers = []
  for (let slot = 0; slot < 8; slot++) {
    runtime.core.alloc_donate(arena.allocate(THREAD_SPAN_BYTES), THREAD_SPAN_BYTES)
    const job = { kind: 'tasks', gate, arena: arena.base, slot, tasks: first, seen, early: gate, predecessors: rest, stateWord: TASK.STATE }
    const worker =
      new Worker('./test/kernels/fixtures/task-worker.mjs', { workerData: { modules: compiled.modules, memory: arena.memory, job } })
    await new Promise((ready) => worker.once('message', ready))
    workers.push(worker)
  }
  arena.u32[(record + RUN.TASKS_LEFT) >>> 2] = total
  for (let n = 0; n < total; n++) runtime.core.task_push(arena.base, 0, first + n * TASK.BYTES)
  const start = performance.now()
  Atomics.store(arena.i32, gate >>> 2, 1)
  Atomics.notify(arena.i32, gate >>> 2)
  while (Atomics.load(arena.u32, (record + RUN.TASKS_LEFT) >>> 2) > 0) await new Promise((next) => setTimeout(next, 1))
  const seconds = (performance.now() - start) / 1_000
  Atomics.or(arena.u32, (arena.base + ARENA.FLAGS) >>> 2, ARENA_FLAG.CLOSED)
  for (const worker of workers) await worker.terminate()
  b.note(`${total} no-op tasks, 8 workers: ${Math.round(total / seconds)} a second (bar 20 000)`)
}, ['node'])
