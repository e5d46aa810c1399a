/** By signal: who waits for it, and the one listener. */
const heard = /* @__PURE__ */ new WeakMap<AbortSignal, { readonly calls: Set<() => void>; readonly tell: () => void }>()

/**
 * Calls back when a signal is aborted, not if it is already. One listener per signal, and none once all have stopped: Node warns of the
 * eleventh, and a run may have any number of segments and nodes. Returns how to stop.
 */
export function onAbort(signal: AbortSignal, call: () => void): () => void {
  let found = heard.get(signal)
  if (found === undefined) {
    const all = new Set<() => void>()
    heard.set(signal, found = { calls: all, tell: () => { for (const one of [...all]) if (all.has(one)) one() } })
  }
  const { calls, tell } = found
  if (calls.size === 0) signal.addEventListener('abort', tell)
  calls.add(call)
  return () => {
    if (calls.delete(call) && calls.size === 0) signal.removeEventListener('abort', tell)
  }
}

/** What `work` gives, or the signal's reason as soon as there is one; the work goes on then, and whoever watches it still does. */
export function unlessAborted<T>(work: Promise<T> | undefined, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const abort = (): void => { reject(signal.reason as Error) }
    if (signal.aborted) abort()
    Promise.resolve(work).then(resolve, reject).finally(onAbort(signal, abort))
  })
}
