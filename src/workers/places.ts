import type { RemoteWorker } from './remote-worker.js'

/**
 * Who has which place: 0 … workers wanted − 1. What a worker has that others lack (tags, MW-36) and, in shared
 * mode, its slot belong to its place. Invariant:
 * - A place has at most one thread, from its spawn (a spare: its claim) until nothing of what belongs to the place can be touched by it any
 *   more: in shared mode until the thread is gone, with a memory of its own until it is lost.
 * - Nobody starts without a place, and no place lies beyond the number of workers wanted. So who comes while a lost one's thread still ends
 *   does not stand in for it in a higher place, without what its place has: it finds no place, and the lost one's stays open for whoever
 *   comes when that thread is gone.
 *
 * Engine thread only.
 */
export class Places {
  readonly #held = new Map<number, RemoteWorker>()

  /** How many of the first `count` places nobody has. */
  free(count: number): number {
    let free = 0
    for (let place = 0; place < count; place++) if (!this.#held.has(place)) free++
    return free
  }

  /** Gives a worker the lowest place that nobody has; the caller has looked that there is one. */
  take(worker: RemoteWorker): void {
    worker.place = this.lowest
    this.#held.set(worker.place, worker)
  }

  /** The lowest place that nobody has. */
  get lowest(): number {
    let place = 0
    while (this.#held.has(place)) place++
    return place
  }

  /** A worker's place is anybody's again; of one that has none, nothing. */
  leave(worker: RemoteWorker): void { if (this.#held.get(worker.place) === worker) this.#held.delete(worker.place) }

  /** Ends, under way, of those that still have a place. */
  get ends(): readonly Promise<void>[] { return [...this.#held.values()].flatMap(({ end }) => end ?? []) }
}
