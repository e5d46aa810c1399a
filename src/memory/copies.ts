import { setBytes } from './set-bytes.js'

/**
 * The one place through which bytes are copied between the arena and anything else (spec memory-and-workers.md, MW-23). Each copy is
 * charged to an edge with a reason, so a test can assert that kernels of one engine copy nothing.
 */
export type CopyReason = 'thread' | 'convert' | 'platform' | 'user'

/** What an edge has cost so far. */
export interface CopyEntry { readonly edge: string; readonly reason: CopyReason; readonly bytes: number; readonly copies: number }

/** Sums copies by edge and reason. One per run, and one per arena for what no run asked for. Thread: its owner's. */
export class CopyLedger {
  readonly #entries = new Map<string, { edge: string; reason: CopyReason; bytes: number; copies: number }>()

  /** Charges `bytes` ≥ 0 to an edge. */
  add(edge: string, bytes: number, reason: CopyReason): void {
    const key = `${reason} ${edge}`
    const entry = this.#entries.get(key)
    if (entry === undefined) { this.#entries.set(key, { edge, reason, bytes, copies: 1 }); return }
    entry.bytes += bytes
    entry.copies++
  }

  /** All entries in the order of their first copy. */
  entries(): CopyEntry[] { return [...this.#entries.values()].map((entry) => ({ ...entry })) }

  /** Bytes of one edge, one reason, or all. */
  bytes(filter: { readonly edge?: string; readonly reason?: CopyReason } = {}): number {
    let sum = 0
    for (const entry of this.#entries.values()) {
      if ((filter.edge === undefined || entry.edge === filter.edge) && (filter.reason === undefined || entry.reason === filter.reason)) {
        sum += entry.bytes
      }
    }
    return sum
  }

  /** Copies made, of any size. */
  get count(): number {
    let sum = 0
    for (const entry of this.#entries.values()) sum += entry.copies
    return sum
  }
}

/** Where a copy is charged. `edge`: `from.port -> to.port` inside a graph, else the call's name. */
export interface CopyCharge { readonly ledger: CopyLedger; readonly edge: string; readonly reason: CopyReason }

/** Copies all bytes of `from` to the start of `to`, which is at least as long, and charges them. */
export function copyBytes(to: ArrayBufferView, from: ArrayBufferView, charge: CopyCharge): void {
  setBytes(bytesOf(to), bytesOf(from))
  charge.ledger.add(charge.edge, from.byteLength, charge.reason)
}

/** One copy made of several parts (channels): charged once. */
export function copyParts(parts: readonly { readonly to: ArrayBufferView; readonly from: ArrayBufferView }[], charge: CopyCharge): void {
  let bytes = 0
  for (const { to, from } of parts) {
    setBytes(bytesOf(to), bytesOf(from))
    bytes += from.byteLength
  }
  charge.ledger.add(charge.edge, bytes, charge.reason)
}

/** Bytes that are copied before anything else has a turn: one or two milliseconds, even onto pages that are new. */
export const TURN_BYTES = 2 ** 22

/**
 * One long copy of `rows` rows, charged once at its end. After each {@link TURN_BYTES} it waits for `turn`, which throws when nobody wants
 * the rest. `part`: where the bytes `from` to `to` of a row are and go; asked for each time, because blocks may move meanwhile.
 */
export async function copyByTurns(
  rows: number, rowBytes: number,
  part: (row: number, from: number, to: number) => { readonly to: Uint8Array; readonly from: Uint8Array },
  charge: CopyCharge, turn: () => Promise<void>,
): Promise<void> {
  let room = TURN_BYTES
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < rowBytes;) {
      if (room === 0) {
        await turn()
        room = TURN_BYTES
      }
      const next = Math.min(rowBytes, at + room), { to, from } = part(row, at, next)
      setBytes(to, from)
      room -= next - at
      at = next
    }
  }
  charge.ledger.add(charge.edge, rows * rowBytes, charge.reason)
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return view instanceof Uint8Array ? view : new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}
