import type { ConformanceCase } from './conformance-case.js'
import type { ConformanceHost } from './conformance-host.js'
import type { Signal } from './signals.js'
import { runStream, type RunResult } from './stream-run.js'

/** What the reference gives for the signals of a suite: worked out once, compared with every compiled tier. */
export class ReferenceRuns {
  readonly #host: ConformanceHost
  readonly #runs = new Map<string, RunResult>()

  constructor(host: ConformanceHost) { this.#host = host }

  /** A run that was made anyway, in whatever chunks: that a reference's bits do not depend on them is checked in its own tier. */
  keep(kase: ConformanceCase, name: string, run: RunResult): void { this.#runs.set(`${kase.name} ${name}`, run) }

  /** `name`: the signal's, which is the same for equal cases. */
  run(kase: ConformanceCase, name: string, signal: Signal, chunks: readonly number[]): RunResult {
    const key = `${kase.name} ${name}`
    let run = this.#runs.get(key)
    if (run === undefined) this.#runs.set(key, run = runStream(this.#host, kase, signal, { chunks }))
    return run
  }
}
