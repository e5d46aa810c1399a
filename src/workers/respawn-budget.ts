/** Time in which a number of replacements is a loop of crashes, ms. */
const WINDOW_MS = 60_000

/**
 * Most threads that are replaced within a time: more is a loop of crashes (MW-48). Each loss is owed until whoever starts threads next has
 * counted it, once, a run or a supervisor; one that is one too many stays owed until there is room again.
 */
export class RespawnBudget<Loss = unknown> {
  readonly #most: number
  readonly #owed = new Map<Loss, number>()
  #times: number[] = []
  /** When the last loss of an idle one that is counted happened. */
  #idleUs = Number.NEGATIVE_INFINITY

  constructor(most: number) { this.#most = most }

  /** Counts one replacement at `nowUs`; false when that is one too many. */
  take(nowUs: number): boolean {
    if (!this.hasRoom(nowUs)) return false
    this.#times.push(nowUs)
    return true
  }

  /** Would {@link take} be true? */
  hasRoom(nowUs: number): boolean {
    this.#times = this.#times.filter((time) => nowUs - time < WINDOW_MS * 1_000)
    return this.#times.length < this.#most
  }

  /**
   * What starts next in its place is a replacement of what was lost at `nowUs`. `startedUs`: when one that did nothing had started. A loop
   * is work that ends threads, or threads that end in the place of others; idle ones that had all started before the first of them ended (a
   * host ends all of a program's threads) are neither and count as one.
   */
  owe(loss: Loss, nowUs: number, startedUs = Number.POSITIVE_INFINITY): void {
    if (startedUs < this.#idleUs && nowUs - this.#idleUs < WINDOW_MS * 1_000) return
    if (startedUs < Number.POSITIVE_INFINITY) this.#idleUs = nowUs
    this.#owed.set(loss, nowUs)
  }
  /** Is something owed? Who starts next counts it. */
  get owes(): boolean { return this.#owed.size > 0 }

  /**
   * Counts what is owed, or that one of it; gives the first that is one too many. What was lost too long
   * ago to be part of a loop counts no more.
   */
  settle(nowUs: number, losses: Iterable<Loss> = [...this.#owed.keys()]): Loss | undefined {
    for (const loss of losses) {
      const at = this.#owed.get(loss)
      if (at === undefined) continue
      if (nowUs - at < WINDOW_MS * 1_000 && !this.take(nowUs)) return loss
      this.#owed.delete(loss)
    }
    return undefined
  }
}
