import { hexOf, Sha256 } from '../graph/sha256.js'
import type { Address, MemoryHost } from '../memory/memory-host.js'
import type { KernelSpec } from './kernel-spec.js'

/** A read-only block in use. */
export interface SharedLease { readonly address: Address; readonly release: () => void }
interface Entry { readonly address: Address; uses: number }

/** Blocks without users that are kept for the next run. */
const MOST_IDLE = 8

/**
 * Read-only blocks of kernels (`K_shared`: tables, filter banks), one per (module, kernel, param values, per port channels, dtype, width
 * and rate, assets); seed, maxFrames and addresses never enter. One per engine, used by all instances and threads. The {@link MOST_IDLE}
 * last used blocks without users stay for the next run, until {@link trim} or {@link close}.
 */
export class SharedBlocks {
  readonly #host: MemoryHost
  /** Idle ones in the order in which they became idle. */
  readonly #entries = new Map<string, Entry>()

  constructor(host: MemoryHost) { this.#host = host }

  /** Number of blocks kept. */
  get size(): number { return this.#entries.size }

  /** The block for `spec`, filled by `fill` when it is new. Throws what `fill` throws, and `ARENA_FULL`. */
  take(spec: KernelSpec, bytes: number, fill: (address: Address) => void): SharedLease {
    const key = sharedKey(spec, bytes)
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      entry = { address: this.#host.allocate(bytes), uses: 0 }
      try {
        fill(entry.address)
      } catch (error) {
        this.#host.free(entry.address)
        throw error
      }
      this.#entries.set(key, entry)
    }
    const lease = entry
    lease.uses++
    let held = true
    return { address: lease.address, release: () => { if (held) { held = false; this.#leave(key, lease) } } }
  }

  #leave(key: string, entry: Entry): void {
    if (--entry.uses > 0 || this.#entries.get(key) !== entry) return
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    this.#trimTo(MOST_IDLE)
  }

  /** Frees blocks that nobody uses. */
  trim(): void { this.#trimTo(0) }

  #trimTo(most: number): void {
    let idle = 0
    for (const { uses } of this.#entries.values()) if (uses === 0) idle++
    for (const [key, entry] of this.#entries) {
      if (idle <= most) return
      if (entry.uses > 0) continue
      idle--
      this.#entries.delete(key)
      this.#host.free(entry.address)
    }
  }

  /** Frees all blocks; only when no instance runs. */
  close(): void {
    for (const entry of this.#entries.values()) this.#host.free(entry.address)
    this.#entries.clear()
  }
}

/** Key of a shared block: SHA-256 of what it may depend on. */
export function sharedKey(spec: KernelSpec, bytes: number): string {
  const ports = [...spec.inputs, ...spec.outputs].map((p) => [p.connected, p.channels, p.dtype, p.width, p.kind, p.framesPerSecond])
  const numbers = new Uint8Array(Float64Array.from([...spec.slots, spec.rate, bytes]).buffer)
  const hash = new Sha256()
  hash.update(ascii(JSON.stringify([spec.module, spec.export, ports, spec.assets.map((a) => [a.dtype, a.data.length])])))
  hash.update(numbers)
  for (const { data } of spec.assets) hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return hexOf(hash.digest())
}

function ascii(text: string): Uint8Array { return Uint8Array.from(text, (c) => c.charCodeAt(0)) }
