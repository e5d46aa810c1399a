import { adjacencyOf, edgeListOf, type Adjacency, type GraphEdgeList } from './edge-list.js'
import type { Graph } from './graph.js'
import { partsOf, type GraphParts } from './hash-loops.js'
import { TAG } from './hash-type.js'
import { HashWriter } from './hash-writer.js'
import { levelOrder, topologicalOrder } from './order.js'
import { DIGEST_BYTES } from './sha256.js'
import { compareUtf8 } from './utf8.js'

/** A link's record with places for what differs. */
export interface LinkRecord {
  readonly port: string
  readonly parentPort: string
  readonly bytes: Uint8Array
  readonly orderAt: number
  readonly digestAt: number
}

function linkRecord(port: string, parentPort: string): LinkRecord {
  const writer = new HashWriter().begin(TAG.input).text(TAG.port, port).index(TAG.order, 0)
  const orderAt = writer.mark - 4, digestAt = writer.begin(TAG.parent).mark
  return { port, parentPort, bytes: writer.skip(DIGEST_BYTES).end().text(TAG.parentPort, parentPort).end().bytes, orderAt, digestAt }
}

/** How a graph is linked, as far as hashing asks. Versions of a graph with the same edges and ids have it in common. */
export interface GraphLinks {
  readonly edges: GraphEdgeList
  /** Edges into each node, feedback and links from nowhere included. */
  readonly into: Adjacency
  /** Record that all links of two ports are copies of. */
  readonly recordOf: (port: string, parentPort: string) => LinkRecord
  /** Record of each edge by number; −1 = an edge that has to be looked at. */
  readonly linkOf: Int32Array
  readonly records: readonly LinkRecord[]
  /** Nodes by level. */
  readonly sorted: Uint32Array
  readonly levels: Uint32Array
  /** Of a graph with feedback edges. */
  readonly parts: GraphParts | undefined
}

/** Throws `GRAPH_CYCLE`. */
export function graphLinks(graph: Graph): GraphLinks {
  const known = new Map<string, Map<string, number>>(), records: LinkRecord[] = []
  const numberOf = (port: string, parentPort: string): number => {
    let parents = known.get(port)
    if (parents === undefined) known.set(port, parents = new Map())
    let link = parents.get(parentPort)
    if (link === undefined) parents.set(parentPort, link = records.push(linkRecord(port, parentPort)) - 1)
    return link
  }
  const count = graph.nodes.length, linkOf = new Int32Array(graph.edges.length)
  const edges = edgeListOf(graph, linkOf, numberOf), to = new Uint32Array(linkOf.length), numbers = to.slice()
  // Links to nowhere go to a node behind the last.
  for (let e = 0; e < to.length; e++) { to[e] = edges.toAt[e]! < 0 ? count : edges.toAt[e]!; numbers[e] = e }
  const { order: sorted, levels } = levelOrder(edges)
  if (sorted.length < count) topologicalOrder(graph) // throws
  return {
    edges, into: adjacencyOf(count + 1, to, numbers), linkOf, records, recordOf: (port, parentPort) => records[numberOf(port, parentPort)]!,
    sorted, levels, parts: partsOf(graph, edges, sorted),
  }
}

/** True when two versions of a graph have their edges, and the ids of their nodes, in common. */
export function linkedAlike(a: Graph, b: Graph): boolean {
  return a.edges === b.edges && a.nodes.length === b.nodes.length
    && a.nodes.every((node, n) => node === b.nodes[n] || node.id === b.nodes[n]!.id)
}

/** Edges into a node as they enter its hash: by port, then by written order, else by place in the document. */
export function linksInto(edges: Graph['edges'], { start, list }: Adjacency, index: number): Uint32Array {
  const links = list.subarray(start[index]!, start[index + 1]!)
  for (let i = 1; i < links.length; i++) {
    if (compareLinks(edges, links[i - 1]!, links[i]!) > 0) return links.slice().sort((a, b) => compareLinks(edges, a, b))
  }
  return links
}

function compareLinks(edges: Graph['edges'], a: number, b: number): number {
  const x = edges[a]!, y = edges[b]!
  return compareUtf8(x.to[1], y.to[1]) || (x.order ?? a) - (y.order ?? b) || a - b
}
