import { adjacencyOf, edgeName, type Adjacency, type EdgeList, type GraphEdgeList, type LinkedNodes } from './edge-list.js'

/** One concrete cycle: node indices in walking order, the first being the smallest; the last has an edge to the first. */
export type Cycle = readonly number[]

/** Edge visits per part after which the search stops with the shortest cycle found so far; real documents never come near it. */
const SEARCH_BUDGET = 20_000_000

/**
 * One shortest cycle per strongly connected part, parts in order of their smallest node. A self-link is the cycle `[n]`.
 * Exact unless a part needs more than 2·10⁷ edge visits; then the shortest found so far, which is always a real cycle.
 */
export function findCycles(edges: EdgeList): Cycle[] {
  const { count, from, to } = edges
  const out = adjacencyOf(count, from, to)
  const part = strongParts(count, out)
  const parts = collectParts(count, part, out)
  const into = parts.some((p) => p.length > 1) ? adjacencyOf(count, to, from) : out
  const cycles: Cycle[] = []
  for (const nodes of parts) {
    const self = nodes.find((n) => hasEdge(out, n, n))
    cycles.push(self !== undefined ? [self] : shortestCycle(nodes, part, out, into))
  }
  return cycles.sort((a, b) => a[0]! - b[0]!)
}

/** A cycle in names: node ids, the first repeated at the end, and the edge taken at each step (the first of parallel ones). */
export function cyclePath(graph: LinkedNodes, edges: GraphEdgeList, cycle: Cycle): { readonly nodes: string[]; readonly edges: string[] } {
  const step = new Map(cycle.map((node, i) => [node, cycle[(i + 1) % cycle.length]!]))
  const names = new Map<number, string>()
  for (let e = 0; e < edges.from.length; e++) {
    const from = edges.from[e]!
    if (step.get(from) === edges.to[e] && !names.has(from)) names.set(from, edgeName(graph.edges[edges.source[e]!]!))
  }
  return { nodes: [...cycle, cycle[0]!].map((node) => graph.nodes[node]!.id), edges: cycle.map((node) => names.get(node)!) }
}

/**
 * Strongly connected part of every node as a number (R. Tarjan, SIAM J. Comput. 1(2), 1972), with an explicit stack. O(nodes + edges).
 */
export function strongParts(count: number, { start, list }: Adjacency): Int32Array {
  const index = new Int32Array(count).fill(-1)
  const low = new Int32Array(count)
  const part = new Int32Array(count).fill(-1)
  const stack = new Int32Array(count)
  const walk = new Int32Array(count)
  const next = start.slice(0, count)
  let clock = 0, held = 0, parts = 0
  for (let root = 0; root < count; root++) {
    if (index[root] !== -1) continue
    let depth = 0
    walk[0] = root
    index[root] = low[root] = clock++
    stack[held++] = root
    while (depth >= 0) {
      const node = walk[depth]!
      if (next[node]! < start[node + 1]!) {
        const to = list[next[node]!++]!
        if (index[to] === -1) {
          index[to] = low[to] = clock++
          stack[held++] = to
          walk[++depth] = to
        } else if (part[to] === -1 && index[to]! < low[node]!) low[node] = index[to]!
        continue
      }
      if (low[node] === index[node]) {
        let member: number
        do { member = stack[--held]!; part[member] = parts } while (member !== node)
        parts++
      }
      depth--
      if (depth >= 0) { const parent = walk[depth]!; if (low[node]! < low[parent]!) low[parent] = low[node]! }
    }
  }
  return part
}

/** Members of every part that holds a cycle: more than one node, or one that links to itself. */
function collectParts(count: number, part: Int32Array, out: Adjacency): number[][] {
  const sizes = new Int32Array(count)
  for (let n = 0; n < count; n++) sizes[part[n]!]!++
  const byPart = new Map<number, number[]>()
  for (let n = 0; n < count; n++) {
    const id = part[n]!
    if (sizes[id] === 1 && !hasEdge(out, n, n)) continue
    const list = byPart.get(id)
    if (list === undefined) byPart.set(id, [n])
    else list.push(n)
  }
  return [...byPart.values()]
}

function hasEdge({ start, list }: Adjacency, from: number, to: number): boolean {
  for (let i = start[from]!; i < start[from + 1]!; i++) if (list[i] === to) return true
  return false
}

/**
 * Breadth-first search from each member in turn. Once a member's own shortest cycle is known the member is taken out, and with it all
 * that can then be on no cycle, so a ring of any length costs one search.
 */
function shortestCycle(nodes: readonly number[], part: Int32Array, out: Adjacency, into: Adjacency): Cycle {
  const id = part[nodes[0]!]!
  const local = new Map(nodes.map((node, i) => [node, i]))
  const size = nodes.length
  const succ = nodes.map((n) => neighbours(out, n, part, id, local))
  const pred = nodes.map((n) => neighbours(into, n, part, id, local))
  const gone = new Uint8Array(size)
  const outs = Int32Array.from(succ, (s) => s.length)
  const ins = Int32Array.from(pred, (p) => p.length)
  const parent = new Int32Array(size)
  const seen = new Int32Array(size).fill(-1)
  const distance = new Int32Array(size)
  const queue = new Int32Array(size)
  let best: number[] = []
  let visits = 0
  for (let root = 0; root < size; root++) {
    if (gone[root] === 1) continue
    let head = 0, tail = 0, found = -1
    queue[tail++] = root
    seen[root] = root
    distance[root] = 0
    search: while (head < tail) {
      const node = queue[head++]!
      if (best.length > 0 && distance[node]! + 1 >= best.length) break
      for (const next of succ[node]!) {
        visits++
        if (gone[next] === 1) continue
        if (next === root) { found = node; break search }
        if (seen[next] === root) continue
        seen[next] = root
        parent[next] = node
        distance[next] = distance[node]! + 1
        queue[tail++] = next
      }
    }
    if (found !== -1) {
      const cycle = [found]
      while (cycle[cycle.length - 1] !== root) cycle.push(parent[cycle[cycle.length - 1]!]!)
      best = cycle.reverse()
      if (best.length === 2) break
    }
    if (visits > SEARCH_BUDGET && best.length > 0) break
    takeOut(root, succ, pred, outs, ins, gone)
  }
  return fromSmallest(best.map((i) => nodes[i]!))
}

function neighbours({ start, list }: Adjacency, node: number, part: Int32Array, id: number, local: ReadonlyMap<number, number>): number[] {
  const found: number[] = []
  for (let i = start[node]!; i < start[node + 1]!; i++) if (part[list[i]!] === id) found.push(local.get(list[i]!)!)
  return found
}

function takeOut(
  root: number, succ: readonly number[][], pred: readonly number[][], outs: Int32Array, ins: Int32Array, gone: Uint8Array,
): void {
  const work = [root]
  gone[root] = 1
  while (work.length > 0) {
    const node = work.pop()!
    for (const next of succ[node]!) if (gone[next] === 0 && --ins[next]! === 0) { gone[next] = 1; work.push(next) }
    for (const before of pred[node]!) if (gone[before] === 0 && --outs[before]! === 0) { gone[before] = 1; work.push(before) }
  }
}

/** The same cycle, starting at its smallest node. */
export function fromSmallest(cycle: readonly number[]): number[] {
  let at = 0
  for (let i = 1; i < cycle.length; i++) if (cycle[i]! < cycle[at]!) at = i
  return [...cycle.slice(at), ...cycle.slice(0, at)]
}
