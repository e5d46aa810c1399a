import { describe, expect, test } from 'vitest'
import { explore, type Exploration, type Step } from './explore.js'

/**
 * MW-33: sleep without loss. Twin of `take_task`, `finish_task` and `wake` in wasm/crates/engine/src/tasks.rs. The engine pushes one task
 * at a time, TASKS of them, the first of which pushes two more when it is done; two workers take them. Sleepers are a queue of which a
 * notification takes so many. Worker: A read the ready event · B look for a task · C is the event still the same · D count oneself in · E
 * sleep on the value read · F count oneself out. Who pushes: P push · Q bump the ready event · R read the sleepers · N notify as many as
 * were pushed (a worker: one less, it takes that one itself).
 */
type Sleep = Record<'queue' | 'event' | 'sleepers' | 'made' | 'spawned' | 'done' | 'notesE' | 'sleeps0' | 'seen0' | 'notes0' | 'sleeps1'
  | 'seen1' | 'notes1', number>
type Fault = 'none' | 'event after look' | 'no comparison' | 'sleepers before bump' | 'no bump' | 'notify one less from the engine'

const TASKS = 2
const SPAWNED = 2

/** Q, R, N: as `wake(count)`. */
function wake(notes: 'notesE' | 'notes0' | 'notes1', count: number, fault: Fault): Step<Sleep>[] {
  const bump: Step<Sleep> = { name: 'Q', run: (w) => { if (fault !== 'no bump') w.event++ } }
  const read: Step<Sleep> = { name: 'R', run: (w) => { w[notes] = Math.min(count, w.sleepers) } }
  const notify: Step<Sleep> = {
    name: 'N', run(w) {
      for (const key of ['sleeps0', 'sleeps1'] as const) if (w[notes] > 0 && w[key] === 1) { w[key] = 0; w[notes]-- }
      w[notes] = 0
    },
  }
  return fault === 'sleepers before bump' ? [read, bump, notify] : [bump, read, notify]
}

function engine(fault: Fault): Step<Sleep>[] {
  const [q, r, n] = wake('notesE', fault === 'notify one less from the engine' ? 0 : 1, fault)
  return [
    { name: 'P', run: (w) => { w.queue++; w.made++ } },
    q!, r!,
    { ...n!, run: (w) => { n!.run(w); return w.made < TASKS ? 'P' : 'end' } },
  ]
}

function worker(index: 0 | 1, fault: Fault): Step<Sleep>[] {
  const seen = `seen${index}` as const, sleeps = `sleeps${index}` as const, notes = `notes${index}` as const
  const read: Step<Sleep> = { name: 'A', run: (w) => { w[seen] = w.event } }
  const look: Step<Sleep> = {
    name: 'B',
    run: (w) => { if (w.queue === 0) return undefined; w.queue--; w.done++; return w.spawned++ === 0 ? 'P' : first.name },
  }
  const again: Step<Sleep> = { name: 'C', run: (w) => w.event === w[seen] ? undefined : first.name }
  const start = fault === 'event after look' ? [look, read] : [read, look], first = start[0]!
  return [
    ...start, ...(fault === 'event after look' || fault === 'no comparison' ? [] : [again]),
    { name: 'D', run: (w) => { w.sleepers++ } },
    { name: 'E', run: (w) => { w[sleeps] = w.event === w[seen] || fault === 'no comparison' ? 1 : 0 } },
    { name: 'E wakes', when: (w) => w[sleeps] === 0, run: () => undefined },
    { name: 'F', run: (w) => { w.sleepers--; return first.name } },
    // The first task pushes its successors.
    { name: 'P', run: (w) => { w.queue += SPAWNED } },
    ...wake(notes, SPAWNED - 1, fault),
    { name: 'again', run: () => first.name },
  ]
}

function run(fault: Fault): Exploration {
  return explore<Sleep>({
    words: {
      queue: 0, event: 0, sleepers: 0, made: 0, spawned: 0, done: 0, notesE: 0, sleeps0: 0, seen0: 0, notes0: 0, sleeps1: 0, seen1: 0,
      notes1: 0,
    },
    threads: [engine(fault), worker(0, fault), worker(1, fault)],
    mayRest: (w) => w.queue === 0 && w.made === TASKS && w.done === TASKS + SPAWNED,
  })
}

describe('MW-33: sleep without loss, every interleaving of the engine and two workers', () => {
  test('nobody sleeps while a task waits', () => {
    const result = run('none')
    expect(result).toMatchObject({ fault: null })
    expect(result.states).toBeGreaterThan(2_000)
  })
  test.each<Fault>([
    'event after look', 'no comparison', 'sleepers before bump', 'no bump', 'notify one less from the engine',
  ])('planted fault %s is found', (fault) => {
    expect(run(fault).fault).toBe('everybody sleeps')
  })
})
