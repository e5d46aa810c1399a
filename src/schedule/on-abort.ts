const heard = /* @__PURE__ */ new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls back when a signal is aborted, not if it is already. One listener per signal: Node warns of the eleventh, and a run may have any number of segments and nodes. Returns how
 * to stop.
 */
export function onAbort(signal: AbortSignal, call: () => void): () => void {
  const calls = heard.get(signal) ?? new Set()
  if (!heard.has(signal)) {
    heard.set(signal, calls)
    signal.addEventListener('abort', () => { for (const one of [...calls]) if (calls.has(one)) one() }, { once: true })
  }
  calls.add(call)
  return () => { calls.delete(call) }
}

/** What `work` gives, or the signal's reason as soon as there is one; the work goes on then, and whoever watches it still does. */
export function unlessAborted<T>(work: Promise<T> | undefined, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const abort = (): void => { reject(signal.reason as Error) }
    if (signal.aborted) abort()
    Promise.resolve(work).then(resolve, reject).finally(onAbort(signal, abort))
  })
}
