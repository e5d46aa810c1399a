import type { Part } from './explore-states.js'

/**
 * The claim, complete and rebuild protocols of MW-34 and MW-35, step by step as in wasm/crates/engine/src/tasks.rs, queue.rs, rebuild.rs
 * and src/workers/recovery.ts: a step here is one access to shared memory there, and bears its name. A worker may be ended between any two
 * of its steps.
 */
export interface Plan {
  /** Successors of each task; tasks without predecessors are pushed at the start. */
  readonly edges: readonly (readonly number[])[]
  readonly workers: number
  readonly kills: number
  /** How many workers the engine tells to stop, as if they hung, before it ends them: `dismiss` in src/workers/slots.ts. Default none. */
  readonly dismissals?: number
  /** The run is cancelled at some moment. */
  readonly cancels?: boolean
  /** Faults planted into the protocol, by name. */
  readonly fault?: string
}

export const TASK = { PENDING: 0, READY: 1, RUNNING: 2, DONE_WRITTEN: 4, DONE: 5, CANCELLED: 7, DELAYED: 9 } as const
const IDLE = 0, QUEUE = 1, KERNEL = 2
const LIVE = 0, KILLED = 1, DEAD = 2

interface Worker {
  life: number
  dismissed: number
  at: string
  phase: number
  run: number
  task: number
  cancel: number
  found: number
  position: number
  successor: number
}
export interface State {
  rebuilding: boolean; left: number; running: number; cancel: number
  tasks: { state: number; pending: number; owner: number; done: number }[]
  ring: { head: number; tail: number; sequence: number[]; value: number[] }
  workers: Worker[]
  engine: { at: string; found: number; doorbell: boolean }
  canceller: number
  kills: number
  dismissals: number
}

const worker = (): Worker => ({
  life: LIVE, dismissed: 0, at: 'announce', phase: IDLE, run: 0, task: -1, cancel: 0, found: -1, position: 0, successor: 0,
})

function ringOf(values: readonly number[], capacity: number): State['ring'] {
  return {
    head: 0, tail: values.length,
    sequence: Array.from({ length: capacity }, (_, i) => i < values.length ? i + 1 : i),
    value: Array.from({ length: capacity }, (_, i) => values[i] ?? -1),
  }
}

/** The state right after the engine has pushed the first tasks. */
export function startOf({ edges, workers, kills, dismissals = 0 }: Plan): State {
  const pending = edges.map((_, task) => edges.filter((list) => list.includes(task)).length)
  const first = pending.flatMap((n, task) => n === 0 ? [task] : [])
  return {
    rebuilding: false, left: edges.length, running: 0, cancel: 0,
    tasks: pending.map((n) => ({ state: n === 0 ? TASK.READY : TASK.PENDING, pending: n, owner: -1, done: 0 })),
    ring: ringOf(first, capacityOf(edges.length)), workers: Array.from({ length: workers }, worker),
    engine: { at: 'watch', found: -1, doorbell: false }, canceller: 0, kills, dismissals,
  }
}

function capacityOf(tasks: number): number { return 2 ** Math.max(1, Math.ceil(Math.log2(tasks))) }

/** The model's parts: workers, the one who ends them, the engine, and who cancels. */
export function partsOf(plan: Plan): Part<State>[] {
  const step = (state: State, name: string, change: (s: State) => void): readonly [string, State] => {
    const next = structuredCloneOf(state)
    change(next)
    return [name, next]
  }
  const parts: Part<State>[] = Array.from({ length: plan.workers }, (_, w) => ({ moves: (state) => {
    if (state.workers[w]!.life !== LIVE) return []
    return workerStep(plan, state, w).map(([name, change]) => step(state, `${w}:${name}`, change))
  } }))
  parts.push({
    hostile: true,
    moves: (state) => state.kills === 0 ? [] : state.workers.flatMap((own, w) =>
      own.life !== LIVE ? [] : [step(state, `end ${w}`, (s) => { s.kills--; s.workers[w]!.life = KILLED })]),
  })
  parts.push({
    hostile: true,
    moves: (state) => state.dismissals === 0 ? [] : state.workers.flatMap((own, w) => own.life !== LIVE || own.dismissed === 1
      ? []
      : [step(state, `dismiss ${w}`, (s) => { s.dismissals--; s.workers[w]!.dismissed = s.workers[w]!.cancel = 1 })]),
  })
  // Who is told to stop is ended, some time later.
  parts.push({
    moves: (state) => state.workers.flatMap(({ life, dismissed }, w) =>
      life === LIVE && dismissed === 1 ? [step(state, `terminate ${w}`, (s) => { s.workers[w]!.life = KILLED })] : []),
  })
  parts.push({ moves: (state) => engineStep(plan, state).map(([name, change]) => step(state, `engine:${name}`, change)) })
  if (plan.cancels) {
    parts.push({ moves: (state) => {
      const k = state.canceller
      const order = plan.fault === 'scan before the word'
        ? [...Array.from({ length: plan.workers }, (_, w) => w), -1]
        : [-1, ...Array.from({ length: plan.workers }, (_, w) => w)]
      const which = order[k]
      if (which === undefined) return []
      return [step(state, which < 0 ? 'cancel:word' : `cancel:scan ${which}`, (s) => {
        s.canceller++
        if (which < 0) s.cancel = 1
        else if (s.workers[which]!.run === 1) s.workers[which]!.cancel = 1
      })]
    } })
  }
  return parts
}

type Change = readonly [string, (s: State) => void]

/** The step that a worker takes next. */
function workerStep(plan: Plan, state: State, w: number): readonly Change[] {
  const own = state.workers[w]!, mask = state.ring.sequence.length - 1
  const to = (at: string, change: (s: State, own: Worker) => void = () => undefined): readonly Change[] =>
    [[own.at, (s) => { const me = s.workers[w]!; me.at = at; change(s, me) }]]
  switch (own.at) {
    case 'announce':
      if (state.left === 0) return []
      if (plan.fault === 'look before announce') return state.rebuilding ? [] : to('look', () => undefined)
      return to('look', (_, me) => { me.phase = QUEUE })
    case 'look':
      if (plan.fault === 'look before announce') return to('admit', (_, me) => { me.phase = QUEUE })
      return state.rebuilding ? to('rest') : to('admit')
    case 'admit': return to('pop.head', (s) => { s.running++ })
    case 'pop.head': {
      const position = state.ring.head
      if (state.ring.sequence[position & mask] !== position + 1) return to('admit.back')
      return to('pop.cell', (s, me) => { s.ring.head = position + 1; me.position = position; me.found = s.ring.value[position & mask]! })
    }
    case 'pop.cell': return to('claim', (s, me) => { s.ring.sequence[me.position & mask] = me.position + mask + 1 })
    case 'admit.back': return to('rest', (s) => { s.running-- })
    case 'claim':
      if (state.tasks[own.found]!.state !== TASK.READY) return to('admit.back')
      return to('own', (s, me) => { s.tasks[me.found]!.state = TASK.RUNNING; me.cancel = 0 })
    case 'own': return to('publish.task', (s, me) => { s.tasks[me.found]!.owner = w })
    case 'publish.task':
      return to(plan.fault === 'cancel before publish' ? 'cancel.read' : 'publish.run', (_, me) => { me.task = me.found })
    case 'publish.run': return to(plan.fault === 'cancel before publish' ? 'work' : 'cancel.read', (_, me) => { me.run = 1 })
    case 'cancel.read':
      if (state.cancel !== 0) return to('cancel.leave')
      return plan.fault === 'cancel before publish' ? to('publish.run') : to('work')
    case 'cancel.leave': return to('cancel.back', (_, me) => { me.run = 0; me.task = -1 })
    case 'cancel.back': return to('cancel.settle', (s) => { s.running-- })
    case 'cancel.settle': return to('cancel.left', (s, me) => { s.tasks[me.found]!.state = TASK.CANCELLED })
    case 'cancel.left': return to('rest', (s) => { s.left--; s.engine.doorbell = true })
    case 'work': return to('kernel', (_, me) => { me.phase = KERNEL })
    case 'kernel':
      if (own.cancel === 0) return to('enter', (_, me) => { me.successor = 0 })
      return plan.fault === 'dismissed is cancelled' ? to('enter', (_, me) => { me.successor = -1 }) : to('cancelled')
    // Its own word said stop: the run's says whether the task is cancelled, or only this thread is at its end.
    case 'cancelled': return state.cancel !== 0 ? to('enter', (_, me) => { me.successor = -1 }) : to('stopped')
    case 'stopped': return []
    case 'enter': return to('enter.look', (_, me) => { me.phase = QUEUE })
    case 'enter.look': return state.rebuilding && plan.fault !== 'finish while rebuilding'
      ? to('enter.wait', (_, me) => { me.phase = KERNEL })
      : to('running')
    case 'enter.wait': return state.rebuilding ? [] : to('enter')
    case 'running': return to(own.successor < 0 ? 'settle.cancelled' : 'written', (s) => { s.running-- })
    case 'settle.cancelled': return to('left', (s, me) => { s.tasks[me.found]!.state = TASK.CANCELLED })
    case 'written': return to('release', (s, me) => { s.tasks[me.found]!.state = TASK.DONE_WRITTEN })
    case 'release': {
      const next = plan.edges[own.found]![own.successor]
      if (next === undefined) return to('settle')
      return to(state.tasks[next]!.pending === 1 ? 'ready' : 'release', (s, me) => { if (--s.tasks[next]!.pending !== 0) me.successor++ })
    }
    case 'ready': {
      const next = plan.edges[own.found]![own.successor]!
      if (state.tasks[next]!.state !== TASK.PENDING) return to('release', (_, me) => { me.successor++ })
      return to('push.tail', (s) => { s.tasks[next]!.state = TASK.READY })
    }
    case 'push.tail': {
      const position = state.ring.tail
      if (state.ring.sequence[position & mask] !== position) return to('release', (_, me) => { me.successor++ })
      return to('push.cell', (s, me) => { s.ring.tail = position + 1; me.position = position })
    }
    case 'push.cell': return to('release', (s, me) => {
      s.ring.value[me.position & mask] = plan.edges[me.found]![me.successor]!
      s.ring.sequence[me.position & mask] = me.position + 1
      me.successor++
    })
    case 'settle': return to('left', (s, me) => { s.tasks[me.found]!.state = TASK.DONE; s.tasks[me.found]!.done++ })
    case 'left': return to('leave', (s) => { s.left--; s.engine.doorbell = true })
    case 'leave': return to('rest', (_, me) => { me.run = 0; me.task = -1 })
    case 'rest': return to('sleep', (_, me) => { me.phase = IDLE; me.found = -1; me.position = 0; me.successor = 0 })
    // Woken by a push, by the end of a rebuild, or by nothing.
    case 'sleep': return to('announce')
    default: throw new Error(own.at)
  }
}

/** What the engine's thread does next: finds the dead, rebuilds, delivers again, starts others in their slots. */
function engineStep(plan: Plan, state: State): readonly Change[] {
  const { engine } = state
  const to = (at: string, change: (s: State) => void = () => undefined): readonly Change[] =>
    [[engine.at, (s) => { s.engine.at = at; change(s) }]]
  // Any of them, in any order: no worker is another's elder.
  const which = (life: number): number[] => state.workers.flatMap((one, w) => one.life === life ? [w] : [])
  switch (engine.at) {
    case 'watch': {
      return which(KILLED).flatMap((gone) => to('raise', (s) => { s.workers[gone]!.life = DEAD }))
    }
    case 'raise': return to('quiet', (s) => { s.rebuilding = true })
    case 'quiet': {
      const gone = which(KILLED)
      if (gone.length > 0) return gone.flatMap((w) => to('quiet', (s) => { s.workers[w]!.life = DEAD }))
      if (plan.fault !== 'no quiet' && state.workers.some(({ life, phase }) => life !== DEAD && phase === QUEUE)) return []
      return to('states')
    }
    case 'states': return to('rings', (s) => { rebuildStates(plan, s) })
    case 'rings': return to('lower', (s) => { rebuildRing(plan, s) })
    case 'lower': return to('deliver', (s) => { s.rebuilding = false })
    case 'deliver': {
      const task = state.tasks.findIndex((one) => one.state === TASK.DELAYED)
      if (task < 0) return to('respawn')
      if (state.cancel !== 0) return to('deliver', (s) => { s.tasks[task]!.state = TASK.CANCELLED; s.left-- })
      return to('deliver.push', (s) => { s.tasks[task]!.state = TASK.READY; s.engine.found = task })
    }
    case 'deliver.push': {
      const { ring } = state, mask = ring.sequence.length - 1, position = ring.tail
      // A ring that a thread left behind while it was ended may be full: its rebuild finds the task by its record.
      if (ring.sequence[position & mask] !== position) return to('deliver')
      return to('deliver', (s) => {
        s.ring.tail = position + 1
        s.ring.value[position & mask] = s.engine.found
        s.ring.sequence[position & mask] = position + 1
        s.engine.found = -1
      })
    }
    case 'respawn': {
      const slots = which(DEAD)
      return slots.length === 0 ? to('watch') : slots.flatMap((slot) => to('respawn', (s) => { s.workers[slot] = worker() }))
    }
    default: throw new Error(engine.at)
  }
}

function rebuildStates(plan: Plan, s: State): void {
  const owned = (task: number): boolean => {
    const { owner } = s.tasks[task]!, by = s.workers[owner]
    if (plan.fault === 'owner word alone') return owner >= 0 && by!.life !== DEAD
    return by !== undefined && by.life !== DEAD && by.run === 1 && by.task === task
  }
  s.tasks.forEach((task, i) => {
    if (task.state === TASK.RUNNING && !owned(i)) task.state = TASK.DELAYED
    if (task.state === TASK.DONE_WRITTEN) {
      if (plan.fault === 'written is not done') task.state = TASK.DELAYED
      else { task.state = TASK.DONE; task.done++ }
    }
    if (plan.fault !== 'pending kept') task.pending = 0
  })
  const isDone = (task: number): boolean => s.tasks[task]!.state === TASK.DONE
  if (plan.fault !== 'pending kept') {
    plan.edges.forEach((list, task) => { if (!isDone(task)) for (const next of list) s.tasks[next]!.pending++ })
  }
  if (plan.fault !== 'left kept') s.left = s.tasks.filter(({ state }) => state !== TASK.DONE && state !== TASK.CANCELLED).length
  s.running = s.tasks.filter(({ state }) => state === TASK.RUNNING).length
}

function rebuildRing(plan: Plan, s: State): void {
  s.tasks.forEach((task, i) => {
    if (task.state === TASK.PENDING && task.pending === 0 && plan.edges.some((list) => list.includes(i))) task.state = TASK.READY
  })
  if (plan.fault === 'ring kept') return
  s.ring = ringOf(s.tasks.flatMap(({ state }, i) => state === TASK.READY ? [i] : []), s.ring.sequence.length)
}

/** What must hold in every state. */
export function brokenIn(plan: Plan): (s: State) => string | undefined {
  return (s) => {
    const executing = s.workers.filter(({ life, at }) => life === LIVE && at === 'kernel').map(({ found }) => found)
    for (const task of executing) {
      if (executing.filter((other) => other === task).length > 1) return `task ${task} is executed twice at once`
      if (s.tasks[task]!.done > 0 || s.tasks[task]!.state === TASK.DONE_WRITTEN) return `task ${task} is executed after it was done`
      plan.edges.forEach((list, before) => {
        if (list.includes(task) && s.tasks[before]!.done === 0 && s.tasks[before]!.state !== TASK.DONE_WRITTEN) {
          throw new Error(`task ${task} before ${before}`)
        }
      })
    }
    if (s.tasks.some(({ done }) => done > 1)) return 'a task was done twice'
    if (s.left < 0 || s.running < 0) return 'a count is below zero'
    if (plan.cancels && s.canceller > plan.workers
      && s.workers.some(({ life, at, cancel }) => life === LIVE && at === 'kernel' && cancel === 0)) {
      return 'a kernel runs on after the cancel'
    }
    return undefined
  }
}

/** What must stay reachable: all done, nobody in between; of a cancelled run: no task open that was begun. */
export function reachedIn(plan: Plan): (s: State) => boolean {
  return (s) => {
    if (s.running !== 0 || s.workers.some(({ life }) => life !== LIVE)) return false
    if (plan.cancels && s.cancel === 1) {
      return s.tasks.every(({ state }) => state === TASK.DONE || state === TASK.CANCELLED || state === TASK.PENDING)
    }
    return s.left === 0 && s.tasks.every(({ done }) => done === 1)
  }
}

function structuredCloneOf(s: State): State {
  return {
    ...s, tasks: s.tasks.map((t) => ({ ...t })),
    ring: { ...s.ring, sequence: [...s.ring.sequence], value: [...s.ring.value] },
    workers: s.workers.map((one) => ({ ...one })), engine: { ...s.engine },
  }
}

/** Steps at which a word of a worker's own still counts: behind them it is written before it is read. */
const FOUND_IDLE = new Set(['announce', 'look', 'admit', 'pop.head', 'admit.back', 'rest', 'sleep', 'stopped', 'leave', 'cancel.left'])
const CANCEL_READ = new Set(['own', 'publish.task', 'publish.run', 'cancel.read', 'work', 'kernel'])
const SUCCESSOR_READ = new Set(['enter', 'enter.look', 'enter.wait', 'running', 'written', 'release', 'ready', 'push.tail', 'push.cell'])
const POSITION_READ = new Set(['pop.cell', 'push.cell'])
const WORKER_BYTES = 10

/**
 * States as bytes. Left out is what decides nothing any more, so that states which differ in nothing else are one: words of a worker that
 * are written before they are read, all but the job of one that was ended, values of empty cells, owners of tasks that have ended. Indices
 * in the ring count from the turn of its head, so the model is finite. Workers are alike: their order counts only while they are scanned
 * one after the other.
 */
export function keyOf(plan: Plan): (s: State) => Uint8Array {
  const cells = capacityOf(plan.edges.length), { workers } = plan, size = 11 + 2 * cells + 4 * plan.edges.length + WORKER_BYTES * workers
  const bytes = new Uint8Array(size), own = Array.from({ length: workers }, () => new Uint8Array(WORKER_BYTES)),
    order = own.map((_, w) => w), rank = [...order], codes = new Map<string, number>()
  const code = (at: string): number => { let n = codes.get(at); if (n === undefined) codes.set(at, n = codes.size); return n }
  const before = (a: number, b: number): number => {
    for (let i = 0; i < WORKER_BYTES; i++) if (own[a]![i] !== own[b]![i]) return own[a]![i]! - own[b]![i]!
    return a - b
  }
  return (s) => {
    let to = 0
    const turn = s.ring.head - s.ring.head % cells, put = (n: number): void => { bytes[to++] = n + 64 }
    for (let w = 0; w < workers; w++) writeWorker(own[w]!, s.workers[w]!, turn, code)
    if (!plan.cancels && workers > 1) {
      order.sort(before)
      for (let place = 0; place < workers; place++) rank[order[place]!] = place
    }
    put(s.rebuilding ? 1 : 0)
    put(s.left)
    put(s.running)
    put(s.cancel)
    put(s.canceller)
    put(s.kills)
    put(s.dismissals)
    put(s.ring.head - turn)
    put(s.ring.tail - turn)
    put(code(s.engine.at)); put(s.engine.at === 'deliver.push' ? s.engine.found : -1)
    for (let cell = 0; cell < cells; cell++) {
      const sequence = s.ring.sequence[cell]!
      put(sequence - turn)
      put(sequence % cells === cell ? -1 : s.ring.value[cell]!)
    }
    for (const { state, pending, owner, done } of s.tasks) {
      put(state)
      put(pending)
      put(owner < 0 || state === TASK.DONE || state === TASK.CANCELLED ? -1 : rank[owner]!)
      put(done)
    }
    for (const w of order) { bytes.set(own[w]!, to); to += WORKER_BYTES }
    return bytes
  }
}

function writeWorker(
  bytes: Uint8Array,
  { life, dismissed, at, phase, run, task, cancel, found, position, successor }: Worker,
  turn: number, code: (at: string) => number,
): void {
  bytes.fill(0)
  bytes[0] = 1 + life
  // What a rebuild reads of one that has ended and was not found yet.
  if (life !== DEAD) { bytes[1] = run; bytes[2] = task + 1 }
  if (life !== LIVE) return
  bytes[3] = dismissed
  bytes[4] = code(at)
  bytes[5] = phase
  if (CANCEL_READ.has(at)) bytes[6] = cancel
  if (!FOUND_IDLE.has(at)) bytes[7] = found + 1
  if (POSITION_READ.has(at)) bytes[8] = position - turn + 64
  if (SUCCESSOR_READ.has(at)) bytes[9] = successor + 1
}
