import type { Packet } from './packet.js'

/** What marks a blocker, also after a crossing of threads: true. Of a list, how many of its places blockers hold. */
export const BLOCKED_MARK = 'millrace.blocked'

/**
 * Given out in place of a packet, it stops what depends on that output, without an error (GR-29): such nodes are `skipped` with the reason
 * `blocked`, optional inputs arrive absent, run outputs among them are missing, and the run succeeds.
 * @example
 * process: async (inputs) => ({ out: quiet ? blocker : packet })
 */
export const blocker: Packet = /* @__PURE__ */ Object.freeze({
  media: { kind: 'json' }, data: null, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: { [BLOCKED_MARK]: true },
} as const)

/** True for a blocker. */
export function isBlocker(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (value as Partial<Packet>).metadata?.[BLOCKED_MARK] === true
}
