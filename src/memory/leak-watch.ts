/** What a collected owner held: `shown`, a view of it was handed out, or what else was. */
export interface Leaked { readonly closed: boolean; readonly shown?: boolean | string; [Symbol.dispose](): void }
/** Told of each leak. */
export type LeakWarning = (text: string, details: Readonly<Record<string, unknown>>) => void

/**
 * Finds audio, blocks and rings that were collected without `close()`, `release()` or `dispose` (MW-16): their lease is given back with a
 * warning, unless a view of it was handed out, which may still be read; then it is only named. `debug` adds where it was made. The host
 * decides when a collection happens, if ever: a net, not a plan.
 */
export class LeakWatch {
  readonly #registry: FinalizationRegistry<{ readonly block: Leaked; readonly what: string; readonly createdAt: string | undefined }>
  readonly #debug: boolean

  constructor(warn: LeakWarning, debug: boolean) {
    this.#debug = debug
    this.#registry = new FinalizationRegistry(({ block, what, createdAt }) => {
      if (block.closed) return
      const kept = block.shown === true ? 'a view of them' : block.shown
      if (!kept) block[Symbol.dispose]()
      warn(`${what}${kept ? `; its bytes stay, because ${kept} was given out` : ''}`, createdAt === undefined ? {} : { createdAt })
    })
  }

  /** From now on the owner of `block` is watched; `block` must not reach it. `what` says what was left undone. */
  watch(owner: object, block: Leaked, what: string): void {
    this.#registry.register(
      owner,
      { block, what, createdAt: this.#debug ? new Error().stack?.split('\n').slice(3).join('\n') : undefined },
      owner,
    )
  }

  /** The owner was closed in time. */
  forget(owner: object): void { this.#registry.unregister(owner) }
}
