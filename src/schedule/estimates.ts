import type { InputEstimate, NodeDefinition, PortMedia } from '../graph/node-definition.js'
import { mediaBytes } from './media-bytes.js'
import { wrapNodeFailure } from './node-failure.js'
import type { ResolvedNode } from './resolved-graph.js'
import { valueId } from './resolved-graph.js'
import type { ValueId } from './segment-plan.js'

/** Assumed length of a stream whose source does not tell, seconds. */
const UNKNOWN_SECONDS = 10
/** First guess for kernels without `costNs`, nanoseconds per frame and channel. */
const UNKNOWN_NS = 2
/** First guess for a run of a node written in TypeScript, µs (spec graph.md section 3). */
const UNKNOWN_US = 100_000
/** First guess of what such a node holds, as a multiple of its inputs (EX-20). */
const UNKNOWN_MULTIPLE = 1.5
/** Shorter runs measure the start, not the kernel, samples. */
const LEAST_SAMPLES = 16_384
/** Weight of the newest measurement (EX-06). */
const EWMA = 0.2

type Inputs = Readonly<Record<string, InputEstimate>>
/** Whole lengths of values by their writers. */
interface Lengths { readonly origin: ReadonlyMap<ValueId, ValueId>; readonly totals: ReadonlyMap<ValueId, number> }

/**
 * What a node written in TypeScript holds of its own: bytes, and whether its type says so; `inputBytes`: what came in, where that is known.
 */
export interface OwnBytes { readonly bytes: number; readonly declared: boolean; readonly inputBytes: number | undefined }

/** What is known of a node's inputs before the run. */
export function inputEstimates({ inputs, media }: ResolvedNode, { origin, totals }: Lengths): Inputs {
  return Object.fromEntries(inputs.flatMap(({ link, from }): [string, InputEstimate][] => {
    if (from === null) return []
    const own = media[link], frames = totals.get(origin.get(from) ?? from), sized = own !== undefined && mediaBytes(own, 1) > 0
    return [[
      link,
      { ...(own && { media: own }), ...(frames !== undefined && { frames, ...(sized && { bytes: mediaBytes(own, frames) }) }) },
    ]]
  }))
}

/** What a node type says of a run; undefined: nothing. Throws `NODE_FAILED` for a function that throws or gives no number from 0. */
function asked({ id, definition, params }: ResolvedNode, field: 'costUs' | 'memoryBytes', inputs: Inputs): number | undefined {
  const said = definition[field]
  if (typeof said !== 'function') return said
  try {
    const found = said(inputs, params)
    if (!(Number.isFinite(found) && found >= 0)) throw new RangeError(`gave ${found}`)
    return found
  } catch (error) { throw wrapNodeFailure(error, { node: id, type: definition.type, operation: field }) }
}

/** Samples that a node written in TypeScript takes, or gives as a source, by the plan. */
function samplesOf({ id, inputs, definition, media }: ResolvedNode, { origin, totals }: Lengths): number | undefined {
  const first = inputs.find(({ from }) => from !== null)
  const port = first?.link ?? Object.keys(definition.outputs)[0]
  const own = port === undefined ? undefined : media[port]
  const value = first?.from ?? (port === undefined ? undefined : valueId(id, port))
  const frames = value == null ? undefined : totals.get(origin.get(value) ?? value)
  return own?.kind !== 'audio' || frames === undefined ? undefined : frames * own.channels
}

function mean(old: number | undefined, now: number): number { return old === undefined ? now : old + EWMA * (now - old) }

/** What runs of a node type written in TypeScript came to. */
interface Learned { us?: number; ns?: number; bytes?: number; multiple?: number }

/**
 * What each node type has cost so far, an exponentially weighted mean: kernels ns per input frame and channel, nodes written in TypeScript
 * also µs and bytes per run. Owner: the engine.
 */
export class CostHistory {
  readonly #ns = new Map<string, number>()
  readonly #runs = new Map<string, Learned>()

  /** Adds a measurement: µs spent on `samples` = frames × channels. */
  add(type: string, us: number, samples: number): void {
    if (samples < LEAST_SAMPLES || us < 0) return
    this.#ns.set(type, mean(this.#ns.get(type), us * 1000 / samples))
  }

  /** Adds a whole run of a node written in TypeScript: its time, and the bytes that it held of its own where that can be told. */
  addRun(
    node: ResolvedNode, us: number, lengths: Lengths,
    own: { readonly bytes: number; readonly inputBytes: number | undefined } | undefined,
  ): void {
    const { type } = node.definition, samples = samplesOf(node, lengths), known: Learned = this.#runs.get(type) ?? {}
    known.us = mean(known.us, us)
    if (samples !== undefined && samples >= LEAST_SAMPLES) known.ns = mean(known.ns, us * 1000 / samples)
    if (own !== undefined) {
      known.bytes = mean(known.bytes, own.bytes)
      if (own.inputBytes) known.multiple = mean(known.multiple, own.bytes / own.inputBytes)
    }
    this.#runs.set(type, known)
  }

  /** Estimated µs of a node: by history, else by what its type says. Throws `NODE_FAILED`. */
  us(node: ResolvedNode, lengths: Lengths): number {
    const { definition } = node
    if (node.tier === null) {
      const { us, ns } = this.#runs.get(definition.type) ?? {}, samples = ns === undefined ? undefined : samplesOf(node, lengths)
      return samples === undefined
        ? Math.round(us ?? asked(node, 'costUs', inputEstimates(node, lengths)) ?? UNKNOWN_US)
        : Math.round(ns! * samples / 1000)
    }
    const first = node.inputs.find(({ from }) => from !== null)
    const said = this.#ns.has(definition.type) || definition.costUs === undefined
      ? undefined
      : asked(node, 'costUs', inputEstimates(node, lengths))
    return said ?? this.#kernelUs(
      definition, node.media, first?.link,
      first?.from ? lengths.totals.get(lengths.origin.get(first.from) ?? first.from) : undefined,
    )
  }

  /** Estimated bytes that a node written in TypeScript holds of its own. Throws `NODE_FAILED`. */
  ownBytes(node: ResolvedNode, lengths: Lengths): OwnBytes {
    const inputs = inputEstimates(node, lengths), said = asked(node, 'memoryBytes', inputs)
    const sizes = Object.values(inputs).map(({ bytes }) => bytes ?? 0)
    const inputBytes = sizes.reduce((sum, bytes) => sum + bytes, 0) || undefined
    const { bytes, multiple } = this.#runs.get(node.definition.type) ?? {}
    const guess = multiple !== undefined && inputBytes !== undefined ? multiple * inputBytes : bytes ?? UNKNOWN_MULTIPLE * (inputBytes ?? 0)
    return { bytes: Math.ceil(said ?? guess), declared: said !== undefined, inputBytes }
  }

  /** Estimated µs of a kernel node over `frames` input frames (undefined: unknown). */
  #kernelUs(definition: NodeDefinition, media: PortMedia, link: string | undefined, frames: number | undefined): number {
    const input = link === undefined ? undefined : media[link]
    const channels = input?.kind === 'audio' ? input.channels : 1, rate = input?.kind === 'audio' ? input.rate : 48_000
    const ns = this.#ns.get(definition.type) ?? definition.costNs ?? UNKNOWN_NS
    return Math.round(ns * (frames ?? rate * UNKNOWN_SECONDS) * channels / 1000)
  }
}
