/**
 * Damage of slots, run records and rings while threads work (MW-02): the supervisor's next look finds it, the
 * engine's thread never follows a damaged record.
 */
import { afterEach, describe, expect, test } from 'vitest'
import { ARENA, MAIL, QUEUE, RUN, RUN_FLAG, SLOT, TASK_STATE } from '../../src/memory/layout.js'
import { hostClock } from '../../src/engine/host-clock.js'
import type { MillraceError } from '../../src/errors/millrace-error.js'
import type { LostWorker, PoolOptions } from '../../src/workers/pool.js'
import { RunTable } from '../../src/workers/run-table.js'
import { emptyProgram, makePool, shares, type Bench } from './support.js'

const made: Bench[] = []
afterEach(async () => { await Promise.all(made.splice(0).map(({ pool }) => pool.close())) })
async function poolOf(options: Partial<PoolOptions> = {}): Promise<Bench & { broken: MillraceError[]; lost: LostWorker[] }> {
  const broken: MillraceError[] = [], lost: LostWorker[] = []
  const bench = await makePool({
    size: 1, warmSpares: 0, onBroken: (error) => { broken.push(error) }, onLost: (one) => { lost.push(one) }, ...options,
  })
  made.push(bench)
  return { ...bench, broken, lost }
}
const until = async (reached: () => boolean): Promise<void> => {
  for (const end = performance.now() + 15_000; !reached(); await hostClock.sleep(2)) {
    if (performance.now() > end) throw new Error('not within 15 s')
  }
}
const tableOf = ({ arena, runtime, pool }: Bench, count = 4): RunTable =>
  new RunTable(
    arena, runtime.core,
    Array.from({ length: count }, () => ({ program: emptyProgram(arena), pending: 0, successors: [] })),
    {}, pool.recovery,
  )

/** Fields of the slot and of the record, what is written there, and what the error names. */
const SLOT_WORDS = [
  ['PID', SLOT.PID, 99, 'pid'], ['STATUS', SLOT.STATUS, 77, 'status'], ['DEAD', SLOT.STATUS, 2, 'which has a worker'],
  ['PHASE', SLOT.PHASE, 8, 'phase'], ['RUN', SLOT.RUN, 65, 'run of slot'], ['SCRATCH', SLOT.SCRATCH, 64, 'scratch'],
] as const
const RUN_WORDS = [
  ['EPOCH', RUN.EPOCH, 0, 'run 0'], ['CANCEL', RUN.CANCEL, 3, 'cancel word'], ['PRIORITY', RUN.PRIORITY_I32, 5, 'run 0'],
  ['RING_NORMAL', RUN.RING_NORMAL, 0x123450, 'run 0'], ['TASKS_LEFT', RUN.TASKS_LEFT, 5, 'tasks left'],
  ['TASKS_RUNNING', RUN.TASKS_RUNNING, 0xffffffff, 'tasks running'], ['LIMIT', RUN.LIMIT, 1, 'run 0'], ['TASKS', RUN.TASKS, 0, 'run 0'],
  ['TASK_COUNT', RUN.TASK_COUNT, 5, 'run 0'], ['FAILED_TASK', RUN.FAILED_TASK, 9, 'failed task'],
  ['AGE', RUN.AGE, 0xffff, 'run 0'], ['REBUILDING', RUN.FLAGS, RUN_FLAG.REBUILDING, 'flags'], ['a word of nobody', 0x04, 1, 'run 0'],
] as const

describe.runIf(shares)('damaged words of shared memory', () => {
  test.each(SLOT_WORDS)('%s of a slot', async (_name, field, value, what) => {
    const bench = await poolOf(), { pool, arena, broken } = bench, letGo = pool.hold()
    await pool.ensure(1)
    const offset = ARENA.SLOTS + pool.workers[0]!.slot * SLOT.BYTES + field
    // What a sleeping worker writes itself, it may write again when it wakes.
    arena.u32[(arena.base + offset) >>> 2] = value
    await until(() => {
      if (broken.length === 0 && field !== SLOT.PID && field !== SLOT.SCRATCH) arena.u32[(arena.base + offset) >>> 2] = value
      return broken.length === 1
    })
    expect(broken[0]).toMatchObject({
      code: 'ARENA_CORRUPT',
      details: { expected: expect.stringContaining(what) as string, got: `0x${value.toString(16)}`, offset },
    })
    await until(() => pool.gone)
    letGo()
  })

  test.each(RUN_WORDS)('%s of a run: seen by the supervisor, and by a push before the core follows it', async (
    _name, field, value, what,
  ) => {
    for (const pushes of [false, true]) {
      const bench = await poolOf(), { pool, arena, broken } = bench, letGo = pool.hold(), table = tableOf(bench)
      if (!pushes) await pool.ensure(1)
      arena.u32[(arena.base + ARENA.RUNS + table.index * RUN.BYTES + field) >>> 2] = value
      if (pushes) {
        table.push(0, 0)
        expect(table.state(0)).toBe(TASK_STATE.PENDING)
      } else await until(() => broken.length === 1)
      expect(broken[0]).toMatchObject({
        code: 'ARENA_CORRUPT',
        details: {
          expected: expect.stringContaining(what) as string, got: `0x${value.toString(16)}`,
          offset: ARENA.RUNS + table.index * RUN.BYTES + field,
        },
      })
      // Nor is anything else done with it.
      expect(table.rebuild()).toBe(0)
      table.end(1, TASK_STATE.FAILED, -1)
      expect(table.state(1)).toBe(TASK_STATE.PENDING)
      await table.close(hostClock, () => pool.corrupt)
      letGo()
    }
  })

  test('a ring whose head is ahead of its tail, or whose mask is another; a task in no state', async () => {
    for (const damage of ['head', 'tail', 'mask', 'state'] as const) {
      const bench = await poolOf(), { arena, broken, pool } = bench, table = tableOf(bench, 20)
      const { u32 } = arena
      const ring = u32[(arena.base + ARENA.RUNS + table.index * RUN.BYTES + RUN.RING_NORMAL) >>> 2]!
      table.push(3, 0)
      expect(() => { for (let look = 0; look < 3; look++) table.check() }).not.toThrow()
      if (damage === 'state') u32[table.task(17) >>> 2] = 8
      else u32[(ring + { head: QUEUE.HEAD, tail: QUEUE.TAIL, mask: QUEUE.MASK }[damage]) >>> 2] = 40
      // So many tasks are looked at by one check.
      for (let look = 0; look < 5; look++) table.push(4 + look, 0)
      expect(broken).toMatchObject([{ code: 'ARENA_CORRUPT' }])
      await table.close(hostClock, () => pool.corrupt)
    }
  })

  test('a worker that reads an order to end which nobody gave is lost and replaced; work goes on', async () => {
    const bench = await poolOf(), { pool, arena, lost, broken } = bench, letGo = pool.hold(), table = tableOf(bench, 1)
    await pool.ensure(1)
    Atomics.or(arena.i32, (arena.base + ARENA.SLOTS + pool.workers[0]!.slot * SLOT.BYTES + SLOT.MAIL) >>> 2, MAIL.DRAIN)
    pool.wake()
    await until(() => lost.length === 1)
    expect(lost[0]).toMatchObject({ reason: 'error', detail: 'its loop ended' })
    await until(() => pool.stats().count === 1)
    table.push(0, 0)
    await until(() => table.state(0) === TASK_STATE.DONE)
    expect(broken).toEqual([])
    await table.close(hostClock)
    letGo()
  })

  test('a scratch span that is another is seen by the worker before it executes anything', async () => {
    const bench = await poolOf(), { pool, arena, broken } = bench, table = tableOf(bench, 1)
    // Nobody supervises; its loop has begun.
    await pool.ensure(1)
    await until(() => pool.slots.state(pool.workers[0]!.slot).beat > 0)
    const offset = ARENA.SLOTS + pool.workers[0]!.slot * SLOT.BYTES + SLOT.SCRATCH
    arena.u32[(arena.base + offset) >>> 2] = 0x40
    const task = table.task(0)
    table.push(0, 0)
    await until(() => broken.length === 1)
    expect(broken[0]).toMatchObject({ code: 'ARENA_CORRUPT', details: { offset, got: '0x40' } })
    expect(arena.u32[task >>> 2]).not.toBe(TASK_STATE.DONE)
  })
})
