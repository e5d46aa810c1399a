import { nodeOf, type LinkedNode, type ValueId } from './linked-node.js'

/** Nodes that run only when a lazy input asks for what they give (GR-29). */
export interface LazyBranches {
  /** By node index: the lazy links that may ask for it, joined; '' = it runs from the start. Nodes of one key start together. */
  readonly keys: readonly string[]
  /** Lazy link (`node.link`) → keys of the nodes that it starts. */
  readonly needs: ReadonlyMap<string, readonly string[]>
}

/**
 * Tells what waits to be asked for: nodes from which no run output (`ends`, values), no node that `isEnd` names and no reader-less node is reached without passing a lazy input.
 * Undefined: no input of the graph is lazy. `nodes` in topological order. O(nodes + edges) sets of links.
 */
export function lazyBranches(nodes: readonly LinkedNode[], ends: Iterable<ValueId>, isEnd: (id: string) => boolean): LazyBranches | undefined {
  const isLazy = (node: LinkedNode, port: string): boolean => Object.hasOwn(node.definition.inputs, port) && node.definition.inputs[port]!.lazy === true
  if (!nodes.some((node) => node.inputs.some(({ port, from }) => from !== null && isLazy(node, port)))) return undefined
  const indexOf = new Map(nodes.map((node) => [node.id, node.index])), wanted = new Set([...ends].map(nodeOf))
  const read = new Set(nodes.flatMap(({ inputs }) => inputs.flatMap(({ from }) => from === null ? [] : [nodeOf(from)])))
  /** Null: from the start. */
  const asked: (Set<string> | null)[] = nodes.map(({ id }) => wanted.has(id) || isEnd(id) || !read.has(id) ? null : new Set())
  // One pass upstream, and another one for every feedback edge that it changes something for.
  for (let changed = true; changed;) {
    changed = false
    const want = (u: number, v: number, links: Iterable<string> | null): void => {
      const own = asked[u]
      if (own === null || own === undefined) return
      const before = own.size
      if (links === null) asked[u] = null; else for (const link of links) own.add(link)
      changed ||= u > v && (links === null || own.size > before)
    }
    for (let v = nodes.length - 1; v >= 0; v--) for (const { port, link, from } of nodes[v]!.inputs) {
      const u = from === null ? undefined : indexOf.get(nodeOf(from))
      if (u !== undefined) want(u, v, isLazy(nodes[v]!, port) ? [`${nodes[v]!.id}.${link}`] : asked[v]!)
    }
  }
  const needs = new Map<string, string[]>(), seen = new Set<string>()
  const keys = asked.map((links) => {
    if (links === null) return ''
    const sorted = [...links].sort(), key = sorted.join('\n')
    if (!seen.has(key)) for (const link of sorted) needs.set(link, [...needs.get(link) ?? [], key])
    seen.add(key)
    return key
  })
  return { keys, needs }
}
