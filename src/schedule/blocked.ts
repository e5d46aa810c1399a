/** What readers of a blocked output get in place of a packet (GR-29): they stop, and nothing has failed. */
class Blocked extends Error {
  override readonly name = 'Blocked'
}

/** The one of it. */
export const BLOCKED: Error = /* @__PURE__ */ new Blocked('the input is blocked')

/**
 * True for it and for an error that names it as its cause, at most 16 steps back: what a node makes of it is no
 * failure. Told by name, which crosses threads.
 */
export function isBlocked(error: unknown): boolean {
  for (let one = error, steps = 0; one instanceof Error && steps < 16; one = one.cause, steps++) if (one.name === BLOCKED.name) return true
  return false
}
