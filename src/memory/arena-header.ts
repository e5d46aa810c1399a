import { expectWord } from './arena-check.js'
import {
  ARENA, ARENA_FLAG, ARENA_MAGIC_HIGH, ARENA_MAGIC_LOW, BLOCK, layoutHash, LAYOUT_VERSION, SCRATCH_SPAN_BYTES, SLOT, THREAD,
} from './layout.js'
import type { Address } from './memory-host.js'

/** What the header of a new arena says. All addresses absolute. */
export interface HeaderFields {
  readonly id: number
  readonly pages: number
  readonly blockTable: Address
  readonly blockCapacity: number
  readonly dataEnd: Address
  readonly epoch: number
  readonly slotLimit: number
  readonly flags: number
}

/** Writes the header of a zeroed arena; READY last, so a thread that sees it sees the rest. Engine thread. */
export function writeHeader(u32: Uint32Array, base: Address, fields: HeaderFields): void {
  const set = (offset: number, value: number): void => { u32[(base + offset) >>> 2] = value }
  set(ARENA.MAGIC_LOW, ARENA_MAGIC_LOW)
  set(ARENA.MAGIC_HIGH, ARENA_MAGIC_HIGH)
  set(ARENA.VERSION, LAYOUT_VERSION)
  set(ARENA.ID, fields.id)
  set(ARENA.PAGES, fields.pages)
  set(ARENA.LAYOUT_HASH, layoutHash())
  set(ARENA.BLOCK_TABLE, fields.blockTable)
  set(ARENA.BLOCK_CAPACITY, fields.blockCapacity)
  set(ARENA.DATA_START, base + ARENA.DATA)
  set(ARENA.DATA_END, fields.dataEnd)
  set(ARENA.SLOT_LIMIT, fields.slotLimit)
  set(ARENA.EPOCH, fields.epoch)
  Atomics.store(u32, (base + ARENA.FLAGS) >>> 2, fields.flags | ARENA_FLAG.READY)
}

/**
 * Checks magic, version and layout hash (MW-01, MW-02) of an arena that another thread made: at worker boot. Its owner has
 * {@link ArenaCheck}. Throws `ARENA_CORRUPT`.
 */
export function checkHeader(u32: Uint32Array, base: Address): void {
  expectWord(u32, base, ARENA.MAGIC_LOW, ARENA_MAGIC_LOW, 'magic')
  expectWord(u32, base, ARENA.MAGIC_HIGH, ARENA_MAGIC_HIGH, 'magic')
  expectWord(u32, base, ARENA.VERSION, LAYOUT_VERSION, 'layout version')
  expectWord(u32, base, ARENA.LAYOUT_HASH, layoutHash(), 'layout hash')
}

/** Address of a worker slot's record, `slot` 0…255. */
export function slotAddress(base: Address, slot: number): Address { return base + ARENA.SLOTS + slot * SLOT.BYTES }
/** Address of a thread record, `thread` 0 (engine) … 14. */
export function threadAddress(base: Address, thread: number): Address { return base + ARENA.THREADS + thread * THREAD.BYTES }
/** Address of a block table entry. */
export function entryAddress(table: Address, index: number): Address { return table + index * BLOCK.BYTES }

/** Gives a thread without a slot its scratch span (MW-07). */
export function writeThreadScratch(u32: Uint32Array, base: Address, thread: number, scratch: Address): void {
  const record = threadAddress(base, thread) >>> 2
  u32[record + (THREAD.SCRATCH >>> 2)] = scratch
  u32[record + (THREAD.SCRATCH_BYTES >>> 2)] = SCRATCH_SPAN_BYTES
}
