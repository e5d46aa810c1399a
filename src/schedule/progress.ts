import type { Clock } from './clock.js'

/** What `onProgress` gets: `fraction` 0…1 weighted by estimates, never decreasing; `etaMs` when it can be told (EX-70). */
export interface Progress {
  readonly done: number
  readonly total: number
  readonly fraction: number
  readonly nodeId?: string
  readonly etaMs?: number
}
/** Called with each step of progress, at most as often as `onProgress` says. */
export type ProgressListener = (progress: Progress) => void

/** At most 30 reports a second. */
const INTERVAL_US = 33_333

/** Adds up the parts of a run into one fraction. A listener that throws is dropped, never the run. */
export class ProgressMeter {
  readonly #weights: Float64Array
  readonly #parts: Float64Array
  readonly #listener: ProgressListener | undefined
  readonly #clock: Clock
  readonly #startUs: number
  readonly #sum: number
  #lastUs = -INTERVAL_US
  #fraction = 0
  #broken = false

  /** `weights`: estimated µs of each part. */
  constructor(weights: readonly number[], clock: Clock, listener: ProgressListener | undefined) {
    this.#weights = Float64Array.from(weights, (w) => Math.max(w, 1))
    this.#parts = new Float64Array(weights.length)
    this.#sum = this.#weights.reduce((a, b) => a + b, 0) || 1
    this.#listener = listener
    this.#clock = clock
    this.#startUs = clock.nowUs()
  }

  /** Part `index` has come to `fraction` of its way. */
  report(index: number, fraction: number, nodeId?: string): void {
    const part = Math.min(1, Math.max(this.#parts[index] ?? 0, fraction))
    this.#parts[index] = part
    if (!this.#listener || this.#broken) return
    const now = this.#clock.nowUs()
    if (now - this.#lastUs < INTERVAL_US) return
    this.#lastUs = now
    this.#send(nodeId)
  }

  /** Everything is done: the last report, always sent. */
  finish(): void {
    this.#parts.fill(1)
    this.#send(undefined)
  }

  #send(nodeId: string | undefined): void {
    if (!this.#listener || this.#broken) return
    const sum = this.#parts.reduce((total, part, i) => total + part * this.#weights[i]!, 0)
    this.#fraction = Math.max(this.#fraction, Math.min(1, sum / this.#sum))
    const elapsedMs = (this.#clock.nowUs() - this.#startUs) / 1000
    const done = this.#parts.reduce((count, part) => count + (part >= 1 ? 1 : 0), 0)
    const etaMs = this.#fraction > 0.02 ? elapsedMs / this.#fraction - elapsedMs : undefined
    try {
      this.#listener({
        done, total: this.#parts.length, fraction: this.#fraction, ...(nodeId === undefined ? {} : { nodeId }),
        ...(etaMs === undefined ? {} : { etaMs }),
      })
    } catch { this.#broken = true }
  }
}
