import { StateSet } from './state-set.js'

/** A thread-like part of a model: gives the states that one of its steps leads to, by the step's name; none when it cannot move. */
export interface Part<S> {
  readonly moves: (state: S) => readonly (readonly [name: string, next: S])[]
  /** Nobody may count on this part's steps: they happen or not. */
  readonly hostile?: boolean
}

/** What a search found. `path`: names of the steps to the first state that is not as it should be, with what is wrong there. */
export interface Search { readonly states: number; readonly wrong: string | undefined; readonly path: readonly string[] }

/**
 * `key`: a state as text, or as bytes, always as many, which may be the same array each time; states with the same key must have the same
 * future. `broken`: what is wrong in a state. `reached`: the goal, which must stay reachable without hostile steps.
 */
export interface Question<S> {
  readonly start: S
  readonly parts: readonly Part<S>[]
  readonly key: (state: S) => string | Uint8Array
  readonly broken: (state: S) => string | undefined
  readonly reached: (state: S) => boolean
}

/**
 * Every interleaving of the parts' steps, breadth first, each state once: the shortest path to a fault is found first. Then, backwards:
 * from every state the goal must be reachable, else something was lost.
 */
export function exploreStates<S>({ start, parts, key, broken, reached }: Question<S>): Search {
  const first = key(start)
  const seen = typeof first === 'string' ? textSet() : new StateSet(first.length)
  const from: number[] = [-1], name: string[] = [''], into: number[][] = [[]], good: number[] = []
  seen.add(first as never)
  const pathTo = (state: number): string[] => {
    const path: string[] = []
    for (let at = state; from[at]! >= 0; at = from[at]!) path.unshift(name[at]!)
    return path
  }
  let front: (readonly [number, S])[] = [[0, start]]
  while (front.length > 0) {
    const next: [number, S][] = []
    for (const [at, state] of front) {
      const wrong = broken(state)
      if (wrong !== undefined) return { states: seen.size, wrong, path: pathTo(at) }
      if (reached(state)) good.push(at)
      for (const { moves, hostile } of parts) {
        for (const [step, to] of moves(state)) {
          const before = seen.size, found = seen.add(key(to) as never)
          if (found === before) {
            from.push(at)
            name.push(step)
            into.push([])
            next.push([found, to])
          }
          if (!hostile) into[found]!.push(at)
        }
      }
    }
    front = next
  }
  const hopeful = new Uint8Array(seen.size)
  for (const at of good) hopeful[at] = 1
  while (good.length > 0) for (const before of into[good.pop()!]!) if (hopeful[before] === 0) { hopeful[before] = 1; good.push(before) }
  const lost = hopeful.indexOf(0)
  return lost < 0
    ? { states: seen.size, wrong: undefined, path: [] }
    : { states: seen.size, wrong: 'the goal cannot be reached any more', path: pathTo(lost) }
}

function textSet(): { readonly size: number; add(state: string): number } {
  const index = new Map<string, number>()
  return {
    get size() { return index.size },
    add(state) {
      const known = index.get(state) ?? index.size
      if (known === index.size) index.set(state, known)
      return known
    },
  }
}
