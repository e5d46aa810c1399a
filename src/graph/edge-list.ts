/** Edges between numbered nodes: edge `e` goes from node `from[e]` to node `to[e]`. */
export interface EdgeList {
  readonly count: number
  readonly from: Uint32Array
  readonly to: Uint32Array
}

/** Rows of a compressed adjacency: the neighbours of node `n` stand at `list[start[n]]` to `list[start[n + 1] - 1]`, in edge order. */
export interface Adjacency {
  readonly start: Uint32Array
  readonly list: Uint32Array
}

/** Compressed adjacency of `count` nodes: for each edge, `value[e]` is listed under `key[e]`. O(nodes + edges). */
export function adjacencyOf(count: number, key: Uint32Array, value: Uint32Array): Adjacency {
  const start = new Uint32Array(count + 1)
  for (let e = 0; e < key.length; e++) start[key[e]! + 1]!++
  for (let n = 0; n < count; n++) start[n + 1]! += start[n]!
  const list = new Uint32Array(key.length)
  const next = start.slice(0, count)
  for (let e = 0; e < key.length; e++) list[next[key[e]!]!++] = value[e]!
  return { start, list }
}

/**
 * The part of a graph that ordering and reachability look at. Feedback edges (`delayFrames`) carry yesterday's samples and order nothing.
 */
export interface LinkedNodes {
  readonly nodes: readonly { readonly id: string }[]
  readonly edges: readonly {
    readonly from: readonly [string, string]
    readonly to: readonly [string, string]
    readonly id?: string
    readonly delayFrames?: number
    readonly order?: number
  }[]
}

/** An edge list together with the position of each edge in the graph it was read from. */
export interface GraphEdgeList extends EdgeList {
  /** Position in `graph.edges` per edge of the list. */
  readonly source: Uint32Array
  /** Node id → document index; the first node of an id wins. */
  readonly indexOf: ReadonlyMap<string, number>
  /** Document index of both ends of every edge of the graph, by position in `graph.edges`; −1 = no node of that id. */
  readonly fromAt: Int32Array
  readonly toAt: Int32Array
}

/**
 * Numbers the nodes of a graph by document index. Edges that name no node, and feedback edges, are left out of the list. O(nodes + edges).
 * `linkOf` gets per edge of the graph what `numberOf` makes of the ports that it goes to and comes from, −1 for one that is not in the list
 * or has an order of its own.
 */
export function edgeListOf(
  { nodes, edges }: LinkedNodes, linkOf?: Int32Array, numberOf?: (port: string, parentPort: string) => number,
): GraphEdgeList {
  const indexOf = new Map<string, number>()
  for (let n = 0; n < nodes.length; n++) indexOf.set(nodes[n]!.id, n)
  if (indexOf.size < nodes.length) for (let n = nodes.length; n-- > 0;) indexOf.set(nodes[n]!.id, n)
  const room = edges.length
  const from = new Uint32Array(room), to = new Uint32Array(room), source = new Uint32Array(room)
  const fromAt = new Int32Array(room), toAt = new Int32Array(room)
  let length = 0, lastFrom: string | undefined, lastTo: string | undefined, a = -1, b = -1
  let port: string | undefined, parentPort: string | undefined, link = -1
  for (let e = 0; e < room; e++) {
    // Edges of one node often stand side by side: the same id compares faster than it is looked up. All of an edge is read here: a second
    // walk through edges is one through memory.
    const edge = edges[e]!
    if (edge.from[0] !== lastFrom) a = indexOf.get(lastFrom = edge.from[0]) ?? -1
    if (edge.to[0] !== lastTo) b = indexOf.get(lastTo = edge.to[0]) ?? -1
    fromAt[e] = a
    toAt[e] = b
    if (linkOf !== undefined) linkOf[e] = -1
    if (a < 0 || b < 0 || edge.delayFrames !== undefined) continue
    if (linkOf !== undefined && edge.order === undefined) {
      if (edge.to[1] !== port || edge.from[1] !== parentPort) link = numberOf!(port = edge.to[1], parentPort = edge.from[1])
      linkOf[e] = link
    }
    from[length] = a
    to[length] = b
    source[length++] = e
  }
  return {
    count: nodes.length, from: from.subarray(0, length), to: to.subarray(0, length), source: source.subarray(0, length), indexOf, fromAt,
    toAt,
  }
}

/** Name of an edge in messages and diagnostics: its id, else `from.port->to.port`. */
export function edgeName(edge: LinkedNodes['edges'][number]): string {
  return edge.id ?? `${edge.from[0]}.${edge.from[1]}->${edge.to[0]}.${edge.to[1]}`
}
