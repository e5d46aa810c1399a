import type { Clock } from '../clock.js'
import type { CompiledPlan } from '../compiled-plan.js'
import { ProgressMeter, type ProgressListener } from '../progress.js'

/** A run's progress: its segments and its nodes written in TypeScript are the parts of one fraction, weighted by their estimates. */
export class RunProgress {
  readonly #compiled: CompiledPlan
  readonly #meter: ProgressMeter
  /** Places of nodes, behind those of the segments. */
  readonly #nodes = new Map<string, number>()
  readonly #headFrames: number[] = []

  constructor(compiled: CompiledPlan, clock: Clock, listener: ProgressListener | undefined) {
    this.#compiled = compiled
    const { segments, nodes, plan } = compiled, typescript = nodes.filter((node) => node.tier === null)
    typescript.forEach((node, i) => this.#nodes.set(node.id, segments.length + i))
    this.#meter =
      new ProgressMeter([...segments.map((_, i) => plan.segments[i]!.estUs), ...typescript.map((node) => node.estUs)], clock, listener)
  }

  /** A node written in TypeScript has come to `fraction` of its way; others are told of by their segments. */
  node(id: string, fraction: number): void { if (this.#nodes.has(id)) this.#meter.report(this.#nodes.get(id)!, fraction, id) }

  segment(index: number, fraction: number): void {
    this.#meter.report(index, fraction, this.#compiled.segments[index]!.nodes.at(-1)?.spec.nodeId)
  }

  /** A segment has taken so many more frames of its first input. */
  frames(index: number, frames: number): void {
    this.#headFrames[index] = (this.#headFrames[index] ?? 0) + frames
    const input = this.#compiled.segments[index]!.buffers.find((b) => b.kind === 'input')
    const total = input && this.#compiled.totals.get(input.value)
    if (total) this.segment(index, this.#headFrames[index] / total)
  }

  /** Everything is done. */
  finish(): void { this.#meter.finish() }
}
