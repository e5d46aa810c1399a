import { onAbort } from '../on-abort.js'

/** Lanes inside a run, first to last (EX-57). */
export const LANES = ['high', 'normal', 'low'] as const

/** What a node needs before its code may go on. `lane`: index into {@link LANES}. */
export interface Claim {
  /** Limiters of which it takes one permit each (EX-55). */
  readonly limits: readonly string[]
  /** True: nothing else runs; keys: nobody else with one of them (EX-56). */
  readonly exclusive: boolean | readonly string[]
  readonly lane: number
}

/** Gives back what was taken; calling it again does nothing. */
export type Release = () => void

interface Waiting { readonly claim: Claim; readonly names: readonly string[]; readonly resolve: (release: Release) => void }

const NOTHING: Release = () => undefined

/**
 * An engine's permits, counted on its thread (EX-55, EX-56). A claim gets everything that it needs in one step or waits, so claims cannot
 * wait for each other in a circle. Order: lane, then time of asking; whoever needs something that an earlier claim waits for does not
 * overtake it, so nobody starves.
 */
export class Limiters {
  readonly #free: Map<string, number>
  readonly #waiting: Waiting[] = []
  #running = 0
  #alone = false

  /** `permits` by name of the limiter. */
  constructor(permits: Readonly<Record<string, number>>) { this.#free = new Map(Object.entries(permits)) }

  /** True for a limiter that exists. */
  has(name: string): boolean { return this.#free.has(name) }

  /** Takes what the claim needs; waits for it if need be, unless `signal` is aborted: then it holds nothing. */
  acquire(claim: Claim, signal: AbortSignal): Release | Promise<Release> {
    if (signal.aborted) return NOTHING
    const names = namesOf(claim)
    if (this.#waiting.length === 0 && this.#fits(claim, names)) return this.#grant(claim, names)
    return new Promise((resolve) => {
      const deaf = onAbort(signal, () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        deaf()
        resolve(NOTHING)
        this.#pump()
      })
      const waiting: Waiting = { claim, names, resolve: (release) => { deaf(); resolve(release) } }
      const at = this.#waiting.findIndex((other) => other.claim.lane > claim.lane)
      this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, waiting)
      this.#pump()
    })
  }

  #fits(claim: Claim, names: readonly string[]): boolean {
    return !this.#alone && (claim.exclusive !== true || this.#running === 0) && names.every((name) => (this.#free.get(name) ?? 1) > 0)
  }

  #grant(claim: Claim, names: readonly string[]): Release {
    const add = (n: number): void => { for (const name of names) this.#free.set(name, (this.#free.get(name) ?? 1) + n) }
    let held = true
    this.#running++
    this.#alone = claim.exclusive === true
    add(-1)
    return () => {
      if (!held) return
      held = false
      this.#running--
      this.#alone = false
      add(1)
      this.#pump()
    }
  }

  #pump(): void {
    const wanted = new Set<string>()
    for (let i = 0; i < this.#waiting.length;) {
      const { claim, names, resolve } = this.#waiting[i]!
      if (this.#fits(claim, names) && !names.some((name) => wanted.has(name))) {
        this.#waiting.splice(i, 1)
        resolve(this.#grant(claim, names))
        continue
      }
      if (claim.exclusive === true) return
      for (const name of names) wanted.add(name)
      i++
    }
  }
}

/** Limiters and keys apart, each once, in one order for everybody. */
function namesOf({ limits, exclusive }: Claim): string[] {
  return [...new Set([...limits, ...(typeof exclusive === 'object' ? exclusive.map((key) => `=${key}`) : [])])].sort()
}
