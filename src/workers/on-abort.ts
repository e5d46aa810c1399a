const heard = /* @__PURE__ */ new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls back when a signal is aborted, not if it is already. One listener per signal: Node warns of the eleventh, and a run may have any number of segments and nodes. Returns how
 * to stop.
 */
export function onAbort(signal: AbortSignal, call: () => void): () => void {
  const calls = heard.get(signal) ?? new Set()
  if (!heard.has(signal)) {
    heard.set(signal, calls)
    signal.addEventListener('abort', () => { for (const one of [...calls]) one() }, { once: true })
  }
  calls.add(call)
  return () => { calls.delete(call) }
}
