import { nodeOf, type ResolvedNode } from './resolved-graph.js'
import type { ValueId } from './segment-plan.js'

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
export function lazyBranches(nodes: readonly ResolvedNode[], ends: Iterable<ValueId>, isEnd: (id: string) => boolean): LazyBranches | undefined {
  const isLazy = (node: ResolvedNode, port: string): boolean => Object.hasOwn(node.definition.inputs, port) && node.definition.inputs[port]!.lazy === true
  if (!nodes.some((node) => node.inputs.some(({ port, from }) => from !== null && isLazy(node, port)))) return undefined
  const indexOf = new Map(nodes.map((node) => [node.id, node.index])), wanted = new Set([...ends].map(nodeOf))
  /** Null: from the start; undefined: nobody reads it. */
  const asked: (Set<string> | null | undefined)[] = nodes.map(({ id }) => wanted.has(id) || isEnd(id) ? null : undefined)
  for (let v = nodes.length - 1; v >= 0; v--) {
    const node = nodes[v]!, own = asked[v] = asked[v] ?? null
    for (const { port, link, from } of node.inputs) {
      const u = from === null ? undefined : indexOf.get(nodeOf(from))
      if (u === undefined || asked[u] === null) continue
      if (isLazy(node, port)) (asked[u] ??= new Set()).add(`${node.id}.${link}`)
      else if (own === null) asked[u] = null
      else for (const one of own) (asked[u] ??= new Set()).add(one)
    }
  }
  const needs = new Map<string, string[]>(), seen = new Set<string>()
  const keys = asked.map((links) => {
    if (links === null || links === undefined) return ''
    const sorted = [...links].sort(), key = sorted.join('\n')
    if (!seen.has(key)) for (const link of sorted) needs.set(link, [...needs.get(link) ?? [], key])
    seen.add(key)
    return key
  })
  return { keys, needs }
}
