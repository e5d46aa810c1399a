import type { BlockStore } from '../memory/block-store.js'
import { onAbort, unlessAborted } from '../schedule/on-abort.js'

/**
 * Acts on the pressure of an arena (MW-12): above `none` what is cached is given up, beside the work; from `before-runs` on also before
 * each run; at `wait` a new run waits until others have made room, or until none is left that could.
 */
export class PressureGate {
  readonly #store: BlockStore
  readonly #evict: () => Promise<void>
  readonly #waiting = new Set<() => void>()
  #evicting: Promise<void> | undefined

  /** `evict` gives up what is cached; `tell` is called with each change of level. */
  constructor(
    store: BlockStore, evict: () => Promise<void>,
    tell: (stats: { readonly level: string; readonly usedBytes: number; readonly capacityBytes: number }) => void,
  ) {
    this.#store = store
    this.#evict = evict
    store.onPressureChange = (level) => {
      const { usedBytes, capacityBytes } = store.stats()
      tell({ level, usedBytes, capacityBytes })
      // Not here: this is called from within an allocation.
      if (level !== 'none') queueMicrotask(() => { void this.#clear() })
      if (level !== 'wait') this.wake()
    }
  }

  /** Resolves when a new run may begin. `others`: runs under way besides it. Returns early when the signal aborts. */
  async admit(others: () => number, signal: AbortSignal): Promise<void> {
    const { pressure } = this.#store
    if (pressure === 'before-runs' || pressure === 'wait') await unlessAborted(this.#clear(), signal).catch(() => undefined)
    while (this.#store.pressure === 'wait' && others() > 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const go = (): void => { this.#waiting.delete(go); deaf(); resolve() }, deaf = onAbort(signal, go)
        this.#waiting.add(go)
      })
    }
  }

  /** A run ended, or the level fell: those who wait look again. */
  wake(): void { for (const go of [...this.#waiting]) go() }

  async #clear(): Promise<void> {
    await (this.#evicting ??= this.#evict().finally(() => { this.#evicting = undefined }))
    this.#store.trim()
  }
}
