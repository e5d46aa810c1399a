import type { Clock } from '../clock.js'
import { onAbort } from '../on-abort.js'

/** How long a node written in TypeScript may go on after its run was stopped, ms (EX-52). */
const GRACE_MS = 2_000

/**
 * Waits for a node's own work, but after the run was stopped only for a grace time: then rejects with the reason, so that a node that
 * ignores its signal holds up neither the run nor `close`. What the work gives after that goes to `late`, if anywhere. Throws what `work`
 * throws.
 */
export async function withPatience<T>(work: Promise<T>, signal: AbortSignal, clock: Clock, late?: (value: T) => unknown): Promise<T> {
  const done = new AbortController()
  let deaf: (() => void) | undefined, lost = false
  const expired = new Promise<never>((_, reject) => {
    const stop = (): void => {
      void clock.sleep(GRACE_MS, done.signal).then(() => { if (!done.signal.aborted) { lost = true; reject(signal.reason) } })
    }
    if (signal.aborted) stop(); else deaf = onAbort(signal, stop)
  })
  // Who lost the race may still reject.
  work.then((value) => lost ? late?.(value) : undefined).catch(() => undefined)
  expired.catch(() => undefined)
  try { return await Promise.race([work, expired]) } finally {
    done.abort()
    deaf?.()
  }
}
