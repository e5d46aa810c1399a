import { createFixedMemory } from '../memory/config.js'
import { WINDOW } from '../memory/layout.js'
import type { Address, MemoryHost } from '../memory/memory-host.js'

/** Bytes of a canary, before and behind every block. */
const GUARD_BYTES = 64
const CANARY = 0xc9
/** What freed blocks hold, so that a read of them shows. */
const FREED = 0xdd

/** Where the memory stands: shared or private WebAssembly memory, or a plain ArrayBuffer. */
export interface GuardedOptions { readonly shared: boolean; readonly wasm: boolean; readonly bytes?: number }

/**
 * A memory for tests: each block stands between canaries, freed blocks are poisoned, and {@link damage} names what was written where no one
 * may write (KE-01). Blocks come zeroed, aligned to 64 or 256 bytes. One thread.
 */
export class GuardedMemory implements MemoryHost {
  /** Null without WebAssembly. */
  readonly memory: WebAssembly.Memory | null
  readonly buffer: ArrayBufferLike
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly f32: Float32Array
  readonly f64: Float64Array
  readonly #live = new Map<Address, number>()
  readonly #spare = new Map<number, Address[]>()
  readonly #start: Address
  #next: Address
  #damage: string[] = []

  constructor({ shared, wasm, bytes = 64 * 2 ** 20 }: GuardedOptions) {
    const made = createFixedMemory({ bytes, shared, wasm })
    this.memory = made.memory
    this.buffer = made.buffer
    this.u8 = new Uint8Array(this.buffer)
    this.u16 = new Uint16Array(this.buffer)
    this.i32 = new Int32Array(this.buffer)
    this.u32 = new Uint32Array(this.buffer)
    this.f32 = new Float32Array(this.buffer)
    this.f64 = new Float64Array(this.buffer)
    this.#start = this.#next = wasm ? WINDOW.ARENA : WINDOW.ARENA_JS
  }

  /** Throws RangeError when the memory is used up. */
  allocate(bytes: number, align: 64 | 256 = 64): Address {
    const size = Math.max(64, Math.ceil(bytes / 64) * 64)
    const spare = align === 64 ? this.#spare.get(size)?.pop() : undefined
    const address = spare ?? Math.ceil((this.#next + GUARD_BYTES) / align) * align
    if (spare === undefined) {
      if (address + size + GUARD_BYTES > this.u8.length) {
        throw new RangeError(`Test memory: expected ${size} free bytes, got ${this.u8.length - this.#next}.`)
      }
      this.#next = address + size
    }
    this.u8.fill(0, address, address + bytes)
    this.#guard(address, bytes, size)
    this.#live.set(address, bytes)
    return address
  }

  free(address: Address): void {
    const bytes = this.#live.get(address)
    if (bytes === undefined) {
      this.#damage.push(`free of ${address}, which is no live block`)
      return
    }
    this.#check(address, bytes)
    this.#live.delete(address)
    this.u8.fill(FREED, address, address + bytes)
    if (this.#live.size === 0) {
      this.#next = this.#start
      this.#spare.clear()
      return
    }
    const size = Math.max(64, Math.ceil(bytes / 64) * 64)
    const list = this.#spare.get(size)
    if (list) list.push(address)
    else this.#spare.set(size, [address])
  }

  /** Blocks in use. */
  get live(): number {
    return this.#live.size
  }

  /** What was found written outside its block since the last call; also checks all live blocks. */
  damage(): readonly string[] {
    for (const [address, bytes] of this.#live) this.#check(address, bytes)
    const found = this.#damage
    this.#damage = []
    return found
  }

  #guard(address: Address, bytes: number, size: number): void {
    this.u8.fill(CANARY, address - GUARD_BYTES, address)
    this.u8.fill(CANARY, address + bytes, address + size + GUARD_BYTES)
  }

  /** Names the first byte of each damaged canary, and mends it so that it is named once. */
  #check(address: Address, bytes: number): void {
    const size = Math.max(64, Math.ceil(bytes / 64) * 64)
    for (const [from, to, side] of [
      [address - GUARD_BYTES, address, 'before'], [address + bytes, address + size + GUARD_BYTES, 'behind'],
    ] as const) {
      for (let at = from; at < to; at++) if (this.u8[at] !== CANARY) {
        this.#damage.push(`byte ${side === 'before' ? at - address : at - address - bytes} ${side} a block of ${bytes} bytes was written`)
        this.u8.fill(CANARY, from, to)
        break
      }
    }
  }
}
