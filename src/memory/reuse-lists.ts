/** Spans kept per size, so that a loop which frees and takes equal blocks never searches (MW-14). */
const PER_SIZE = 10
/** Distinct sizes remembered; beyond that all are given back and the list starts anew. */
const SIZES = 256

/** Recently freed spans by size in granules. They count as free memory, but are not merged until {@link flush}. */
export class ReuseLists {
  /** Granules in all kept spans. */
  granules = 0
  readonly #bySize = new Map<number, { readonly ids: Int32Array; count: number }>()

  /** The latest span of that size, or −1. */
  take(granules: number): number {
    const list = this.#bySize.get(granules)
    if (list === undefined || list.count === 0) return -1
    this.granules -= granules
    return list.ids[--list.count]!
  }

  /** Keeps a span; false when its list is full. `give` gets spans that must go because too many sizes are remembered. */
  keep(granules: number, id: number, give: (id: number) => void): boolean {
    let list = this.#bySize.get(granules)
    if (list === undefined) {
      if (this.#bySize.size >= SIZES) this.flush(give)
      list = { ids: new Int32Array(PER_SIZE), count: 0 }
      this.#bySize.set(granules, list)
    }
    if (list.count === PER_SIZE) return false
    list.ids[list.count++] = id
    this.granules += granules
    return true
  }

  /** Gives every kept span to `give` and forgets all sizes. */
  flush(give: (id: number) => void): void {
    for (const list of this.#bySize.values()) for (let i = 0; i < list.count; i++) give(list.ids[i]!)
    this.#bySize.clear()
    this.granules = 0
  }

  /** Granules of the largest kept span. */
  largest(): number {
    let most = 0
    for (const [granules, list] of this.#bySize) if (list.count > 0) most = Math.max(most, granules)
    return most
  }
}
