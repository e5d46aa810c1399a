import { describe, expect, test } from 'vitest'
import { explore, type Exploration, type Step } from './explore.js'

/**
 * MW-36: workers that differ in what they may take of a run. Twin of `take_task`, `look`, `admit`, `push_task`, `finish_task` and `wake` in
 * wasm/crates/engine/src/tasks.rs, for a run that is MIXED and may have a limit. There are two kinds of tasks, each in a ring of its own; a
 * worker has the facts of one kind, of both or of neither. The engine pushes one of each; the first task that is done pushes one more of
 * the second kind. Worker: A read the ready event · peek at the rings that it may pop from · admit counts it in · pop · run · finish · C is
 * the event still the same · D, E, F sleep. Who wakes: Q bump the ready event · R look whether anyone sleeps · N notify, in any order.
 */
type Kind = 1 | 2
type Words = Record<string, number>
interface Setup { readonly facts: readonly number[]; readonly limit: number; readonly first: Kind; readonly fault?: string }

const KINDS = [1, 2] as const
const ALL = 9

function run({ facts, limit, first, fault }: Setup): Exploration {
  const words: Words = {
    ring1: 0, ring2: 0, running: 0, event: 0, sleepers: 0, made: 0, spawned: 0, done1: 0, done2: 0, notesE: 0, first: 0,
  }
  facts.forEach((_, w) => { for (const name of ['seen', 'sleeps', 'notes', 'kind']) words[`${name}${w}`] = 0 })
  const wake = (who: string, count: number, prefix = ''): Step<Words>[] => [
    { name: `${prefix}Q`, run: (w) => { w['event']!++ } },
    { name: `${prefix}R`,
      run: (w) => { w[`notes${who}`] = w['sleepers']! > 0 ? fault === 'as many as slept' ? Math.min(count, w['sleepers']!) : count : 0 } },
    { name: `${prefix}N`, run: (w) => {
      facts.forEach((_, n) => { if (w[`notes${who}`]! > 0 && w[`sleeps${n}`] === 1) { w[`sleeps${n}`] = 0; w[`notes${who}`]!-- } })
      w[`notes${who}`] = 0
    } },
  ]
  const push = (w: Words, kind: Kind): void => { w[`ring${kind}`]!++; if (w['first'] === 0) w['first'] = kind }
  const pushed = fault === 'wake one' ? 1 : ALL
  const engine: Step<Words>[] = [
    { name: 'P', run: (w) => { push(w, w['made'] === 0 ? first : 3 - first as Kind); w['made']!++ } },
    ...wake('E', pushed), { name: 'more', run: (w) => w['made']! < 2 ? 'P' : 'end' },
  ]
  const worker = (own: number, n: number): Step<Words>[] => {
    const fits = (kind: number): boolean => (kind & ~own) === 0
    return [
      { name: 'A', run: (w) => { w[`seen${n}`] = w['event']! } },
      { name: 'peek', run: (w) => {
        const order = fault === 'head only' ? [w['first']!] : KINDS
        const found = order.find((kind) =>
          kind !== 0 && (fault === 'pushed back' || fault === 'counted first' || fits(kind)) && w[`ring${kind}`]! > 0)
        w[`kind${n}`] = found ?? 0
        if (found === undefined && fault !== 'counted first') return 'C'
      } },
      {
        name: 'admit',
        run: (w) => {
          if (limit !== 0 && w['running']! >= limit && fault !== 'counted at the limit') return 'C'
          if (w['running']!++ >= limit && limit !== 0) return 'back'
        },
      },
      { name: 'pop', run: (w) => {
        if (fault === 'counted first') w[`kind${n}`] = KINDS.find((kind) => fits(kind) && w[`ring${kind}`]! > 0) ?? 0
        const kind = w[`kind${n}`]!
        if (kind === 0 || w[`ring${kind}`] === 0) return fault === 'counted first' ? 'back' : 'lost race'
        w[`ring${kind}`]!--
        if (w['first'] === kind && w[`ring${kind}`] === 0) w['first'] = w[`ring${3 - kind}`]! > 0 ? 3 - kind : 0
        if (fault === 'pushed back' && !fits(kind)) return 'put'
      } },
      { name: 'run', run: () => undefined },
      { name: 'finish', run: (w) => {
        w['running']!--
        w[`done${w[`kind${n}`]}`]!++
        w[`kind${n}`] = 0
        if (w['spawned'] === 0) { w['spawned'] = 1; push(w, 2); return 'Q' }
        if (limit === 0 || fault === 'a finish wakes nobody') return 'A'
      } },
      ...wake(`${n}`, pushed),
      { name: 'taken', run: () => 'A' },
      { name: 'put', run: (w) => { w['running']!--; w[`ring${w[`kind${n}`]}`]!++; w[`kind${n}`] = 0 } },
      ...wake(`${n}`, ALL, 'put '),
      { name: 'put away', run: () => 'C' },
      { name: 'lost race',
        run: (w) => { w['running']!--; w[`kind${n}`] = 0; if (limit === 0 || fault === 'a lost race wakes nobody') return 'peek' } },
      ...wake(`${n}`, ALL, 'lost '),
      { name: 'again', run: () => 'peek' },
      { name: 'back', run: (w) => { w['running']!--; w[`kind${n}`] = 0 } },
      { name: 'C', run: (w) => w['event'] === w[`seen${n}`] ? undefined : 'A' },
      { name: 'D', run: (w) => { w['sleepers']!++ } },
      { name: 'E', run: (w) => { w[`sleeps${n}`] = w['event'] === w[`seen${n}`] ? 1 : 0 } },
      { name: 'E wakes', when: (w) => w[`sleeps${n}`] === 0, run: () => undefined },
      { name: 'F', run: (w) => { w['sleepers']!--; return 'A' } },
    ]
  }
  const takers = (kind: Kind): boolean => facts.some((own) => (kind & ~own) === 0)
  return explore<Words>({
    words, threads: [engine, ...facts.map(worker)],
    // What a thread has popped and runs on: its place in the list says so.
    fault: (w) => facts.some((own, n) =>
      w[`kind${n}`] !== 0 && (w[`kind${n}`]! & ~own) !== 0 && fault === undefined) ? 'a worker holds what it cannot execute'
      : w['running']! < 0 ? 'a count is below zero'
      // One bump for a push, one for the end of a task, one for every race that a pop lets others lose.
      : w['event']! > 2 * 3 + 3 * facts.length ? 'they keep each other awake' : null,
    mayRest: (w) =>
      w['made'] === 2 && KINDS.every((kind) => takers(kind) ? w[`ring${kind}`] === 0 && w[`done${kind}`] === kind : w[`done${kind}`] === 0),
  })
}

describe('MW-36: workers take what they can execute, every interleaving', () => {
  test.each([
    ['one has both, the other the first', [1, 3]], ['one has both, the other neither', [0, 3]], ['each has one', [1, 2]],
    ['nobody has the second', [1, 1]],
  ] as const)('%s: every task that someone can execute is executed by who can, nobody is kept awake', (_name, facts) => {
    for (const [limit, first] of [[0, 1], [1, 2]] as const) {
      const result = run({ facts, limit, first })
      expect(result, `limit ${limit}, first ${first}`).toMatchObject({ fault: null })
      expect(result.states).toBeGreaterThan(200)
    }
  })

  test.each([
    ['wake one', { facts: [0, 3], limit: 0, first: 2 }, 'everybody sleeps'],
    ['as many as slept', { facts: [1, 3], limit: 0, first: 1 }, 'everybody sleeps'],
    ['pushed back', { facts: [1, 1], limit: 0, first: 2 }, 'they keep each other awake'],
    ['head only', { facts: [1, 1], limit: 0, first: 2 }, 'everybody sleeps'],
    ['counted at the limit', { facts: [1, 3], limit: 1, first: 1 }, 'everybody sleeps'],
    ['counted first', { facts: [1, 2], limit: 1, first: 2 }, 'everybody sleeps'],
    ['a lost race wakes nobody', { facts: [1, 3], limit: 1, first: 1 }, 'everybody sleeps'],
    ['a finish wakes nobody', { facts: [1, 2], limit: 1, first: 1 }, 'everybody sleeps'],
  ] as const)('planted fault found: %s', (fault, setup, wrong) => {
    expect(run({ ...setup, fault }).fault).toBe(wrong)
  })
})
