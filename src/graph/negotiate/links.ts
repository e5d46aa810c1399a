import { linkableInput, linkableInputs } from '../driven-params.js'
import type { GraphEdgeList } from '../edge-list.js'
import type { Graph } from '../graph.js'
import type { NodeDefinition } from '../node-definition.js'

/** Input links of every node: which edges end at which of its ports. */
export interface InputLinks {
  /**
   * Edge indices into a port of a node (document index), in link order: `order`, else position. Unknown ports, and
   * params that no edge may drive, have none.
   */
  edges(node: number, port: string): readonly number[]
  /** The edge indices of {@link edges} over all ports of the node, ports in order of declaration. */
  all(node: number): readonly number[]
}

/** Sorts the edges of a graph by the port that they end at. A single input keeps its first link only: the others are `INPUT_OCCUPIED`. */
export function inputLinks(
  graph: Graph, { fromAt, toAt }: Pick<GraphEdgeList, 'fromAt' | 'toAt'>, definitionOf: (node: number) => NodeDefinition | undefined,
  broken: ReadonlySet<number> | undefined,
): InputLinks {
  /** Edges of a node: by port where there are several; most nodes have one, for which no map is made. */
  const byNode = new Array<number[] | Map<string, number[]> | undefined>(graph.nodes.length)
  for (let e = 0; e < graph.edges.length; e++) {
    if (broken?.has(e) === true) continue
    const { from, to } = graph.edges[e]!, target = toAt[e]!, source = fromAt[e]!
    if (target < 0 || source < 0) continue
    const consumer = definitionOf(target), input = consumer && linkableInput(consumer, to[1])
    if (input === undefined || own(definitionOf(source)?.outputs, from[1]) === undefined) continue
    const held = byNode[target]
    if (held === undefined) { byNode[target] = [e]; continue }
    const ports = Array.isArray(held) ? new Map([[graph.edges[held[0]!]!.to[1], held]]) : held, list = ports.get(to[1])
    byNode[target] = ports
    if (list === undefined) ports.set(to[1], [e])
    else if (input.multi === true) list.push(e)
  }
  for (const ports of byNode) {
    if (ports instanceof Map) {
      for (const list of ports.values()) list.sort((a, b) => (graph.edges[a]!.order ?? a) - (graph.edges[b]!.order ?? b) || a - b)
    }
  }
  return {
    edges: (node, port) => {
      const held = byNode[node]
      return (Array.isArray(held) ? graph.edges[held[0]!]!.to[1] === port ? held : undefined : held?.get(port)) ?? NONE
    },
    all: (node) => {
      const held = byNode[node] ?? NONE
      return held instanceof Map ? Object.keys(linkableInputs(definitionOf(node)!)).flatMap((port) => held.get(port) ?? NONE) : held
    },
  }
}
const NONE: readonly number[] = []

function own<T>(table: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return table !== undefined && Object.hasOwn(table, name) ? table[name] : undefined
}
