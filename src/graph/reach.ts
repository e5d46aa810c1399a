import { adjacencyOf, type GraphEdgeList } from './edge-list.js'

/**
 * Marks every node from which one of `ends` can be reached along edges, feedback included, and the ends themselves: 1 = kept. What stays 0
 * is pruned (GR-09). Iterative, O(nodes + edges).
 */
export function reaching({ count, fromAt, toAt }: Pick<GraphEdgeList, 'count' | 'fromAt' | 'toAt'>, ends: Iterable<number>): Uint8Array {
  const from = new Uint32Array(fromAt.length), to = new Uint32Array(fromAt.length)
  let length = 0
  for (let e = 0; e < fromAt.length; e++) if (fromAt[e]! >= 0 && toAt[e]! >= 0) { from[length] = fromAt[e]!; to[length++] = toAt[e]! }
  const { start, list } = adjacencyOf(count, to.subarray(0, length), from.subarray(0, length))
  const kept = new Uint8Array(count)
  const work = new Uint32Array(count)
  let size = 0
  for (const end of ends) if (kept[end] === 0) { kept[end] = 1; work[size++] = end }
  while (size > 0) {
    const node = work[--size]!
    for (let i = start[node]!; i < start[node + 1]!; i++) {
      const before = list[i]!
      if (kept[before] === 0) { kept[before] = 1; work[size++] = before }
    }
  }
  return kept
}
