import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import { memoryErrors } from './errors.js'
import { isShared } from './views.js'

/** Bytes of a WebAssembly page. */
export const PAGE_BYTES = 65_536
/** Least memory of an engine: module windows plus an arena that is worth having. */
export const MIN_ARENA_BYTES = 16 * 2 ** 20
/** Most that 32-bit addresses reach. */
export const MAX_ARENA_BYTES = 2 ** 32
/** Memory of an engine that was not told otherwise. */
export const DEFAULT_ARENA_BYTES = 64 * 2 ** 20
/** Bytes of arena per entry of the block table (MW-10). */
export const BYTES_PER_ENTRY = 8_192

/** How an arena's memory is made. */
export interface MemoryRequest {
  /** 16 MiB–4 GiB, rounded up to pages; default 64 MiB, halved down to 16 MiB where the host refuses (MW-04). */
  readonly bytes?: number
  /** One memory for all threads. */
  readonly shared: boolean
  /** WebAssembly.Memory, else a plain ArrayBuffer (`js` tier). */
  readonly wasm: boolean
  /** Told when the host gave less than the default. */
  readonly onWarning?: (text: string, details: { readonly askedBytes: number; readonly bytes: number }) => void
  /** Makes the memory; replaced by tests that simulate a host's refusal. */
  readonly makeMemory?: (bytes: number, shared: boolean) => WebAssembly.Memory
}

/** A memory of fixed size: initial = maximum, never grown. */
export interface FixedMemory { readonly memory: WebAssembly.Memory | null; readonly buffer: ArrayBufferLike; readonly bytes: number }

/** Checks `arenaBytes` and rounds it up to whole pages. Throws `CONFIG_INVALID`. */
export function arenaBytesOf(bytes: unknown): number {
  if (typeof bytes !== 'number' || !(bytes >= MIN_ARENA_BYTES && bytes <= MAX_ARENA_BYTES)) {
    throw commonErrors.CONFIG_INVALID({ key: 'arenaBytes', source: 'options', expected: '16777216…4294967296 bytes', got: show(bytes) })
  }
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
}

/** Makes the memory. Throws `CONFIG_INVALID` or `SHARED_MEMORY`. */
export function createFixedMemory(request: MemoryRequest): FixedMemory {
  const asked = arenaBytesOf(request.bytes ?? DEFAULT_ARENA_BYTES)
  const least = request.bytes === undefined ? MIN_ARENA_BYTES : asked
  for (let bytes = asked; ; bytes = Math.max(least, bytes / 2)) {
    try {
      const made = make(bytes, request)
      if (bytes < asked) request.onWarning?.(`Arena: the host refused ${asked} bytes and gave ${bytes}`, { askedBytes: asked, bytes })
      return made
    } catch (cause) {
      if (!(cause instanceof RangeError) || bytes <= least) {
        throw memoryErrors.SHARED_MEMORY({ bytes, cause: cause instanceof Error ? cause.message : String(cause) }, { cause })
      }
    }
  }
}

function make(bytes: number, { shared, wasm, makeMemory = wasmMemory }: MemoryRequest): FixedMemory {
  if (!wasm) return { memory: null, buffer: new ArrayBuffer(bytes), bytes }
  const memory = makeMemory(bytes, shared)
  if (shared && !isShared(memory.buffer)) throw new TypeError('the host gave no SharedArrayBuffer')
  return { memory, buffer: memory.buffer, bytes }
}

function wasmMemory(bytes: number, shared: boolean): WebAssembly.Memory {
  const pages = bytes / PAGE_BYTES
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared })
}

/**
 * Memories that this thread let go of and that are not collected take address space from every thread of the process (V8: some hundred
 * memories in all), and another thread that is refused one cannot collect them. Making one here does. False when there is no room even so.
 */
export function collectMemories(bytes: number): boolean {
  try { return wasmMemory(bytes, false).buffer.byteLength === bytes } catch { return false }
}
