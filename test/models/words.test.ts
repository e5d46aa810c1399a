/**
 * Words of runs, slots and the host event that say "go on", "stop" or "there is something" to a thread that may just fall asleep. Every
 * interleaving, small models of their own; tasks and rings are in the others. A worker is tasks.rs `take_task`: event (the ready event is
 * read) · mail (MAIL is looked at) · look (a run that is not rebuilt, a task) · same (is the event what it was) · sleep; then
 * worker-shared.ts `#read`: exchange (MAIL ← 0) · read (the ring).
 */
import { describe, expect, test } from 'vitest'
import { explore, type Exploration, type Step } from './explore.js'

type Words = Record<string, number>
type Steps = Step<Words>[]
const MESSAGES = 1, DRAIN = 2

/** Changes the ready event, then wakes whoever sleeps on it: slots.ts `announce`, run-table.ts `#flag`. */
const wake = (sleepers: readonly string[]): Steps =>
  [{ name: 'bump', run: (w) => { w['event']!++ } }, { name: 'notify', run: (w) => { for (const one of sleepers) w[one] = 0 } }]
const sleepOn = (own: string, after = ''): Steps => [
  { name: `${after}same`, run: (w) => w['event'] === w[`seen${own}`] ? undefined : 'event' },
  { name: `${after}sleep`, run: (w) => { w[`sleeps${own}`] = w['event'] === w[`seen${own}`] ? 1 : 0 } },
  { name: `${after}woken`, when: (w) => w[`sleeps${own}`] === 0, run: () => 'event' },
]

/** FLAGS of a run: REBUILDING. The engine raises it, makes a task ready, and lowers it; two workers. */
function flags(fault = ''): Exploration {
  const workers = ['0', '1'], woken = workers.map((one) => `sleeps${one}`)
  const lower: Step<Words> = { name: 'lower', run: (w) => { w['rebuilding'] = 0 } }
  const resume = fault === 'nobody is woken' ? [lower]
    : fault === 'woken before it is lowered' ? [...wake(woken), lower]
    : [lower, ...wake(woken)]
  return explore<Words>({
    words: { rebuilding: 0, ready: 0, done: 0, event: 0, seen0: 0, sleeps0: 0, seen1: 0, sleeps1: 0 },
    threads: [
      [{ name: 'raise', run: (w) => { w['rebuilding'] = 1 } }, { name: 'push', run: (w) => { w['ready']! += 2 } },
        ...wake(woken).map((step) => ({ ...step, name: `push ${step.name}` })), ...resume],
      ...workers.map((own): Steps => [
        { name: 'event', run: (w) => { w[`seen${own}`] = w['event']! } },
        { name: 'flags', run: (w) => w['rebuilding'] !== 0 ? 'same' : undefined },
        // Between the flag and this it may be raised: one task of each worker is taken all the same, which `pause` allows
        // and a rebuild waits for (phase QUEUE).
        { name: 'look', run: (w) => { if (w['ready']! > 0) { w['ready']!--; w['done']!++; return 'event' } } },
        ...sleepOn(own),
      ]),
    ],
    mayRest: (w) => w['done'] === 2,
  })
}

/**
 * MAIL of a slot, as `ring` messages and, last, DRAIN: the worker ends, or has read all. Messages that come with
 * DRAIN may stay unread: its thread is ended.
 */
function mail(drains: boolean, fault = ''): Exploration {
  const announce = (flag: number, message: boolean, prefix: string): Steps => {
    const say: Step<Words> = { name: `${prefix}message`, run: (w) => { if (message) w['ring']!++ } }
    const mark: Step<Words> = { name: `${prefix}flag`, run: (w) => { w['mail']! |= flag } }
    const [bump, notify] = wake(['sleeps0']).map((step) => ({ ...step, name: `${prefix}${step.name}` })) as [Step<Words>, Step<Words>]
    if (fault === 'flag before the message') return [mark, bump, notify, say]
    if (fault === 'bumped before the flag') return [say, bump, notify, mark]
    return fault === 'no bump' ? [say, mark, notify] : [say, mark, bump, notify]
  }
  const event: Step<Words> = { name: 'event', run: (w) => { w['seen0'] = w['event']! } }
  const look: Step<Words> = {
    name: 'mail',
    run: (w) => w['mail'] === 0 ? fault === 'event read after the mail' ? 'late event' : 'same' : undefined,
  }
  const take = (w: Words): string | void => { w['got'] = w['mail']!; w['mail'] = 0 }
  const read = (w: Words): string | void => { if ((w['got']! & DRAIN) !== 0) return 'ends'; w['read'] = w['ring']! }
  const emptied: Steps = fault === 'cleared after it was read'
    ? [
      { name: 'read', run: (w) => { w['got'] = w['mail']!; return read(w) } },
      { name: 'exchange', run: (w) => { w['mail'] = 0; return 'event' } },
    ]
    : [{ name: 'exchange', run: take }, { name: 'read', run: (w) => read(w) ?? 'event' }]
  return explore<Words>({
    words: { ring: 0, mail: 0, read: 0, got: 0, event: 0, seen0: 0, sleeps0: 0, ended: 0 },
    threads: [[...announce(MESSAGES, true, '1 '), ...announce(MESSAGES, true, '2 '), ...drains ? announce(DRAIN, false, '3 ') : []],
      [event, look, ...emptied, ...sleepOn('0'), { name: 'late event', run: (w) => { w['seen0'] = w['event']! } }, ...sleepOn('0', 'late '),
        { name: 'ends', run: (w) => { w['ended'] = 1; return 'end' } }]],
    mayRest: (w) => drains ? w['ended'] === 1 : w['read'] === 2,
  })
}

/**
 * The host event: two workers end a task each (tasks.rs `settle`, `bump_host`), the engine's thread waits until both
 * have (host-event.ts, shared-run.ts `#until`).
 */
function host(fault = ''): Exploration {
  const worker: Steps = [
    { name: 'state', run: (w) => { w['done']!++ } },
    { name: 'bump', run: (w) => { w['event']!++ } },
    { name: 'notify', run: (w) => { w['waits'] = 0 } },
  ]
  const seen = (name: string): Step<Words> => ({ name, run: (w) => { w['seen'] = w['event']! } })
  const look = (name: string): Step<Words> => ({ name, run: (w) => w['done'] === 2 ? 'end' : undefined })
  const first = [seen('listen'), look('first look')], again = [seen('seen'), look('look')]
  return explore<Words>({
    words: { done: 0, event: 0, waits: 0, seen: 0 },
    threads: [
      [...fault === 'looked before the event was read' ? first.toReversed() : first,
        { name: 'wait', run: (w) => { w['waits'] = w['event'] === w['seen'] ? 1 : 0 } },
        { name: 'woken', when: (w) => w['waits'] === 0, run: () => undefined },
        ...fault === 'event read after the look' ? again.toReversed() : again, { name: 'again', run: () => 'wait' }],
      ...[0, 1].map(() => fault === 'bumped before the state' ? [worker[1]!, worker[2]!, worker[0]!] : worker),
    ],
  })
}

describe('words that a thread reads before it sleeps', () => {
  test('flags of a run: what was rebuilt is taken once it may be', () => { expect(flags()).toMatchObject({ fault: null }) })
  test.each(['nobody is woken', 'woken before it is lowered'])('flags of a run, planted fault found: %s', (fault) => {
    expect(flags(fault).fault).toBe('everybody sleeps')
  })
  test.each([false, true])('mail of a slot: every message is read, and an order to end is obeyed (%s)', (drains) => {
    expect(mail(drains)).toMatchObject({ fault: null })
  })
  test.each([
    'flag before the message', 'bumped before the flag', 'no bump', 'event read after the mail', 'cleared after it was read',
  ])('mail of a slot, planted fault found: %s', (fault) => {
    expect([false, true].map((drains) => mail(drains, fault).fault)).toContain('everybody sleeps')
  })
  test('host event: the engine hears of the last task', () => { expect(host()).toMatchObject({ fault: null }) })
  test.each([
    'looked before the event was read', 'event read after the look', 'bumped before the state',
  ])('host event, planted fault found: %s', (fault) => { expect(host(fault).fault).toBe('everybody sleeps') })
})
