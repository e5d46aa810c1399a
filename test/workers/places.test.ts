/** What a worker has belongs to its place (MW-36): whoever comes for a lost worker takes its place, however slowly the lost one's thread ends. */
import { describe, expect, test } from 'vitest'
import { hostClock } from '../../src/engine/host-clock.js'
import { fakeThreads } from './fake-threads.js'
import { makePool, shares } from './support.js'

/** The first place has a tag. */
const TAG = 2, facts = (place: number): number => place === 0 ? 1 | TAG : 1

describe.each(shares ? [['shared memory', true], ['private memories', false]] as const : [['private memories', false]] as const)('places on %s', (_name, shared) => {
  test('a run that begins while the tagged worker ends slowly leaves its place to the one that comes for it', async () => {
    const { spawn, threads } = fakeThreads({ slow: (thread) => thread === 1 }), { pool } = await makePool({ spawn, size: 2, facts, warmSpares: 0 }, shared), letGo = pool.hold()
    await pool.ensure(2)
    expect(pool.workers.map((worker) => worker.facts)).toEqual([3, 1])
    threads[0]!.fail()
    await pool.ensure(2)
    threads[0]!.finish()
    while (pool.stats().count < 2) await hostClock.yield()
    expect(pool.workers.map((worker) => worker.facts).sort()).toEqual([1, 3])
    letGo()
    await pool.close()
  })
})
