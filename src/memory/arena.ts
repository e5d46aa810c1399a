import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import type { Dtype } from '../media/dtype.js'
import { ArenaCheck } from './arena-check.js'
import { writeHeader, writeThreadScratch } from './arena-header.js'
import { Block, shapeBytes, type BlockPart } from './block.js'
import { BlockStore, type ArenaStats, type StoreOptions } from './block-store.js'
import { BlockTable } from './block-table.js'
import { BYTES_PER_ENTRY, createFixedMemory, PAGE_BYTES, type FixedMemory, type MemoryRequest } from './config.js'
import { copyBytes, CopyLedger, type CopyCharge } from './copies.js'
import { memoryErrors } from './errors.js'
import { GRANULE_BYTES } from './free-lists.js'
import type { Handle } from './handle.js'
import { ARENA, ARENA_FLAG, BLOCK, SCRATCH_SPAN_BYTES, SLOT, WINDOW } from './layout.js'
import type { LeakWatch } from './leak-watch.js'
import { LeaseTable, type LeaseGroup } from './lease-table.js'
import { ownLog, type FlightLog } from './recorder.js'
import { Holder } from './leases.js'
import type { Address, MemoryHost } from './memory-host.js'
import type { RingCore } from './ring/ring-end.js'
import { isShared, memoryViews } from './views.js'

/** What to allocate: raw bytes, or elements. */
export type BlockSpec = number | { readonly dtype: Dtype; readonly shape: readonly number[] }

/** `align`: 64, or 256 for GPU uploads. `zero`: clear the bytes (default: they hold whatever was there). */
export interface AllocOptions { readonly align?: 64 | 256; readonly zero?: boolean; readonly holder?: Holder }

/** How an arena is made. */
export interface ArenaOptions extends MemoryRequest, StoreOptions {
  /** 1–255; default: the next one of this realm. Handles of another arena are refused by it (MW-05). */
  readonly id?: number
  /** Engine epoch; default random. */
  readonly epoch?: number
  /** Worker slots, at most 256. */
  readonly slotLimit?: number
  /** For tests of the last generations. */
  readonly firstGeneration?: number
}

/** Ids given in this realm; they repeat after 255 arenas, where generations still catch stale handles. */
let lastId = 0

/**
 * An engine's one memory with its allocator, block table and leases (spec memory-and-workers.md sections 1 and 2). Only the thread that
 * made it allocates and frees (MW-07). As a MemoryHost its blocks belong to the holder `engine`.
 */
export class Arena implements MemoryHost {
  /** The memory that modules import; null in the `js` tier. */
  readonly memory: WebAssembly.Memory | null
  readonly buffer: ArrayBufferLike
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly f32: Float32Array
  readonly f64: Float64Array
  /** Address of the header. */
  readonly base: Address
  readonly id: number
  readonly epoch: number
  readonly shared: boolean
  /** Copies that no run asked for. */
  readonly copies = new CopyLedger()
  /** Holder of what the engine itself keeps. */
  readonly engine: Holder
  /** Scratch span of the engine's thread. */
  readonly scratch: Address
  /** The core module's push and pop, for rings; set by its owner. */
  ringCore: RingCore | undefined
  /** Finds audio and blocks that nobody gave up; set by its owner. */
  leaks: LeakWatch | undefined
  readonly debug: boolean
  /** Where blocks stand: jobs, compaction, pressure, guards. */
  readonly store: BlockStore
  readonly #table: BlockTable
  readonly #leases: LeaseTable
  readonly #check: ArenaCheck
  #flights: FlightLog | undefined
  #holders = 0
  /** Flags set since it was made. */
  #marks = 0

  /** Takes over a zeroed memory and writes its header. Use {@link createArena}. */
  constructor(fixed: FixedMemory, options: Omit<ArenaOptions, keyof MemoryRequest> = {}) {
    const views = memoryViews(fixed.buffer)
    this.memory = fixed.memory
    this.buffer = fixed.buffer
    this.u8 = views.u8
    this.u16 = views.u16
    this.i32 = views.i32
    this.u32 = views.u32
    this.f32 = views.f32
    this.f64 = views.f64
    this.shared = isShared(fixed.buffer)
    this.base = fixed.memory === null ? WINDOW.ARENA_JS : WINDOW.ARENA
    this.id = options.id ?? (lastId = lastId % 255 + 1)
    this.epoch = options.epoch ?? randomWord()
    const capacity = Math.floor(fixed.bytes / BYTES_PER_ENTRY), blockTable = this.base + ARENA.DATA
    const first = blockTable + capacity * BLOCK.BYTES
    // The last granule of 4 GiB is left out: its end is not a 32-bit address.
    const dataEnd = Math.min(fixed.bytes, 2 ** 32 - GRANULE_BYTES)
    writeHeader(this.u32, this.base, {
      id: this.id, pages: fixed.bytes / PAGE_BYTES, blockTable, blockCapacity: capacity, dataEnd, epoch: this.epoch,
      slotLimit: options.slotLimit ?? SLOT.COUNT, flags: this.shared ? 0 : ARENA_FLAG.TRANSFER,
    })
    this.#table = new BlockTable(views, this.base, blockTable, capacity, this.id, options.firstGeneration)
    this.#leases = new LeaseTable(capacity)
    this.store = new BlockStore(this.#table, views, first, dataEnd, options)
    this.debug = this.store.debug
    this.engine = this.openHolder('engine')
    this.scratch = this.allocate(SCRATCH_SPAN_BYTES)
    writeThreadScratch(this.u32, this.base, 0, this.scratch)
    this.#check = new ArenaCheck(this.u32, this.base, this.debug && fixed.memory !== null)
  }

  /** A new holder of leases; `name` appears in reports. `group`: where its sums are added up with others'. */
  openHolder(name: string, group?: LeaseGroup): Holder { return new Holder(this, this, ++this.#holders, name, group) }

  /** Allocates a block. Throws `INVALID_ARGUMENT`, `ARENA_FULL` or `CLOSED`. < 1 µs without clearing. */
  alloc(spec: BlockSpec, options: AllocOptions = {}): Block { return this.claim(spec, options, true) }

  /** @internal As {@link alloc}, for the engine's own use: nobody watches for its loss. */
  claim(spec: BlockSpec, options: AllocOptions = {}, watched = false): Block {
    const raw = typeof spec === 'number', bytes = raw ? spec : shapeBytes(spec?.dtype, spec?.shape)
    const content = raw ? { dtype: null, shape: [bytes] } : { dtype: spec.dtype, shape: [...spec.shape] }
    const holder = options.holder ?? this.engine
    const index = this.#take(bytes, options.align ?? 64, options.zero ?? false, content, holder)
    return new Block(this, holder, this.#whole(index, content.dtype, content.shape), watched)
  }

  /** Zeroed bytes by address, leased to the holder `engine`. */
  allocate(bytes: number, align: 64 | 256 = 64): Address { return this.allocateFor(this.engine, bytes, align) }
  /** Gives back a block of {@link allocate}. Throws `INVALID_HANDLE` for any other address. */
  free(address: Address): void { this.freeFor(this.engine, address) }

  /** As {@link allocate} for a holder. */
  allocateFor(holder: Holder, bytes: number, align: 64 | 256): Address {
    const index = this.#take(bytes, align, true, { dtype: null, shape: RAW_SHAPE }, holder)
    this.#table.addPins(index, 1)
    return this.#table.address(index)
  }

  /** As {@link free} for a holder. */
  freeFor(holder: Holder, address: Address): void {
    const index = this.store.indexAt(address)
    if (index < 0) throw memoryErrors.INVALID_HANDLE({ handle: `at ${address}`, reason: 'freed', what: 'no block starts there' })
    this.releaseFor(holder, index)
  }

  /** The live block of a handle as a raw block, with a lease of its own. Throws `INVALID_HANDLE`. */
  open(handle: Handle, holder: Holder = this.engine): Block {
    const index = this.check(handle)
    this.retainFor(holder, index)
    return new Block(this, holder, this.#whole(index, null, [this.#table.bytes(index)]), true)
  }

  /**
   * The part of a live block that `bytes` from `address` on are, as a raw block with a lease of its own;
   * null when they are not inside one block.
   */
  openAt(address: Address, bytes: number, holder: Holder = this.engine): Block | null {
    const start = this.store.indexAt(address)
    const index = start >= 0 && bytes <= this.#table.bytes(start) ? start : this.#table.containing(address, bytes)
    if (index < 0) return null
    this.retainFor(holder, index)
    return new Block(this, holder, {
      handle: this.#table.handle(index), index, offset: address - this.#table.address(index), bytes, dtype: null, shape: [bytes],
    })
  }

  /** Is the handle's block alive in this arena? < 20 ns. */
  isLive(handle: Handle): boolean { return this.#table.find(handle) >= 0 }

  /** Table index of a live handle. Throws `INVALID_HANDLE` with the reason. < 20 ns. */
  check(handle: Handle): number {
    const index = this.#table.find(handle)
    if (index < 0) throw memoryErrors.INVALID_HANDLE({ handle, reason: this.#table.faultOf(handle) })
    return index
  }

  /** Copies bytes into or out of the arena and charges them: to `ledger`, else to the arena's own. */
  copy(to: ArrayBufferView, from: ArrayBufferView, charge: Omit<CopyCharge, 'ledger'> & Partial<CopyCharge>): void {
    copyBytes(to, from, { ...charge, ledger: charge.ledger ?? this.copies })
  }

  /**
   * Throws `ARENA_CORRUPT` when what only this thread writes before the blocks, or nobody, is not as it was written: before each run, at
   * each look of the supervisor (MW-02). About 0.1 µs.
   */
  checkHeader(): void {
    try { this.#check.check(this.#marks) } catch (error) {
      this.mark(ARENA_FLAG.CORRUPT)
      throw error
    }
  }

  /** Where threads' entries of the flight recorder stand (MW-06): here, or, where threads have memories of their own, beside it. */
  get flights(): FlightLog { return this.#flights ??= this.shared ? this : ownLog() }

  /** Numbers for reports; cheap. */
  stats(): ArenaStats { return this.store.stats() }

  /** Largest request that would succeed now, bytes. */
  largestFreeBytes(): number { return this.store.largestFreeBytes() }

  /** Marks the arena closed for every thread; later requests throw `CLOSED`. Idempotent. */
  close(): void { this.mark(ARENA_FLAG.CLOSED) }

  /** @internal Sets a flag of the header, for every thread to see. */
  mark(flag: number): void {
    this.#marks |= flag
    Atomics.or(this.u32, (this.base + ARENA.FLAGS) >>> 2, flag)
  }

  /**
   * Writes the engine's time, µs, as the header's clock (1 ms ticks), by which blocks tell when they
   * were made and last used. Gives it back.
   */
  tick(us: number): number {
    this.u32[(this.base + ARENA.CLOCK) >>> 2] = us / 1_000
    return us
  }

  /** @internal Where a block is now. */
  addressOf(index: number): Address { return this.#table.address(index) }
  /** @internal Leases of a table index. */
  referencesOf(index: number): number { return this.#table.references(index) }
  /** @internal */
  pin(index: number, n: 1 | -1): void { this.#table.addPins(index, n) }
  /** @internal Adds a lease. */
  retainFor(holder: Holder, index: number): void {
    this.#leases.add(index, this.store.rounded(index), holder)
    this.#table.addReferences(index, 1)
  }
  /** @internal Removes a lease; the last one frees the block. Throws `INVALID_HANDLE` when the holder has none. */
  releaseFor(holder: Holder, index: number): void {
    if (!this.releaseIfHeld(holder, index)) {
      throw memoryErrors.INVALID_HANDLE({ handle: this.#table.handle(index), reason: 'freed', what: `not held by ${holder.name}` })
    }
  }
  /** @internal As {@link releaseFor}; false when the holder has no lease. */
  releaseIfHeld(holder: Holder, index: number): boolean {
    if (!this.#leases.remove(index, this.store.rounded(index), holder)) return false
    if (this.#table.addReferences(index, -1) === 0) this.store.drop(index)
    return true
  }
  /** @internal Drops all leases of a holder. */
  dropLeases(holder: Holder): void {
    this.#leases.removeAll(holder, (index) => this.store.rounded(index), (index, leases) => {
      if (this.#table.addReferences(index, -leases) === 0) this.store.drop(index)
    })
  }

  #whole(index: number, dtype: Dtype | null, shape: readonly number[]): BlockPart {
    return { handle: this.#table.handle(index), index, offset: 0, bytes: this.#table.bytes(index), dtype, shape }
  }

  #take(
    bytes: number, align: 64 | 256, zero: boolean,
    content: { readonly dtype: Dtype | null; readonly shape: readonly number[] },
    holder: Holder,
  ): number {
    if (this.#marks & ARENA_FLAG.CLOSED) throw commonErrors.CLOSED({ thing: 'Arena', id: String(this.id), event: 'alloc' })
    const limit = this.store.capacityBytes
    if (align !== 64 && align !== 256) {
      throw commonErrors.INVALID_ARGUMENT({ function: 'arena.alloc', expected: 'align 64 or 256', got: show(align) })
    }
    if (!(Number.isInteger(bytes) && bytes >= 0 && bytes <= limit)) {
      throw commonErrors.INVALID_ARGUMENT({
        function: 'arena.alloc', expected: `0…${limit} bytes`, got: show(bytes), hint: 'Raise arenaBytes, or process in chunks.',
      })
    }
    const index = this.store.take(bytes, align, zero, content, holder.id)
    this.#leases.add(index, this.store.rounded(index), holder)
    return index
  }
}

const RAW_SHAPE: readonly number[] = []

/** Makes a memory and the arena in it. Throws `CONFIG_INVALID` or `SHARED_MEMORY`. */
export function createArena(options: ArenaOptions): Arena {
  return new Arena(createFixedMemory(options), options)
}

function randomWord(): number { return crypto.getRandomValues(new Uint32Array(1))[0]! }
