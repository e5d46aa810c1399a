/**
 * Handles (spec memory-and-workers.md, MW-17): a block's name as a plain number of 52 bits, arena id (8) · generation (24) · table index
 * (20). Numbers cross threads, maps and JSON without wrapping; a freed entry gets a new generation, so an old handle never names new bytes.
 */
export type Handle = number

/** Greatest generation; an entry that reaches it is retired and never used again. */
export const LAST_GENERATION = 0xffffff
/** Entries that an index can name. */
export const MAX_ENTRIES = 0x100000

const GENERATION_UNIT = 0x100000
const ARENA_UNIT = 2 ** 44

/** Handle of an entry. `arena` 1–255, `generation` 0–2²⁴−1, `index` 0–2²⁰−1. */
export function makeHandle(arena: number, generation: number, index: number): Handle {
  return arena * ARENA_UNIT + generation * GENERATION_UNIT + index
}

/** Table index of a handle. ToInt32 keeps the low bits of any safe integer exactly. */
export function handleIndex(handle: Handle): number { return handle & 0xfffff }
/** Generation of a handle. */
export function handleGeneration(handle: Handle): number { return (handle / GENERATION_UNIT) & 0xffffff }
/** Arena id of a handle. */
export function handleArena(handle: Handle): number { return (handle / ARENA_UNIT) & 0xff }

/** True for a number that can be a handle at all: an integer of at most 52 bits with an arena id. */
export function isHandleShaped(handle: Handle): boolean {
  return Number.isSafeInteger(handle) && handle >= ARENA_UNIT && handle < 256 * ARENA_UNIT
}
