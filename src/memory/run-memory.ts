import type { Arena } from './arena.js'
import { CopyLedger } from './copies.js'
import type { LeaseGroup } from './lease-table.js'
import type { Holder } from './leases.js'

/**
 * What one run leases and copies: a holder per node, whose high-water marks are exact (EX-67), their sum as it goes up and down together,
 * and a ledger of its own, so that runs at the same time do not count each other's. What nodes of a segment share (its working area, its
 * program) is its first node's. Owner: the run.
 */
export class RunMemory {
  readonly copies: CopyLedger
  /** Bytes of all nodes together: now and at most; blocks allocated and freed. */
  readonly all: LeaseGroup
  readonly #arena: Arena
  readonly #holders = new Map<string, Holder>()

  /** `copies`, `all`: those of the run in its other memory, to count along in them. */
  constructor(arena: Arena, copies = new CopyLedger(), all: LeaseGroup = { bytes: 0, peakBytes: 0, allocs: 0, frees: 0 }) {
    this.#arena = arena
    this.copies = copies
    this.all = all
  }

  /** Holder of a node's leases; `''`: of the run's own. */
  holder(node: string): Holder {
    let holder = this.#holders.get(node)
    if (holder === undefined) this.#holders.set(node, holder = this.#arena.openHolder(node, this.all))
    return holder
  }

  /** Most bytes that a node has held at a time. */
  peakBytes(node: string): number { return this.#holders.get(node)?.peakBytes ?? 0 }
}
