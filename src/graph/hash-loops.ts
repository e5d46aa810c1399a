import { strongParts } from './cycles.js'
import { adjacencyOf, type GraphEdgeList } from './edge-list.js'
import type { Graph } from './graph.js'
import { DIGEST_BYTES, Sha256 } from './sha256.js'

/**
 * Nodes that reach each other over links of any kind, in order; `late`: those that a feedback edge among them
 * comes from (empty: one node, and no loop).
 */
export interface GraphPart { readonly nodes: readonly number[]; readonly late: readonly number[] }

/** Parts of a graph, by levels: what a part reads, feedback included, stands in levels before it. `order`: of the nodes. */
export interface GraphParts { readonly of: Int32Array; readonly levels: readonly (readonly GraphPart[])[] }

/** Parts of a graph with feedback edges; undefined without any. O(nodes + edges). */
export function partsOf({ edges }: Graph, { count, fromAt, toAt, source }: GraphEdgeList, order: Uint32Array): GraphParts | undefined {
  // Else every edge counts for the order.
  if (source.length === edges.length || !edges.some(({ delayFrames }) => delayFrames !== undefined)) return undefined
  const linked = edges.flatMap((_, e) => fromAt[e]! < 0 || toAt[e]! < 0 ? [] : [e])
  const from = Uint32Array.from(linked, (e) => fromAt[e]!), to = Uint32Array.from(linked, (e) => toAt[e]!)
  const of = strongParts(count, adjacencyOf(count, from, to)), into = adjacencyOf(count, to, Uint32Array.from(linked))
  const nodes: number[][] = []
  for (const node of order) (nodes[of[node]!] ??= []).push(node)
  const depth = new Int32Array(nodes.length), levels: GraphPart[][] = []
  // A part is numbered after all that it leads to.
  for (let part = nodes.length - 1; part >= 0; part--) {
    const late = new Set<number>()
    for (const node of nodes[part]!) for (let i = into.start[node]!; i < into.start[node + 1]!; i++) {
      const e = into.list[i]!, source = fromAt[e]!
      if (of[source] !== part) depth[part] = Math.max(depth[part]!, depth[of[source]!]! + 1)
      else if (edges[e]!.delayFrames !== undefined) late.add(source)
    }
    (levels[depth[part]!] ??= []).push({ nodes: nodes[part]!, late: [...late] })
  }
  return { of, levels }
}

/** Digests of some nodes as they are now, by node. */
export function digestsOf(nodes: readonly number[], digests: Uint8Array): Map<number, Uint8Array> {
  return new Map(nodes.map((node) => [node, digests.slice(node * DIGEST_BYTES, (node + 1) * DIGEST_BYTES)]))
}

function byBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return 0
}

/** How many of the digests differ. */
export function kindsOf(digests: ReadonlyMap<number, Uint8Array>): number { return new Set([...digests.values()].map(String)).size }

/**
 * What a loop is as a whole: the digest of its late nodes' digests of two rounds, each pair once, sorted. Equal ones tell that
 * rounds have found all there is to tell apart.
 */
export function loopDigest(before: ReadonlyMap<number, Uint8Array>, after: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const pairs = new Map([
    ...before,
  ].map(([node, digest]) => { const pair = Uint8Array.of(...digest, ...after.get(node)!); return [String(pair), pair] }))
  const hasher = new Sha256().reset()
  for (const pair of [...pairs.values()].sort(byBytes)) hasher.update(pair, 0, pair.length)
  return hasher.digest()
}
