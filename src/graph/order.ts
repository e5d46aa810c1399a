import { cyclePath, findCycles } from './cycles.js'
import { adjacencyOf, edgeListOf, type EdgeList, type LinkedNodes } from './edge-list.js'
import { graphErrors } from './errors.js'

/** Result of ordering: node indices. */
export interface TopologicalOrder {
  /** Node indices, every node after all its predecessors; equal input gives the equal order. Shorter than the graph when there is a cycle. */
  readonly order: Uint32Array
  /** Per node index: edges on the longest path from a source (0 = source). Nodes on or behind a cycle keep what was known. */
  readonly levels: Uint32Array
}

/**
 * Order of a graph's nodes by document index, and their levels (GR-58). Edges that name no node do not count, nor do feedback edges.
 * Throws `GRAPH_CYCLE` naming one shortest cycle: `validate` reports all of them.
 */
export function topologicalOrder(graph: LinkedNodes): TopologicalOrder {
  const edges = edgeListOf(graph)
  const result = orderOf(edges)
  if (result.order.length === edges.count) return result
  throw graphErrors.GRAPH_CYCLE(cyclePath(graph, edges, findCycles(edges)[0]!))
}

/**
 * Kahn's algorithm with a binary heap on document index (A. B. Kahn, CACM 5(11), 1962): among the nodes that are ready, the one that stands first
 * in the document comes first. Iterative, typed arrays only; O((nodes + edges) · log nodes).
 */
export function orderOf({ count, from, to }: EdgeList): TopologicalOrder {
  const waiting = new Uint32Array(count)
  for (let e = 0; e < to.length; e++) waiting[to[e]!]!++
  const { start, list } = adjacencyOf(count, from, to)
  const levels = new Uint32Array(count)
  const order = new Uint32Array(count)
  const heap = new Uint32Array(count)
  let ready = 0
  for (let n = 0; n < count; n++) if (waiting[n] === 0) heap[ready++] = n // ascending indices already form a heap
  let done = 0
  while (ready > 0) {
    const node = heap[0]!
    ready = popHeap(heap, ready)
    order[done++] = node
    const level = levels[node]! + 1
    for (let i = start[node]!, end = start[node + 1]!; i < end; i++) {
      const next = list[i]!
      if (levels[next]! < level) levels[next] = level
      if (--waiting[next]! === 0) ready = pushHeap(heap, ready, next)
    }
  }
  return { order: done === count ? order : order.slice(0, done), levels }
}

/** The nodes of an order by level, those of one level as they stand in the order: also an order in which every node comes after its predecessors. */
export function levelOrder({ order, levels }: TopologicalOrder): Uint32Array {
  let deepest = 0
  for (let i = 0; i < order.length; i++) deepest = Math.max(deepest, levels[order[i]!]!)
  return adjacencyOf(deepest + 1, order.map((node) => levels[node]!), order).list
}

function pushHeap(heap: Uint32Array, size: number, value: number): number {
  let at = size
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (heap[parent]! <= value) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = value
  return size + 1
}

function popHeap(heap: Uint32Array, size: number): number {
  const last = heap[size - 1]!
  const left = size - 1
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= left) break
    if (child + 1 < left && heap[child + 1]! < heap[child]!) child++
    if (heap[child]! >= last) break
    heap[at] = heap[child]!
    at = child
  }
  if (left > 0) heap[at] = last
  return left
}
