import { anyMedia, type MediaConstraint } from '../media/media-type.js'
import type { Graph, GraphEdge, GraphNode, PortRef } from './graph.js'
import type { NodeDefinition } from './node-definition.js'

/** A source that stands for a value which comes from outside, and gives `media` at its port `out`. It never runs. */
export function inputSource(id: string, media: MediaConstraint = anyMedia()): GraphNode {
  const definition: NodeDefinition = { type: 'millrace::input', version: '1.0.0', title: 'input', doc: 'Stands for a value from outside.', family: 'internal', params: {}, inputs: {}, outputs: { out: { media } } }
  return { id: id as GraphNode['id'], type: definition.type, definition, params: {} }
}

/** The `order` of a new last edge into a port: behind those that are there, whatever they say. Nothing where its position does already. */
export function orderAfter({ edges }: Pick<Graph, 'edges'>, [node, port]: PortRef): Pick<GraphEdge, 'order'> {
  const last = edges.reduce((most, { to, order }) => order !== undefined && to[0] === node && to[1] === port ? Math.max(most, order) : most, -Infinity)
  return last < edges.length ? {} : { order: last + 1 }
}
