/** Most workers that are replaced within a time: more is a loop of crashes (MW-48). */
export class RespawnBudget {
  readonly #most: number
  readonly #windowUs: number
  #times: number[] = []

  constructor(most: number, windowMs: number) {
    this.#most = most
    this.#windowUs = windowMs * 1_000
  }

  /** Counts one replacement at `nowUs`; false when that is one too many. */
  take(nowUs: number): boolean {
    if (!this.hasRoom(nowUs)) return false
    this.#times.push(nowUs)
    return true
  }

  /** Would {@link take} be true? */
  hasRoom(nowUs: number): boolean {
    this.#times = this.#times.filter((time) => nowUs - time < this.#windowUs)
    return this.#times.length < this.#most
  }
}
