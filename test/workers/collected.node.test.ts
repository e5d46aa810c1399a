/**
 * What is left of a worker that ended: nothing. Comlink keeps the endpoint of a proxy that was not released,
 * and with it all that belonged to the worker.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { hostClock } from '../../src/engine/host-clock.js'
import { makePool } from './support.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

describe.each([['shared', true], ['private', false]])('%s memory', (_name, shared) => {
  test('workers that were lost are collected', async () => {
    const { pool } = await makePool({ size: 1, warmSpares: 0, respawns: 100 }, shared), letGo = pool.hold()
    const ended: WeakRef<object>[] = []
    for (let n = 0; n < 4; n++) {
      await pool.ensure(1)
      const first = pool.workers[0]!
      ended.push(new WeakRef(first))
      pool.lose(first, 'hang', 'ended by the test')
      while (pool.stats().count < 1) await hostClock.sleep(5)
    }
    // The last one may still be on someone's stack. A look keeps what it finds until the end of its turn.
    for (let looks = 0; looks < 200 && ended.slice(0, 3).some((one) => one.deref() !== undefined); looks++) {
      await hostClock.sleep(10)
      gc()
    }
    expect(ended.slice(0, 3).map((one) => one.deref()?.constructor.name)).toEqual([undefined, undefined, undefined])
    letGo()
    await pool.close()
  })
})
