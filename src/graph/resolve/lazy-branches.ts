import { nodeOf, type LinkedNode, type ValueId } from './linked-node.js'

/** Nodes that run only when a lazy input asks for what they give (GR-29). */
export interface LazyBranches {
  /** By node index: the lazy links that may ask for it, joined; '' = it runs from the start. Nodes of one key start together. */
  readonly keys: readonly string[]
  /** Lazy link (`node.link`) → keys of the nodes that it starts. */
  readonly needs: ReadonlyMap<string, readonly string[]>
}

/**
 * Tells what waits to be asked for: nodes from which no run output (`ends`, values), no node that `isEnd` names and no reader-less node is
 * reached without passing a lazy input. Undefined: no input of the graph is lazy. `nodes` in topological order. O(nodes + edges), times a
 * word for every 32 lazy links.
 */
export function lazyBranches(
  nodes: readonly LinkedNode[], ends: Iterable<ValueId>, isEnd: (id: string) => boolean,
): LazyBranches | undefined {
  const isLazy = (node: LinkedNode, port: string): boolean =>
    Object.hasOwn(node.definition.inputs, port) && node.definition.inputs[port]!.lazy === true
  const links = nodes.flatMap((node) => node.inputs.flatMap(({ port, link, from }) =>
    from !== null && isLazy(node, port) ? [`${node.id}.${link}`] : []))
  if (links.length === 0) return undefined
  const indexOf = new Map(nodes.map((node) => [node.id, node.index])), wanted = new Set([...ends].map(nodeOf)), sets = new LinkSets(links)
  const read = new Set(nodes.flatMap(({ inputs }) => inputs.flatMap(({ from }) => from === null ? [] : [nodeOf(from)])))
  const asked: number[] = nodes.map(({ id }) => wanted.has(id) || isEnd(id) || !read.has(id) ? ALL : NONE)
  const given = nodes.map(() => new Set<number>())
  // One pass upstream, and another one for every feedback edge that it changes something for.
  for (let changed = true; changed;) {
    changed = false
    for (let v = nodes.length - 1; v >= 0; v--) {
      // All that read it have had their say.
      const node = nodes[v]!, own = asked[v] = given[v]!.has(ALL) || asked[v] === ALL ? ALL : sets.union(given[v]!)
      for (const { port, link, from } of node.inputs) {
        const u = from === null ? undefined : indexOf.get(nodeOf(from)), more = isLazy(node, port) ? sets.of(`${node.id}.${link}`) : own
        if (u === undefined || more === NONE || given[u]!.has(more)) continue
        given[u]!.add(more)
        changed ||= u >= v && asked[u] !== ALL // a node may ask for itself
      }
    }
  }
  const needs = new Map<string, string[]>(), seen = new Map<number, string>([[ALL, '']])
  const keyOf = (set: number): string => {
    let key = seen.get(set)
    if (key !== undefined) return key
    const sorted = sets.names(set).sort()
    seen.set(set, key = sorted.join('\n'))
    for (const link of sorted) { const keys = needs.get(link); if (keys) keys.push(key); else needs.set(link, [key]) }
    return key
  }
  return { keys: asked.map(keyOf), needs }
}

/** Sets of links by number: no link, and whatever else there is, which needs no link to ask for it. */
const NONE = 0, ALL = -1

/** Equal sets have one number: many nodes have few sets. */
class LinkSets {
  readonly #links: readonly string[]
  readonly #places: ReadonlyMap<string, number>
  /** Bits, a link each. */
  readonly #sets: Uint32Array[]
  /** Of unions, by their bits. */
  readonly #numbers = new Map<string, number>()
  readonly #singles = new Map<string, number>()

  constructor(links: readonly string[]) {
    this.#links = links
    this.#places = new Map(links.map((link, place) => [link, place]))
    const none = new Uint32Array(Math.ceil(links.length / 32))
    this.#sets = [none]
  }

  of(link: string): number {
    let number = this.#singles.get(link)
    if (number === undefined) {
      const place = this.#places.get(link)!, bits = new Uint32Array(this.#sets[NONE]!.length)
      bits[place >> 5] = 2 ** (place & 31)
      this.#singles.set(link, number = this.#sets.push(bits) - 1)
    }
    return number
  }

  union(numbers: ReadonlySet<number>): number {
    const [first = NONE] = numbers
    if (numbers.size < 2) return first
    const bits = this.#sets[first]!.slice()
    for (const number of numbers) this.#sets[number]!.forEach((word, w) => { bits[w]! |= word })
    // Of one link there is a set already: no union is as small.
    const text = bits.join(), number = this.#numbers.get(text) ?? this.#sets.push(bits) - 1
    this.#numbers.set(text, number)
    return number
  }

  names(set: number): string[] {
    const names: string[] = []
    for (const [w, word] of this.#sets[set]!.entries()) {
      for (let bits = word, place = w << 5; bits !== 0; bits >>>= 1, place++) if ((bits & 1) === 1) names.push(this.#links[place]!)
    }
    return names
  }
}
