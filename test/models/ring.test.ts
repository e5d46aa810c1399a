import { describe, expect, test } from 'vitest'
import { explore, type Exploration, type Step } from './explore.js'

/**
 * MW-28: who waits and who wakes use the same word. Twin of src/memory/ring/ring-end.ts (`advance`, `waitFor`) and
 * wasm/crates/engine/src/ring.rs. The writer moves ITEMS frames through a ring of CAPACITY; each end sleeps when it cannot go on. W and R
 * steps are the two ends' own work, S steps their sleep: 1 look at the peer's index · 2 copy · 3 store the own index · 4 look for sleepers,
 * when there are none go on · 5 bump the own event · 6 notify; S1 count oneself in · S2 read the peer's event · S3 look at the peer's index
 * · S4 sleep on the value read · S5 count oneself out.
 */
type Ring = Record<'write' | 'read' | 'writeEvent' | 'readEvent' | 'writeSleepers' | 'readSleepers' | 'cell0' | 'cell1' | 'torn'
  | 'writerSeen' | 'writerSleeps' | 'writerNotes' | 'readerSeen' | 'readerSleeps' | 'readerNotes', number>
type Fault = 'none' | 'no bump' | 'look for sleepers first' | 'event after index' | 'count in last' | 'own event' | 'no notify'
  | 'publish before copy' | 'sleep unconditionally'

const CAPACITY = 2
const ITEMS = 4

function end(side: 'write' | 'read', fault: Fault): Step<Ring>[] {
  const peer = side === 'write' ? 'read' : 'write', mine = side === 'write' ? 'writer' : 'reader'
  const other = side === 'write' ? 'reader' : 'writer'
  const free = (w: Ring): boolean => side === 'write' ? w.write - w.read < CAPACITY : w.write - w.read > 0
  const copy: Step<Ring> = {
    name: '2', run(w) {
      const index = fault === 'publish before copy' ? w[side] - 1 : w[side], cell = index % CAPACITY === 0 ? 'cell0' : 'cell1'
      if (side === 'write') w[cell] = index + 1
      else if (w[cell] !== index + 1) w.torn = 1
    },
  }
  const store: Step<Ring> = { name: '3', run: (w) => { w[side]++ } }
  const on = (w: Ring): string => w[side] < ITEMS ? '1' : 'end'
  const look: Step<Ring> = {
    name: '4',
    run(w) {
      w[`${mine}Notes`] = w[`${side}Sleepers`]
      return w[`${mine}Notes`] > 0 || fault === 'look for sleepers first' ? undefined : on(w)
    },
  }
  const bump: Step<Ring> = { name: '5', run: (w) => { if (w[`${mine}Notes`] > 0 && fault !== 'no bump') w[`${side}Event`]++ } }
  const notify: Step<Ring> = {
    name: '6',
    run: (w) => { if (w[`${mine}Notes`] > 0 && fault !== 'no notify') w[`${other}Sleeps`] = 0; return on(w) },
  }
  const work = fault === 'look for sleepers first' ? [copy, look, store, bump, notify]
    : fault === 'publish before copy' && side === 'write' ? [store, copy, look, bump, notify] : [copy, store, look, bump, notify]
  const event = fault === 'own event' ? side : peer
  const countIn: Step<Ring> = { name: 'S1', run: (w) => { w[`${peer}Sleepers`]++ } }
  const read: Step<Ring> = { name: 'S2', run: (w) => { w[`${mine}Seen`] = w[`${event}Event`] } }
  const again: Step<Ring> = { name: 'S3', run: (w) => free(w) ? 'S5' : undefined }
  const before = fault === 'event after index' ? [countIn, again, read]
    : fault === 'count in last' ? [read, again, countIn]
    : [countIn, read, again]
  return [
    { name: '1', run: (w) => free(w) ? work[0]!.name : before[0]!.name },
    ...work, ...before,
    { name: 'S4',
      run: (w) => { w[`${mine}Sleeps`] = w[`${event}Event`] === w[`${mine}Seen`] || fault === 'sleep unconditionally' ? 1 : 0 } },
    { name: 'S4 wakes', when: (w) => w[`${mine}Sleeps`] === 0, run: () => undefined },
    { name: 'S5', run: (w) => { if (w[`${peer}Sleepers`] > 0) w[`${peer}Sleepers`]--; return '1' } },
  ]
}

function run(fault: Fault): Exploration {
  return explore<Ring>({
    words: {
      write: 0, read: 0, writeEvent: 0, readEvent: 0, writeSleepers: 0, readSleepers: 0, cell0: 0, cell1: 0, torn: 0,
      writerSeen: 0, writerSleeps: 0, writerNotes: 0, readerSeen: 0, readerSleeps: 0, readerNotes: 0,
    },
    threads: [end('write', fault), end('read', fault)],
    fault: (w) => w.torn === 1 ? 'a frame was read before it was written' : w.write - w.read > CAPACITY ? 'more frames than fit' : null,
  })
}

describe('MW-28: ring of one producer and one consumer, every interleaving', () => {
  test('no wake-up is lost, no frame torn, none too many', () => {
    const result = run('none')
    expect(result).toMatchObject({ fault: null })
    expect(result.states).toBeGreaterThan(1_000)
  })
  test.each<[Fault, string]>([
    ['no bump', 'everybody sleeps'], ['count in last', 'everybody sleeps'], ['look for sleepers first', 'everybody sleeps'],
    ['event after index', 'everybody sleeps'],
    ['own event', 'everybody sleeps'], ['no notify', 'everybody sleeps'], ['sleep unconditionally', 'everybody sleeps'],
    ['publish before copy', 'a frame was read before it was written'],
  ])('planted fault %s is found', (fault, what) => { expect(run(fault).fault).toBe(what) })
})
