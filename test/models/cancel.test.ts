/**
 * Cancel words (MW-35, MW-50): runs that share slots one after the other, and a canceller that looks at slot by slot. A word that is meant
 * for the run that has just left a slot neither ends nor loses anything of the next. Every interleaving, one access to shared memory a
 * step. Claiming and rebuilding themselves: `task-protocol.ts`, `record-reuse.test.ts`.
 *
 * | step | code |
 * |---|---|
 * | take, claim | tasks.rs `take_task` (MAIL first), `admit`, `claim`: STATE READY → RUNNING |
 * | cancel.clear, publish, cancel.read, cancel.leave, cancel.settle, work | tasks.rs `claim` |
 * | pass | pass.rs `begin`: the program's CANCEL word, which is the slot's |
 * | poll | a kernel between two of its blocks: the same word; or its `process` ends the pass, or the task |
 * | word.clear, run.read | worker-loop.ts `passes`: compareExchange 1 → 0, `runCancelled`; FAILED_STEP says whether a step had begun |
 * | end.run, end.word | worker-loop.ts `execute`: `runCancelled`, is the own word 2 |
 * | finish, leave | tasks.rs `finish_task`: STATE, then `leave` |
 * | word, read, write | slots.ts `cancelRun`: the run's word; RUN of every slot; CANCEL of those that had it |
 * | grace, dismiss | shared-run.ts `#stop`: `anyOpen`, `cancelRun` with 2; pool.ts `cancelRun`: `lose` → slots.ts `dismiss` |
 * | gone | worker-losses.ts `end`, rebuild.rs and shared-run.ts `recovered`: what had its worker is READY again, or CANCELLED where the run stops |
 * | raise, quiet, reopen | shared-run.ts `#close` waits until nothing is open; run-table.ts `close`: no slot in phase QUEUE; the same record serves the next run |
 */
import { describe, expect, test } from 'vitest'
import { exploreStates, type Part, type Search } from './explore-states.js'

const READY = 1, RUNNING = 2, DONE = 5, CANCELLED = 7, NO_RUN = -1
/**
 * What the engine's thread does, in order. `cancel`: with word 1. `grace`: what has not ended is ended with its
 * thread. `reopen`: the record serves run `to`.
 */
type Act =
  | { readonly do: 'cancel' | 'grace' | 'close'; readonly run: number }
  | { readonly do: 'reopen'; readonly run: number; readonly to: number }
interface Plan {
  /** Tasks of each run, and the record that it is in. Runs whose record is another's wait for `reopen`. */
  readonly runs: readonly { readonly tasks: number; readonly record: number }[]
  readonly workers: number
  readonly acts: readonly Act[]
  /** Kernels of this run never look at their word; at some time they may end. */
  readonly deaf?: number
  readonly fault?: string
}
interface Worker { at: string; word: number; run: number; task: number; record: number; half: boolean; told: boolean }
interface State {
  records: { run: number; cancel: number }[]
  tasks: number[][]
  cancelled: boolean[]
  workers: Worker[]
  act: number
  at: string
  slot: number
  on: number[]
  wrong: string
}

const fresh = (): Worker => ({ at: 'take', word: 0, run: NO_RUN, task: -1, record: -1, half: false, told: false })
const copyOf = (s: State): State => ({
  ...s, records: s.records.map((one) => ({ ...one })), tasks: s.tasks.map((list) => [...list]), cancelled: [...s.cancelled],
  workers: s.workers.map((one) => ({ ...one })), on: [...s.on],
})
const keyOf = ({ records, tasks, cancelled, workers, act, at, slot, on, wrong }: State): string =>
  `${records.map((r) => `${r.run},${r.cancel}`).join(';')}|${tasks.join(';')}|${cancelled.join()}|${workers.map((w) => `${w.at},${w.word},${w.run},${w.task},${w.record},${w.half},${w.told}`).join(';')}|${act}${at}${slot}|${on.join()}${wrong}`

type Change = readonly [name: string, change: (s: State, own: Worker) => void]

/**
 * What worker `w` does next. `run` of a slot: the run's record, as in RUN; `own.task`: which run's task it has, and
 * `record` where that stood when it was claimed.
 */
function workerStep({ fault, deaf }: Plan, s: State, w: number): readonly Change[] {
  const own = s.workers[w]!
  const to = (at: string, change: (s: State, me: Worker) => void = () => undefined): Change =>
    [own.at, (next, me) => { me.at = at; change(next, me) }]
  const only = (...change: Parameters<typeof to>): readonly Change[] => [to(...change)]
  const asked = (): number => s.records[own.record]!.cancel
  const end = (state: number) => (next: State, me: Worker): void => { next.tasks[me.task]![next.tasks[me.task]!.indexOf(RUNNING)] = state }
  const late = fault === 'cleared after the run was read'
  const early = fault === 'run read before it is published'
  const claimed = late ? 'publish' : early ? 'cancel.read' : 'cancel.clear'
  switch (own.at) {
    case 'take':
      if (own.told) return only('ends')
      return s.records.flatMap(({ run }, record): Change[] =>
        run !== NO_RUN && s.tasks[run]!.includes(READY) ? [to('claim', (_, me) => { me.task = run; me.record = record })] : [])
    case 'claim': return s.tasks[own.task]!.includes(READY)
      ? only(claimed, (next, me) => { next.tasks[me.task]![next.tasks[me.task]!.indexOf(READY)] = RUNNING; if (early) me.word = 0 })
      : only('take')
    case 'cancel.clear': return only(late ? 'work' : 'publish', (_, me) => { me.word = 0 })
    case 'publish': return only(early ? 'work' : 'cancel.read', (_, me) => { me.run = me.record })
    case 'cancel.read': return only(asked() !== 0 ? 'cancel.leave' : early ? 'publish' : late ? 'cancel.clear' : 'work')
    case 'cancel.leave': return only('cancel.settle', (_, me) => { me.run = NO_RUN })
    case 'cancel.settle': return only('take', end(CANCELLED))
    case 'work': return only('pass')
    case 'pass': return only(own.word === 0 ? 'poll' : 'word.clear', (_, me) => { me.half = me.word === 0 })
    case 'poll':
      if (own.task === deaf) return []
      if (own.word !== 0) return only('word.clear')
      return [to('pass', (_, me) => { me.half = false }), to('finish')]
    case 'word.clear':
      if (fault === 'any word cancels') return only('finish.cancelled')
      if (fault === 'run read before the word is cleared') return only(asked() !== 0 ? 'end.run' : 'late.clear')
      return only(own.word === 1 ? 'run.read' : 'end.run', (_, me) => { if (me.word === 1 && fault !== 'word kept') me.word = 0 })
    case 'late.clear': return only(own.word === 1 && !own.half ? 'pass' : 'end.run', (_, me) => { if (me.word === 1) me.word = 0 })
    case 'run.read':
      if (asked() !== 0) return only('end.run')
      if (fault === 'a step goes on half way') {
        return only('pass', (next, me) => { if (me.half) next.wrong = 'a kernel that was stopped half way goes on' })
      }
      return only(own.half ? 'end.run' : 'pass')
    case 'end.run': return only(asked() !== 0 ? 'finish.cancelled' : 'end.word')
    case 'end.word': return only(own.word === 2 || fault === 'the loop just ends' ? 'ends' : 'failed')
    case 'finish': return only('leave', end(DONE))
    case 'finish.cancelled': return only('leave', end(CANCELLED))
    case 'leave': return only('take', (_, me) => { me.run = NO_RUN; me.task = me.record = -1; me.half = false })
    // The thread waits for its end: it was told, or has said that it is lost.
    case 'ends': case 'failed': return []
    default: throw new Error(own.at)
  }
}

/** Where a worker's slot is in phase QUEUE: `queue_quiet` waits for it. */
const IN_QUEUE = new Set(['claim', 'cancel.clear', 'publish', 'cancel.read', 'cancel.leave', 'cancel.settle', 'work', 'leave'])
const isOpen = (s: State, run: number): boolean => s.tasks[run]!.includes(RUNNING)

/** What the engine's thread does next. Nothing comes between the steps of a scan but what workers do. */
function engineStep({ acts, workers, runs, fault }: Plan, s: State): readonly Change[] {
  const act = acts[s.act], to = (name: string, change: (s: State) => void): readonly Change[] => [[name, change]]
  const scanning = s.at === 'read' || s.at === 'write',
    gone = scanning ? [] : s.workers.flatMap((own, w): Change[] => own.told || own.at === 'failed' ? [[`gone ${w}`, (n) => {
      const { task, at } = n.workers[w]!, lost = task >= 0 ? n.tasks[task]!.indexOf(RUNNING) : -1
      // Its record says RUNNING and no other live slot executes it.
      if (lost >= 0 && at !== 'claim' && n.tasks[task]!.filter((state) => state === RUNNING).length > n.workers.filter((other, i) =>
        i !== w && other.task === task && other.at !== 'take' && other.at !== 'claim' && other.at !== 'leave').length) {
        n.tasks[task]![lost] = n.cancelled[task] ? CANCELLED : READY
      }
      n.workers[w] = fresh()
    }]] : [])
  const done = (n: State): void => { n.act++; n.at = ''; n.slot = 0; n.on = [] }
  const next = ((): readonly Change[] => {
    if (act === undefined) return []
    const record = runs[act.run]!.record
    if (act.do === 'close') {
      if (s.at === '') return isOpen(s, act.run) ? [] : to('raise', (n) => { n.records[record]!.run = NO_RUN; n.at = 'quiet' })
      return s.workers.some(({ at }) => IN_QUEUE.has(at)) ? [] : to('quiet', done)
    }
    if (act.do === 'reopen') return to(`reopen ${act.to}`, (n) => { n.records[record] = { run: act.to, cancel: 0 }; done(n) })
    const word = act.do === 'grace' ? 2 : 1
    const raise = (n: State): void => { n.records[record]!.cancel = word; n.cancelled[act.run] = true }
    switch (s.at) {
      case '':
        if (act.do === 'grace' && !isOpen(s, act.run)) return to('no grace', done)
        return to('word', (n) => { if (fault !== 'slots before the word') raise(n); n.cancelled[act.run] = true; n.at = 'read' })
      case 'read': return to(`read ${s.slot}`, (n) => {
        if (n.workers[n.slot]!.run === record && fault !== 'slots are not told') n.on.push(n.slot)
        if (++n.slot === workers) { n.slot = 0; n.at = 'write' }
      })
      case 'write': {
        const slot = s.on[s.slot]
        if (slot !== undefined) return to(`write ${slot}`, (n) => { n.workers[slot]!.word = word; n.slot++ })
        return to('scanned', (n) => {
          if (fault === 'slots before the word') raise(n)
          if (word === 2) for (const told of n.on) { n.workers[told]!.told = true; n.workers[told]!.word = 2 }
          done(n)
        })
      }
      default: throw new Error(s.at)
    }
  })()
  return [...next, ...gone]
}

function search(plan: Plan): Search {
  const { runs, workers, acts, deaf } = plan, count = Math.max(...runs.map(({ record }) => record)) + 1
  const moved = (
    s: State, w: number, [name, change]: Change, prefix: string,
  ): readonly [string, State] => { const n = copyOf(s); change(n, n.workers[w]!); return [`${prefix}${name}`, n] }
  const parts: Part<State>[] = Array.from({ length: workers }, (_, w) => ({
    moves: (s) => workerStep(plan, s, w).map((step) => moved(s, w, step, `${w}:`)),
  }))
  parts.push({ moves: (s) => engineStep(plan, s).map((step) => moved(s, 0, step, 'engine:')) })
  // A kernel that does not look ends late, or never.
  if (deaf !== undefined) {
    parts.push({
      hostile: true,
      moves: (s) => s.workers.flatMap((own, w) =>
        own.at === 'poll' && own.task === deaf ? [moved(s, w, ['ends late', (_, me) => { me.at = 'finish' }], `${w}:`)] : []),
    })
  }
  const scanned = (run: number, act: number): boolean => acts.slice(0, act).some((one) => one.do === 'cancel' && one.run === run)
  return exploreStates<State>({
    start: {
      records: Array.from({ length: count }, (_, record) => ({ run: runs.findIndex((one) => one.record === record), cancel: 0 })),
      tasks: runs.map(({ tasks }) => new Array<number>(tasks).fill(READY)),
      cancelled: runs.map(() => false), workers: Array.from({ length: workers }, fresh), act: 0, at: '', slot: 0, on: [], wrong: '',
    },
    parts, key: keyOf,
    broken: (s) => {
      if (s.wrong !== '') return s.wrong
      if (s.tasks.some((list, run) => list.includes(CANCELLED) && !s.cancelled[run])) {
        return 'a task of a run that nobody cancelled is cancelled'
      }
      if (s.workers.some(({ at, half, told }) => at === 'failed' && !half && !told)) return 'a thread is given up between two passes'
      if (s.workers.some(({ at, word, task, run }) =>
        (at === 'pass' || at === 'poll') && word === 0 && run !== NO_RUN && task !== deaf && scanned(task, s.act))) {
        return 'a kernel runs on after the cancel'
      }
      return undefined
    },
    reached: (s) => s.act === acts.length && s.workers.every(({ at, told }) => at === 'take' && !told) &&
      s.tasks.every((list, run) => list.every((state) => state === DONE || s.cancelled[run] && (state === CANCELLED || state === READY))),
  })
}

const TWO = [{ tasks: 1, record: 0 }, { tasks: 1, record: 1 }]
const cancel = (run: number): Act => ({ do: 'cancel', run })
const grace = (run: number): Act => ({ do: 'grace', run })
const SAME = [{ tasks: 1, record: 0 }, { tasks: 1, record: 0 }]
const CHANGE: readonly Act[] = [cancel(0), { do: 'close', run: 0 }, { do: 'reopen', run: 0, to: 1 }]

describe('a cancel that comes when its slot has the next run', () => {
  test.each<[string, Plan]>([
    ['one slot, the first run is cancelled', { runs: TWO, workers: 1, acts: [cancel(0)] }],
    ['one slot, one run after the other is cancelled', { runs: TWO, workers: 1, acts: [cancel(0), cancel(1)] }],
    ['one slot, two tasks each', { runs: [{ tasks: 2, record: 0 }, { tasks: 2, record: 1 }], workers: 1, acts: [cancel(0), cancel(1)] }],
    ['two slots, the first run is cancelled', { runs: TWO, workers: 2, acts: [cancel(0)] }],
    ['two slots, both are cancelled', { runs: TWO, workers: 2, acts: [cancel(0), cancel(1)] }],
    ['two slots, the first has two tasks', { runs: [{ tasks: 2, record: 0 }, { tasks: 1, record: 1 }], workers: 2, acts: [cancel(0)] }],
    ['one record for both', { runs: SAME, workers: 1, acts: CHANGE }],
    ['one record for both, two slots, both are cancelled', { runs: SAME, workers: 2, acts: [...CHANGE, cancel(1)] }],
    ['a kernel that does not look, and the grace after it', { runs: TWO, workers: 1, deaf: 0, acts: [cancel(0), grace(0)] }],
    ['the same with two slots, then the other run', { runs: TWO, workers: 2, deaf: 0, acts: [cancel(0), grace(0), cancel(1)] }],
    ['a grace whose word comes late', { runs: TWO, workers: 1, acts: [cancel(0), grace(0), cancel(1)] }],
  ])('%s: it stops all of its run and nothing of the other', (_name, plan) => {
    const found = search(plan)
    expect(found).toMatchObject({ wrong: undefined, path: [] })
    expect(found.states).toBeGreaterThan(50)
  })

  test.each<[string, RegExp, Partial<Plan>?]>([
    ['cleared after the run was read', /runs on/], ['run read before it is published', /runs on/], ['slots before the word', /runs on/],
    ['slots are not told', /runs on/],
    ['any word cancels', /nobody cancelled/], ['run read before the word is cleared', /runs on/, { acts: [cancel(0), cancel(1)] }],
    ['word kept', /cannot be reached/],
    ['a step goes on half way', /half way/], ['the loop just ends', /cannot be reached/],
  ])('planted fault found: %s', (fault, what, plan = {}) => {
    expect(search({ runs: TWO, workers: 1, acts: [cancel(0)], ...plan, fault }).wrong).toMatch(what)
  })
})
