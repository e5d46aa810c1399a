import { adjacencyOf, type EdgeList } from './edge-list.js'

/**
 * Marks every node from which one of `ends` can be reached along edges, the ends included: 1 = kept. What stays 0 is pruned (GR-09).
 * Iterative, O(nodes + edges).
 */
export function reaching({ count, from, to }: EdgeList, ends: Iterable<number>): Uint8Array {
  const { start, list } = adjacencyOf(count, to, from)
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
