import type { Arena } from '../memory/arena.js'
import { ARENA } from '../memory/layout.js'

type WaitAsync = (array: Int32Array, index: number, value: number, timeoutMs: number) => { readonly value: Promise<unknown> | string }

/** True where the engine's thread can wait on a word without blocking. */
export function canWaitAsync(): boolean {
  return typeof Atomics === 'object' && typeof (Atomics as { waitAsync?: unknown }).waitAsync === 'function'
}

/** Looks at the word before waiting: about 10 µs in all (PF-10). */
const LOOKS = 1_000
/** Longest wait before looking anyway, ms. */
const LOOK_AGAIN_MS = 1_000

/**
 * Tells listeners on the engine's thread that workers changed the arena's host event: a task ended, failed or waits. Uses
 * `Atomics.waitAsync`, else the workers' `doorbell` message (MW-66). Waits only while there are listeners. A pending wait does not keep a
 * Node process alive (MW-68): hold the pool.
 */
export class HostEvent {
  readonly #i32: Int32Array
  readonly #index: number
  readonly #listeners = new Set<() => void>()
  #waiting = false

  constructor(arena: Arena) {
    this.#i32 = arena.i32
    this.#index = (arena.base + ARENA.HOST_EVENT) >>> 2
  }

  /** Calls `listener` after every change, possibly without need; look at the records first, then wait. Returns how to stop. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    if (canWaitAsync()) void this.#wait()
    return () => { this.#listeners.delete(listener) }
  }

  /** Looks on for about 10 µs: true as soon as `reached`. A task that a thread takes at once is often over by then. */
  soon(reached: () => boolean): boolean {
    for (let seen = Atomics.load(this.#i32, this.#index), looks = 0; looks < LOOKS; looks++) {
      const now = Atomics.load(this.#i32, this.#index)
      if (now !== seen || looks === 0) { if (reached()) return true; seen = now }
    }
    return false
  }

  /**
   * Calls the listeners; for the doorbell and for losses. One that throws is heard by nobody: who has
   * something to tell tells it its own waiters.
   */
  ring(): void { for (const listener of [...this.#listeners]) try { listener() } catch { /* Others are called all the same. */ } }

  async #wait(): Promise<void> {
    if (this.#waiting) return
    this.#waiting = true
    const sleepers = this.#index + (ARENA.HOST_SLEEPERS - ARENA.HOST_EVENT) / 4
    const waitAsync = (Atomics as unknown as { readonly waitAsync: WaitAsync }).waitAsync
    Atomics.add(this.#i32, sleepers, 1)
    try {
      for (let seen = Atomics.load(this.#i32, this.#index); this.#listeners.size > 0;) {
        const wait = waitAsync(this.#i32, this.#index, seen, LOOK_AGAIN_MS)
        // Also when the word has changed already: listeners are never called before `listen` has returned.
        await wait.value
        // Read before the listeners look: what changes while they do is seen by the next wait.
        seen = Atomics.load(this.#i32, this.#index)
        this.ring()
      }
    } finally {
      Atomics.sub(this.#i32, sleepers, 1)
      this.#waiting = false
    }
  }
}
