import { expect, test } from 'vitest'
import { hostClock } from '../../src/engine/host-clock.js'
import { makePool, shares, spawner } from './support.js'

if (shares) test('spares that end before they have booted are given up after as many as there may be replacements; the worker stays', async () => {
  let spawned = 0
  const good = spawner(), bad = spawner("throw new Error('not today')")
  const { pool } = await makePool({ size: 1, respawns: 2, spawn: (name) => (spawned++ === 0 ? good : bad)(name) }), letGo = pool.hold()
  await pool.ensure(1)
  while (spawned < 4) await hostClock.sleep(10)
  // Four looks of the supervisor, each of which would boot another.
  await hostClock.sleep(1_100)
  expect(spawned).toBe(4)
  expect(pool.stats()).toMatchObject({ count: 1, spares: 0, respawns: 0, lost: 0 })
  letGo()
  await pool.close()
})
else test('private memories have no spares', () => { expect(shares).toBe(false) })
