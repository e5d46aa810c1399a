import type { Adjacency } from './edge-list.js'
import type { Graph } from './graph.js'
import { compareUtf8 } from './utf8.js'

/** Edges into a node as they enter its hash: by port, then by written order, else by place in the document. */
export function linksInto(edges: Graph['edges'], { start, list }: Adjacency, index: number): Uint32Array {
  const links = list.subarray(start[index]!, start[index + 1]!)
  for (let i = 1; i < links.length; i++) if (compareLinks(edges, links[i - 1]!, links[i]!) > 0) return links.slice().sort((a, b) => compareLinks(edges, a, b))
  return links
}

function compareLinks(edges: Graph['edges'], a: number, b: number): number {
  const x = edges[a]!, y = edges[b]!
  return compareUtf8(x.to[1], y.to[1]) || (x.order ?? a) - (y.order ?? b) || a - b
}
