/**
 * Real threads of the core that are ended from outside, many at a time: what each took from the core's allocator, its stack
 * and its thread-locals, comes back (PK-25).
 */
import { expect, test } from 'vitest'
import { THREAD_SPAN_BYTES } from '../../src/kernels/runtime.js'
import type { LostWorker } from '../../src/workers/pool.js'
import { threadEnder } from '../support/end-threads.js'
import { makePool } from './support.js'

const ENDS = Number(process.env['MILLRACE_THREAD_ENDS'] ?? 32), AT_ONCE = 16, STACK = 65_536
const endThreads = threadEnder()

test(`${ENDS} threads are ended: the core's allocator and the arena are where they were`, { timeout: 30_000 + ENDS * 300 }, async () => {
  const lost: LostWorker[] = []
  const { pool, arena, runtime: { core } } =
    await makePool({ size: AT_ONCE, respawns: Number.POSITIVE_INFINITY, warmSpares: 0, onLost: (one) => { lost.push(one) } }, true)
  const used = core.alloc_used(), before = arena.stats(), addresses = new Set<number>()
  while (lost.length < ENDS) {
    const all = lost.length + AT_ONCE
    await pool.ensure(AT_ONCE)
    for (const { report } of pool.workers) addresses.add(report!.stack.stackAlloc)
    expect([pool.workers.length, core.alloc_used() - used >= pool.workers.length * STACK]).toEqual([AT_ONCE, true])
    endThreads()
    await expect.poll(() => lost.length, { timeout: 20_000, interval: 2 }).toBe(all)
    await Promise.all(lost.map(({ cleaned }) => cleaned))
    expect(core.alloc_used()).toBe(used)
  }
  // Spans that were donated for stacks stay for the next threads: as many as there were threads at a
  // time, and the same ones again and again.
  const { usedBytes, blocks } = arena.stats()
  expect([usedBytes - before.usedBytes - AT_ONCE * THREAD_SPAN_BYTES, blocks - before.blocks - AT_ONCE]).toEqual([0, 0])
  expect(addresses.size).toBeLessThanOrEqual(AT_ONCE + 1)
  await pool.close()
})
