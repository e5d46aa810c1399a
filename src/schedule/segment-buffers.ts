import type { ChannelView } from '../graph/node-definition.js'
import { describeKernel, frameBytes, portSpec, type KernelSpec } from '../kernels/kernel-spec.js'
import type { Tier } from '../graph/tiers.js'
import { SCRATCH_SPAN_BYTES } from '../memory/layout.js'
import type { Media } from '../media/media-type.js'
import { alignedBytes, colour } from './colouring.js'
import type { Feedback } from '../graph/resolve/feedback-loops.js'
import { ask, isCount } from '../graph/ask.js'
import { framesOf, heldSeconds } from '../graph/resolve/held.js'
import { LANES } from './policy/limiters.js'
import { NO_POLICY, type NodePolicy } from './policy/node-policy.js'
import type { ResolvedInput, ResolvedNode } from './resolved-graph.js'
import { nodeOf, portOf, valueId } from './resolved-graph.js'
import type { SegmentBuffer, SegmentNode, SegmentPlan, ValueId } from './segment-plan.js'
import type { SegmentDraft } from './segments.js'

/** Facts about the whole graph that a segment's buffers depend on. */
export interface BufferContext {
  readonly nodes: readonly ResolvedNode[]
  /** Tier of the engine. */
  readonly tier: Tier
  readonly origin: ReadonlyMap<ValueId, ValueId>
  readonly views: ReadonlyMap<ValueId, ChannelView>
  readonly mediaOf: (value: ValueId) => Media | undefined
  /** Writers' values that something outside the given segment reads, or that the run returns. */
  readonly external: (value: ValueId, segment: ReadonlySet<number>) => boolean
  /** Nodes that are skipped because they change nothing. */
  readonly removed: ReadonlySet<string>
  /** Frames per pass asked for at the segment's head. */
  readonly blockFrames: number
  readonly seed: bigint
  /** What executors take for a hang where a segment says nothing, ms. */
  readonly hangMs?: number | undefined
  /** Delayed links; undefined: none. */
  readonly feedback: Feedback | undefined
}

/** Smallest head block worth interpreting, frames. */
const LEAST_HEAD_FRAMES = 64

/**
 * Turns a draft into a segment plan: buffers, capacities, working area. The head block is halved until the internal buffers fit the scratch
 * span (KE-14), so that a segment's samples stay in the cache.
 */
export function planSegment(draft: SegmentDraft, index: number, c: BufferContext): SegmentPlan {
  const members = describeMembers(draft, c)
  const most = Math.min(c.blockFrames, leastDelay(members))
  for (let head = most; ;) {
    const plan = layOut(draft, index, c, head, Math.ceil(c.blockFrames * head / most), members)
    // What delays hold does not depend on the block.
    const delays = plan.buffers.reduce((sum, { kind, late, frameBytes: bytes, channels }) =>
      kind === 'internal' && late ? sum + alignedBytes(2 * late.zeros * bytes) * channels : sum, 0)
    if (plan.workBytes - delays <= SCRATCH_SPAN_BYTES || head <= LEAST_HEAD_FRAMES) return plan
    // Half a block needs at least half the memory: halvings that cannot fit are not tried.
    for (let bytes = plan.workBytes - delays; bytes > SCRATCH_SPAN_BYTES && head > LEAST_HEAD_FRAMES; bytes /= 2) head >>= 1
  }
}

/** A segment's block is at most its shortest delay (GR-12), at the lowest rate in it. */
function leastDelay(members: readonly Member[]): number {
  const rateOf = (media: Media | undefined): number => media?.kind === 'audio' ? media.rate : Infinity
  let seconds = Infinity, lowest = Infinity
  for (const { node } of members) {
    for (const media of Object.values(node.media)) lowest = Math.min(lowest, rateOf(media))
    for (const { link, delay } of node.inputs) if (delay !== undefined) seconds = Math.min(seconds, delay / rateOf(node.media[link]))
  }
  return seconds === Infinity ? Infinity : Math.max(1, Math.floor(seconds * lowest))
}

interface Draft {
  kind: SegmentBuffer['kind']
  value: ValueId
  spec: KernelSpec['outputs'][number]
  media: SegmentBuffer['media']
  capacity: number
  readers: number[]
  skip: number
  writer: number
  late?: SegmentBuffer['late']
  metadata?: Readonly<Record<string, unknown>>
}

/** A node of the segment with what does not depend on the block: its spec but for `maxFrames`. */
interface Member { readonly node: ResolvedNode; readonly spec: KernelSpec; readonly latency: number }

function describeMembers(draft: SegmentDraft, c: BufferContext): readonly Member[] {
  const indices = draft.nodes.filter((i) => !c.removed.has(c.nodes[i]!.id)), inside = new Set(indices), readInside = valuesRead(indices, c)
  return indices.map((i) => {
    const node = c.nodes[i]!
    const connectedOutputs = new Set(Object.keys(node.definition.outputs)
      .filter((port) => readInside.has(valueId(node.id, port)) || c.external(valueId(node.id, port), inside)))
    const spec = describeKernel(node.definition, {
      nodeId: node.id, params: node.params, media: node.media,
      inputs: node.inputs.filter((input) => input.control === undefined).map((input) => input.link), connectedOutputs, maxFrames: 0,
      seed: c.seed,
    })
    return { node, spec, latency: framesOf('latencyFrames', node) }
  })
}

function layOut(
  draft: SegmentDraft, index: number, c: BufferContext, headFrames: number, lateFrames: number, described: readonly Member[],
): SegmentPlan {
  const members = described.map(({ node }) => node.index), inside = new Set(members)
  const lagSeconds = described.reduce((sum, { node }) => sum + heldSeconds(node), 0)
  const buffers: Draft[] = [], bufferOf = new Map<ValueId, number>(), nodes: SegmentNode[] = []
  const joins = new Set(members.filter((i) => c.nodes[i]!.inputs.filter((input) => input.from !== null).length > 1))
  const readByJoin = readersThatJoin(members, joins, c)
  const late = lateReads(described, c)
  const steps = new Map(described.map(({ node }, step) => [node.id, step]))
  for (const [step, { node, spec, latency }] of described.entries()) {
    const bound = node.inputs.map((input) =>
      input.from === null ? -1 : inputBuffer(node, input, c.origin.get(input.from) ?? input.from, step))
    const inputs = bound.slice(0, spec.inputs.length)
    const driven = node.inputs.flatMap((input, n) => input.control === undefined ? [] : [{ buffer: bound[n]!, control: input.control }])
    const views = node.inputs.slice(0, inputs.length).map((input) => input.from === null ? undefined : c.views.get(input.from))
    // What comes late may be there at once for as long as it is late: a block of it at a time. What others read at once of such a
    // buffer is what it has beside its delay.
    const maxFrames = inputs.length === 0 ? headFrames : Math.max(1, ...inputs.map((b, n) => b < 0 ? 0
      : node.inputs[n]!.delay === undefined ? buffers[b]!.late?.keep || buffers[b]!.capacity
      : Math.min(node.inputs[n]!.delay, lateFrames)))
    const weak = c.feedback === undefined ? [] : node.inputs.slice(0, inputs.length).map((input) => c.feedback!.weak(node, input))
    const outputs = spec.outputs.map((port) => port.connected ? outputBuffer(node, port, maxFrames, latency, step) : -1)
    nodes.push({
      spec: { ...spec, maxFrames }, node: node.index, inputs, outputs, latencyFrames: latency,
      ...(driven.length > 0 && { driven }), ...(views.some((view) => view !== undefined) && { views }),
      ...(weak.includes(true) && { weak }),
    })
  }
  // A loop may leave frames anywhere in it, and before it.
  if (late.size > 0) for (const i of members) if (c.feedback!.knots[i]! >= 0) joins.add(i)
  const { offsets, bytes, live } = colour(
    nodes, buffers, c.nodes,
    late.size > 0 || buffers.filter((b) => b.kind === 'input').length > 1 ? heldBack(nodes, buffers, joins) : joins,
  )
  const tier = c.nodes[members[0] ?? draft.nodes[0]!]!.tier!
  return {
    index, tier, ...(tier !== 'js' && tier !== c.tier && { guest: true }), feed: draft.feed, nodes, workBytes: bytes, headFrames,
    ...wishes(members.map((n) => c.nodes[n]!.policy), c.hangMs),
    buffers: buffers.map((b, n) => ({
      kind: b.kind, value: b.value, media: b.media, channels: b.spec.channels, frameBytes: frameBytes(b.spec), capacity: b.capacity,
      offset: offsets[n]!, readers: b.readers, skip: b.skip, live: live[n]!, ...(b.late && { late: b.late }),
      ...(b.metadata && { metadata: b.metadata }),
    })),
  }

  function inputBuffer(node: ResolvedNode, { link, delay }: ResolvedInput, value: ValueId, step: number): number {
    const b = late.has(value) ? lateBuffer(value) : bufferOf.get(value) ?? outside(node, link, value)
    buffers[b]!.readers.push(step)
    const { late: own, skip } = buffers[b]!
    if (own) buffers[b]!.late = { ...own, starts: [...own.starts, skip - (delay ?? 0)] }
    return b
  }

  /** A buffer that somebody may read before its writer is laid out. */
  function lateBuffer(value: ValueId): number {
    const known = bufferOf.get(value)
    if (known !== undefined) return known
    const writer = steps.get(nodeOf(value))!, { node, spec, latency } = described[writer]!
    const port = spec.outputs.find(({ name }) => name === portOf(value))!
    const zeros = Math.max(0, late.get(value)! - latency)
    const b = buffers.push({
      kind: c.external(value, inside) ? 'output' : 'internal', value, spec: port, media: node.media[port.name]!, capacity: 0, readers: [],
      skip: zeros + latency, writer, late: { starts: [], zeros, preroll: latency, keep: 0 },
    }) - 1
    bufferOf.set(value, b)
    return b
  }

  function outside(node: ResolvedNode, link: string, value: ValueId): number {
    const media = c.mediaOf(value) ?? node.media[link]!
    const b = buffers.push({
      kind: 'input', value, spec: portSpec(link, media, true), media, capacity: headFrames, readers: [], skip: 0, writer: -1,
    }) - 1
    bufferOf.set(value, b)
    return b
  }

  function outputBuffer(node: ResolvedNode, port: KernelSpec['outputs'][number], maxFrames: number, latency: number, step: number): number {
    const value = valueId(node.id, port.name), most = mostFrames(node, port.name, maxFrames)
    const lag = readByJoin.has(value) || late.has(value)
      ? most + Math.ceil(lagSeconds * (port.framesPerSecond || 1)) + LEAST_HEAD_FRAMES
      : 0
    const kind = c.external(value, inside) ? 'output' : 'internal'
    const metadata = kind === 'output'
      ? ask(node.definition, `outputs.${port.name}.metadata`, () => node.definition.outputs[port.name]!.metadata?.(node.params, node.media))
      : undefined
    if (late.has(value)) {
      const b = lateBuffer(value), own = buffers[b]!, { zeros } = own.late!, room = kind === 'internal' ? 2 * zeros + latency : 0
      Object.assign(own, { capacity: most + lag + room, late: { ...own.late, keep: kind === 'internal' ? most + lag : 0 } }, metadata
        && { metadata })
      return b
    }
    bufferOf.set(value, buffers.push({
      kind, value, spec: port, media: node.media[port.name]!, capacity: most + lag, readers: [], skip: latency, writer: step,
      ...(metadata && { metadata }),
    }) - 1)
    return buffers.length - 1
  }
}

/** Values of the segment that something reads late, and by how many frames at most. */
function lateReads(members: readonly Member[], c: BufferContext): Map<ValueId, number> {
  const late = new Map<ValueId, number>()
  for (const { node } of members) for (const { from, delay } of node.inputs) {
    if (from === null || delay === undefined) continue
    const value = c.origin.get(from) ?? from
    late.set(value, Math.max(delay, late.get(value) ?? 0))
  }
  return late
}

/** Most frames one call (or one flush) may put on an output. */
export function mostFrames(node: ResolvedNode, port: string, frames: number): number {
  const rule = node.definition.outputs[port]!.frames ?? 'same'
  if (rule === 'same' || rule === 'passThrough') return frames + framesOf('tailFrames', node)
  const [most, held] = [frames, 0].map((n) => ask(node.definition, `outputs.${port}.frames`, () => rule(n, node.params, node.media), (
    given,
  ) => given === 'passThrough' || isCount(given))) as [ReturnType<typeof rule>, ReturnType<typeof rule>]
  return most === 'passThrough' || held === 'passThrough' ? frames : Math.max(most, held, 1)
}

/**
 * Nodes that may have to wait with frames before them: joins, and all that comes before one. Where several inputs come from outside, a join
 * may want for one of them while the other's frames back up through the nodes between.
 */
function heldBack(nodes: readonly SegmentNode[], buffers: readonly Draft[], joins: ReadonlySet<number>): ReadonlySet<number> {
  const held = new Set(joins)
  for (const { node, outputs } of [...nodes].reverse()) {
    if (outputs.some((b) => b >= 0 && buffers[b]!.readers.some((step) => held.has(nodes[step]!.node)))) held.add(node)
  }
  return held
}

/** Values of the segment that a step with several stream inputs reads: such a step may leave frames behind. */
function readersThatJoin(members: readonly number[], joins: ReadonlySet<number>, c: BufferContext): Set<ValueId> {
  return valuesRead(members.filter((i) => joins.has(i)), c)
}

/** Values that some of the nodes read. */
function valuesRead(nodes: readonly number[], c: BufferContext): Set<ValueId> {
  const values = new Set<ValueId>()
  for (const i of nodes) for (const input of c.nodes[i]!.inputs) if (input.from !== null) values.add(c.origin.get(input.from) ?? input.from)
  return values
}

/** Lane, silence and tags that a segment's nodes ask for: the most urgent, the longest, all; what is not said is left out. */
function wishes(policies: readonly (NodePolicy | undefined)[], common = NO_POLICY.hangMs): Pick<SegmentPlan, 'lane' | 'hangMs' | 'tags'> {
  let lane = Infinity, hangMs = -Infinity // not by Math.max(...list): a segment may have more nodes than a call takes arguments
  const tags = new Set<string>()
  for (const policy of policies) {
    const said = policy ?? NO_POLICY
    for (const tag of said.tags) tags.add(tag)
    lane = Math.min(lane, said.claim.lane)
    hangMs = Math.max(hangMs, (policy?.hangMs ?? common) || Infinity)
  }
  return {
    ...(tags.size > 0 && { tags: [...tags].sort() }),
    ...(lane === NO_POLICY.claim.lane || policies.length === 0 ? {} : { lane: LANES[lane]! }),
    ...(hangMs === common || policies.length === 0 ? {} : { hangMs }),
  }
}
