import { afterEach, describe, expect, test } from 'vitest'
import { SLOT_STATUS, TASK_STATE } from '../../src/memory/layout.js'
import { hostClock } from '../../src/engine/host-clock.js'
import type { LostWorker } from '../../src/workers/pool.js'
import { RunTable } from '../../src/workers/run-table.js'
import { emptyProgram, makePool, rejection, shares, type Bench } from './support.js'

const made: Bench[] = []
afterEach(async () => { await Promise.all(made.splice(0).map(({ pool }) => pool.close())) })
const make = async (
  ...args: Parameters<typeof makePool>
): Promise<Bench> => { const one = await makePool(...args); made.push(one); return one }

/** Waits until `done` says so, looking after every host event. */
async function until(bench: Bench, done: () => boolean): Promise<void> {
  const letGo = bench.pool.hold()
  await new Promise<void>((resolve) => {
    const stop = bench.pool.host.listen(look)
    function look(): void { if (done()) { stop(); resolve() } }
    look()
  })
  letGo()
}

if (shares) describe('shared memory', () => {
  test('workers start lazily, claim slots, answer while idle, and give everything back', async () => {
    const { arena, runtime, pool } = await make(), before = arena.stats().usedBytes, stacks = runtime.core.alloc_used()
    expect(pool.stats()).toMatchObject({ count: 0, size: 4 })
    await Promise.all([pool.ensure(2), pool.ensure(1)])
    expect(pool.stats()).toMatchObject({ count: 2, busy: 0, lost: 0, mode: { mode: 'shared' } })
    expect(pool.stats().workers.map(({ state }) => [state!.pid, state!.status])).toEqual([[1, SLOT_STATUS.IDLE], [2, SLOT_STATUS.IDLE]])
    for (let i = 0; i < 3; i++) expect((await pool.dump()).map(({ ordinal, tasks }) => [ordinal, tasks])).toEqual([[1, 0], [2, 0]])
    await pool.ensure(9)
    expect(pool.stats().count).toBe(4)
    await pool.close()
    await pool.close()
    expect(pool.stats().count).toBe(0)
    expect(runtime.core.alloc_used()).toBe(stacks)
    // What stays are the spans that the core's allocator keeps for later threads.
    expect(arena.stats().usedBytes - before).toBe(4 * 69_632)
    expect(pool.slots.state(0)).toMatchObject({ pid: 0, status: 0 })
    expect((await rejection(pool.ensure(1))).code).toBe('CLOSED')
  })

  test('tasks are found without a message, each once, successors after their inputs', async () => {
    const bench = await make(), { arena, runtime, pool } = bench
    await pool.ensure(3)
    const messages = pool.stats().messages, count = 300
    const table = new RunTable(arena, runtime.core, Array.from({ length: count }, (_, i) => ({
      program: emptyProgram(arena), pending: i < 10 ? 0 : 1, successors: i + 10 < count ? [i + 10] : [],
    })))
    for (let i = 0; i < 10; i++) table.push(i, 0)
    pool.wake()
    await until(bench, () => Array.from({ length: count }, (_, i) => table.state(i)).every((state) => state === TASK_STATE.DONE))
    expect(pool.stats().messages).toBe(messages)
    expect((await pool.dump()).reduce((sum, { tasks }) => sum + tasks, 0)).toBe(count)
    await table.close(hostClock)
  })

  test('a trap fails its task, ends the worker, and the next start takes its place', async () => {
    const lost: LostWorker[] = [], bench = await make({ onLost: (one) => { lost.push(one) } }), { arena, runtime, pool } = bench
    await pool.ensure(1)
    const stacks = runtime.core.alloc_used(), used = arena.stats().usedBytes
    const program = emptyProgram(arena, 1), table = new RunTable(arena, runtime.core, [{ program, pending: 0, successors: [] }])
    table.push(0, 0)
    pool.wake()
    await until(bench, () => lost.length > 0)
    expect(lost[0]).toMatchObject({ worker: 1, reason: 'trap', task: table.task(0), error: { code: 'WORKER_LOST' } })
    expect(lost[0]!.error.cause).toBeInstanceOf(WebAssembly.RuntimeError)
    expect(lost[0]!.state).toMatchObject({ run: table.index, task: 0 })
    await lost[0]!.cleaned
    expect(pool.stats()).toMatchObject({ count: 0, lost: 1 })
    await pool.ensure(1)
    expect(pool.stats().workers).toMatchObject([{ worker: 2, slot: 0 }])
    expect(runtime.core.alloc_used()).toBe(stacks)
    table.end(0, TASK_STATE.FAILED, -1)
    expect(table.state(0)).toBe(TASK_STATE.FAILED)
    await table.close(hostClock)
    arena.free(program)
    expect(arena.stats().usedBytes).toBe(used)
  })

  test('cancel words reach the slots of that run only', async () => {
    const { arena, pool } = await make()
    await pool.ensure(1)
    expect(pool.slots.cancelRun(3, 1)).toEqual([])
    expect(arena.i32[(arena.base + 0x4100 + 3 * 64 + 8) >>> 2]).toBe(1)
  })

  test('kernels are known on threads that run and on those that start later', async () => {
    const { pool } = await make()
    await pool.ensure(1)
    await pool.register([{ id: 0, module: 'level', name: 'gain' }])
    await pool.register([{ id: 0, module: 'level', name: 'gain' }, { id: 1, module: 'level', name: 'mix' }])
    await pool.ensure(2)
    expect((await pool.dump()).map(({ kernels }) => kernels.map(({ name }) => name))).toEqual([['gain', 'mix'], ['gain', 'mix']])
    expect((await rejection(pool.register([{ id: 2, module: 'level', name: 'nothing' }]))).code).toBe('KERNEL_ABI')
  })

  test('more workers than slots is SLOTS_EXHAUSTED', async () => {
    const { pool } = await make({ size: 257 })
    expect(await rejection(pool.ensure(257))).toMatchObject({ code: 'SLOTS_EXHAUSTED', details: { limit: 256 } })
  })
})

describe('transfer mode', () => {
  test('workers start with memory of their own and answer', async () => {
    const { pool } = await make({}, false)
    await pool.register([{ id: 0, module: 'level', name: 'gain' }])
    await pool.ensure(2)
    expect(pool.stats()).toMatchObject({ count: 2, mode: { mode: 'transfer' } })
    expect((await pool.dump()).map(({ ordinal, jobs, kernels }) => [ordinal, jobs, kernels.length])).toEqual([[1, 0, 1], [2, 0, 1]])
  })
})

describe('pending calls', () => {
  test.each([['lost', 'WORKER_LOST'], ['closed', 'CLOSED']])('100 calls to a worker that is %s are all rejected', async (how, code) => {
    const { pool } = await make()
    await pool.ensure(1)
    const calls = Array.from({ length: 100 }, () => rejection(pool.workers[0]!.dump()))
    if (how === 'lost') pool.lose(pool.workers[0]!, 'terminated', 'by the test')
    else void pool.close()
    expect((await Promise.all(calls)).map((error) => error.code)).toEqual(Array.from({ length: 100 }, () => code))
  })
})
