/**
 * How full an arena is: 0 `none`, 1 `background`: what is cached is given up beside the work, 2 `before-runs`: also before
 * each run, 3 `wait`: new runs wait meanwhile.
 */
export type PressureLevel = 'none' | 'background' | 'before-runs' | 'wait'

const LEVELS: readonly PressureLevel[] = ['none', 'background', 'before-runs', 'wait']
/** Used shares from which on each level holds. */
const FROM = [0, 0.70, 0.85, 0.95, Infinity] as const
/** A level is left only this far below its border, so that it does not flap. */
const HYSTERESIS = 0.02

/**
 * Level of use of an arena (MW-12). {@link above} and {@link below} are the borders in the caller's unit: only when use passes one of them
 * {@link note} has anything to do, so a check costs two comparisons.
 */
export class PressureGauge {
  /** Use above which the level changes. */
  above: number
  /** Use below which the level changes. */
  below = -1
  readonly #capacity: number
  #level = 0

  /** `capacity` > 0 in any unit. */
  constructor(capacity: number) {
    this.#capacity = capacity
    this.above = FROM[1] * capacity
  }

  get level(): PressureLevel { return LEVELS[this.#level]! }

  /** Takes in a new use; true when the level changed. */
  note(used: number): boolean {
    const before = this.#level, share = used / this.#capacity
    while (share > FROM[this.#level + 1]!) this.#level++
    while (this.#level > 0 && share < FROM[this.#level]! - HYSTERESIS) this.#level--
    this.above = FROM[this.#level + 1]! * this.#capacity
    this.below = this.#level === 0 ? -1 : (FROM[this.#level]! - HYSTERESIS) * this.#capacity
    return this.#level !== before
  }
}
