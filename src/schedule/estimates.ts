import type { NodeDefinition, PortMedia } from '../graph/node-definition.js'

/** Assumed length of a stream whose source does not tell, seconds. */
const UNKNOWN_SECONDS = 10
/** First guess for kernels without `costNs`, nanoseconds per frame and channel. */
const UNKNOWN_NS = 2
/** Shorter runs measure the start, not the kernel, samples. */
const LEAST_SAMPLES = 16_384
/** Weight of the newest measurement (EX-06). */
const EWMA = 0.2

/** What each node type has cost so far, ns per input frame and channel: an exponentially weighted mean. Owner: the engine. */
export class CostHistory {
  readonly #ns = new Map<string, number>()

  /** Adds a measurement: µs spent on `samples` = frames × channels. */
  add(type: string, us: number, samples: number): void {
    if (samples < LEAST_SAMPLES || us < 0) return
    const ns = us * 1000 / samples, old = this.#ns.get(type)
    this.#ns.set(type, old === undefined ? ns : old + EWMA * (ns - old))
  }

  /** Estimated µs of a kernel node over `frames` input frames (undefined: unknown). */
  kernelUs(definition: NodeDefinition, media: PortMedia, link: string | undefined, frames: number | undefined): number {
    const input = link === undefined ? undefined : media[link]
    const channels = input?.kind === 'audio' ? input.channels : 1, rate = input?.kind === 'audio' ? input.rate : 48_000
    const ns = this.#ns.get(definition.type) ?? definition.costNs ?? UNKNOWN_NS
    return Math.round(ns * (frames ?? rate * UNKNOWN_SECONDS) * channels / 1000)
  }
}
