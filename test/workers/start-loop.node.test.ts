/** Workers that end as soon as they have started: a loop of crashes that no run has begun yet (MW-48). */
import type { Worker } from 'node:worker_threads'
import { afterAll, expect, test } from 'vitest'
import type { SpawnWorker } from '../../src/workers/spawn.js'
import { makePool, rejection, spawner } from './support.js'

const threads: Worker[] = []
const host = process.getBuiltinModule('node:worker_threads') as { Worker: typeof Worker }, Real = host.Worker
host.Worker = class extends Real {
  constructor(...words: ConstructorParameters<typeof Worker>) { super(...words); threads.push(this) }
}
afterAll(() => { host.Worker = Real })

test('each ends while the next one starts: the start fails once as many were replaced as may be, and leaves nothing', async () => {
  const real = spawner()
  let begun = 0
  const spawn: SpawnWorker = (name) => {
    const handle = real(name), thread = threads.at(-1)!
    begun++
    // Each takes its time to start, and is ended once it has: then it is told to keep nothing alive.
    const postMessage: typeof handle.endpoint.postMessage = (message, transfer) => {
      setTimeout(() => { handle.endpoint.postMessage(message, transfer) }, 100)
    }
    return { ...handle, endpoint: { ...handle.endpoint, postMessage }, unref() { handle.unref(); void thread.terminate() } }
  }
  const { pool, arena } = await makePool({ spawn, size: 2, respawns: 3 }), used = arena.stats().blocks
  expect(await rejection(pool.ensure(2))).toMatchObject({ code: 'WORKER_LOST', details: { reason: expect.stringContaining('exit') } })
  expect(begun).toBeLessThan(10)
  // Nor does asking again begin more.
  const before = begun
  expect(await rejection(pool.ensure(2))).toMatchObject({ code: 'WORKER_LOST' })
  expect(begun).toBe(before)
  await pool.close()
  // Spans of stacks stay with the core's allocator (PK-26).
  expect(arena.stats().blocks).toBeLessThanOrEqual(used + 2)
}, 30_000)

test('a host that starts one thread and refuses the next: the first one is ended', async () => {
  let begun = 0
  const real = spawner(), spawn: SpawnWorker = (name) => {
    if (++begun === 2) throw new Error('no more threads')
    return real(name)
  }
  const { pool } = await makePool({ spawn, size: 2 })
  threads.length = 0
  expect(await rejection(pool.ensure(2))).toMatchObject({ code: 'WORKER_SPAWN', details: { step: 'script', cause: 'no more threads' } })
  expect(threads.map(({ threadId }) => threadId)).toEqual([-1])
  await pool.close()
}, 30_000)
