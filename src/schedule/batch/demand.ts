import type { LazyBranches } from '../../graph/resolve/lazy-branches.js'

/** Branches that only lazy inputs want (GR-29): which have started, and which somebody may still ask for. Each starts at most once. */
export class Demand {
  readonly #lazy: LazyBranches
  readonly #start: (keys: ReadonlySet<string>) => void
  readonly #drop: (key: string) => void
  /** Keys that have not started, with the links that may still ask for them. */
  readonly #resting = new Map<string, Set<string>>()

  /** `start`: the nodes of these keys run now. `drop`: nobody can ask for that key any more. */
  constructor(lazy: LazyBranches, start: (keys: ReadonlySet<string>) => void, drop: (key: string) => void) {
    this.#lazy = lazy
    this.#start = start
    this.#drop = drop
    for (const key of lazy.keys) if (key !== '') this.#resting.set(key, new Set(key.split('\n')))
  }

  /** True for a key that has not started. */
  rests(key: string): boolean { return this.#resting.has(key) }

  /** A lazy link (`node.link`) is asked for. */
  ask(link: string): void {
    const keys = new Set((this.#lazy.needs.get(link) ?? []).filter((key) => this.#resting.delete(key)))
    if (keys.size > 0) this.#start(keys)
  }

  /** That link will not be asked for any more. */
  close(link: string): void {
    for (const key of this.#lazy.needs.get(link) ?? []) {
      const open = this.#resting.get(key)
      open?.delete(link)
      if (open?.size === 0 && this.#resting.delete(key)) this.#drop(key)
    }
  }
}
