import { isMillraceError } from '../../errors/millrace-error.js'
import { DTYPE_ID } from '../../media/dtype.js'
import type { Arena } from '../../memory/arena.js'
import type { Block } from '../../memory/block.js'
import { memoryErrors } from '../../memory/errors.js'
import { handleArena, handleGeneration, handleIndex, makeHandle, type Handle } from '../../memory/handle.js'
import type { Holder } from '../../memory/leases.js'
import type { Address } from '../../memory/memory-host.js'
import { resolveHandle } from '../../memory/shared-handle.js'
import type { TensorRef } from './packet.js'

/** Blocks for payloads that are longer than a frame. The engine's side gives and frees them, a worker's only opens them. */
export interface ChannelBlocks {
  /** A block of so many bytes, or the code of what was wrong. Engine's side only. */
  readonly give?: (bytes: number) => TensorRef | string
  /** The bytes that a reference names. Throws `INVALID_HANDLE`. */
  open(ref: TensorRef): Uint8Array
  /** Gives blocks back; false when some are not this side's to free. */
  release(handles: readonly Handle[]): boolean
  handleOf(ref: TensorRef): Handle
  close(): void
}

/** The engine's side: blocks in its arena, leased to `holder` and pinned, so that a worker's view of them stays. */
export function engineBlocks(arena: Arena, holder: Holder): ChannelBlocks {
  const live = new Map<Handle, Block>()
  const free = (handle: Handle): boolean => {
    const block = live.get(handle)
    if (block === undefined) return false
    live.delete(handle)
    block.unpin()
    block.release()
    return true
  }
  return {
    give(bytes) {
      try {
        const block = arena.claim(bytes, { holder })
        block.pin()
        live.set(block.handle, block)
        return refOf(block.handle, bytes)
      } catch (error) { return isMillraceError(error) ? error.code : 'INTERNAL' }
    },
    open(ref) {
      return part(arena.u8, { address: arena.addressOf(arena.check(handleOf(ref))), bytes: live.get(handleOf(ref))?.bytes ?? 0 }, ref)
    },
    release: (handles) => handles.map(free).every(Boolean),
    handleOf,
    close() { for (const handle of [...live.keys()]) free(handle) },
  }
}

/** A worker's side: it opens what it was sent. */
export function workerBlocks(memory: { readonly u8: Uint8Array; readonly u32: Uint32Array }, base: Address): ChannelBlocks {
  return {
    open: (ref) => part(memory.u8, resolveHandle(memory.u32, base, handleOf(ref)), ref),
    release: () => false, handleOf, close: () => undefined,
  }
}

function refOf(handle: Handle, bytes: number): TensorRef {
  return {
    arena: handleArena(handle), dtype: DTYPE_ID.u8, flags: 0, index: handleIndex(handle), generation: handleGeneration(handle), offset: 0,
    bytes, shape: [bytes], strides: [1],
  }
}
function handleOf(ref: TensorRef): Handle { return makeHandle(ref.arena, ref.generation, ref.index) }

function part(u8: Uint8Array, place: { readonly address: Address; readonly bytes: number }, ref: TensorRef): Uint8Array {
  if (ref.offset + ref.bytes > place.bytes) {
    throw memoryErrors.INVALID_HANDLE({
      handle: handleOf(ref), reason: 'bounds', what: `${ref.offset} + ${ref.bytes} of ${place.bytes} bytes`,
    })
  }
  return u8.subarray(place.address + ref.offset, place.address + ref.offset + ref.bytes)
}
