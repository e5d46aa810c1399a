import type { ConformanceCase } from './conformance-case.js'
import type { ConformanceHost } from './conformance-host.js'
import type { CheckName, FindingLog } from './findings.js'
import type { ReferenceRuns } from './reference-runs.js'
import { makeSignal, noise, randomSource, type Shape, type Signal } from './signals.js'
import { runStream, type RunPlan, type RunResult } from './stream-run.js'

/** Frames of a signal that is driven through in many ways, or in a few. */
const LEAST_FRAMES = 600
const MOST_FRAMES = 24_000

/** One case of a node in one tier, as the checks see it. */
export class Subject {
  readonly host: ConformanceHost
  readonly kase: ConformanceCase
  readonly log: FindingLog
  /** Frames that let every part of the node work: several times what it keeps back, delays or adds. */
  readonly frames: number
  /** Noise, and what comes of it in one call. */
  readonly noise: Signal
  readonly whole: RunResult

  /** `spans`: how often the signal is as long as what the node remembers. Throws what making the instance throws. */
  constructor(host: ConformanceHost, kase: ConformanceCase, log: FindingLog, references?: ReferenceRuns, spans = 4) {
    this.host = host
    this.kase = kase
    this.log = log
    this.frames = Math.min(MOST_FRAMES, Math.max(LEAST_FRAMES, spans * (kase.latency + kase.tail + kase.hold)))
    this.noise = this.signal(noise(1))
    this.whole = this.run('status', this.noise, { chunks: [this.frames], watch: true })
    if (!host.compiled) references?.keep(kase, 'noise', this.whole)
  }

  /**
   * True where what is found is found in no other tier: not for the reference of a node with a kernel,
   * which parity ties to the compiled tiers.
   */
  get onlyHere(): boolean { return this.host.compiled || this.kase.definition.kernel === undefined }

  signal(shape: Shape, frames = this.frames): Signal {
    return makeSignal(this.kase.spec(1).inputs, frames, shape)
  }

  /**
   * Runs, and tells faults of the calls. `what`: the way of driving, for the message; `check`: where a
   * fault goes that says nothing of its own kind.
   */
  run(check: CheckName, signal: Signal, plan: RunPlan, what = ''): RunResult {
    let result: RunResult
    try {
      result = runStream(this.host, this.kase, signal, plan)
    } catch (error) {
      this.fault(check, `${what}: ${error instanceof Error ? error.message : String(error)}`)
      throw error
    }
    // What works in one call and fails in this manner is this manner's fault.
    const own = (kind: CheckName): boolean => kind === 'status' || kind === 'frames' && check === 'unconnected'
    for (const fault of result.faults) {
      this.fault(own(fault.check) ? check : fault.check, what === '' ? fault.detail : `${what}: ${fault.detail}`)
    }
    return result
  }

  fault(check: CheckName, detail: string): void {
    this.log.fault(check, `${this.kase.name}: ${detail}`)
  }

  /** Random chunk lengths that add up to `frames`: lengths of very different size, ones and zeros among them. */
  chunking(seed: number, frames = this.frames): readonly number[] {
    const next = randomSource(seed)
    const most = [1 + frames / 4, 1 + frames / 16, 130, 17][seed & 3]!
    const chunks: number[] = []
    for (let left = frames; left > 0;) {
      const kind = next()
      const count =
        Math.min(left, kind < 0.08 ? 0 : kind < 0.16 ? 1 : kind < 0.24 ? 128 : 1 + Math.floor(next() * Math.max(most, frames / 60)))
      chunks.push(count)
      left -= count
    }
    return chunks
  }
}
