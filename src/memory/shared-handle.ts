import { entryAddress } from './arena-header.js'
import { memoryErrors } from './errors.js'
import { handleArena, handleGeneration, handleIndex, isHandleShaped, type Handle } from './handle.js'
import { ARENA, BLOCK, BLOCK_FLAG } from './layout.js'
import type { Address } from './memory-host.js'

/** Where a block lies, as any thread that maps the arena may ask. */
export interface BlockPlace { readonly address: Address; readonly bytes: number }

/**
 * Resolves a handle on a thread that is not the engine's, from the public block table in the arena (MW-10, MW-17). Throws `INVALID_HANDLE`
 * for a handle of another arena, out of bounds, or of a block that was freed. The block stays alive only while someone holds a lease;
 * workers get handles with one.
 */
export function resolveHandle(u32: Uint32Array, base: Address, handle: Handle): BlockPlace {
  const word = (address: Address): number => Atomics.load(u32, address >>> 2)
  const refuse = (reason: 'arena' | 'bounds' | 'freed' | 'generation'): never => { throw memoryErrors.INVALID_HANDLE({ handle, reason }) }
  if (!isHandleShaped(handle)) return refuse('bounds')
  if (handleArena(handle) !== word(base + ARENA.ID)) return refuse('arena')
  const index = handleIndex(handle)
  if (index >= word(base + ARENA.BLOCK_CAPACITY)) return refuse('bounds')
  const entry = entryAddress(word(base + ARENA.BLOCK_TABLE), index)
  if ((word(entry + BLOCK.FLAGS) & BLOCK_FLAG.VALID) === 0) return refuse('freed')
  if (word(entry + BLOCK.GENERATION) !== handleGeneration(handle)) return refuse('generation')
  return { address: base + word(entry + BLOCK.OFFSET), bytes: word(entry + BLOCK.SIZE) }
}
