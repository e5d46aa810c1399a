/** Threads that wait for a lost one's place, on shared memory and with memories of their own (MW-48). */
import { describe, expect, test } from 'vitest'
import { hostClock } from '../../src/engine/host-clock.js'
import { deaf, fakeThreads } from './fake-threads.js'
import { makePool, shares, spawner } from './support.js'

const kinds = [...(shares ? [['shared memory', true]] as const : []), ['memories of their own', false]] as const
const until = async (reached: () => boolean): Promise<void> => { while (!reached()) await hostClock.sleep(1) }

describe.each(kinds)('spares on %s', (_name, shared) => {
  test('one boots while work is pending, has no place, and takes over that of a lost one, whose tags it has; another boots', async () => {
    const { spawn, threads } = fakeThreads({ slow: (thread) => thread === 1 && !shared }), told: unknown[] = []
    const { pool } =
      await makePool({ spawn, size: 2, facts: (place) => place === 0 ? 3 : 1, onStarted: (...words) => { told.push(words) } }, shared)
    const letGo = pool.hold()
    await pool.ensure(2)
    await until(() => pool.stats().spares === 1)
    expect(pool.stats()).toMatchObject({ count: 2, spares: 1 })
    expect(threads.length).toBe(3)
    threads[0]!.fail()
    // With a memory of its own at once, and while the thread still ends: a start that comes now finds no place that is free.
    if (!shared) expect([pool.stats().count, threads[0]!.gone]).toEqual([2, false])
    await pool.ensure(2)
    await until(() => pool.stats().respawns === 1)
    expect(pool.workers.map(({ ordinal, place, slot, facts }) => [ordinal, place, slot, facts]))
      .toEqual([[2, 1, shared ? 1 : -1, 1], [3, 0, shared ? 0 : -1, 3]])
    expect(told).toEqual([[1, shared ? 0 : -1, undefined], [2, shared ? 1 : -1, undefined], [3, shared ? 0 : -1, 1]])
    await until(() => pool.stats().spares === 1)
    expect(threads.length).toBe(4)
    threads[0]!.finish()
    letGo()
    await pool.close()
  })

  // It waits for looks of the supervisor: once is enough.
  if (shared === shares) {
    test('spares that end before they have booted are given up after as many as there may be replacements; the worker stays', async () => {
      let spawned = 0
      const good = spawner(), bad = spawner("throw new Error('not today')")
      const { pool } = await makePool({ size: 1, respawns: 2, spawn: (name) => (spawned++ === 0 ? good : bad)(name) }, shared)
      const letGo = pool.hold()
      await pool.ensure(1)
      while (spawned < 4) await hostClock.sleep(10)
      // Four looks of the supervisor, each of which would boot another.
      await hostClock.sleep(1_100)
      expect(spawned).toBe(4)
      expect(pool.stats()).toMatchObject({ count: 1, spares: 0, respawns: 0, lost: 0 })
      letGo()
      await pool.close()
    })
  }
})

/** A pool that falls to transfer while a spare of shared memory waits (MW-48, MW-55). */
if (shares) {
  test.each([
    'answers', 'refuses',
  ] as const)('after a worker that %s without shared memory spares of shared memory end, and others boot', async (how) => {
    const { spawn, threads } = fakeThreads(), silent = deaf(how)
    let spawned = 0
    const { pool, runtime } = await makePool({ size: 2, mayTransfer: true, spawn: (name) => (++spawned === 3 ? silent : spawn)(name) })
    await pool.ensure(1)
    const stacks = runtime.core.alloc_used(), letGo = pool.hold()
    await until(() => pool.stats().spares === 1)
    expect([threads.length, runtime.core.alloc_used() > stacks]).toEqual([2, true])
    await pool.ensure(2)
    expect(pool.mode.mode).toBe('transfer')
    await until(() => threads[1]!.gone && runtime.core.alloc_used() === stacks)
    await until(() => pool.stats().spares === 1)
    expect(pool.stats()).toMatchObject({ count: 2, lost: 0, respawns: 0 })
    // Workers 1 and 4, and the new spare, which takes a lost one's place.
    expect([threads.length, threads.map(({ gone }) => gone)]).toEqual([4, [false, true, false, false]])
    threads[2]!.fail()
    await until(() => pool.stats().respawns === 1)
    expect(pool.workers.map(({ ordinal }) => ordinal)).toEqual([1, 5])
    letGo()
    await pool.close()
  })
}
