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

  test('a listener that throws deafens nobody, nor itself', async () => {
    const { event, bump } = set(), calls: string[] = []
    const stops = [event.listen(() => { calls.push('a'); throw new Error('mine') }), event.listen(() => { calls.push('b') })]
    event.ring()
    expect(calls).toEqual(['a', 'b'])
    for (let changes = 2; changes < 4; changes++) {
      bump()
      while (calls.length < 2 * changes) await hostClock.sleep(1)
    }
    for (const stop of stops) stop()
    expect(calls).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
  })
} else test('without shared memory there is nothing to wait on', () => { expect(shares && canWaitAsync()).toBe(false) })
