import type { KernelSpec } from '../kernels/kernel-spec.js'
import { sharedKey, type SharedLease } from '../kernels/shared-blocks.js'
import type { Address } from '../memory/memory-host.js'
import type { GuardedMemory } from './guarded-memory.js'

/**
 * Read-only blocks of kernels in a memory for tests: each instance has its own, between canaries, but what `K_shared` wrote the first time
 * is copied in later: a suite makes thousands of instances of one kernel, and filling a filter bank takes longer than most runs.
 */
export class KnownTables {
  readonly #memory: GuardedMemory
  readonly #bytes = new Map<string, Uint8Array>()

  constructor(memory: GuardedMemory) { this.#memory = memory }

  take(spec: KernelSpec, bytes: number, fill: (address: Address) => void): SharedLease {
    const address = this.#memory.allocate(bytes), key = sharedKey(spec, bytes), known = this.#bytes.get(key)
    if (known === undefined) {
      try { fill(address) } catch (error) { this.#memory.free(address); throw error }
      this.#bytes.set(key, this.#memory.u8.slice(address, address + bytes))
    } else this.#memory.u8.set(known, address)
    return { address, release: () => { this.#memory.free(address) } }
  }
}
