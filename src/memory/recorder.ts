import { ARENA, RECORD, RECORD_KIND, RECORD_THREAD } from './layout.js'
import type { Address } from './memory-host.js'
import { isShared } from './views.js'

/** Where entries stand: an arena, or memory that is only for them. */
export interface FlightLog { readonly u32: Uint32Array; readonly base: Address }

/**
 * One entry of the flight recorder. `slot`: −1 for a thread that has none, which `thread` names then: `worker 3`, `script 2`. `run`: index,
 * −1 without one. `task`: index; of threads without a slot the number of a job; −1 without one. `value`: what ended it, or the worker's
 * ordinal.
 */
export interface FlightRecord {
  readonly timeUs: number
  readonly slot: number
  readonly thread?: string
  readonly kind: string
  readonly run: number
  readonly task: number
  readonly value: number
}

/** Notes what a thread without a slot does: kind, number of the job (default none), value (default 0). */
export type Note = (kind: number, job?: number, value?: number) => void

const NAMES = Object.fromEntries(Object.entries(RECORD_KIND).map(([name, value]) => [value, name.toLowerCase().replace('_', ' ')]))

/**
 * Writes an entry (MW-06), replacing the oldest: any thread, never waits. `run`, `task`: indices + 1 as the slot has them, 0 without. An
 * entry that is read while it is written may be mixed. 6–16 ns. @realtime
 */
export function record(
  { u32, base }: FlightLog, timeUs: number, slot: number, kind: number, run: number, task: number, value: number,
): void {
  const at = (base + ARENA.RECORDER + (Atomics.add(u32, (base + ARENA.RECORDER_NEXT) >>> 2, 1) & (RECORD.COUNT - 1)) * RECORD.BYTES) >>> 2
  u32[at] = timeUs
  u32[at + 1] = (slot & 0xff) | kind << 8 | run << 16
  u32[at + 2] = task
  u32[at + 3] = value
}

/** How a thread without a slot writes its entries. `who`: of `RECORD_THREAD`. */
export function threadNotes(log: FlightLog, nowUs: () => number, who: number, ordinal: number): Note {
  return (kind, job = -1, value = 0) => { record(log, nowUs(), 0, who | kind, ordinal, job + 1, value) }
}

/** The last entries, oldest first; `of`: only those. */
export function readRecords({ u32, base }: FlightLog, most: number = RECORD.COUNT, of?: (one: FlightRecord) => boolean): FlightRecord[] {
  const next = Atomics.load(u32, (base + ARENA.RECORDER_NEXT) >>> 2), found: FlightRecord[] = []
  for (let n = next - 1; n >= 0 && n >= next - RECORD.COUNT && found.length < most; n--) {
    const at = (base + ARENA.RECORDER + (n & (RECORD.COUNT - 1)) * RECORD.BYTES) >>> 2
    const word = u32[at + 1]!, who = word >>> 8 & 0xc0, kind = NAMES[word >>> 8 & 0x3f], run = word >>> 16
    if (kind === undefined) continue
    const one = {
      timeUs: u32[at]!,
      ...(who === 0 ? { slot: word & 0xff } : { slot: -1, thread: `${who === RECORD_THREAD.SCRIPT ? 'script' : 'worker'} ${run}` }),
      kind, run: who === 0 ? run - 1 : -1, task: u32[at + 2]! - 1, value: u32[at + 3]! | 0,
    }
    if (of?.(one) !== false) found.push(one)
  }
  return found.reverse()
}

/** Memory for the entries of threads that have memories of their own; shared where the host shares, so that they write them themselves. */
export function ownLog(): FlightLog {
  const bytes = ARENA.DATA - ARENA.RECORDER_NEXT
  return logIn(typeof SharedArrayBuffer !== 'undefined' && globalThis.crossOriginIsolated !== false
    ? new SharedArrayBuffer(bytes)
    : new ArrayBuffer(bytes))
}

/** The log in what {@link postable} gave. */
export function logIn(buffer: ArrayBufferLike): FlightLog { return { u32: new Uint32Array(buffer), base: -ARENA.RECORDER_NEXT } }

/** What a thread with a memory of its own gets of a log to write in it; undefined: it cannot, and the engine writes what it sees of it. */
export function postable({ u32: { buffer }, base }: FlightLog): ArrayBufferLike | undefined {
  return base < 0 && isShared(buffer) ? buffer : undefined
}
