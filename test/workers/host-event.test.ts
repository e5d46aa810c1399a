import { expect, test } from 'vitest'
import { createArena } from '../../src/memory/arena.js'
import { ARENA } from '../../src/memory/layout.js'
import { hostClock } from '../../src/engine/host-clock.js'
import { canWaitAsync, HostEvent } from '../../src/workers/host-event.js'
import { shares } from './support.js'

if (shares && canWaitAsync()) {
  const set = (): { bump: () => void; event: HostEvent } => {
    const arena = createArena({ bytes: 2 ** 24, shared: true, wasm: true }), index = (arena.base + ARENA.HOST_EVENT) >>> 2
    return { event: new HostEvent(arena), bump: () => { Atomics.add(arena.i32, index, 1); Atomics.notify(arena.i32, index) } }
  }

  test('every listener hears every change until it stops, also changes made while listeners run', async () => {
    const { event, bump } = set(), heard: string[] = []
    const stopA = event.listen(() => { heard.push('a') }), stopB = event.listen(() => { heard.push('b'); if (heard.length === 2) bump() })
    bump()
    while (heard.length < 4) await hostClock.sleep(1)
    expect(heard).toEqual(['a', 'b', 'a', 'b'])
    stopA()
    bump()
    while (heard.length < 5) await hostClock.sleep(1)
    expect(heard[4]).toBe('b')
    stopB()
  })

  test('listeners are never called from within listen, however busy the event is', async () => {
    const { event, bump } = set()
    for (let i = 0; i < 200; i++) {
      let inside = true, calls = 0
      const stop = event.listen(() => { expect(inside).toBe(false); calls++ })
      bump()
      inside = false
      while (calls === 0) await hostClock.yield()
      stop()
    }
  })

  test('a listener that throws does not deafen the others for good', async () => {
    const { event } = set(), calls: number[] = []
    const stop = event.listen(() => { calls.push(calls.length); throw new Error('mine') })
    expect(() => { event.ring() }).toThrow('mine')
    stop()
    const again = event.listen(() => { calls.push(9) })
    event.ring()
    again()
    expect(calls).toEqual([0, 9])
  })
} else test('without shared memory there is nothing to wait on', () => { expect(shares && canWaitAsync()).toBe(false) })
