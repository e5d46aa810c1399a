import type { Diagnostic } from '../../errors/diagnostic.js'
import type { MediaConstraint } from '../../media/media-type.js'
import type { Graph } from '../graph.js'
import type { NodeDefinition } from '../node-definition.js'
import { escapePointer } from '../pointer.js'
import type { Context } from './context.js'

/** A graph with a source for each port that a run-time input with declared `media` goes to, so that negotiation knows what will come. */
export interface GivenMedia {
  readonly graph: Graph
  /** Reports what was found at a source or its edge; false when it stands elsewhere. */
  readonly place: (diagnostic: Diagnostic) => boolean
}

/** Puts sources behind the graph's nodes and edges, whose numbers stay; undefined when no input says its media. Inputs of params need none: params have their own rules. */
export function withGivenMedia(c: Context, graph: Graph): GivenMedia | undefined {
  const nodes: Graph['nodes'][number][] = [], edges: Graph['edges'][number][] = [], at: { readonly index: number; readonly pointer: string }[] = []
  const inputs = new Map(graph.inputs)
  let index = -1
  for (const [name, input] of c.graph.inputs) {
    index++
    if (input.media === undefined) continue
    const ports = input.to.filter(([id, port]) => { const n = c.indexOf.get(id); return n !== undefined && graph.nodes.some((node) => node.id === id) && c.sound(n)?.inputs[port] !== undefined })
    if (ports.length === 0) continue
    inputs.set(name, { ...input, to: input.to.filter((ref) => !ports.includes(ref)) })
    const definition = sourceOf(input.media)
    for (const ref of ports) {
      const id = `~${name}.${ref.join('.')}`
      nodes.push({ id, type: definition.type, definition, params: {} })
      edges.push({ from: [id, 'out'], to: ref })
      at.push({ index, pointer: `/inputs/${escapePointer(name)}/media` })
    }
  }
  if (at.length === 0) return undefined
  return {
    graph: { ...graph, nodes: [...graph.nodes, ...nodes], edges: [...graph.edges, ...edges], inputs },
    place: (diagnostic) => {
      const edge = /^\/edges\/(\d+)$/.exec(diagnostic.pointer ?? ''), own = edge === null ? nodes.findIndex(({ id }) => id === diagnostic.node) : Number(edge[1]) - graph.edges.length
      if (own < 0) return false
      const { suggestions: _edits, ...rest } = diagnostic // they would name the source, which no document has
      c.report('inputs', at[own]!.index, { ...rest, pointer: at[own]!.pointer })
      return true
    },
  }
}

function sourceOf(media: MediaConstraint): NodeDefinition {
  return { type: 'millrace::input', version: '1.0.0', title: 'input', doc: 'Stands for a run-time input.', family: 'internal', params: {}, inputs: {}, outputs: { out: { media } } }
}
