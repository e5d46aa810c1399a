import { RECORD_KIND } from '../src/memory/layout.js'
import { createArena } from '../src/memory/arena.js'
import { record, threadNotes } from '../src/memory/recorder.js'
import { StackCanary } from '../src/workers/stack-canary.js'
import { bench } from './support/bench.js'

const CALLS = 1_000

/**
 * Question: what does a thread pay for being told of when it dies? Bars: an entry of the flight recorder < 20 ns (MW-06), a look at the
 * canary of a stack < 10 ns (MW-53). On shared memory, as workers have it; the peer is the least that a log can be: an object in an array
 * of as many.
 */
export const workersSafety = bench('workers/safety', async (b) => {
  const arena = createArena({ shared: true, wasm: true })
  const log: object[] = new Array<object>(1_024)
  const note = threadNotes(arena.flights, () => 7, 0x80, 1)
  const entries = await b.compare('an entry', {
    'flight recorder, a slot': () => { for (let i = 0; i < CALLS; i++) record(arena, i, 3, RECORD_KIND.KERNEL, 1, i, 0) },
    'flight recorder, no slot': () => { for (let i = 0; i < CALLS; i++) note(RECORD_KIND.SCRIPT, i) },
    'object in an array': () => {
      for (let i = 0; i < CALLS; i++) log[i & 1_023] = { timeUs: i, slot: 3, kind: RECORD_KIND.KERNEL, run: 1, task: i, value: 0 }
    },
  }, { unit: { name: 'entries', count: CALLS } })
  b.note(`an entry: ${nanoseconds(entries.variants[0]!.p50Ms)} ns of a slot, ${nanoseconds(entries.variants[1]!.p50Ms)} without (least ${nanoseconds(entries.variants[0]!.minMs)}; bar 20)`)
  const canary = new StackCanary(arena.u32, arena.allocate(65_536)), one = arena.u32.subarray(1_000, 1_016).fill(0xcab1e5ed)
  const looks = await b.compare('a look at a canary', {
    canary: () => { let sum = 0; for (let i = 0; i < CALLS; i++) sum += canary.broken(); return sum },
    'Array.prototype.every': () => {
      let sum = 0
      for (let i = 0; i < CALLS; i++) sum += one.every((word) => word === 0xcab1e5ed) ? 0 : 1
      return sum
    },
  }, { unit: { name: 'looks', count: CALLS } })
  b.note(`a look: ${nanoseconds(looks.variants[0]!.p50Ms)} ns (least ${nanoseconds(looks.variants[0]!.minMs)}; bar 10)`)
})

/** Of one call, from the milliseconds of `CALLS`. */
function nanoseconds(ms: number): string { return (ms * 1e6 / CALLS).toFixed(1) }
