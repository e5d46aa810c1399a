import { describe, expect, test } from 'vitest'

/**
 * The two "publish, then look" protocols of MW-35 as small state machines, every interleaving of their steps explored. A step is atomic, as the words are in shared
 * memory (sequentially consistent). The models follow wasm/crates/engine/src/tasks.rs and src/workers/slots.ts step by step; each is also run with its two
 * steps swapped, to show that the search would find the fault.
 */
interface Step<S> { readonly when?: (s: S) => boolean; readonly run: (s: S) => number | void }
interface Model<S extends object> { readonly state: S; readonly threads: readonly (readonly Step<S>[])[]; readonly safe: (s: S, at: readonly number[]) => boolean }

/** Depth-first over all interleavings with a set of seen states; the path to the first unsafe state, or how many states there are. A step gives the next position. */
function explore<S extends object>({ state, threads, safe }: Model<S>): { states: number; broken: string | null; stuck: boolean } {
  const seen = new Set<string>(), stack: { s: S; at: number[]; path: string }[] = [{ s: state, at: threads.map(() => 0), path: '' }]
  let stuck = false
  while (stack.length > 0) {
    const { s, at, path } = stack.pop()!, key = JSON.stringify([s, at])
    if (seen.has(key)) continue
    seen.add(key)
    if (!safe(s, at)) return { states: seen.size, broken: path, stuck }
    let moved = false
    threads.forEach((steps, t) => {
      const step = steps[at[t]!]
      if (step === undefined || step.when?.(s) === false) return
      moved = true
      const next = structuredClone(s), to = step.run(next), after = [...at]
      after[t] = to ?? at[t]! + 1
      stack.push({ s: next, at: after, path: `${path} ${t}:${at[t]}` })
    })
    if (!moved && at.some((position, t) => position < threads[t]!.length)) stuck = true
  }
  return { states: seen.size, broken: null, stuck }
}

describe('rebuilding a run’s rings', () => {
  interface Rings { rebuilding: boolean; phase: boolean[]; touching: boolean[]; rebuilder: boolean }
  const worker = (w: number, swapped: boolean): Step<Rings>[] => {
    const announce: Step<Rings> = { run: (s) => { s.phase[w] = true } }
    // Seen the flag: leave, and look again later.
    const look: Step<Rings> = { run: (s) => s.rebuilding ? 5 : undefined }
    return [
      ...(swapped ? [look, announce] : [announce, look]),
      { run: (s) => { s.touching[w] = true } },
      { run: (s) => { s.touching[w] = false } },
      { run: (s) => { s.phase[w] = false; return 6 } },
      { run: (s) => { s.phase[w] = false; return 0 } },
    ]
  }
  const rebuilder: Step<Rings>[] = [
    { run: (s) => { s.rebuilding = true } },
    { when: (s) => !s.phase[0], run: () => undefined }, { when: (s) => !s.phase[1], run: () => undefined },
    { run: (s) => { s.rebuilder = true } }, { run: (s) => { s.rebuilder = false } }, { run: (s) => { s.rebuilding = false } },
  ]
  const model = (swapped: boolean): Model<Rings> => ({
    state: { rebuilding: false, phase: [false, false], touching: [false, false], rebuilder: false }, threads: [worker(0, swapped), worker(1, swapped), rebuilder],
    safe: (s) => !(s.rebuilder && (s.touching[0] || s.touching[1])),
  })
  test('nobody touches a ring while it is rebuilt, and nobody waits for ever', () => {
    const result = explore(model(false))
    expect(result).toMatchObject({ broken: null, stuck: false })
    expect(result.states).toBeGreaterThan(100)
  })
  test('looking before announcing would break it', () => { expect(explore(model(true)).broken).not.toBe(null) })
})

describe('cancelling a run', () => {
  interface Cancel { run: number; slotRun: number; slotCancel: number; kernel: 'out' | 'in' | 'left' }
  /** Claim (own cancel word cleared, job published, run's word read), then a kernel that polls its slot's word. */
  const worker = (swapped: boolean): Step<Cancel>[] => {
    const publish: Step<Cancel> = { run: (s) => { s.slotRun = 1 } }, look: Step<Cancel> = { run: (s) => { if (s.run !== 0) { s.kernel = 'left'; s.slotRun = 0; return 4 } return undefined } }
    return [
      { run: (s) => { s.slotCancel = 0 } }, ...(swapped ? [look, publish] : [publish, look]),
      { run: (s) => { s.kernel = 'in' } },
    ]
  }
  const canceller: Step<Cancel>[] = [{ run: (s) => { s.run = 1 } }, { run: (s) => { if (s.slotRun === 1) s.slotCancel = 1 } }]
  const model = (swapped: boolean): Model<Cancel> => ({
    state: { run: 0, slotRun: 0, slotCancel: 0, kernel: 'out' }, threads: [worker(swapped), canceller],
    // When both are through, a kernel that runs has been told to stop.
    safe: (s, at) => !(at[0] === 4 && at[1] === 2 && s.kernel === 'in' && s.slotCancel === 0),
  })
  test('a kernel that runs after the cancel has its word set', () => { expect(explore(model(false))).toMatchObject({ broken: null, stuck: false }) })
  test('looking before publishing would miss it', () => { expect(explore(model(true)).broken).not.toBe(null) })
})
