/** Threads that end, hang or answer late while they come into use (MW-42, MW-47, MW-48). */
import { describe, expect, test } from 'vitest'
import { hostClock } from '../../src/engine/host-clock.js'
import { slotAddress } from '../../src/memory/arena-header.js'
import type { Clock } from '../../src/schedule/clock.js'
import type { LostWorker } from '../../src/workers/pool.js'
import { fakeThreads } from './fake-threads.js'
import { makePool, rejection, shares } from './support.js'

const kinds = shares ? [['shared memory', true], ['private memories', false]] as const : [['private memories', false]] as const
const until = async (reached: () => boolean): Promise<void> => { while (!reached()) await hostClock.yield() }
const turns = async (count: number): Promise<void> => { for (let turn = 0; turn < count; turn++) await hostClock.yield() }

describe.each(kinds)('threads that end while they start, on %s', (_name, shared) => {
  test.each([['before their first word', 0], ['instead of starting', 1]])('%s: one that does it once is replaced', async (_when, dies) => {
    const { spawn, threads } = fakeThreads({ dies: (thread) => thread <= 2 ? dies : undefined })
    const { pool } = await makePool({ spawn, size: 2 }, shared)
    await pool.ensure(2)
    expect([threads.length, pool.stats().count]).toEqual([4, 2])
    await pool.close()
  })

  test.each([
    ['before their first word', 0], ['instead of starting', 1],
  ])('%s: those that do it again and again fail with what ended them', async (_when, dies) => {
    const { spawn, threads } = fakeThreads({ dies: () => dies })
    const { pool, arena, runtime } = await makePool({ spawn, size: 1 }, shared)
    const used = runtime.core.alloc_used(), { usedBytes } = arena.stats()
    expect(await rejection(pool.ensure(1))).toMatchObject({ code: 'WORKER_SPAWN', details: { cause: 'exit: by the test', step: 'script' } })
    // One start, and as many more as a task that loses its worker has deliveries.
    expect([threads.length, pool.stats().count]).toEqual([4, 0])
    expect([runtime.core.alloc_used() - used, (arena.stats().usedBytes - usedBytes) % 69_632]).toEqual([0, 0])
    // They count as replacements: after more than 10 in 60 s no start tries again.
    await rejection(pool.ensure(1))
    await rejection(pool.ensure(1))
    await rejection(pool.ensure(1))
    expect(threads.length).toBe(4 + 4 + 4 + 2)
    await pool.close()
  })

  test('one of two: the other does the work, and the supervisor sees to the place', async () => {
    const { spawn, threads } = fakeThreads({ dies: (thread) => thread === 1 ? 1 : undefined })
    const { pool } = await makePool({ spawn, size: 2, warmSpares: 0 }, shared)
    const letGo = pool.hold()
    await pool.ensure(2)
    expect(pool.stats().count).toBeGreaterThan(0)
    await until(() => pool.stats().count === 2)
    expect(threads.length).toBeGreaterThan(2)
    letGo()
    await pool.close()
  })
})

test('a step that fails is not tried again: it says what is wrong', async () => {
  const { spawn, threads } = fakeThreads()
  const { pool, arena } = await makePool({ spawn, size: 1, compiled: () => Promise.resolve({ shared: shares, modules: [] }) })
  expect(await rejection(pool.ensure(1))).toMatchObject({ code: 'WORKER_SPAWN', details: { step: 'modules' } })
  expect(threads.length).toBe(1)
  await pool.close()
  expect(arena.u32[slotAddress(arena.base, 0) >>> 2]).toBe(0)
})

test.runIf(
  shares,
)('a spare that hangs in its claim is given up after the limit of a start, and another one started in the common way', async () => {
  // The limit's sleeps pass when the test says so.
  const limits: (() => void)[] = []
  const clock: Clock = {
    ...hostClock, resolutionUs: 1,
    sleep: (ms, signal) => ms !== 5_000 ? hostClock.sleep(ms, signal) : new Promise((resolve) => {
      limits.push(resolve)
      signal?.addEventListener('abort', () => { limits.splice(limits.indexOf(resolve), 1); resolve() })
    }),
  }
  const lost: LostWorker[] = []
  const { spawn, threads } = fakeThreads({ holds: (thread, n) => thread === 2 && n === 1 ? new Promise(() => undefined) : undefined })
  const { pool } = await makePool({ spawn, size: 1, clock, onLost: (one) => { lost.push(one) } }), letGo = pool.hold()
  await pool.ensure(1)
  await until(() => pool.stats().spares === 1)
  threads[0]!.fail()
  await until(() => limits.length === 1)
  await turns(20)
  // It has the place, and its thread may be there yet.
  expect([pool.workers.map(({ ordinal, slot }) => [ordinal, slot]), lost.length, threads.length]).toEqual([[[2, 0]], 1, 2])
  limits[0]!()
  await until(() => pool.workers.some(({ ordinal }) => ordinal === 3))
  expect(lost)
    .toMatchObject([{ worker: 1 }, { worker: 2, slot: 0, reason: 'hang', detail: expect.stringContaining('claim did not finish') }])
  await until(() => pool.stats().workers[0]?.state?.pid === 3)
  // The one that did not come to its place was never told as a replacement.
  expect(pool.stats()).toMatchObject({ count: 1, lost: 2, respawns: 1, workers: [{ worker: 3, slot: 0 }] })
  letGo()
  await pool.close()
})

test.each(kinds)('kernels that another call still announces are waited for, on %s', async (_name, shared) => {
  let answer: () => void = () => undefined
  const { spawn } = fakeThreads({
    holds: (thread, n) => thread === 1 && n === 1 ? new Promise<void>((resolve) => { answer = resolve }) : undefined,
  })
  const { pool } = await makePool({ spawn, size: 2 }, shared), settled: string[] = []
  await pool.ensure(2)
  const calls = ['first', 'second'].map((name) => pool.register([{ id: 0, module: 'level', name: 'gain' }])
    .then(() => { settled.push(name) }))
  // Others do not wait for it.
  await pool.register([{ id: 1, module: 'level', name: 'mix' }])
  await turns(20)
  expect(settled).toEqual([])
  answer()
  await Promise.all(calls)
  await pool.register([{ id: 0, module: 'level', name: 'gain' }])
  expect((await pool.dump()).map(({ kernels }) => kernels.map(({ id }) => id).sort())).toEqual([[0, 1], [0, 1]])
  await pool.close()
})

test('what fails to be announced fails for all that wait for it', async () => {
  const { spawn } = fakeThreads(), { pool } = await makePool({ spawn, size: 1 })
  await pool.ensure(1)
  const calls = [1, 2].map(() => rejection(pool.register([{ id: 0, module: 'level', name: 'nothing' }])))
  expect((await Promise.all(calls)).map(({ code }) => code)).toEqual(['KERNEL_ABI', 'KERNEL_ABI'])
  await pool.close()
})

test.runIf(shares)('a pool that closes while a spare claims loses nobody', async () => {
  const lost: LostWorker[] = []
  const { spawn, threads } = fakeThreads({ holds: (thread, n) => thread === 3 && n === 1 ? new Promise(() => undefined) : undefined })
  const { pool } = await makePool({ spawn, size: 2, onLost: (one) => { lost.push(one) } })
  pool.hold()
  await pool.ensure(2)
  await until(() => pool.stats().spares === 1)
  threads[0]!.fail()
  await until(() => pool.workers.some(({ ordinal }) => ordinal === 3))
  await pool.close()
  expect(lost.map(({ worker }) => worker)).toEqual([1])
  expect(threads.map(({ gone }) => gone)).toEqual([true, true, true])
})
