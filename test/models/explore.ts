/**
 * Exhaustive search of small models: threads of named atomic steps over shared words (sequentially consistent, as WebAssembly's and
 * JavaScript's atomics are), every interleaving. Code that follows a model carries the names of its steps.
 */

/** Words of a model, flat: a key of the visited set is their join. */
export type Words = Record<string, number>
/**
 * One atomic step. `run` changes the words and names the step to go to (default: the next one; `'end'`:
 * the thread is done). `when`: may it run now?
 */
export interface Step<W extends Words> { readonly name: string; readonly when?: (w: W) => boolean; readonly run: (w: W) => string | void }
export interface Model<W extends Words> {
  readonly words: W
  readonly threads: readonly (readonly Step<W>[])[]
  /** What is wrong with a state that was reached. */
  readonly fault?: (w: W) => string | null
  /** May the threads stop for good in this state although some have not ended? */
  readonly mayRest?: (w: W) => boolean
}
/** `fault`: null, or what went wrong and the shortest-found schedule that leads there. */
export interface Exploration { readonly states: number; readonly fault: string | null; readonly path: string }

/** Depth-first over all schedules. */
export function explore<W extends Words>({ words, threads, fault, mayRest }: Model<W>): Exploration {
  const places = threads.map((steps) => new Map(steps.map((step, index) => [step.name, index])))
  const seen = new Set<string>(), stack = [{ words, at: threads.map(() => 0), path: '' }]
  while (stack.length > 0) {
    const { words: now, at, path } = stack.pop()!, key = `${Object.values(now).join()} ${at.join()}`
    if (seen.has(key)) continue
    seen.add(key)
    const wrong = fault?.(now) ?? null
    if (wrong !== null) return { states: seen.size, fault: wrong, path }
    let moved = false, waiting = false
    threads.forEach((steps, t) => {
      const step = steps[at[t]!]
      if (step === undefined) return
      waiting = true
      if (step.when?.(now) === false) return
      moved = true
      const next = { ...now }, to = step.run(next), after = [...at]
      after[t] = to === undefined ? at[t]! + 1 : to === 'end' ? steps.length : places[t]!.get(to) ?? missing(to)
      stack.push({ words: next, at: after, path: `${path} ${t}.${step.name}` })
    })
    if (waiting && !moved && mayRest?.(now) !== true) return { states: seen.size, fault: 'everybody sleeps', path }
  }
  return { states: seen.size, fault: null, path: '' }
}

function missing(name: string): never { throw new Error(`Model: no step ${name}.`) }
