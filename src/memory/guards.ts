/**
 * What `debugMemory` adds to blocks (MW-15): canary bytes on both sides and a pattern in freed bytes, so that a stray write names its block
 * and a stale view shows what it is.
 */
export const FREED = 0xdeadbeef
const CANARY = 0xc5

/** Where a block stands: its bytes, and the span that was taken for it. All in bytes. */
export interface Guarded { readonly from: number; readonly address: number; readonly bytes: number; readonly to: number }

/** Fills from `from` to `to`, multiples of 4, with the pattern of freed memory. */
export function fillFreed(u32: Uint32Array, from: number, to: number): void { u32.fill(FREED, from >>> 2, to >>> 2) }

/** Writes canaries before and behind a block, up to the ends of its span. */
export function writeCanaries(u8: Uint8Array, { from, address, bytes, to }: Guarded): void {
  u8.fill(CANARY, from, address)
  u8.fill(CANARY, address + bytes, to)
}

/** Address of the first canary byte that was written over, or −1. */
export function brokenCanary(u8: Uint8Array, { from, address, bytes, to }: Guarded): number {
  for (let at = from; at < to; at++) {
    if (at === address) at += bytes
    if (at < to && u8[at] !== CANARY) return at
  }
  return -1
}
