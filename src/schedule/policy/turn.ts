import type { BlockWatch } from '../block-watch.js'
import type { Clock } from '../clock.js'
import type { Claim, Limiters, Release } from './limiters.js'

/** What a turn is made of. */
export interface TurnParts {
  readonly limiters: Limiters
  readonly claim: Claim
  readonly clock: Clock
  /** µs of a clock that may stand still while somebody else has this thread. */
  readonly nowUs: () => number
  /** Aborted when the attempt must end: then nothing waits for permits any more. */
  readonly signal: AbortSignal
  /** Told when the node's code has this thread. */
  readonly watch?: BlockWatch | undefined
}

/**
 * When one node's own code runs: between {@link enter} and {@link leave} it holds its permits and its time counts; while it waits for an
 * edge (a packet, or room for one) it holds nothing, else a pipeline longer than a limiter would stand still. A node may wait for several
 * edges at once.
 */
export class Turn {
  /** µs that the node waited for permits. */
  queuedUs = 0
  readonly #p: TurnParts
  #release: Release | undefined
  #entering: Promise<void> | undefined
  #ownUs = 0
  #since = 0
  #crossedUs = 0
  #closed = false

  constructor(parts: TurnParts) { this.#p = parts }

  /** µs that the node's own code has had, up to now. */
  get ownUs(): number { return this.#ownUs + (this.#release === undefined ? 0 : this.#p.nowUs() - this.#since) }

  /** Takes the permits; does nothing while they are held, or once it is closed. */
  enter(): Promise<void> | undefined {
    if (this.#release !== undefined || this.#closed) return undefined
    if (this.#entering !== undefined) return this.#entering
    const { limiters, claim, nowUs, signal } = this.#p, asked = nowUs(), release = limiters.acquire(claim, signal)
    if (typeof release === 'function') { this.#hold(release, asked); return undefined }
    return this.#entering = release.then((late) => {
      this.#entering = undefined
      this.#hold(late, asked)
    })
  }

  /** Gives the permits back. */
  leave(): void {
    if (this.#release === undefined) return
    this.#crossedUs = this.#ownUs = this.ownUs
    this.#p.watch?.end()
    const release = this.#release
    this.#release = undefined
    release()
  }

  /** The node has ended: what it left waiting somewhere takes no permits any more. */
  close(): void {
    this.leave()
    this.#closed = true
  }

  /** Waits for an edge without permits. */
  async outside<T>(work: Promise<T>): Promise<T> {
    this.leave()
    try { return await work } finally { await this.enter() }
  }

  /**
   * Calls `expired` once the node's own code has had `timeoutMs` (EX-46), in all or, `perItem`, since it last waited
   * for an edge. 0: never. Returns how to stop.
   */
  watch(timeoutMs: number, perItem: boolean, expired: () => void): () => void {
    if (timeoutMs <= 0) return () => undefined
    const stop = new AbortController(), { clock } = this.#p
    void (async () => {
      for (;;) {
        const leftMs = timeoutMs - (this.ownUs - (perItem ? this.#crossedUs : 0)) / 1000
        if (leftMs <= 0) { expired(); return }
        // Never early, and never later than the time could have run out.
        await clock.sleep(Math.max(1, Math.ceil(leftMs)), stop.signal)
        if (stop.signal.aborted) return
      }
    })()
    return () => { stop.abort() }
  }

  #hold(release: Release, asked: number): void {
    if (this.#closed) { release(); return }
    this.#release = release
    this.#since = this.#p.nowUs()
    this.#p.watch?.begin()
    this.queuedUs += this.#since - asked
  }
}
