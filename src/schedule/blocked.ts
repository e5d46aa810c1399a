/** What readers of a blocked output get in place of a packet (GR-29): they stop, and nothing has failed. */
class Blocked extends Error {
  override readonly name = 'Blocked'
}

/** The one of it. */
export const BLOCKED: Error = /* @__PURE__ */ new Blocked('the input is blocked')
