import { anyMedia, type MediaConstraint } from '../media/media-type.js'
import type { GraphEdge, GraphNode, PortRef } from './graph.js'
import type { NodeDefinition } from './node-definition.js'
import { portKey } from './port-key.js'

/** A source that stands for a value which comes from outside, and gives `media` at its port `out`. It never runs. */
export function inputSource(id: string, media: MediaConstraint = anyMedia()): GraphNode {
  const definition: NodeDefinition = {
    type: 'millrace::input', version: '1.0.0', title: 'input', doc: 'Stands for a value from outside.', family: 'internal', params: {},
    inputs: {}, outputs: { out: { media } },
  }
  return { id: id as GraphNode['id'], type: definition.type, definition, params: {} }
}

/** Appends edges to those of a graph: each as the last link of its port, whatever the others' `order` says. O(edges) for all of them. */
export class LastEdges {
  readonly edges: GraphEdge[]
  /** Highest `order` by port. */
  readonly #last = new Map<string, number>()

  constructor(edges: readonly GraphEdge[]) {
    this.edges = [...edges]
    for (const { to, order } of edges) {
      if (order !== undefined) this.#last.set(portKey(to), Math.max(this.#last.get(portKey(to)) ?? order, order))
    }
  }

  /** Adds an edge; `order` is written only where its position does not do already. */
  add(from: PortRef, to: PortRef): void {
    const last = this.#last.get(portKey(to))
    if (last === undefined || last < this.edges.length) { this.edges.push({ from, to }); return }
    this.#last.set(portKey(to), last + 1)
    this.edges.push({ from, to, order: last + 1 })
  }
}
