/** Outcome of one check in one tier. */
export interface Finding {
  readonly check: string
  readonly ok: boolean
  /** What was tried, or the first fault and where it stood. */
  readonly detail: string
  readonly tier: string
}

/** Names of all checks, in the order in which they are told. */
export const CHECKS = [
  'starts', 'status', 'frames', 'counters', 'canaries', 'silence', 'impulse', 'step', 'nan', 'full-scale', 'denormals', 'chunking',
  'offsets', 'position', 'controls', 'moved-state', 'snapshot', 'reset', 'flush', 'latency', 'tail', 'in-place', 'no-room', 'unconnected',
  'media', 'parity', 'allocation', 'bad-init', 'example',
] as const
/** Name of a check. */
export type CheckName = typeof CHECKS[number]

/** Collects what checks say: notes of what was done, and faults. */
export class FindingLog {
  readonly tier: string
  readonly #notes = new Map<CheckName, string>()
  readonly #faults = new Map<CheckName, string[]>()

  constructor(tier: string) {
    this.tier = tier
  }

  /** What a check did; the last note stands. */
  note(check: CheckName, detail: string): void {
    this.#notes.set(check, detail)
  }

  fault(check: CheckName, detail: string): void {
    const list = this.#faults.get(check)
    if (list) list.push(detail)
    else this.#faults.set(check, [detail])
  }

  /** True when a check has found something. */
  failed(check: CheckName): boolean {
    return this.#faults.has(check)
  }

  findings(): readonly Finding[] {
    return CHECKS.flatMap((check): Finding[] => {
      const faults = this.#faults.get(check), note = this.#notes.get(check)
      if (faults) {
        return [{
          check, ok: false,
          detail: faults.length > 1 ? `${faults[0]} (and ${faults.length - 1} more)` : faults[0]!,
          tier: this.tier,
        }]
      }
      return note === undefined ? [] : [{ check, ok: true, detail: note, tier: this.tier }]
    })
  }
}
