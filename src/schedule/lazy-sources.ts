import type { Graph } from '../graph/graph.js'

/**
 * Ids of the nodes that may stay unasked for and that no kernel depends on (GR-29): nothing has to be known of them before the run. Every
 * way on from them leads through a lazy input, and to nodes written in TypeScript only. O(nodes + edges).
 */
export function restingNodes(graph: Graph): ReadonlySet<string> {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]))
  const isLazy = ([id, port]: readonly [string, string]): boolean => nodes.get(id)?.definition?.inputs[port]?.lazy === true
  if (!graph.edges.some(({ to }) => isLazy(to))) return new Set()
  const into = new Map<string, typeof graph.edges[number][]>()
  for (const edge of graph.edges) into.set(edge.to[0], [...into.get(edge.to[0]) ?? [], edge])
  /** Everything that leads to these nodes, they among it. */
  const upstream = (from: readonly string[], through: (edge: typeof graph.edges[number]) => boolean): Set<string> => {
    const seen = new Set(from), work = [...from]
    for (let id = work.pop(); id !== undefined; id = work.pop()) {
      for (const edge of into.get(id) ?? []) {
        if (through(edge) && !seen.has(edge.from[0])) { seen.add(edge.from[0]); work.push(edge.from[0]) }
      }
    }
    return seen
  }
  const read = new Set(graph.edges.map(({ from }) => from[0])), returned = new Set([...graph.outputs.values()].map(([id]) => id))
  const runs = upstream(graph.nodes.flatMap(({ id, output }) => returned.has(id) || output === true || !read.has(id) ? [id] : []), (
    { to },
  ) => !isLazy(to))
  const feeds = upstream(graph.nodes.flatMap(({ id, definition }) => definition?.kernel === undefined ? [] : [id]), () => true)
  return new Set([...nodes.keys()].filter((id) => !runs.has(id) && !feeds.has(id)))
}
