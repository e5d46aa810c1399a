import { DTYPE_ID, type Dtype } from '../media/dtype.js'
import { entryAddress } from './arena-header.js'
import { handleArena, handleIndex, isHandleShaped, LAST_GENERATION, makeHandle, type Handle } from './handle.js'
import { ARENA, ARENA_FLAG, BLOCK, BLOCK_FLAG } from './layout.js'
import type { Address } from './memory-host.js'
import type { MemoryViews } from './views.js'

/** Why a handle is refused. */
export type HandleFault = 'freed' | 'generation' | 'bounds' | 'arena'

/** What a block is filled with: `dtype` null = raw bytes. */
export interface BlockShape { readonly dtype: Dtype | null; readonly shape: readonly number[] }

/**
 * Entries of all blocks. The truth stands in private arrays of the engine's thread; the table in the arena is its public record, which
 * workers may read (MW-10). One index is in use from {@link take} to {@link drop}; generations make handles unique. Engine thread only.
 */
export class BlockTable {
  /** Entries in use. */
  count = 0
  readonly capacity: number
  readonly #views: MemoryViews
  readonly #base: Address
  readonly #table: Address
  readonly #arena: number
  /** Current handle by index, 0 = free. */
  readonly #handles: Float64Array
  readonly #generations: Uint32Array
  readonly #addresses: Uint32Array
  readonly #bytes: Uint32Array
  readonly #spans: Int32Array
  readonly #references: Int32Array
  readonly #pins: Uint32Array
  /** Alignment in granules. */
  readonly #steps: Uint8Array
  /** When it was last leased, by {@link now}. */
  readonly #leased: Float64Array
  readonly #spare: Uint32Array
  #spares = 0
  #fresh = 0
  #now = 0

  /** `firstGeneration` is for tests of the last generations. */
  constructor(views: MemoryViews, base: Address, table: Address, capacity: number, arena: number, firstGeneration = 1) {
    this.#views = views
    this.#base = base
    this.#table = table
    this.#arena = arena
    this.capacity = capacity
    this.#handles = new Float64Array(capacity)
    this.#generations = new Uint32Array(capacity).fill(firstGeneration)
    this.#addresses = new Uint32Array(capacity)
    this.#bytes = new Uint32Array(capacity)
    this.#spans = new Int32Array(capacity)
    this.#references = new Int32Array(capacity)
    this.#pins = new Uint32Array(capacity)
    this.#steps = new Uint8Array(capacity)
    this.#leased = new Float64Array(capacity)
    this.#spare = new Uint32Array(capacity)
  }

  /** Is an entry free? */
  get hasRoom(): boolean { return this.#spares > 0 || this.#fresh < this.capacity }

  /** Writes a new entry with one reference. Returns its index; call only while {@link hasRoom}. */
  take(span: number, address: Address, bytes: number, content: BlockShape, holder: number, step = 1): number {
    const index = this.#spares > 0 ? this.#spare[--this.#spares]! : this.#fresh++
    const generation = this.#generations[index]!
    this.#handles[index] = makeHandle(this.#arena, generation, index)
    this.#addresses[index] = address
    this.#bytes[index] = bytes
    this.#spans[index] = span
    this.#references[index] = 1
    this.#pins[index] = 0
    this.#steps[index] = step
    this.#leased[index] = this.#now
    this.count++
    const { u32, u8 } = this.#views, entry = entryAddress(this.#table, index), word = entry >>> 2
    u32[word + (BLOCK.OFFSET >>> 2)] = address - this.#base
    u32[word + (BLOCK.SIZE >>> 2)] = bytes
    u32[word + (BLOCK.REFCOUNT >>> 2)] = 1
    u8[entry + BLOCK.DTYPE_U8] = content.dtype === null ? 0 : DTYPE_ID[content.dtype]
    u8[entry + BLOCK.NDIM_U8] = content.shape.length
    u32[word + (BLOCK.CREATED >>> 2)] = u32[word + (BLOCK.LAST_USED >>> 2)] = this.#clock
    u32[word + (BLOCK.HASH_U64 >>> 2)] = u32[word + (BLOCK.HASH_U64 >>> 2) + 1] = 0
    let stride = 1
    for (let d = content.shape.length - 1; d >= 0; d--) {
      u32[word + (BLOCK.SHAPE >>> 2) + d] = content.shape[d]!
      u32[word + (BLOCK.STRIDES >>> 2) + d] = stride
      stride *= content.shape[d]!
    }
    u32[word + (BLOCK.HOLDER >>> 2)] = holder
    u32[word + (BLOCK.GENERATION >>> 2)] = generation
    u32[word + (BLOCK.FLAGS >>> 2)] = BLOCK_FLAG.VALID | BLOCK_FLAG.IN_USE
    return index
  }

  /** Frees an entry; its handle is stale from now on. Returns its span. */
  drop(index: number): number {
    const word = this.#word(index), { u32 } = this.#views
    this.#handles[index] = 0
    this.#references[index] = 0
    this.count--
    u32[word + (BLOCK.FLAGS >>> 2)] = 0
    u32[word + (BLOCK.REFCOUNT >>> 2)] = 0
    const generation = this.#generations[index]! + 1
    this.#generations[index] = generation
    u32[word + (BLOCK.GENERATION >>> 2)] = generation
    if (generation <= LAST_GENERATION) this.#spare[this.#spares++] = index
    return this.#spans[index]!
  }

  /** Index of a live handle, or −1. */
  find(handle: Handle): number {
    const index = handleIndex(handle)
    return this.#handles[index] === handle && handle !== 0 ? index : -1
  }

  /** Why {@link find} said −1. */
  faultOf(handle: Handle): HandleFault {
    if (!isHandleShaped(handle)) return 'bounds'
    if (handleArena(handle) !== this.#arena) return 'arena'
    const index = handleIndex(handle)
    if (index >= this.capacity) return 'bounds'
    return this.#handles[index] === 0 ? 'freed' : 'generation'
  }

  handle(index: number): Handle { return this.#handles[index]! }
  address(index: number): Address { return this.#addresses[index]! }
  bytes(index: number): number { return this.#bytes[index]! }
  span(index: number): number { return this.#spans[index]! }
  references(index: number): number { return this.#references[index]! }
  /** Alignment, in granules. */
  step(index: number): number { return this.#steps[index]! }
  /** A stamp greater than that of every lease so far, and at most that of every later one. */
  stamp(): number { return ++this.#now }
  /** May a compaction move it: no pin, and no lease since that stamp? */
  movable(index: number, stamp: number): boolean { return this.#pins[index] === 0 && this.#leased[index]! < stamp }
  /** Indices in use. */
  live(): number[] { return Array.from({ length: this.#fresh }, (_, index) => index).filter((index) => this.#handles[index] !== 0) }

  /** Notes where a compaction put a block; its handle stays. */
  move(index: number, span: number, address: Address): void {
    this.#spans[index] = span
    this.#addresses[index] = address
    this.#views.u32[this.#word(index) + (BLOCK.OFFSET >>> 2)] = address - this.#base
  }

  /** Adds to the references of an entry; returns what there are now. */
  addReferences(index: number, n: number): number {
    const references = this.#references[index]! + n
    this.#references[index] = references
    if (n > 0) {
      this.#leased[index] = this.#now
      this.#use(index)
    }
    this.#views.u32[this.#word(index) + (BLOCK.REFCOUNT >>> 2)] = references
    return references
  }

  /** Adds to the pins of an entry; a pinned block is never moved. */
  addPins(index: number, n: number): void {
    const pins = Math.max(0, this.#pins[index]! + n), word = this.#word(index) + (BLOCK.FLAGS >>> 2)
    this.#pins[index] = pins
    if (n > 0) this.#use(index)
    if (pins > 0) this.#views.u32[word]! |= BLOCK_FLAG.PINNED
    else this.#views.u32[word]! &= ~BLOCK_FLAG.PINNED
  }

  /** Index of the live block that holds `bytes` from `address` on, or −1. O(entries): only for addresses that are not a block's start. */
  containing(address: Address, bytes: number): number {
    for (let index = 0; index < this.#fresh; index++) {
      const start = this.#addresses[index]!
      if (this.#handles[index] !== 0 && address >= start && address + bytes <= start + this.#bytes[index]!) return index
    }
    return -1
  }

  /** While blocks are moved: marks the arena, for who looks at it from another thread. */
  maintain(on: boolean): void {
    const flags = (this.#base + ARENA.FLAGS) >>> 2
    if (on) Atomics.or(this.#views.u32, flags, ARENA_FLAG.MAINTENANCE); else Atomics.and(this.#views.u32, flags, ~ARENA_FLAG.MAINTENANCE)
  }

  /** It was leased, or an address of it was given out. */
  #use(index: number): void { this.#views.u32[this.#word(index) + (BLOCK.LAST_USED >>> 2)] = this.#clock }
  get #clock(): number { return this.#views.u32[(this.#base + ARENA.CLOCK) >>> 2]! }
  #word(index: number): number { return entryAddress(this.#table, index) >>> 2 }
}
