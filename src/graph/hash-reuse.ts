import type { DefinitionOf, RunOutput } from './ends.js'
import type { Graph } from './graph.js'
import { linksInto, type GraphLinks } from './hash-links.js'
import type { HashOptions } from './hash.js'

/** A graph that was hashed: what the hashes of its next version may be taken from. */
export interface HashedGraph {
  readonly graph: Graph
  readonly definitionOf: DefinitionOf
  readonly links: GraphLinks
  readonly ends: readonly RunOutput[]
  /** Of ends as {@link sortedEnds} sorts them. */
  readonly order: number[]
  /** 32 bytes per node, then per end. */
  readonly digests: Uint8Array
  /** 1 = holds something that is never equal to anything, or that was told from outside: not to be taken over. */
  readonly fresh: Uint8Array
  /** Of the run, of nodes that are `seeded`. */
  readonly seed: bigint
  readonly o: HashOptions
}

/** True when a graph that is linked alike has the same ends. */
export function endAlike({ graph: { nodes, inputs, outputs }, definitionOf }: HashedGraph, graph: Graph, now: DefinitionOf): boolean {
  return inputs === graph.inputs && outputs === graph.outputs
    && graph.nodes.every(({ output }, n) => output === nodes[n]!.output && now(n) === definitionOf(n))
}

/**
 * Finds the nodes whose hashes cannot have changed (GR-55): the same node object with the same definition, linked by the same edge objects
 * to nodes of which that is true as well. Graphs are never changed in place, so an edit makes new objects of what it touches and of nothing
 * else.
 */
export class HashReuse {
  readonly #before: HashedGraph
  readonly #now: Omit<HashedGraph, 'digests' | 'order'>
  /** 1 = taken over, by index in the new graph. */
  readonly #clean: Uint8Array
  readonly #usable: boolean
  /** Same nodes by id, linked by the same edges. */
  readonly #alike: boolean

  constructor(before: HashedGraph, now: Omit<HashedGraph, 'digests' | 'order'>) {
    this.#before = before
    this.#now = now
    this.#alike = before.links === now.links
    this.#clean = new Uint8Array(now.graph.nodes.length)
    const told = ({ o }: Pick<HashedGraph, 'o'>): boolean => o.referenced !== undefined || o.fingerprint !== undefined
    this.#usable = before.o.codeHash === now.o.codeHash && before.o.moduleHash === now.o.moduleHash && !told(before) && !told(now)
  }

  /**
   * Index in the earlier graph of the node whose hash stands for node `index`, or −1. Ask parents first; of a loop's nodes {@link findAll}.
   */
  find(index: number): number {
    const { graph, definitionOf, fresh, o } = this.#now, node = graph.nodes[index]!, before = this.#before
    const at = this.#alike ? index : before.links.edges.indexOf.get(node.id)
    if (!this.#usable || at === undefined || before.graph.nodes[at] !== node || before.fresh[at] === 1 || fresh[index] === 1) return -1
    const definition = definitionOf(index)
    if (definition !== before.definitionOf(at) || (definition?.deterministic === 'seeded' && before.seed !== this.#now.seed)
      || definition?.fingerprint !== undefined || (definition?.parity ?? 'exact') !== 'exact' && o.tier !== before.o.tier) {
      return -1
    }
    if (!this.#sameLinks(index, at)) return -1
    this.#clean[index] = 1
    return at
  }

  /** The same for all nodes of a loop, which is taken over whole or not at all. Ask what leads to it first. */
  findAll(nodes: readonly number[]): number[] | undefined {
    // Each of them holds if the others do.
    for (const node of nodes) this.#clean[node] = 1
    const found: number[] = []
    for (const node of nodes) {
      const at = this.find(node)
      if (at < 0) { for (const one of nodes) this.#clean[one] = 0; return undefined }
      found.push(at)
    }
    return found
  }

  #sameLinks(index: number, at: number): boolean {
    const { graph: { edges }, links: { into, edges: { fromAt } } } = this.#now
    const before = this.#before, first = into.start[index]!, count = into.start[index + 1]! - first
    if (this.#alike) {
      for (let i = first; i < first + count; i++) {
        const parent = fromAt[into.list[i]!]!
        if (parent >= 0 && this.#clean[parent] === 0) return false
      }
      return true
    }
    if (before.links.into.start[at + 1]! - before.links.into.start[at]! !== count) return false
    if (count === 0) return true
    const links = linksInto(edges, into, index), old = linksInto(before.graph.edges, before.links.into, at)
    for (let i = 0; i < count; i++) {
      const e = links[i]!, parent = fromAt[e]!
      if (edges[e] !== before.graph.edges[old[i]!]) return false
      if (parent < 0 ? before.links.edges.fromAt[old[i]!]! >= 0 : this.#clean[parent] === 0) return false
    }
    return true
  }
}
