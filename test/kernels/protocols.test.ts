import { describe, expect, test } from 'vitest'

/**
 * Exhaustive interleavings of the two protocols of wasm/crates/engine/src/tasks.rs (MW-35) as small state machines: each step is one atomic access, in the order of the
 * code. Every reachable state is visited, so a claim holds for all schedules; the same search with one step swapped must find the fault, else it proves nothing.
 */
interface Machine<S> { readonly name: string; /** Next states of this machine; none: blocked or ended. */ readonly next: (s: S) => readonly S[] }

function explore<S extends object>(start: S, machines: readonly Machine<S>[], check: (s: S) => string | undefined): { states: number; fault: string | undefined } {
  const seen = new Set<string>(), open = [start]
  for (let s = open.pop(); s !== undefined; s = open.pop()) {
    const key = JSON.stringify(s)
    if (seen.has(key)) continue
    seen.add(key)
    const fault = check(s)
    if (fault !== undefined) return { states: seen.size, fault }
    for (const machine of machines) open.push(...machine.next(s))
  }
  return { states: seen.size, fault: undefined }
}

/** Workers that touch a ring under phase 1, one rebuilder that waits until no live slot is in phase 1. */
interface RebuildState { readonly flag: boolean; readonly phase: readonly number[]; readonly worker: readonly number[]; readonly rebuilder: number; readonly scanned: number; readonly touching: readonly boolean[]; readonly rebuilding: boolean }

function rebuildMachines(workers: number, phaseFirst: boolean): Machine<RebuildState>[] {
  const set = <T>(list: readonly T[], i: number, value: T): T[] => list.map((old, n) => n === i ? value : old)
  const worker = (i: number): Machine<RebuildState> => ({
    name: `worker ${i}`,
    next: (s) => {
      const at = s.worker[i]!, go = (to: number, rest: Partial<RebuildState> = {}): RebuildState[] => [{ ...s, ...rest, worker: set(s.worker, i, to) }]
      const raise = (to: number): RebuildState[] => go(to, { phase: set(s.phase, i, 1) })
      const look = (clear: number): RebuildState[] => s.flag ? go(9, { phase: set(s.phase, i, 0) }) : go(clear)
      if (at === 0) return phaseFirst ? raise(1) : look(1)
      if (at === 1) return phaseFirst ? look(2) : raise(2)
      if (at === 2) return go(3, { touching: set(s.touching, i, true) })
      if (at === 3) return go(4, { touching: set(s.touching, i, false) })
      if (at === 4) return go(5, { phase: set(s.phase, i, 0) })
      // Turned away: may try again once the flag is clear.
      return at === 9 && !s.flag ? go(0) : []
    },
  })
  const rebuilder: Machine<RebuildState> = {
    name: 'rebuilder',
    next: (s) => {
      switch (s.rebuilder) {
        case 0: return [{ ...s, flag: true, rebuilder: 1, scanned: 0 }]
        case 1: return s.scanned === workers ? [{ ...s, rebuilder: 2, rebuilding: true }] : s.phase[s.scanned] === 0 ? [{ ...s, scanned: s.scanned + 1 }] : []
        case 2: return [{ ...s, rebuilder: 3, rebuilding: false }]
        case 3: return [{ ...s, rebuilder: 4, flag: false }]
        default: return []
      }
    },
  }
  return [...Array.from({ length: workers }, (_, i) => worker(i)), rebuilder]
}
const rebuildStart = (workers: number): RebuildState => {
  const each = <T>(value: T): T[] => Array.from({ length: workers }, () => value)
  return { flag: false, phase: each(0), worker: each(0), rebuilder: 0, scanned: 0, touching: each(false), rebuilding: false }
}
const together = (s: RebuildState): string | undefined => s.rebuilding && s.touching.includes(true) ? 'a worker touches a ring that is being rebuilt' : undefined

/** A worker publishes its job, then reads the run's cancel word; who cancels writes it, then scans the slots. */
interface CancelState { readonly word: boolean; readonly published: boolean; readonly slotCancel: boolean; readonly worker: number; readonly canceller: number; readonly runs: boolean; readonly refused: boolean }

type Access = 'clear' | 'publish' | 'look'
function cancelMachines(order: readonly Access[]): Machine<CancelState>[] {
  const access: Record<Access, (s: CancelState, to: number) => CancelState> = {
    clear: (s, to) => ({ ...s, slotCancel: false, worker: to }),
    publish: (s, to) => ({ ...s, published: true, worker: to }),
    look: (s, to) => s.word ? { ...s, refused: true, worker: 9 } : { ...s, worker: to },
  }
  return [{
    name: 'worker',
    next: (s) => s.worker < 3 ? [access[order[s.worker]!](s, s.worker + 1)] : s.worker === 3 ? [{ ...s, runs: true, worker: 4 }] : [],
  }, {
    name: 'canceller',
    next: (s) => {
      switch (s.canceller) {
        case 0: return [{ ...s, word: true, canceller: 1 }]
        case 1: return [{ ...s, slotCancel: s.slotCancel || s.published, canceller: 2 }]
        default: return []
      }
    },
  }]
}
const cancelStart: CancelState = { word: false, published: false, slotCancel: false, worker: 0, canceller: 0, runs: false, refused: false }
const unheard = (s: CancelState): string | undefined => s.runs && s.canceller === 2 && !s.slotCancel ? 'the job runs and nobody told it' : undefined

describe('protocols between threads, every interleaving (MW-35)', () => {
  test.each([1, 2, 3])('%i workers never touch a ring that is being rebuilt', (workers) => {
    const { states, fault } = explore(rebuildStart(workers), rebuildMachines(workers, true), together)
    expect(fault).toBeUndefined()
    expect(states).toBeGreaterThan(15 * workers)
  })
  test('looking before publishing the phase would', () => {
    expect(explore(rebuildStart(1), rebuildMachines(1, false), together).fault).toBe('a worker touches a ring that is being rebuilt')
  })
  test('a cancelled run is refused by the worker or its slot is told', () => {
    const { states, fault } = explore(cancelStart, cancelMachines(['clear', 'publish', 'look']), unheard)
    expect(fault).toBeUndefined()
    expect(states).toBeGreaterThan(10)
  })
  test.each<[Access[]]>([[['clear', 'look', 'publish']], [['look', 'clear', 'publish']], [['look', 'publish', 'clear']], [['publish', 'look', 'clear']]])('in the order %j a cancel is lost', (order) => {
    expect(explore(cancelStart, cancelMachines(order), unheard).fault).toBe('the job runs and nobody told it')
  })
})
