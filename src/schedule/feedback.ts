import { commonErrors } from '../errors/common-errors.js'
import { adjacencyOf } from '../graph/edge-list.js'
import { strongParts } from '../graph/cycles.js'
import { heldSeconds } from './held.js'
import { driverKey } from './policy/node-policy.js'
import { nodeOf, type ResolvedInput, type ResolvedNode } from './resolved-graph.js'
import type { ValueId } from './segment-plan.js'

/** Delayed links of a plan (GR-12): what must run together, and what keeps nobody open. */
export interface Feedback {
  /** By node: nodes of one number share a segment: the ends of delayed links and all that lies between them. −1: none. */
  readonly knots: Int32Array
  /** True for an input that only a loop feeds: it bounds a call, but its node ends with its other inputs. */
  weak(node: ResolvedNode, input: ResolvedInput): boolean
}

/** Frames that a loop must have beyond what its nodes hold back. */
const LEAST_ROUND = 64

interface Link { readonly from: number; readonly to: number; readonly input: ResolvedInput; readonly delayed: boolean }

/**
 * Reads the delayed links of a graph; undefined without any. In a loop a node counts as fed through the fewest delays that lead there from outside; inputs that come round
 * a longer way are weak. So ends pass through a loop once, and what still rings is not played. Throws `UNSUPPORTED` for what cannot run in one segment, or would never
 * end or never begin. O((nodes + edges) · delays in a row).
 */
export function feedbackOf(nodes: readonly ResolvedNode[], origin: ReadonlyMap<ValueId, ValueId>): Feedback | undefined {
  if (!nodes.some((node) => node.inputs.some(({ delay }) => delay !== undefined))) return undefined
  const indexOf = new Map(nodes.map((node) => [node.id, node.index]))
  const links = nodes.flatMap((node) => node.inputs.flatMap((input): Link[] => {
    return input.from === null ? [] : [{ from: indexOf.get(nodeOf(origin.get(input.from) ?? input.from))!, to: node.index, input, delayed: input.delay !== undefined }]
  }))
  const loops = partsOf(nodes.length, links), knots = partsOf(nodes.length, [...links, ...links.flatMap((link) => link.delayed ? [{ from: link.to, to: link.from }] : [])])
  const delayed = links.filter((link) => link.delayed), looped = new Set(delayed.flatMap(({ from, to }) => loops[from] === loops[to] ? [loops[to]!] : []))
  const tied = new Map(delayed.map((link) => [knots[link.to]!, link])), ranks = ranksOf(nodes, links, loops), held = new Map<number, number>()
  for (const node of nodes) {
    const link = tied.get(knots[node.index]!)
    if (link !== undefined && !together(node, nodes[link.to]!)) throw refused(nodes, link, `through ${node.id}, which no segment has together with it`, 'Take that node out of the loop: only kernels of one tier run there.')
    if (looped.has(loops[node.index]!)) held.set(loops[node.index]!, (held.get(loops[node.index]!) ?? 0) + heldSeconds(node))
  }
  for (const link of delayed) {
    if (loops[link.from] !== loops[link.to]) continue
    if (ranks[link.to] === Infinity) throw refused(nodes, link, 'that nothing outside feeds: it would never end', 'Link something into the loop.')
    const media = nodes[link.to]!.media[link.input.link], back = Math.ceil(held.get(loops[link.to]!)! * (media?.kind === 'audio' ? media.rate : 1))
    // Its nodes would wait for each other.
    if (back > 0 && link.input.delay! < back + LEAST_ROUND) throw refused(nodes, link, `whose nodes hold back ${back} frames`, `Set delayFrames to ${back + LEAST_ROUND} or more.`)
  }
  return {
    knots: knots.map((knot) => tied.has(knot) ? knot : -1),
    weak: (node, { from, delay }) => {
      const source = from === null ? node.index : indexOf.get(nodeOf(origin.get(from) ?? from))!
      if (from === null || loops[source] !== loops[node.index] || !looped.has(loops[source]!)) return false
      return delay === undefined ? ranks[source]! > ranks[node.index]! : ranks[source]! >= ranks[node.index]!
    },
  }
}

function partsOf(count: number, links: readonly { readonly from: number; readonly to: number }[]): Int32Array {
  return strongParts(count, adjacencyOf(count, Uint32Array.from(links, ({ from }) => from), Uint32Array.from(links, ({ to }) => to)))
}

/** Per node: the fewest delays on a way inside its loop from one that is fed from outside, or makes frames by itself. */
function ranksOf(nodes: readonly ResolvedNode[], links: readonly Link[], loops: Int32Array): Float64Array {
  const streams = links.filter(({ input }) => input.control === undefined), fed = new Set(streams.map(({ to }) => to))
  const inside = streams.filter(({ from, to }) => loops[from] === loops[to])
  const out = adjacencyOf(nodes.length, Uint32Array.from(inside, ({ from }) => from), Uint32Array.from(inside.keys()))
  const ranks = new Float64Array(nodes.length).fill(Infinity)
  let now = [...streams.flatMap(({ from, to }) => loops[from] === loops[to] ? [] : [to]), ...nodes.flatMap(({ index }) => fed.has(index) ? [] : [index])]
  for (let rank = 0; now.length > 0; rank++) {
    const later: number[] = []
    for (let node = now.pop(); node !== undefined; node = now.pop()) {
      if (ranks[node]! <= rank) continue
      ranks[node] = rank
      for (let i = out.start[node]!; i < out.start[node + 1]!; i++) { const { to, delayed } = inside[out.list[i]!]!; (delayed ? later : now).push(to) }
    }
    now = later
  }
  return ranks
}

function together(a: ResolvedNode, b: ResolvedNode): boolean {
  return a.tier !== null && a.tier === b.tier && a.perItem === b.perItem && driverKey(a.policy, a.id) === driverKey(b.policy, b.id)
}

function refused(nodes: readonly ResolvedNode[], { input, to }: Link, loop: string, alternative: string): Error {
  const { id } = nodes[to]!
  return commonErrors.UNSUPPORTED({ feature: `Feedback of ${input.delay} frames into ${id}.${input.link}`, runtime: `a loop ${loop}`, alternative }, { nodeId: id, port: input.link })
}
