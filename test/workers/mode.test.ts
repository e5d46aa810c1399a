import { describe, expect, test } from 'vitest'
import { isMillraceError } from '../../src/errors/millrace-error.js'
import { chooseMode } from '../../src/workers/mode.js'
import { deaf } from './fake-threads.js'
import { makePool, rejection, shares, spawner } from './support.js'

describe('three option values, isolated or not (MW-59)', () => {
  const isolated = { nodeLike: false, isolated: true, sharedArrayBuffer: true }
  const plain = { nodeLike: false, isolated: false, sharedArrayBuffer: false }
  const node = { nodeLike: true, isolated: false, sharedArrayBuffer: true }
  /** WebKitGTK says isolated and has no SharedArrayBuffer. */
  const odd = { nodeLike: false, isolated: true, sharedArrayBuffer: false }
  test.each([
    ['auto', isolated, 'shared'], ['auto', node, 'shared'], ['auto', plain, 'transfer'], ['auto', odd, 'transfer'],
    [false, isolated, 'transfer'], [false, node, 'transfer'], [false, plain, 'transfer'], [false, odd, 'transfer'],
    [true, isolated, 'shared'], [true, node, 'shared'],
  ] as const)('shared: %s on %j is %s, with a reason', (option, facts, mode) => {
    const choice = chooseMode(option, facts, 2 ** 26)
    expect(choice.mode).toBe(mode)
    expect(choice.reason).not.toBe('')
  })
  test.each([
    [plain, 'Cross-Origin-Embedder-Policy'], [odd, 'no SharedArrayBuffer'],
  ] as const)('shared: true on %j is SHARED_MEMORY naming what is missing', (facts, missing) => {
    try { chooseMode(true, facts, 2 ** 26); throw new Error('accepted') } catch (error) {
      expect(isMillraceError(error) && [error.code, error.message.includes(missing)]).toEqual(['SHARED_MEMORY', true])
    }
  })
})

if (shares) describe.each(['answers', 'refuses'] as const)('a worker that %s without shared memory', (how) => {
  test('turns auto into transfer', async () => {
    let first = true
    const real = spawner(), fake = deaf(how)
    const { pool, arena } =
      await makePool({ mayTransfer: true, spawn: (name) => { const spawn = first ? fake : real; first = false; return spawn(name) } })
    const used = arena.stats().usedBytes
    await pool.ensure(2)
    expect(pool.mode).toEqual({ mode: 'transfer', reason: 'a worker did not get the shared memory' })
    expect(pool.stats()).toMatchObject({ count: 2, lost: 0 })
    expect((await pool.dump()).length).toBe(2)
    await pool.close()
    expect(arena.stats().usedBytes - used).toBe(69_632)
  })
  test('fails shared: true', async () => {
    const { pool } = await makePool({ spawn: deaf(how) })
    expect((await rejection(pool.ensure(1))).code).toBe('SHARED_MEMORY')
    await pool.close()
  })
})
