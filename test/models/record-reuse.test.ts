/**
 * Reuse of run records and of the blocks in which tasks and rings stand: a worker that is late, or was ended, never touches what belongs to
 * another run than the one from which it has its task. Every interleaving of workers and engine, one access to shared memory a step. The
 * steps and the code that they are:
 *
 * | step | code |
 * |---|---|
 * | announce | tasks.rs `look`: PHASE ← QUEUE |
 * | epoch, flags | tasks.rs `best_run`: EPOCH, then FLAGS |
 * | rings, admit, pop | tasks.rs `admit`: the record's ring addresses, TASKS_RUNNING + 1, `queue::pop` |
 * | claim, publish, cancel.read, cancel.settle, work | tasks.rs `claim` |
 * | kernel | worker-loop.ts `execute` |
 * | find, enter, enter.look, running | tasks.rs `finish_task`: `run_with`, `enter`, TASKS_RUNNING − 1 |
 * | settle, left | tasks.rs `settle` |
 * | leave, idle | tasks.rs `leave`, PHASE ← IDLE |
 * | stop | shared-run.ts `#stop`: `cancelRun` writes RUN.CANCEL |
 * | closed | shared-run.ts `#close`: waits until `anyOpen` is false |
 * | raise, quiet, free | run-table.ts `close`: FLAGS ← REBUILDING, `queue_quiet`, EPOCH ← 0 and the block is freed |
 * | take, fill, open, lower | run-table.ts constructor: `freeRecord` and `allocate`, all fields but FLAGS, EPOCH ← next, FLAGS ← 0 |
 * | reap | worker-losses.ts `end`: `markDead` once the thread is gone; rebuild.rs: its task is DELAYED, which a run that stops ends (shared-run.ts `recovered`); slots.ts `clear` |
 */
import { describe, expect, test } from 'vitest'
import { exploreStates, type Part, type Search } from './explore-states.js'

interface Plan { readonly workers: number; readonly runs: number; readonly tasks: number; readonly kills?: number; readonly fault?: string }
const READY = 1, RUNNING = 2, DONE = 5, CANCELLED = 7
const IDLE = 0, QUEUE = 1, KERNEL = 2, LIVE = 0, KILLED = 1

/** `from`: the run whose words it has found; 0 none. */
interface Worker { life: number; at: string; phase: number; run: number; from: number; found: number }
interface State {
  record: { epoch: number; rebuilding: boolean; cancel: number; block: number; running: number; left: number }
  /** The block in which tasks and ring of a run stand: freed, it serves the next one. `owner`: the run whose it is. */
  block: { owner: number; tasks: number[]; ring: number[] }
  workers: Worker[]
  engine: { at: string; run: number }
  kills: number
  wrong: string
}
const fresh = (): Worker => ({ life: LIVE, at: 'announce', phase: IDLE, run: 0, from: 0, found: -1 })
const startOf = ({ workers, kills = 0 }: Plan): State => ({
  record: { epoch: 0, rebuilding: true, cancel: 0, block: 0, running: 0, left: 0 }, block: { owner: 0, tasks: [], ring: [] },
  workers: Array.from({ length: workers }, fresh), engine: { at: 'take', run: 1 }, kills, wrong: '',
})

type Change = readonly [string, (s: State) => void]
const copyOf = (s: State): State => ({
  ...s, record: { ...s.record },
  block: { ...s.block, tasks: [...s.block.tasks], ring: [...s.block.ring] },
  workers: s.workers.map((one) => ({ ...one })), engine: { ...s.engine },
})
const move = (s: State, [name, change]: Change): readonly [string, State] => { const next = copyOf(s); change(next); return [name, next] }
const isOpen = (s: State): boolean => s.block.tasks.includes(RUNNING)

/** The step that a worker takes next. */
function workerStep({ fault }: Plan, s: State, w: number): readonly Change[] {
  const own = s.workers[w]!, { record } = s
  const to = (at: string, change: (s: State, me: Worker) => void = () => undefined): readonly Change[] =>
    [[own.at, (next) => { const me = next.workers[w]!; me.at = at; change(next, me) }]]
  /**
   * As {@link to}, on words of the block, or of the record that say something about one run: they must be those of the run that was found.
   */
  const touch = (at: string, change: (s: State, me: Worker) => void): readonly Change[] => to(at, (next, me) => {
    if (next.block.owner !== me.from) next.wrong = `${me.at}: has run ${me.from}, touches what is run ${next.block.owner}'s`
    change(next, me)
  })
  switch (own.at) {
    case 'announce': return to('epoch', (_, me) => { if (fault !== 'look before announce') me.phase = QUEUE })
    case 'epoch': return to(record.epoch === 0 ? 'idle' : 'flags')
    case 'flags': return to(record.rebuilding ? 'idle' : fault === 'look before announce' ? 'announce.late' : 'rings')
    case 'announce.late': return to('rings', (_, me) => { me.phase = QUEUE })
    case 'rings': return to('admit', (next, me) => { me.from = next.record.block })
    case 'admit': return touch('pop', (next) => { next.record.running++ })
    case 'pop': return touch(s.block.ring.length === 0 ? 'admit.back' : 'claim', (next, me) => { me.found = next.block.ring.shift() ?? -1 })
    case 'admit.back': return touch('idle', (next) => { next.record.running-- })
    case 'claim': return touch(s.block.tasks[own.found] === READY ? 'publish' : 'admit.back', (next, me) => {
      if (next.block.tasks[me.found] === READY) next.block.tasks[me.found] = RUNNING
    })
    case 'publish': return to('cancel.read', (_, me) => { me.run = 1 })
    case 'cancel.read': return to(record.cancel === 0 ? 'work' : 'cancel.leave')
    case 'cancel.leave': return to('cancel.settle', (_, me) => { me.run = 0 })
    case 'cancel.settle': return touch('cancel.left', (next, me) => { next.record.running--; next.block.tasks[me.found] = CANCELLED })
    case 'cancel.left': return touch('idle', (next) => { next.record.left-- })
    case 'work': return to('kernel', (_, me) => { me.phase = KERNEL })
    case 'kernel': return touch('find', () => undefined)
    case 'find': return to('enter', (next, me) => {
      if (next.record.epoch === 0 || next.record.block !== me.from) next.wrong = 'a task that runs has no record'
    })
    case 'enter': return to('enter.look', (_, me) => { me.phase = QUEUE })
    case 'enter.look': return record.rebuilding ? to('enter.wait', (_, me) => { me.phase = KERNEL }) : to('running')
    case 'enter.wait': return record.rebuilding ? [] : to('enter')
    case 'running': return touch('settle', (next) => { next.record.running-- })
    case 'settle': return touch(fault === 'idle before the count' ? 'early' : 'left', (next, me) => { next.block.tasks[me.found] = DONE })
    case 'early': return to('left', (_, me) => { me.phase = IDLE })
    case 'left': return touch('leave', (next) => { next.record.left-- })
    case 'leave': return to('idle', (_, me) => { me.run = 0 })
    case 'idle': return to('announce', (_, me) => { me.phase = IDLE; me.from = 0; me.found = -1 })
    default: throw new Error(own.at)
  }
}

/** What the engine's thread does next: a run after the other, all in the same record and the same block. */
function engineStep({ runs, tasks, fault }: Plan, s: State): readonly Change[] {
  const { at, run } = s.engine
  const to = (next: string, change: (s: State) => void = () => undefined): Change => [at, (n) => { n.engine.at = next; change(n) }]
  const gone: Change[] = s.workers.flatMap(({ life }, w): Change[] => life !== KILLED ? [] : [[`reap ${w}`, (next) => {
    const { found, run: on } = next.workers[w]!, ours = next.block.owner === next.workers[w]!.from
    if (on === 1 && ours && next.block.tasks[found] === RUNNING) next.block.tasks[found] = CANCELLED
    // Taken but not published, or popped and not claimed: nobody's.
    if (on === 0 && ours && next.block.tasks[found] === RUNNING) next.block.tasks[found] = CANCELLED
    next.workers[w] = fresh()
  }]])
  const step = ((): readonly Change[] => {
    switch (at) {
      case 'take': return [to('fill', (n) => {
        n.block = { owner: run, tasks: new Array<number>(tasks).fill(READY), ring: [...new Array<number>(tasks).keys()] }
      })]
      case 'fill': return [to(fault === 'flags with the rest' ? 'early.lower' : 'open', (n) => {
        n.record.cancel = 0
        n.record.running = 0
        if (fault !== 'flags with the rest') { n.record.block = run; n.record.left = tasks }
      })]
      case 'early.lower': return [to('late.fill', (n) => { n.record.rebuilding = false })]
      case 'late.fill': return [to('open', (n) => { n.record.block = run; n.record.left = tasks })]
      case 'open': return [to('lower', (n) => { n.record.epoch = run })]
      case 'lower': return [to('stop', (n) => { n.record.rebuilding = false })]
      // At any moment: done, cancelled, or only retired.
      case 'stop': return [to('closed', (n) => { if (fault !== 'no cancel word') n.record.cancel = 1 })]
      case 'closed': return isOpen(s) ? [] : [to('raise')]
      case 'raise': return [to('quiet', (n) => { n.record.rebuilding = true })]
      case 'quiet': return fault !== 'no quiet' && s.workers.some(({ phase }) => phase === QUEUE) ? [] : [to('free')]
      case 'free': return [to(run === runs ? 'end' : 'take', (
        n,
      ) => { n.record.epoch = 0; n.block = { owner: 0, tasks: [], ring: [] }; n.engine.run++ })]
      default: return []
    }
  })()
  return [...step, ...gone]
}

function search(plan: Plan): Search {
  const parts: Part<State>[] = Array.from({ length: plan.workers }, (_, w) => ({
    moves: (s) => s.workers[w]!.life !== LIVE ? [] : workerStep(plan, s, w).map(([name, change]) => move(s, [`${w}:${name}`, change])),
  }))
  parts.push({ moves: (s) => engineStep(plan, s).map(([name, change]) => move(s, [`engine:${name}`, change])) })
  parts.push({
    hostile: true,
    moves: (s) => s.kills === 0
      ? []
      : s.workers.flatMap(({ life }, w) => life !== LIVE ? [] : [move(s, [`end ${w}`, (n) => { n.kills--; n.workers[w]!.life = KILLED }])]),
  })
  return exploreStates({
    start: startOf(plan), parts, key: (s) => JSON.stringify(s), reached: (s) => s.engine.at === 'end',
    broken: ({ wrong, block, workers }) => wrong !== '' ? wrong
      : workers.find(({ life, at, from }) => life === LIVE && at === 'kernel' && block.owner !== from) === undefined ? undefined
      : 'a kernel runs in freed memory',
  })
}

describe('a record and a block after each other for two runs', () => {
  test.each<[string, Plan]>([
    ['one worker, three runs', { workers: 1, runs: 3, tasks: 2 }], ['two workers, two runs', { workers: 2, runs: 2, tasks: 1 }],
    ['one worker, three runs, two ends', { workers: 1, runs: 3, tasks: 1, kills: 2 }],
    ['two workers, two runs, one end', { workers: 2, runs: 2, tasks: 1, kills: 1 }],
  ])('%s: nobody touches what is another run’s, and every run can be closed', (_, plan) => {
    const found = search(plan)
    expect(found).toMatchObject({ wrong: undefined, path: [] })
    expect(found.states).toBeGreaterThan(200)
  })
  test.each([
    'look before announce', 'no quiet', 'no cancel word', 'flags with the rest', 'idle before the count',
  ])('planted fault found: %s', (fault) => {
    expect([1, 2].some((workers) => search({ workers, runs: 2, tasks: 1, fault }).wrong !== undefined)).toBe(true)
  })
})
