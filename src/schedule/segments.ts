import { isWhole } from '../graph/ask.js'
import { commonErrors } from '../errors/common-errors.js'
import type { ResolvedNode } from './resolved-graph.js'
import { nodeOf } from './resolved-graph.js'
import type { ValueId } from './segment-plan.js'

/** A fused run of kernel nodes before its buffers are planned. Node indices in topological order. */
export interface SegmentDraft { readonly nodes: readonly number[]; readonly feed: 'chunks' | 'values' }

/** Branches below this estimate are not worth a hand-over (EX-02), µs. */
const BRANCH_US = 200

/**
 * Groups kernel nodes into segments (spec execution.md, EX-02). An edge *breaks* when an end is written in TypeScript, tiers or feeds
 * differ, or when it enters or leaves one of several branches that are each worth a thread of their own. Every breaking edge raises the
 * stage number of its consumer, and only nodes of one stage that are joined by unbroken edges fuse; so no path can leave a segment and come
 * back (no cycle of segments). Chunk-fed segments of one stage that read the same value are fused too. `selfScheduledBy`: workers that take
 * segments from the task table (0: the driver feeds every segment); `handOverUs`: cost of moving a node's values to another memory and
 * back, by node; `lazyKeys`: what asks for a node, by node: segments never mix them; `knots`: nodes of one number (not −1) must share a
 * segment (GR-12). `removed` nodes change nothing and belong to no segment; `origin` leads past them. O(nodes + edges).
 */
export function groupSegments(
  nodes: readonly ResolvedNode[], origin: ReadonlyMap<ValueId, ValueId>, removed: ReadonlySet<string>, selfScheduledBy: number,
  handOverUs: readonly number[] = [], lazyKeys?: readonly string[], knots?: Int32Array,
): SegmentDraft[] {
  const graph = kernelEdges(nodes, origin)
  const feeds = selfScheduledBy > 0 ? feedOf(nodes, graph, knots) : nodes.map(() => 'chunks' as const)
  const lanes = selfScheduledBy > 1 ? assignLanes(nodes, graph, feeds, handOverUs) : new Int32Array(nodes.length)
  if (knots) joinLanes(lanes, knots)
  const keys = nodes.map((node) => `${node.driver ?? ''}${lazyKeys?.[node.index] ?? ''}`)
  const stage = new Int32Array(nodes.length), parent = Int32Array.from(nodes, (_, i) => i)
  const find = (i: number): number => { while (parent[i] !== i) { parent[i] = parent[parent[i]!]!; i = parent[i]! } return i }
  const breaks = (u: number, v: number): boolean =>
    nodes[u]!.tier === null || nodes[u]!.tier !== nodes[v]!.tier || feeds[u] !== feeds[v] || lanes[u] !== lanes[v] || keys[u] !== keys[v]
  untilSettled(nodes, knots, stage, (v) => {
    for (const u of graph.inputs[v]!) stage[v] = Math.max(stage[v]!, stage[u]! + (breaks(u, v) ? 1 : 0))
  })
  const tied = new Map<number, number>()
  for (const { index: v, tier } of nodes) {
    if (tier !== null) for (const u of graph.inputs[v]!) if (!breaks(u, v) && stage[u] === stage[v]) parent[find(u)] = find(v)
    const knot = knots?.[v] ?? -1, first = tied.get(knot) ?? v
    if (knot < 0) continue
    parent[find(first)] = find(v)
    tied.set(knot, v)
  }
  fuseSharedInputs(nodes, origin, feeds, keys, stage, parent, find)
  const groups = new Map<number, number[]>()
  for (const node of nodes) if (node.tier !== null && !removed.has(node.id)) {
    const root = find(node.index), group = groups.get(root)
    if (group) group.push(node.index); else groups.set(root, [node.index])
  }
  return [...groups.values()].map((members) => ({ nodes: members, feed: feeds[members[0]!]! }))
}

interface KernelEdges { readonly inputs: readonly (readonly number[])[]; readonly consumers: readonly (readonly number[])[] }

/** Neighbours by index, through aliases. */
function kernelEdges(nodes: readonly ResolvedNode[], origin: ReadonlyMap<ValueId, ValueId>): KernelEdges {
  const byId = new Map(nodes.map((node) => [node.id, node.index]))
  const consumers: number[][] = nodes.map(() => [])
  const inputs = nodes.map((node) => {
    const from = new Set<number>()
    for (const input of node.inputs) {
      if (input.from !== null && input.delay === undefined) from.add(byId.get(nodeOf(origin.get(input.from) ?? input.from))!)
    }
    for (const u of from) consumers[u]!.push(node.index)
    return [...from]
  })
  return { inputs, consumers }
}

/**
 * Visits nodes in order, and again while what the nodes of a knot share, the greatest of their numbers, grows. Once without knots. No way
 * leaves a knot and comes back, and none breaks in it: two rounds settle a knot once those before it are, so more rounds than that are a
 * fault of ours. Throws `INTERNAL`.
 */
function untilSettled(
  nodes: readonly ResolvedNode[], knots: Int32Array | undefined, numbers: Int32Array, visit: (node: number) => void,
): void {
  const most = new Map<number, number>()
  for (let again = true, rounds = 0; again; rounds++) {
    if (rounds > 2 * nodes.length + 2) throw commonErrors.INTERNAL({ what: 'Stages of a feedback loop do not settle.' })
    again = false
    for (const { index } of nodes) {
      visit(index)
      const knot = knots?.[index] ?? -1, before = most.get(knot) ?? 0
      if (knot < 0) continue
      if (numbers[index]! > before) { most.set(knot, numbers[index]!); again = true } else numbers[index] = before
    }
  }
}

/** Where the nodes of a knot have different lanes, it gets one of its own. */
function joinLanes(lanes: Int32Array, knots: Int32Array): void {
  const lane = new Map<number, number>(), mixed = new Map<number, number>()
  let next = lanes.reduce((most, one) => Math.max(most, one), 0)
  knots.forEach((knot, v) => {
    if (knot >= 0 && (lane.get(knot) ?? lanes[v]) !== lanes[v] && !mixed.has(knot)) mixed.set(knot, ++next)
    lane.set(knot, lanes[v]!)
  })
  knots.forEach((knot, v) => { lanes[v] = mixed.get(knot) ?? lanes[v]! })
}

/**
 * `values` when every stream input is known whole before the run; else `chunks`. A node written in TypeScript
 * always feeds chunks, a literal value whole.
 */
function feedOf(nodes: readonly ResolvedNode[], graph: KernelEdges, knots: Int32Array | undefined): ('chunks' | 'values')[] {
  const chunky = new Int32Array(nodes.length)
  untilSettled(nodes, knots, chunky, (v) => {
    const { tier, definition, params } = nodes[v]!
    if (tier === null ? !isWhole(definition, params) : graph.inputs[v]!.some((u) => chunky[u] === 1)) chunky[v] = 1
  })
  return Array.from(chunky, (is) => is === 1 ? 'chunks' : 'values')
}

/** Gives a lane of its own to each branch that is worth a thread; 0 = no lane. Joins of several lanes start a new one. */
function assignLanes(
  nodes: readonly ResolvedNode[], graph: KernelEdges, feeds: readonly string[], handOverUs: readonly number[],
): Int32Array {
  const lanes = new Int32Array(nodes.length)
  // What a branch is worth: its work without the copies that a thread of its own would cost.
  const chain = chainEstimates(nodes, graph).map((us, v) => us - (handOverUs[v] ?? 0))
  let next = 1
  for (const node of nodes) {
    const v = node.index
    if (node.tier === null || feeds[v] === 'chunks') continue
    const kernels = graph.inputs[v]!.filter((u) => nodes[u]!.tier !== null)
    if (kernels.length === 0) { if (chain[v]! >= BRANCH_US) lanes[v] = next++; continue }
    const from = new Set<number>()
    for (const u of kernels) from.add(forks(u, graph, chain) && chain[v]! >= BRANCH_US ? -1 : lanes[u]!)
    from.delete(0)
    const only = [...from]
    lanes[v] = only.length === 1 && only[0]! > 0 ? only[0]! : only.length === 0 ? 0 : next++
  }
  return lanes
}

/** Estimated µs from a node along its only consumers, up to the next fork or join. */
function chainEstimates(nodes: readonly ResolvedNode[], graph: KernelEdges): Float64Array {
  const chain = new Float64Array(nodes.length)
  for (let v = nodes.length - 1; v >= 0; v--) {
    const next = graph.consumers[v]!
    const goesOn = next.length === 1 && graph.inputs[next[0]!]!.length === 1 && nodes[next[0]!]!.tier !== null
    chain[v] = nodes[v]!.estUs + (goesOn ? chain[next[0]!]! : 0)
  }
  return chain
}

function forks(u: number, graph: KernelEdges, chain: Float64Array): boolean {
  return graph.consumers[u]!.filter((v) => chain[v]! >= BRANCH_US).length > 1
}

/** Two chunk-fed groups of one stage and tier that read the same value run in step on the same chunks. */
function fuseSharedInputs(
  nodes: readonly ResolvedNode[], origin: ReadonlyMap<ValueId, ValueId>, feeds: readonly string[], keys: readonly string[],
  stage: Int32Array, parent: Int32Array, find: (i: number) => number,
): void {
  const first = new Map<string, number>()
  for (const node of nodes) {
    if (node.tier === null || feeds[node.index] !== 'chunks') continue
    for (const input of node.inputs) {
      if (input.from === null) continue
      const key = `${stage[node.index]} ${node.tier} ${keys[node.index]} ${origin.get(input.from) ?? input.from}`
      const other = first.get(key)
      if (other === undefined) first.set(key, node.index); else parent[find(other)] = find(node.index)
    }
  }
}
