import type { Arena, AllocOptions, BlockSpec } from './arena.js'
import type { Block } from './block.js'
import type { LeaseGroup, LeaseOwner } from './lease-table.js'
import type { Address, MemoryHost } from './memory-host.js'

/**
 * Who holds blocks: a run, a node, a cache or a slot (MW-13). Its leases are counted, so that its exact high-water mark is known (execution
 * page EX-67) and everything it still holds can be dropped at once when it dies. A MemoryHost like the arena itself. Engine thread only.
 */
export class Holder implements MemoryHost, LeaseOwner {
  readonly buffer: ArrayBufferLike
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly f32: Float32Array
  readonly f64: Float64Array
  readonly debug: boolean
  /** Bytes of the blocks it holds now, each counted once, rounded as the arena rounds. */
  bytes = 0
  /** Most that `bytes` has been. */
  peakBytes = 0
  /** Blocks held. */
  blocks = 0
  /** The lease table's own. */
  firstLease = -1
  readonly #arena: Arena

  constructor(arena: Arena, views: MemoryHost, readonly id: number, readonly name: string, readonly group?: LeaseGroup) {
    this.#arena = arena
    this.buffer = views.buffer
    this.u8 = views.u8
    this.u16 = views.u16
    this.i32 = views.i32
    this.u32 = views.u32
    this.f32 = views.f32
    this.f64 = views.f64
    this.debug = views.debug ?? false
  }

  /** As {@link Arena.alloc}, leased to this holder. */
  alloc(spec: BlockSpec, options: Omit<AllocOptions, 'holder'> = {}): Block { return this.#arena.alloc(spec, { ...options, holder: this }) }

  /** As {@link Arena.allocate}, leased to this holder. */
  allocate(bytes: number, align: 64 | 256 = 64): Address { return this.#arena.allocateFor(this, bytes, align) }

  /** Gives back a block of {@link allocate}. Throws `INVALID_HANDLE` for any other address. */
  free(address: Address): void { this.#arena.freeFor(this, address) }

  /** Drops all leases together (the holder is done or dead). Blocks that nobody else holds are freed. May be used again. */
  drop(): void { this.#arena.dropLeases(this) }
}
