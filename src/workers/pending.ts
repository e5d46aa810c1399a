/**
 * Calls to a thread that have not been answered. A call to an ended worker never settles by itself, and a collected proxy hangs (MW-69):
 * every call is kept here, strongly, until it settles or {@link rejectAll} rejects it.
 */
export class PendingCalls {
  readonly #rejects = new Set<(error: unknown) => void>()
  #ended: { readonly error: unknown } | undefined

  /** Calls that wait now. */
  get size(): number { return this.#rejects.size }

  /** Makes a call and waits for it; rejects at once after {@link rejectAll}. */
  call<T>(make: () => PromiseLike<T>): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended.error as Error)
    return new Promise<T>((resolve, reject) => {
      this.#rejects.add(reject)
      const settle = <V>(next: (value: V) => void) => (value: V): void => { if (this.#rejects.delete(reject)) next(value) }
      try {
        make().then(settle(resolve), settle(reject))
      } catch (error) { settle(reject)(error) }
    })
  }

  /** Rejects all waiting calls with `error`, and all later ones. */
  rejectAll(error: unknown): void {
    this.#ended ??= { error }
    const rejects = [...this.#rejects]
    this.#rejects.clear()
    for (const reject of rejects) reject(error)
  }
}
