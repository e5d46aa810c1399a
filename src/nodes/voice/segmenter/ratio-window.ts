/**
 * Makes a bitmap a probability (spec audio.md, AU-48): the share f of ones among the last `size` values, bent so that f = `ratio` gives
 * exactly `enter`: below it proportionally, above it linearly up to 1. Before the first value the stream counts as silent.
 */
export class RatioWindow {
  readonly #ring: Uint8Array
  readonly #ratio: number
  readonly #enter: number
  #next = 0
  #ones = 0

  constructor(size: number, ratio: number, enter: number) {
    this.#ring = new Uint8Array(size)
    this.#ratio = ratio
    this.#enter = enter
  }

  /** Takes a value (anything but 0 and NaN is a one); returns the probability. */
  push(value: number): number {
    const one = value !== 0 && !Number.isNaN(value) ? 1 : 0
    this.#ones += one - this.#ring[this.#next]!
    this.#ring[this.#next] = one
    this.#next = (this.#next + 1) % this.#ring.length
    const f = this.#ones / this.#ring.length
    if (f < this.#ratio) return this.#enter * (f / this.#ratio)
    return this.#ratio === 1 ? 1 : this.#enter + (1 - this.#enter) * ((f - this.#ratio) / (1 - this.#ratio))
  }
}
