import type { Address } from '../memory/memory-host.js'
import { PROGRAM } from './contract.js'

/** Calls table entry `index` (a `K_process` or `K_flush`) with a state and an Io block. */
export type KernelCall = (index: number, state: Address, io: Address) => number

/** Word at an address. */
export function word(u32: Uint32Array, address: Address): number { return u32[address >>> 2]! }

/** Adds to the u64 at an address, kept as two words. */
export function carry(u32: Uint32Array, address: Address, frames: number): void {
  const low = u32[address >>> 2]! + frames
  u32[address >>> 2] = low
  if (low > 0xffff_ffff) u32[(address >>> 2) + 1]!++
}

/** Records where and why a pass stopped, and gives the status back. */
export function fail(u32: Uint32Array, program: Address, step: number, status: number): number {
  u32[(program + PROGRAM.FAILED_STEP) >>> 2] = step
  u32[(program + PROGRAM.STATUS_WORD) >>> 2] = status
  return status
}
