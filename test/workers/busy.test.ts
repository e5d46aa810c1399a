import { afterEach, describe, expect, test } from 'vitest'
import { compileModules } from '../../src/kernels/compile.js'
import { PROGRAM, STEP } from '../../src/kernels/contract.js'
import { processEntry } from '../../src/kernels/runtime.js'
import { layoutHash, SLOT_STATUS, TASK_STATE } from '../../src/memory/layout.js'
import { hostClock } from '../../src/engine/host-clock.js'
import type { LostWorker } from '../../src/workers/pool.js'
import { RunTable } from '../../src/workers/run-table.js'
import { craftModule } from '../kernels/craft-module.js'
import { emptyProgram, makePool, shares, type Bench } from './support.js'

/** `process` never returns. */
const STUCK = [0x03, 0x40, 0x0c, 0x00, 0x0b]
/** `process` loops until the word at Io's cancel address is not 0, then returns CANCELLED. */
const POLITE = [0x03, 0x40, 0x20, 0x01, 0x28, 0x02, 0x2c, 0x28, 0x02, 0x00, 0x45, 0x0d, 0x00, 0x0b, 0x41, 0x7f, 0x0f]
const EXPORTS = ['millrace_abi', 'millrace_layout', 'wobble_size', 'wobble_init', 'wobble_reset', 'wobble_process']
const ENTRY = processEntry(0)

const made: Bench[] = []
afterEach(async () => { await Promise.all(made.splice(0).map(({ pool }) => pool.close())) })

/** Two workers that know kernel `wobble` with that body. */
async function busy(body: readonly number[], onLost?: (lost: LostWorker) => void): Promise<Bench> {
  const bytes = craftModule({ exports: EXPORTS, body, layout: layoutHash() })
  const bench =
    await makePool({ compiled: () => compileModules({ shared: true, kernels: { mine: bytes } }), size: 2, ...(onLost && { onLost }) })
  made.push(bench)
  await bench.pool.register([{ id: 0, module: 'mine', name: 'wobble' }])
  await bench.pool.ensure(2)
  return bench
}

/** A run of one task whose only step calls the kernel; waits until a worker is in it. */
async function running({ arena, runtime, pool }: Bench, steps = 1): Promise<RunTable> {
  const table = new RunTable(arena, runtime.core, [{ program: emptyProgram(arena, steps, ENTRY), pending: 0, successors: [] }])
  table.push(0, 0)
  pool.wake()
  while (table.state(0) === TASK_STATE.READY) await hostClock.sleep(1)
  return table
}

if (shares) describe('busy kernels', () => {
  test('the cancel word ends the run’s kernel and no other', async () => {
    const bench = await busy(POLITE), { pool } = bench
    const first = await running(bench), second = await running(bench)
    expect(pool.stats()).toMatchObject({ count: 2, busy: 2 })
    pool.cancelRun(first.index)
    while (first.isOpen(0)) await hostClock.sleep(1)
    expect([first.state(0), second.state(0)]).toEqual([TASK_STATE.CANCELLED, TASK_STATE.RUNNING])
    pool.cancelRun(second.index)
    while (second.isOpen(0)) await hostClock.sleep(1)
    expect(second.state(0)).toBe(TASK_STATE.CANCELLED)
    // The task's word comes before its slot's.
    while (pool.stats().busy > 0) await hostClock.sleep(1)
    expect(pool.stats()).toMatchObject({ count: 2, busy: 0, lost: 0 })
    await Promise.all([first.close(hostClock), second.close(hostClock)])
  })

  test('a run that is cancelled before a worker looks never starts', async () => {
    const bench = await busy(STUCK), { arena, runtime, pool } = bench
    const table = new RunTable(arena, runtime.core, [{ program: emptyProgram(arena, 1, ENTRY), pending: 0, successors: [] }])
    pool.cancelRun(table.index)
    table.push(0, 0)
    while (table.state(0) !== TASK_STATE.CANCELLED) await hostClock.sleep(1)
    expect(pool.stats()).toMatchObject({ busy: 0 })
    await table.close(hostClock)
  })

  test('a stuck worker is ended without touching its neighbour; its slot, stack and scratch come back', async () => {
    const lost: LostWorker[] = [], bench = await busy(STUCK, (one) => { lost.push(one) }), { pool, arena, runtime } = bench
    const before = arena.stats().usedBytes, stacks = runtime.core.alloc_used()
    const table = await running(bench)
    const at = pool.stats().workers.find(({ state }) => state!.status === SLOT_STATUS.BUSY)!
    pool.lose(pool.workers.find((worker) => worker.slot === at.slot)!, 'terminated', 'by the test')
    expect(lost).toMatchObject([{
      worker: at.worker, slot: at.slot, reason: 'terminated', state: { run: table.index, task: 0 }, error: { code: 'WORKER_LOST' },
    }])
    await lost[0]!.cleaned
    expect(pool.slots.state(at.slot)).toMatchObject({ pid: 0, status: 0, run: -1, task: -1 })
    expect(runtime.core.alloc_used()).toBeLessThan(stacks)
    table.end(0, TASK_STATE.FAILED, -6)
    await table.close(hostClock)
    const other =
      new RunTable(arena, runtime.core, Array.from({ length: 20 }, () => ({ program: emptyProgram(arena), pending: 0, successors: [] })))
    for (let i = 0; i < 20; i++) other.push(i, 0)
    while (!Array.from({ length: 20 }, (_, i) => other.state(i)).every((state) => state === TASK_STATE.DONE)) await hostClock.sleep(1)
    await other.close(hostClock)
    await pool.ensure(2)
    expect(pool.stats()).toMatchObject({ count: 2, lost: 1 })
    expect(runtime.core.alloc_used()).toBe(stacks)
    // 21 programs of the test stay; nothing of the worker does.
    expect(arena.stats().usedBytes - before).toBe(20 * 64 + Math.ceil((PROGRAM.BYTES + STEP.BYTES + 64) / 64) * 64)
  })

  test('cancel word 2 ends the threads that execute the run, at once', async () => {
    const lost: LostWorker[] = [], bench = await busy(STUCK, (one) => { lost.push(one) }), { pool } = bench
    const first = await running(bench), second = await running(bench)
    pool.cancelRun(first.index, 2)
    expect(lost).toMatchObject([{ reason: 'terminated', state: { run: first.index, task: 0 } }])
    await lost[0]!.cleaned
    expect([pool.stats().count, second.isOpen(0)]).toEqual([1, true])
  })

  test('close ends stuck workers', async () => {
    const bench = await busy(STUCK)
    await running(bench)
    await bench.pool.close()
    expect(bench.pool.stats()).toMatchObject({ count: 0 })
  })
})
else test('there is no task table without shared memory', () => { expect(typeof SharedArrayBuffer).toBe('undefined') })
