import type { Clock } from '../schedule/clock.js'
import type { Arena } from '../memory/arena.js'
import { onAbort } from '../schedule/on-abort.js'

/** Reads of the clock that are looked at to find its smallest step. */
const PROBES = 20

let resolution: number | undefined

/** The host's clock: `performance.now`, timers, and a macrotask for `yield`. The one place where the engine tells the time. */
export const hostClock: Clock = {
  nowUs: () => Math.round(performance.now() * 1000),
  nowMs: () => Date.now(),
  get resolutionUs() { return resolution ??= measureResolution() },
  sleep: (ms, signal) => new Promise((resolve) => {
    if (signal?.aborted) { resolve(); return }
    const timer = setTimeout(done, ms), deaf = signal && onAbort(signal, done)
    function done(): void { clearTimeout(timer); deaf?.(); resolve() }
  }),
  yield: () => new Promise((resolve) => { if (typeof setImmediate === 'function') setImmediate(resolve); else afterMessage(resolve) }),
}

/** The host's clock, whose time an arena's header tells as of when the engine last asked for it. */
export function hostClockOf(arena: Arena): Clock {
  return Object.assign(Object.create(hostClock) as Clock, { nowUs: () => arena.tick(hostClock.nowUs()) })
}

/** Smallest difference between two reads, µs: browsers clamp to 5–100 (EX-66). */
function measureResolution(): number {
  let least = 1000
  for (let i = 0, last = performance.now(); i < PROBES; i++) {
    let now = performance.now()
    for (let spin = 0; now === last && spin < 100_000; spin++) now = performance.now()
    if (now > last) least = Math.min(least, (now - last) * 1000)
    last = now
  }
  return Math.max(1, Math.round(least))
}

/** A turn of the event loop without the 4 ms that nested browser timers cost. */
function afterMessage(resolve: () => void): void {
  const channel = new MessageChannel()
  channel.port1.onmessage = () => { channel.port1.close(); resolve() }
  channel.port2.postMessage(0)
}
