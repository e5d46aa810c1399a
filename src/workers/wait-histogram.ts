/** How long tasks waited for a thread: `counts[n]` of less than 2ⁿ µs, and not of less than 2ⁿ⁻¹ (MW-54). */
export class WaitHistogram {
  readonly #counts = new Array<number>(24).fill(0)

  add(us: number): void {
    const n = Math.min(this.#counts.length - 1, 32 - Math.clz32(Math.max(0, us)))
    this.#counts[n]!++
  }

  get counts(): readonly number[] { return [...this.#counts] }
}
