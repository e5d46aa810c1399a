import type { Graph, GraphEdge, GraphNode } from '../graph.js'
import { IncrementalOrder } from './incremental-order.js'

/** Entries replaced at once beyond which starting anew is cheaper. */
const MOST_CHANGES = 256

/** What {@link canConnect} knows of a graph, kept up to date from one version to the next. */
export class LiveGraph {
  #graph: Graph
  #order = new IncrementalOrder()
  #nodes = new Map<string, { node: GraphNode; readonly at: number }>()
  #ids: string[] = []
  /** Edges by the node that they end at. */
  #into = new Map<string, GraphEdge[]>()
  /** Edges that name no node; nodes whose id was taken. Neither is followed: a change near them starts anew. */
  #odd = 0

  constructor(graph: Graph) {
    this.#graph = graph
    this.#restart()
  }

  /** The node of an id; of several the first. */
  node(id: string): GraphNode | undefined { return this.#nodes.get(id)?.node }
  /** Edges into a node. */
  into(id: string): readonly GraphEdge[] { return this.#into.get(id) ?? NONE }
  /** Ids on a shortest way from one node to another, both included: what an edge back would close to a cycle. */
  path(from: string, to: string): string[] | undefined {
    return this.#order.path(this.#nodes.get(from)!.at, this.#nodes.get(to)!.at)?.map((at) => this.#ids[at]!)
  }

  /** Turns to another version of the graph. Entries that are the same objects are not looked at. */
  follow(graph: Graph): void {
    const before = this.#graph
    if (graph === before) return
    this.#graph = graph
    const nodes = changed(before.nodes, graph.nodes), edges = changed(before.edges, graph.edges)
    if (this.#odd > 0 || nodes.gone.length + nodes.come.length + edges.gone.length + edges.come.length > MOST_CHANGES) {
      this.#restart()
      return
    }
    for (const edge of edges.gone) this.#unlink(edge)
    const stay = new Set(nodes.come.map(({ id }) => id))
    for (const { id } of nodes.gone) {
      if (stay.has(id)) continue
      if (this.#order.linked(this.#nodes.get(id)!.at)) { this.#restart(); return }
      this.#nodes.delete(id)
    }
    const replaced = new Set(nodes.gone.map(({ id }) => id))
    for (const node of nodes.come) {
      const known = this.#nodes.get(node.id)
      if (known !== undefined && replaced.delete(node.id)) known.node = node
      else this.#add(node)
    }
    for (const edge of edges.come) this.#link(edge)
  }

  #restart(): void {
    this.#order = new IncrementalOrder()
    this.#nodes = new Map()
    this.#ids = []
    this.#into = new Map()
    this.#odd = 0
    for (const node of this.#graph.nodes) this.#add(node)
    for (const edge of this.#graph.edges) this.#link(edge)
  }

  #add(node: GraphNode): void {
    if (this.#nodes.has(node.id)) { this.#odd++; return }
    this.#nodes.set(node.id, { node, at: this.#order.add() })
    this.#ids.push(node.id)
  }

  #link(edge: GraphEdge): void {
    const from = this.#nodes.get(edge.from[0]), to = this.#nodes.get(edge.to[0])
    if (from === undefined || to === undefined) { this.#odd++; return }
    const list = this.#into.get(edge.to[0])
    if (list === undefined) this.#into.set(edge.to[0], [edge])
    else list.push(edge)
    if (edge.delayFrames === undefined) this.#order.link(from.at, to.at)
  }

  #unlink(edge: GraphEdge): void {
    const list = this.#into.get(edge.to[0])!
    list.splice(list.indexOf(edge), 1)
    if (edge.delayFrames === undefined) this.#order.unlink(this.#nodes.get(edge.from[0])!.at, this.#nodes.get(edge.to[0])!.at)
  }
}
const NONE: readonly GraphEdge[] = []

/** What has gone and come: entries taken out anywhere, else what lies between the common start and the common end. */
function changed<T>(before: readonly T[], after: readonly T[]): { readonly gone: readonly T[]; readonly come: readonly T[] } {
  if (before === after) return { gone: [], come: [] }
  if (after.length < before.length) {
    const gone: T[] = []
    let kept = 0
    for (const one of before) if (one === after[kept]) kept++; else gone.push(one)
    if (kept === after.length) return { gone, come: [] }
  }
  const least = Math.min(before.length, after.length)
  let start = 0, end = 0
  while (start < least && before[start] === after[start]) start++
  while (end < least - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++
  return { gone: before.slice(start, before.length - end), come: after.slice(start, after.length - end) }
}
