import type { Clock } from './clock.js'
import { LoopTurns } from './loop-turns.js'

/** What finds a node that blocks the engine's thread. */
export interface BlockParts {
  readonly clock: Clock
  /** ms that the node's code may have the thread for without giving it back; 0: any. */
  readonly hangMs: number
  /** Told when it had it for longer, afterwards: no timer fires meanwhile, and nobody can end it. */
  readonly blocked: (ms: number) => void
}

/**
 * Measures how long one node's own code has the engine's thread at a stretch. Calls are measured exactly; what follows an `await` counts
 * from there to the next thing that the node asks of the engine, if the event loop did not turn between: a node that waits for something of
 * its own blocks nobody. Where two nodes' code ran in the same turn after an `await`, both are named.
 */
export class BlockWatch {
  readonly #p: BlockParts
  readonly #turns: LoopTurns
  #turn = -1
  #sinceUs = 0

  constructor(parts: BlockParts) {
    this.#p = parts
    this.#turns = LoopTurns.of(parts.clock)
  }

  /** The node's code goes on. */
  begin(): void {
    if (this.#p.hangMs <= 0) return
    this.#turn = this.#turns.now
    this.#sinceUs = this.#p.clock.nowUs()
  }

  /** It waits, or has ended. */
  end(): void {
    if (this.#turn < 0) return
    if (this.#turn === this.#turns.now) this.#measure(Math.max(this.#sinceUs, this.#turns.returnedUs), this.#p.clock.nowUs())
    this.#turn = -1
  }

  /** A sign of life: what came before was no hang, or one that ends here. */
  beat(): void {
    if (this.#turn < 0) return
    this.end()
    this.begin()
  }

  /** The node's code waits for what the engine gives it, and goes on then. */
  async waiting<T>(work: Promise<T>): Promise<T> {
    this.end()
    try { return await work } finally { this.begin() }
  }

  /** Calls the node's code. */
  call<T>(work: () => T): T {
    const { clock } = this.#p, from = clock.nowUs()
    try { return work() } finally {
      const to = this.#turns.returnedUs = clock.nowUs()
      this.#measure(from, to)
    }
  }

  #measure(fromUs: number, toUs: number): void {
    const { hangMs, blocked } = this.#p
    if (hangMs > 0 && toUs - fromUs > hangMs * 1000) blocked(Math.round((toUs - fromUs) / 1000))
  }
}
