import { findCycles, type Cycle } from './cycles.js'
import type { EdgeList } from './edge-list.js'
import { orderOf, type TopologicalOrder } from './order.js'
import { BLOCK_BYTES, compress, copyDigest, DIGEST_BYTES, putDigest, startWords } from './sha256.js'

/**
 * Messages to hash, all in one buffer, level by level: the digests that a message holds are those of earlier levels, so a level's messages
 * may be hashed side by side.
 */
export interface HashBatch {
  readonly bytes: Uint8Array
  readonly count: number
  /** Message n stands at `offsets[n]` to `offsets[n + 1]`, padded to whole blocks as SHA-256 wants it. */
  readonly offsets: Uint32Array
  /** Per level: the first message behind it. */
  readonly levels: Uint32Array
  /** Pairs, by ascending offset: place of 32 bytes, and the message whose digest goes there. */
  readonly gaps: Uint32Array
  /**
   * Eight words each: what SHA-256 starts with, and where it stands behind blocks that many messages share and that are left out of them.
   */
  readonly states: Uint32Array
  /** Number of the state that each message starts with. */
  readonly starts: Uint32Array
}

/** The hot passes over a graph: plain TypeScript here, the core's where an engine has one. Equal results, bit for bit. */
export interface GraphPasses {
  /** Order and levels; the order is shorter than the graph when there is a cycle. */
  order(edges: EdgeList): TopologicalOrder
  /** One shortest cycle per strongly connected part; see {@link findCycles}. */
  cycles(edges: EdgeList): Cycle[]
  /** SHA-256 of every message, 32 bytes each, at a multiple of four; `bytes` is used up. */
  hash(batch: HashBatch): Uint8Array
}

/** The passes in TypeScript: the `js` tier, and the oracle of the compiled ones. */
export const plainPasses: GraphPasses = { order: orderOf, cycles: findCycles, hash: hashMessages }

function hashMessages({ bytes, count, offsets, gaps, states, starts }: HashBatch): Uint8Array {
  const digests = new Uint8Array(count * DIGEST_BYTES)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const state = startWords()
  let gap = 0
  for (let n = 0; n < count; n++) {
    const end = offsets[n + 1]!
    for (; gap < gaps.length && gaps[gap]! < end; gap += 2) copyDigest(bytes, gaps[gap]!, digests, gaps[gap + 1]!)
    for (let i = 0, at = 8 * starts[n]!; i < 8; i++) state[i] = states[at + i]!
    for (let at = offsets[n]!; at < end; at += BLOCK_BYTES) compress(state, view, at)
    putDigest(digests, n * DIGEST_BYTES, state)
  }
  return digests
}
