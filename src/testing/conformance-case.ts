import type { NodeDefinition, ParamValues, PortMedia } from '../graph/node-definition.js'
import { passesThrough } from '../graph/node-definition.js'
import { resolveParams } from '../graph/params.js'
import { describeKernel, type KernelSpec } from '../kernels/kernel-spec.js'
import type { ReferenceParts } from '../kernels/reference-code.js'
import { controlNames } from '../kernels/reference-code.js'
import type { Media, MediaConstraint, SampleFormat, SampleLayout } from '../media/media-type.js'
import { nodeMedia } from '../schedule/node-media.js'

/** One way to set a node up for the suite. */
export interface Setup {
  readonly params?: Readonly<Record<string, unknown>>
  /** Links of each `multi` input =2. */
  readonly links?: number
  /** Media of inputs that are not audio, or that want another format, by port. Rate and channels of audio are filled in by the suite. */
  readonly inputs?: Readonly<Record<string, Media | { readonly format?: SampleFormat; readonly layout?: SampleLayout }>>
}

/** A node with params, media and what it promises under them. */
export interface ConformanceCase {
  readonly name: string
  readonly definition: NodeDefinition
  readonly params: ParamValues
  readonly media: PortMedia
  readonly links: readonly string[]
  readonly outputs: readonly string[]
  readonly parts: ReferenceParts
  readonly latency: number
  readonly tail: number
  readonly hold: number
  spec(maxFrames: number, without?: string): KernelSpec
  /** Most frames that one call of `frames` may give on output `index`; null: the input's own bits. */
  room(index: number, frames: number): number | null
}

const RATES = [48_000, 44_100, 8_000, 192_000]
const CHANNELS = [2, 1, 6]
/** Channels of one more case, at the first rate. */
export const MANY_CHANNELS = 8

/**
 * Cases of a node: every setup at 48, 44.1, 8 and 192 kHz with 2, 1 and 6 channels (8 at the first), as far as the ports agree to them
 * (AU-112). `refused` says why others are missing.
 */
export function conformanceCases(
  definition: NodeDefinition, setups: readonly Setup[],
): { readonly cases: readonly ConformanceCase[]; readonly refused: readonly string[] } {
  const cases: ConformanceCase[] = [], refused: string[] = [], seen = new Set<string>()
  setups.forEach((setup, index) => {
    for (const rate of RATES) for (const channels of rate === RATES[0] ? [...CHANNELS, MANY_CHANNELS] : CHANNELS) {
      const name = `setup ${index + 1}, ${rate} Hz, ${channels} channels`
      try {
        const made = makeCase(definition, setup, rate, channels, name)
        const key = `${index} ${JSON.stringify(made.media)}`
        if (!seen.has(key)) cases.push(made)
        seen.add(key)
      } catch (error) {
        refused.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  })
  return { cases, refused }
}

function makeCase(definition: NodeDefinition, setup: Setup, rate: number, channels: number, name: string): ConformanceCase {
  const { values: params, diagnostics } = resolveParams(definition, setup.params ?? {})
  const given: Record<string, Media> = {}
  const links: string[] = []
  for (const [port, input] of Object.entries(definition.inputs)) {
    const names = input.multi ? Array.from({ length: setup.links ?? 2 }, (_, n) => `${port}.${n}`) : [port]
    links.push(...names)
    const media = inputMedia(input.media, setup.inputs?.[port], rate, channels)
    if (media) for (const link of names) given[link] = media
  }
  const first = diagnostics.find((one) => one.severity === 'error')
  if (first) throw new Error(first.message)
  const media = nodeMedia(definition, params, given)
  const fault = definition.validate?.(params, media).find((one) => one.severity === 'error')
  if (fault) throw new Error(fault.message)
  const promise = (value: number | ((p: ParamValues, m: PortMedia) => number) | undefined): number =>
    typeof value === 'function' ? value(params, media) : value ?? 0
  const outputs = Object.keys(definition.outputs)
  const known = new Map<string, KernelSpec>()
  const spec = (maxFrames: number, without?: string): KernelSpec => {
    const key = `${maxFrames} ${without ?? ''}`
    const found = known.get(key) ?? describe(maxFrames, without)
    known.set(key, found)
    return found
  }
  const describe = (maxFrames: number, without?: string): KernelSpec => {
    const described = describeKernel(definition, {
      nodeId: 'node', params, media, inputs: links, maxFrames, seed: 0x5eedn,
      connectedOutputs: new Set(outputs.filter((port) => port !== without)),
    })
    // A node that has only a reference flushes when that does.
    return definition.kernel ? described : { ...described, export: definition.type, flush: definition.reference?.flush !== undefined }
  }
  return {
    name, definition, params, media, links, outputs, spec,
    parts: { reference: definition.reference!, params, media, controls: controlNames(definition, spec(1)) },
    latency: promise(definition.latencyFrames), tail: promise(definition.tailFrames), hold: promise(definition.holdFrames),
    room: (index, frames) => {
      const output = definition.outputs[outputs[index]!]!
      if (passesThrough(output, params, media)) return null
      const most = typeof output.frames === 'function' ? output.frames(frames, params, media) : frames
      return most === 'passThrough' ? null : most
    },
  }
}

/** Media for an input: given, else planar f32 audio; undefined for an optional input of another kind. */
function inputMedia(
  constraint: MediaConstraint, given: NonNullable<Setup['inputs']>[string] | undefined, rate: number, channels: number,
): Media | undefined {
  if (given && 'kind' in given) return given
  const kinds = constraint.kind === 'oneOf' ? constraint.options.map((option) => option.kind) : [constraint.kind]
  if (!kinds.some((kind) => kind === 'audio' || kind === 'any' || kind === 'match')) return undefined
  return { kind: 'audio', rate, channels, format: given?.format ?? 'f32', layout: given?.layout ?? 'planar' }
}
