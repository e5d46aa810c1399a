import type { ChannelView } from '../graph/node-definition.js'
import { describeKernel, frameBytes, portSpec, type KernelSpec } from '../kernels/kernel-spec.js'
import { SCRATCH_SPAN_BYTES } from '../memory/layout.js'
import type { Media } from '../media/media-type.js'
import { colour } from './colouring.js'
import { LANES } from './policy/limiters.js'
import { NO_POLICY, type NodePolicy } from './policy/node-policy.js'
import type { ResolvedInput, ResolvedNode } from './resolved-graph.js'
import { valueId } from './resolved-graph.js'
import type { SegmentBuffer, SegmentNode, SegmentPlan, ValueId } from './segment-plan.js'
import type { SegmentDraft } from './segments.js'

/** Facts about the whole graph that a segment's buffers depend on. */
export interface BufferContext {
  readonly nodes: readonly ResolvedNode[]
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
}

/** Smallest head block worth interpreting, frames. */
const LEAST_HEAD_FRAMES = 64

/**
 * Turns a draft into a segment plan: buffers, capacities, working area. The head block is halved until the internal buffers fit the scratch
 * span (KE-14), so that a segment's samples stay in the cache.
 */
export function planSegment(draft: SegmentDraft, index: number, c: BufferContext): SegmentPlan {
  const members = describeMembers(draft, c)
  for (let head = c.blockFrames; ;) {
    const plan = layOut(draft, index, c, head, members)
    if (plan.workBytes <= SCRATCH_SPAN_BYTES || head <= LEAST_HEAD_FRAMES) return plan
    // Half a block needs at least half the memory: halvings that cannot fit are not tried.
    for (let bytes = plan.workBytes; bytes > SCRATCH_SPAN_BYTES && head > LEAST_HEAD_FRAMES; bytes /= 2) head >>= 1
  }
}

interface Draft { kind: SegmentBuffer['kind']; value: ValueId; spec: KernelSpec['outputs'][number]; media: SegmentBuffer['media']; capacity: number; readers: number[]; skip: number; writer: number; metadata?: Readonly<Record<string, unknown>> }

/** A node of the segment with what does not depend on the block: its spec but for `maxFrames`. */
interface Member { readonly node: ResolvedNode; readonly spec: KernelSpec; readonly latency: number }

function describeMembers(draft: SegmentDraft, c: BufferContext): readonly Member[] {
  const indices = draft.nodes.filter((i) => !c.removed.has(c.nodes[i]!.id)), inside = new Set(indices), readInside = valuesRead(indices, c)
  return indices.map((i) => {
    const node = c.nodes[i]!
    const connectedOutputs = new Set(Object.keys(node.definition.outputs).filter((port) => readInside.has(valueId(node.id, port)) || c.external(valueId(node.id, port), inside)))
    const spec = describeKernel(node.definition, {
      nodeId: node.id, params: node.params, media: node.media, inputs: node.inputs.filter((input) => input.control === undefined).map((input) => input.link), connectedOutputs, maxFrames: 0, seed: c.seed,
    })
    return { node, spec, latency: framesOf(node.definition.latencyFrames, node) }
  })
}

function layOut(draft: SegmentDraft, index: number, c: BufferContext, headFrames: number, described: readonly Member[]): SegmentPlan {
  const members = described.map(({ node }) => node.index), inside = new Set(members)
  const lagSeconds = described.reduce((sum, { node }) => sum + heldSeconds(node), 0)
  const buffers: Draft[] = [], bufferOf = new Map<ValueId, number>(), nodes: SegmentNode[] = []
  const joins = new Set(members.filter((i) => c.nodes[i]!.inputs.filter((input) => input.from !== null).length > 1))
  const readByJoin = readersThatJoin(members, joins, c)
  for (const [step, { node, spec, latency }] of described.entries()) {
    const bound = node.inputs.map((input) => input.from === null ? -1 : inputBuffer(node, input, c.origin.get(input.from) ?? input.from, step))
    const inputs = bound.slice(0, spec.inputs.length)
    const driven = node.inputs.flatMap((input, n) => input.control === undefined ? [] : [{ buffer: bound[n]!, control: input.control }])
    const views = node.inputs.slice(0, inputs.length).map((input) => input.from === null ? undefined : c.views.get(input.from))
    const maxFrames = inputs.length === 0 ? headFrames : Math.max(1, ...inputs.map((b) => b < 0 ? 0 : buffers[b]!.capacity))
    const outputs = spec.outputs.map((port) => port.connected ? outputBuffer(node, port, maxFrames, latency, step) : -1)
    nodes.push({
      spec: { ...spec, maxFrames }, node: node.index, inputs, outputs, latencyFrames: latency,
      ...(driven.length > 0 && { driven }), ...(views.some((view) => view !== undefined) && { views }),
    })
  }
  const { offsets, bytes, live } = colour(nodes, buffers, c.nodes, buffers.filter((b) => b.kind === 'input').length > 1 ? heldBack(nodes, buffers, joins) : joins)
  return {
    index, tier: c.nodes[members[0] ?? draft.nodes[0]!]!.tier!, feed: draft.feed, nodes, workBytes: bytes, headFrames, ...wishes(members.map((n) => c.nodes[n]!.policy)),
    buffers: buffers.map((b, n) => ({
      kind: b.kind, value: b.value, media: b.media, channels: b.spec.channels, frameBytes: frameBytes(b.spec), capacity: b.capacity,
      offset: offsets[n]!, readers: b.readers, skip: b.skip, live: live[n]!, ...(b.metadata && { metadata: b.metadata }),
    })),
  }

  function inputBuffer(node: ResolvedNode, { link }: ResolvedInput, value: ValueId, step: number): number {
    let b = bufferOf.get(value)
    if (b === undefined) {
      const media = c.mediaOf(value) ?? node.media[link]!
      b = buffers.push({ kind: 'input', value, spec: portSpec(link, media, true), media, capacity: headFrames, readers: [], skip: 0, writer: -1 }) - 1
      bufferOf.set(value, b)
    }
    buffers[b]!.readers.push(step)
    return b
  }

  function outputBuffer(node: ResolvedNode, port: KernelSpec['outputs'][number], maxFrames: number, latency: number, step: number): number {
    const value = valueId(node.id, port.name), most = mostFrames(node, port.name, maxFrames)
    const lag = readByJoin.has(value) ? most + Math.ceil(lagSeconds * (port.framesPerSecond || 1)) + LEAST_HEAD_FRAMES : 0
    const kind = c.external(value, inside) ? 'output' : 'internal'
    const metadata = kind === 'output' ? node.definition.outputs[port.name]!.metadata?.(node.params, node.media) : undefined
    bufferOf.set(value, buffers.push({ kind, value, spec: port, media: node.media[port.name]!, capacity: most + lag, readers: [], skip: latency, writer: step, ...(metadata && { metadata }) }) - 1)
    return buffers.length - 1
  }
}

/** Most frames one call (or one flush) may put on an output. */
export function mostFrames(node: ResolvedNode, port: string, frames: number): number {
  const rule = node.definition.outputs[port]!.frames ?? 'same'
  if (rule === 'same' || rule === 'passThrough') return frames + framesOf(node.definition.tailFrames, node)
  const most = rule(frames, node.params, node.media), held = rule(0, node.params, node.media)
  return most === 'passThrough' || held === 'passThrough' ? frames : Math.max(most, held, 1)
}

function framesOf(rule: number | ((params: ResolvedNode['params'], media: ResolvedNode['media']) => number) | undefined, node: ResolvedNode): number {
  return typeof rule === 'function' ? rule(node.params, node.media) : rule ?? 0
}

/** How far a node may lag behind its input, seconds: what its siblings at a join must be able to hold. */
function heldSeconds(node: ResolvedNode): number {
  const media = node.inputs.map((input) => node.media[input.link]).find((m) => m?.kind === 'audio')
  const rate = media?.kind === 'audio' ? media.rate : 1
  return (framesOf(node.definition.holdFrames, node) + framesOf(node.definition.latencyFrames, node)) / rate
}

/**
 * Nodes that may have to wait with frames before them: joins, and all that comes before one. Where several inputs come from outside, a join may want for one of them while the other's
 * frames back up through the nodes between.
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

/** Lane and silence that a segment's nodes ask for: the most urgent, the longest; what is not said is left out. */
function wishes(policies: readonly (NodePolicy | undefined)[]): Pick<SegmentPlan, 'lane' | 'hangMs'> {
  let lane = Infinity, hangMs = -Infinity // not by Math.max(...list): a segment may have more nodes than a call takes arguments
  for (const policy of policies) {
    const said = policy ?? NO_POLICY
    lane = Math.min(lane, said.claim.lane)
    hangMs = Math.max(hangMs, said.hangMs || Infinity)
  }
  return { ...(lane === NO_POLICY.claim.lane || policies.length === 0 ? {} : { lane: LANES[lane]! }), ...(hangMs === NO_POLICY.hangMs || policies.length === 0 ? {} : { hangMs }) }
}
