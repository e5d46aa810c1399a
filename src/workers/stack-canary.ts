import type { Address } from '../memory/memory-host.js'

const WORDS = 16
const PATTERN = 0xcab1e5ed

/**
 * 64 bytes at the low end of a thread's stack, towards which it grows: overwritten, the overflow has hit whoever is below (MW-53).
 * Address 0: the leader, whose overflow traps.
 */
export class StackCanary {
  /** Two words at a time: half as many looks. The pattern is a number, so that equal means equal bits. */
  readonly #pairs: Float64Array | undefined
  readonly #pattern: number = 0

  /** `stack`: its lowest address, a multiple of 8. */
  constructor(u32: Uint32Array, stack: Address) {
    if (stack === 0) return
    u32.fill(PATTERN, stack >>> 2, (stack >>> 2) + WORDS)
    this.#pairs = new Float64Array(u32.buffer, stack, WORDS / 2)
    this.#pattern = this.#pairs[0]!
  }

  /** Address of the first word that is not the canary's any more; 0 when all is well. < 10 ns: no loop. @realtime */
  broken(): Address {
    const f = this.#pairs, p = this.#pattern
    // The highest first, where an overflow comes from.
    if (f === undefined || (f[7] === p && f[6] === p && f[5] === p && f[4] === p && f[3] === p && f[2] === p && f[1] === p && f[0] === p)) {
      return 0
    }
    return f.byteOffset + 4 * new Uint32Array(f.buffer, f.byteOffset, WORDS).findIndex((word) => word !== PATTERN)
  }
}
