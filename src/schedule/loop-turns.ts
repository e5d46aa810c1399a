import type { Clock } from './clock.js'

/** One per clock: all that runs on its thread takes the same turns. */
const known = /* @__PURE__ */ new WeakMap<Clock, LoopTurns>()

/**
 * Numbers the turns of the event loop, as far as somebody asks: between two equal numbers nothing but this turn's own code has run.
 * Costs a macrotask per turn in which it is asked.
 */
export class LoopTurns {
  /** When a call of some node's code last came back, µs: what ran before is accounted for. */
  returnedUs = 0
  readonly #clock: Clock
  #number = 0
  #asked = false

  constructor(clock: Clock) { this.#clock = clock }

  static of(clock: Clock): LoopTurns {
    let turns = known.get(clock)
    if (turns === undefined) known.set(clock, turns = new LoopTurns(clock))
    return turns
  }

  /** The number of this turn. */
  get now(): number {
    if (!this.#asked) {
      this.#asked = true
      void this.#clock.yield().then(() => {
        this.#asked = false
        this.#number++
      })
    }
    return this.#number
  }
}
