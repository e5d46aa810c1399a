import type { NodeDefinition, ParamValues } from '../../src/graph/node-definition.js'
import type { Media } from '../../src/media/media-type.js'
import type { SegmentBuffer, SegmentNode, SegmentPlan } from '../../src/schedule/segment-plan.js'
import type { ControlChange } from '../../src/schedule/program.js'
import { gain } from '../../src/nodes/audio/gain.js'
import { mix } from '../../src/nodes/audio/mix.js'
import { ramp, stretch } from './fixtures/stretch-node.js'
import { planar, specOf } from './support.js'

/** A random number source: 0 ≤ next() < 1. */
export type Random = () => number
export interface RandomSegment {
  readonly plan: SegmentPlan
  readonly definitions: readonly NodeDefinition[]
  readonly params: readonly ParamValues[]
  /** Frames of each external input. */
  readonly inputFrames: readonly number[]
  /** Changes of controls, planned before the first pass. */
  readonly changes?: readonly { readonly step: number; readonly change: ControlChange }[]
  /** External inputs that are silence and say so. */
  readonly silent?: ReadonlySet<number>
}

const CHANNELS = 2
const media = planar(CHANNELS)

/**
 * A random segment of kernels that keep, change and produce frame counts: random fan-out, joins, latencies, small internal buffers (so that
 * back-pressure happens), outputs inside and outside the segment; gains with planned changes, gains driven by other buffers, inputs that
 * see channels swapped, silent inputs.
 */
export function randomSegment(random: Random): RandomSegment {
  const pick = (n: number): number => Math.floor(random() * n)
  const headFrames = [17, 64, 256, 1_024][pick(4)]!, roomy = random() < 0.5
  const buffers: (Omit<SegmentBuffer, 'readers' | 'live'> & { readers: number[]; live: [number, number] })[] = []
  const changes: { step: number; change: ControlChange }[] = [], silent = new Set<number>()
  const nodes: SegmentNode[] = [], definitions: NodeDefinition[] = [], params: ParamValues[] = [], inputFrames: number[] = []
  let work = 0
  const add = (kind: SegmentBuffer['kind'], capacity: number, skip = 0): number => {
    const offset = kind === 'internal' ? work : -1
    if (kind === 'internal') work += Math.ceil(capacity * 4 / 64) * 64 * CHANNELS
    return buffers.push({
      kind, value: `v${buffers.length}`, media, channels: CHANNELS, frameBytes: 4, capacity, offset, readers: [], skip,
      live: [0, Number.MAX_SAFE_INTEGER],
    }) - 1
  }
  for (let n = 1 + pick(2); n > 0; n--) {
    const b = add('input', headFrames)
    if (pick(4) === 0) silent.add(b)
    inputFrames.push(pick(3) === 0 ? pick(5) : pick(3_000))
  }
  for (let n = 1 + pick(6), step = 0; step < n; step++) {
    const kind = pick(10), source = kind === 9
    const definition: NodeDefinition = source ? ramp : kind < 3 ? gain.definition : kind < 6 ? mix.definition : stretch
    const links = source ? 0 : definition === mix.definition ? 1 + pick(3) : 1
    const inputs = Array.from({ length: links }, () => pick(buffers.length))
    const names = definition === mix.definition ? inputs.map((_, i) => `in.${i}`) : inputs.map(() => 'in')
    const values: ParamValues = source ? { total: pick(2_000) }
      : definition === gain.definition ? { gainDb: pick(24) - 12, invert: random() < 0.5 }
        : definition === mix.definition ? { gainDb: inputs.map(() => pick(12) - 6), pan: inputs.map(() => pick(3) - 1), mute: [], solo: [] }
          : { up: 1 + pick(4), down: 1 + pick(4), hold: pick(32) }
    const all: Record<string, Media> = { out: media }
    for (const name of names) all[name] = media
    const spec = specOf(definition, { params: values, media: all, inputs: names, maxFrames: headFrames * (1 + pick(2)) })
    for (const b of inputs) buffers[b]!.readers.push(step)
    const most = Math.ceil((spec.maxFrames + 40) * 4), small = spec.maxFrames + pick(64) + 4
    const skip = !source && pick(6) === 0 ? pick(40) : 0
    const output = add(random() < 0.3 ? 'output' : 'internal', roomy ? most : small, skip)
    const driver = definition === gain.definition && pick(4) === 0 ? pick(buffers.length - 1) : -1
    if (driver >= 0) buffers[driver]!.readers.push(step)
    const planned = definition === gain.definition && driver < 0 && pick(3) === 0 ? 1 + pick(6) : 0
    for (let n = 0, at = 0; n < planned; n++, at += pick(400)) {
      changes.push({ step, change: { at, control: 0, value: Math.fround(random() * 2), ramp: pick(3) * pick(300) } })
    }
    nodes.push({
      spec, node: step, inputs, outputs: [output], latencyFrames: skip, ...(driver >= 0 && { driven: [{ buffer: driver, control: 0 }] }),
      ...(planned > 0 && { timeline: planned }),
      ...(pick(6) === 0 && { views: inputs.map(() => ({ first: 1, downwards: true })) }),
    })
    definitions.push(definition)
    params.push(values)
  }
  // What nobody reads leaves the segment.
  for (const buffer of buffers) if (buffer.kind === 'internal' && buffer.readers.length === 0) Object.assign(buffer, { kind: 'output' })
  return {
    plan: { index: 0, tier: 'wasm-threads', feed: 'chunks', nodes, buffers, workBytes: work, headFrames },
    definitions, params, inputFrames, changes, silent,
  }
}
