import { isShared } from '../views.js'

/**
 * Blocks the thread until the word is not `value`, it is notified, or `timeoutMs` has passed. Workers give theirs
 * (`workers/worker-wait.ts`); no other thread may block (MW-66).
 */
export type BlockingWait = (i32: Int32Array, index: number, value: number, timeoutMs: number) => void

type WaitAsync = (array: Int32Array, index: number, value: number, timeoutMs: number) => { readonly value: Promise<unknown> | string }

/** Longest sleep before looking anyway, ms: with a wake-up, and by timer where the host has none. */
const LOOK_AGAIN_MS = 1_000
const POLL_MS = 4

/**
 * Waits for a ring's word on a thread that must not block: `Atomics.waitAsync`, else a timer that a doorbell message may cut short by
 * {@link AsyncWord.poke} (MW-66). Timers need no precision: who wakes looks again (MW-77).
 */
export class AsyncWord {
  readonly #i32: Int32Array
  readonly #index: number
  readonly #wait: WaitAsync | undefined
  readonly #poked = new Set<() => void>()

  /** `index`: of the word in `i32`. */
  constructor(i32: Int32Array, index: number) {
    this.#i32 = i32
    this.#index = index
    const wait = typeof Atomics === 'object' ? (Atomics as unknown as { readonly waitAsync?: WaitAsync }).waitAsync : undefined
    this.#wait = isShared(i32.buffer) ? wait : undefined
  }

  /** Settles when the word may differ from `value`, or `timeoutMs` has passed. */
  async changed(value: number, timeoutMs: number): Promise<void> {
    if (this.#wait !== undefined) {
      await this.#wait(this.#i32, this.#index, value, Math.min(timeoutMs, LOOK_AGAIN_MS)).value
      return
    }
    if (Atomics.load(this.#i32, this.#index) !== value) return
    await new Promise<void>((resolve) => {
      const done = (): void => { clearTimeout(timer); this.#poked.delete(done); resolve() }
      const timer = setTimeout(done, Math.min(timeoutMs, POLL_MS))
      this.#poked.add(done)
    })
  }

  /** The other side says that it changed the word: the doorbell of hosts without `waitAsync`. */
  poke(): void { for (const done of [...this.#poked]) done() }
}
