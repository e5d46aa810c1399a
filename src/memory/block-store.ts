import { brokenCanary, fillFreed, writeCanaries, type Guarded } from './guards.js'
import { compact, type Compaction } from './compaction.js'
import { memoryErrors } from './errors.js'
import { FreeLists, GRANULE_BYTES } from './free-lists.js'
import type { BlockShape, BlockTable } from './block-table.js'
import type { Handle } from './handle.js'
import type { Address } from './memory-host.js'
import { PressureGauge, type PressureLevel } from './pressure.js'
import { ReuseLists } from './reuse-lists.js'
import type { MemoryViews } from './views.js'

/** Use of an arena. `usedBytes` counts blocks as rounded; `allocs` − `reused` = requests that had to search the free lists. */
export interface ArenaStats {
  readonly capacityBytes: number
  readonly usedBytes: number
  readonly peakBytes: number
  readonly blocks: number
  /** 1 − largest free ÷ total free. */
  readonly fragmentation: number
  readonly allocs: number
  readonly frees: number
  readonly reused: number
}

/** How blocks are kept. */
export interface StoreOptions {
  /** Clear every block when it is freed. */
  readonly zeroOnFree?: boolean
  /** Canaries around blocks, and a pattern in freed ones (MW-15): some 128 bytes a block, and the time to write them. */
  readonly debug?: boolean
  /**
   * A request that fails for fragmentation moves blocks that no job uses (MW-11). Its owner then calls
   * {@link BlockStore.beginJob}. Default false.
   */
  readonly compacts?: boolean
}

/** Fragmentation above which a failing request compacts. */
const COMPACT_FROM = 0.3

/**
 * Where the blocks of an arena stand: spans of granules from the free lists, the table's entries for them, guards, pressure, compaction.
 * Knows nothing of leases. Engine thread only.
 */
export class BlockStore {
  readonly capacityBytes: number
  /** Canaries stand around blocks. */
  readonly debug: boolean
  /** Called before a request fails: frees what its owner can do without; then it is tried once more. */
  onFull: (() => void) | undefined
  /** Told of each change of {@link pressure}. Called inside requests and releases: it must make neither. */
  onPressureChange: ((level: PressureLevel) => void) | undefined
  readonly #table: BlockTable
  readonly #views: MemoryViews
  readonly #lists: FreeLists
  readonly #reuse = new ReuseLists()
  readonly #gauge: PressureGauge
  readonly #zeroOnFree: boolean
  readonly #compacts: boolean
  /** Table index + 1 of the block that starts at a granule, counted from the first one; 0: none. */
  readonly #startsAt: Int32Array
  readonly #first: Address
  readonly #granules: number
  /** Bytes above this address were never handed out and are still zero. */
  #touched: Address
  /** Stamps of jobs that run: blocks leased since the oldest may be in use. */
  readonly #jobs = new Set<number>()
  #peakGranules = 0
  #allocs = 0
  #frees = 0
  #reused = 0
  readonly #give = (span: number): void => { this.#lists.give(span) }

  /** Blocks stand from `first` to `end`, both multiples of 64. */
  constructor(table: BlockTable, views: MemoryViews, first: Address, end: Address, options: StoreOptions) {
    this.#table = table
    this.#views = views
    this.#first = this.#touched = first
    this.capacityBytes = end - first
    this.#granules = this.capacityBytes / GRANULE_BYTES
    this.#startsAt = new Int32Array(this.#granules)
    this.#lists = new FreeLists(first / GRANULE_BYTES, this.#granules)
    this.#gauge = new PressureGauge(this.#granules)
    this.debug = options.debug ?? false
    this.#zeroOnFree = options.zeroOnFree ?? false
    this.#compacts = options.compacts ?? false
  }

  /** Takes room for `bytes` and an entry with one reference; returns its table index. `zero`: clear it. Throws `ARENA_FULL`. */
  take(bytes: number, align: 64 | 256, zero: boolean, content: BlockShape, holder: number): number {
    if (!this.#table.hasRoom) this.onFull?.()
    if (!this.#table.hasRoom) throw this.#full(bytes, 'entries')
    // A block of size 0 still has an address of its own.
    const step = align / GRANULE_BYTES, lead = this.debug ? align : 0
    const granules = Math.max(1, Math.ceil(bytes / GRANULE_BYTES)) + (this.debug ? step + 1 : 0)
    let span = this.#span(granules, step)
    if (span < 0 && this.onFull !== undefined) {
      this.onFull()
      span = this.#span(granules, step)
    }
    if (span < 0 && this.#compacts && this.#fragmentation() > COMPACT_FROM) {
      this.compact()
      span = this.#span(granules, step)
    }
    if (span < 0) throw this.#full(bytes, 'bytes')
    this.#allocs++
    const used = this.#used()
    if (used > this.#peakGranules) this.#peakGranules = used
    if (used > this.#gauge.above) this.#weigh(used)
    const start = this.#lists.start(span) * GRANULE_BYTES, address = start + lead, end = start + granules * GRANULE_BYTES
    if (zero && start < this.#touched) this.#views.u8.fill(0, start, Math.min(end, this.#touched))
    if (end > this.#touched) this.#touched = end
    const index = this.#table.take(span, address, bytes, content, holder, step)
    if (this.debug) writeCanaries(this.#views.u8, this.#guarded(index))
    this.#startsAt[(address - this.#first) / GRANULE_BYTES] = index + 1
    return index
  }

  /** Frees a block that nobody holds any more. */
  drop(index: number): void {
    this.#startsAt[(this.#table.address(index) - this.#first) / GRANULE_BYTES] = 0
    const span = this.#table.drop(index), from = this.#lists.start(span) * GRANULE_BYTES, to = from + this.#lists.size(span) * GRANULE_BYTES
    if (this.debug) fillFreed(this.#views.u32, from, to)
    else if (this.#zeroOnFree) this.#views.u8.fill(0, from, to)
    this.#frees++
    if (!this.#reuse.keep(this.#lists.size(span), span, this.#give)) this.#lists.give(span)
    const used = this.#used()
    if (used < this.#gauge.below) this.#weigh(used)
  }

  /** Table index of the block that starts at an address, or −1. */
  indexAt(address: Address): number { return (this.#startsAt[(address - this.#first) / GRANULE_BYTES] ?? 0) - 1 }

  /** Bytes that a block takes, as rounded. */
  rounded(index: number): number { return this.#lists.size(this.#table.span(index)) * GRANULE_BYTES }

  /** Gives recently freed spans back to the free lists, so that they merge. */
  trim(): void { this.#reuse.flush(this.#give) }

  /**
   * From now to the returned call a job runs: no block that is leased meanwhile is moved, so its
   * addresses may be kept as long as its leases.
   */
  beginJob(): () => void {
    const stamp = this.#table.stamp()
    this.#jobs.add(stamp)
    return () => { this.#jobs.delete(stamp) }
  }

  /**
   * Moves blocks that nobody uses together, so that free spans join (MW-11). Handles stay valid; views that
   * were handed out keep their blocks in place.
   */
  compact(): Compaction {
    this.trim()
    this.#table.maintain(true)
    const done =
      compact(this.#table, this.#lists, this.#views.u8, this.#first / GRANULE_BYTES, Math.min(this.#table.stamp(), ...this.#jobs))
    this.#startsAt.fill(0)
    for (const index of this.#table.live()) this.#startsAt[(this.#table.address(index) - this.#first) / GRANULE_BYTES] = index + 1
    this.#table.maintain(false)
    return done
  }

  /** How full it is, in the levels of MW-12. */
  get pressure(): PressureLevel { return this.#gauge.level }

  /** The first block whose canary was written over, with where; undefined: none, or not {@link debug}. O(blocks). */
  brokenBlock(): BrokenBlock | undefined {
    for (const index of this.debug ? this.#table.live() : []) {
      const guarded = this.#guarded(index), at = brokenCanary(this.#views.u8, guarded)
      if (at >= 0) return { handle: this.#table.handle(index), address: guarded.address, bytes: guarded.bytes, at }
    }
    return undefined
  }

  /** Numbers for reports; O(1) but for one free list. */
  stats(): ArenaStats {
    return {
      capacityBytes: this.capacityBytes, usedBytes: this.#used() * GRANULE_BYTES, peakBytes: this.#peakGranules * GRANULE_BYTES,
      blocks: this.#table.count, fragmentation: this.#fragmentation(), allocs: this.#allocs, frees: this.#frees, reused: this.#reused,
    }
  }

  /** Largest request that would succeed now, bytes. */
  largestFreeBytes(): number { return Math.max(this.#lists.largest(), this.#reuse.largest()) * GRANULE_BYTES }

  #span(granules: number, step: number): number {
    const kept = this.#reuse.take(granules)
    if (kept >= 0) {
      if (this.#lists.start(kept) % step === 0) { this.#reused++; return kept }
      this.#lists.give(kept)
    }
    const span = this.#lists.take(granules, step)
    if (span >= 0 || this.#reuse.granules === 0) return span
    this.trim()
    return this.#lists.take(granules, step)
  }

  #used(): number { return this.#granules - this.#lists.freeGranules - this.#reuse.granules }

  #fragmentation(): number {
    const free = this.capacityBytes - this.#used() * GRANULE_BYTES
    return free === 0 ? 0 : 1 - this.largestFreeBytes() / free
  }

  #weigh(used: number): void { if (this.#gauge.note(used)) this.onPressureChange?.(this.#gauge.level) }

  #guarded(index: number): Guarded {
    const span = this.#table.span(index), from = this.#lists.start(span) * GRANULE_BYTES
    return { from, address: this.#table.address(index), bytes: this.#table.bytes(index), to: from + this.#lists.size(span) * GRANULE_BYTES }
  }

  #full(need: number, reason: 'bytes' | 'entries'): Error {
    this.trim()
    return memoryErrors.ARENA_FULL({ need, largest: this.largestFreeBytes(), fragmentation: this.#fragmentation(), reason })
  }
}

/** A block that something wrote beyond: `at` is the first such byte. */
export interface BrokenBlock { readonly handle: Handle; readonly address: Address; readonly bytes: number; readonly at: Address }
