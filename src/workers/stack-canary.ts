import type { Address } from '../memory/memory-host.js'

const WORDS = 16
const PATTERN = 0xcab1e5ed

/** 64 bytes at the low end of a thread's stack, towards which it grows: overwritten, the overflow has hit whoever is below (MW-53). Address 0: the leader, whose overflow traps. */
export class StackCanary {
  readonly #u32: Uint32Array
  readonly #at: number

  constructor(u32: Uint32Array, stack: Address) {
    this.#u32 = u32
    this.#at = stack >>> 2
    if (stack !== 0) u32.fill(PATTERN, this.#at, this.#at + WORDS)
  }

  /** Address of the first word that is not the canary's any more; 0 when all is well. < 10 ns. @realtime */
  broken(): Address {
    if (this.#at === 0) return 0
    const u32 = this.#u32, end = this.#at + WORDS
    for (let at = this.#at; at < end; at++) if (u32[at] !== PATTERN) return at * 4
    return 0
  }
}
