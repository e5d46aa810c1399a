import { ARENA, RECORD, RECORD_KIND } from './layout.js'
import type { Address } from './memory-host.js'

/** One entry of the flight recorder. `run`, `task`: indices, −1 without one. `value`: what ended it, or the worker's ordinal. */
export interface FlightRecord { readonly timeUs: number; readonly slot: number; readonly kind: string; readonly run: number; readonly task: number; readonly value: number }

const NAMES = Object.fromEntries(Object.entries(RECORD_KIND).map(([name, value]) => [value, name.toLowerCase().replace('_', ' ')]))
/** Slot number that entries of threads without a slot bear. */
const NO_SLOT = 255

/**
 * Writes an entry (MW-06), replacing the oldest: any thread, never waits. `run`, `task`: indices + 1 as the slot has them, 0 without. An entry that is read while it is
 * written may be mixed. 6–16 ns. @realtime
 */
export function record(u32: Uint32Array, base: Address, timeUs: number, slot: number, kind: number, run: number, task: number, value: number): void {
  const at = (base + ARENA.RECORDER + (Atomics.add(u32, (base + ARENA.RECORDER_NEXT) >>> 2, 1) & (RECORD.COUNT - 1)) * RECORD.BYTES) >>> 2
  u32[at] = timeUs
  u32[at + 1] = (slot < 0 ? NO_SLOT : slot) | kind << 8 | run << 16
  u32[at + 2] = task
  u32[at + 3] = value
}

/** The last entries, oldest first; `slot`: only that slot's. */
export function readRecords(u32: Uint32Array, base: Address, most: number = RECORD.COUNT, slot?: number): FlightRecord[] {
  const next = Atomics.load(u32, (base + ARENA.RECORDER_NEXT) >>> 2), found: FlightRecord[] = []
  for (let n = next - 1; n >= 0 && n >= next - RECORD.COUNT && found.length < most; n--) {
    const at = (base + ARENA.RECORDER + (n & (RECORD.COUNT - 1)) * RECORD.BYTES) >>> 2, word = u32[at + 1]!, kind = NAMES[word >>> 8 & 0xff]
    if (kind === undefined || (slot !== undefined && (word & 0xff) !== slot)) continue
    found.push({ timeUs: u32[at]!, slot: (word & 0xff) === NO_SLOT ? -1 : word & 0xff, kind, run: (word >>> 16) - 1, task: u32[at + 2]! - 1, value: u32[at + 3]! | 0 })
  }
  return found.reverse()
}
