import { RUN } from '../memory/layout.js'
import { onAbort } from '../schedule/on-abort.js'

/**
 * Who may take one of the run records in shared memory (64). Who finds none waits in order. A run that only waits for input can say so: it
 * is then asked to give its record up when others need one, so that segments that feed each other cannot block each other.
 */
export class RunRecords {
  #free: number
  readonly #waiting = new Set<() => void>()
  readonly #idle = new Set<() => void>()

  /** `count`: records there are. */
  constructor(count: number = RUN.COUNT) { this.#free = count }

  /** Settles when the caller may take a record; each must be given back by {@link release}. Rejects with the signal's reason. */
  async acquire(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw signal.reason
    if (this.#free > 0) { this.#free--; return }
    const [retire] = this.#idle
    await new Promise<void>((resolve, reject) => {
      const done = (): void => { deaf(); resolve() }
      const deaf = onAbort(signal, () => { this.#waiting.delete(done); reject(signal.reason as Error) })
      this.#waiting.add(done)
      if (retire !== undefined) { this.#idle.delete(retire); retire() }
    })
  }

  /** Gives a record to the one that waits longest, or back. */
  release(): void {
    const [next] = this.#waiting
    if (next === undefined) { this.#free++; return }
    this.#waiting.delete(next)
    next()
  }

  /** A run does nothing now: `retire` is called, once, when its record is needed. */
  idle(retire: () => void): void {
    if (this.#waiting.size > 0) retire()
    else this.#idle.add(retire)
  }

  /** The run of `retire` goes on, or ends by itself. */
  busy(retire: () => void): void { this.#idle.delete(retire) }
}
