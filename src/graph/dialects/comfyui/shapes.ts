import { any, anyObject, either, integer, list, number, object, text, type Field, type Shape } from '../../schema/shape.js'

/** Shapes of ComfyUI's two formats, as far as they matter to the graph; everything else in a file is kept and never looked into. */

const needed = (shape: Shape): Field => ({ shape, required: true })
const NONE: Shape = { kind: 'choice', values: [null as never] }
const optional = (shape: Shape): Field => ({ shape: either(shape, NONE) })

/** Numbers, or text of group nodes and flattened subgraphs (`57:3`). */
const nodeId = either(integer(), text({ min: 1, max: 64, noControl: true }))
const slot = either(integer(0, 10_000), text({ pattern: '\\d{1,4}', name: 'a slot number' }))
const className = text({ min: 1, max: 255 })

const input = object('input', { name: needed(text()), link: optional(integer()) })
const output = object('output', { name: needed(text()), links: optional(list(integer())) })

/** A node of a workflow. */
export const nodeShape = object('node', {
  id: needed(nodeId), type: needed(className), mode: { shape: number() }, inputs: optional(list(input, undefined, 1_024)),
  outputs: optional(list(output, undefined, 1_024)),
  widgets_values: optional(either(list(any), anyObject)), title: optional(text()), flags: optional(anyObject),
  properties: optional(anyObject),
})

const linkTuple: Shape = {
  kind: 'tuple', items: [integer(), nodeId, slot, nodeId, slot, any], name: '[id, node, output, node, input, type]',
}
const linkObject = object('link', {
  id: needed(integer()), origin_id: needed(nodeId), origin_slot: needed(slot), target_id: needed(nodeId), target_slot: needed(slot),
})
const port = object('port', { id: { shape: text() }, name: needed(text()) })
const ioNode = object('io node', { id: needed(nodeId) })

const scope: Readonly<Record<string, Field>> = {
  nodes: needed(list(nodeShape)), links: optional(list(either(linkTuple, linkObject))), groups: optional(list(anyObject)),
  definitions: optional(anyObject), extra: optional(anyObject),
}
/** A whole workflow, version 0.4 or 1. */
export const workflowShape = object('comfyui-workflow', scope)
/** A subgraph definition: a workflow with ports. */
export const subgraphShape = object('subgraph', {
  ...scope, id: needed(text({ min: 1, max: 255 })), inputs: optional(list(port, undefined, 1_024)),
  outputs: optional(list(port, undefined, 1_024)), inputNode: optional(ioNode), outputNode: optional(ioNode),
})
/** Where a workflow keeps its subgraph definitions. */
export const definitionsShape = object('definitions', { subgraphs: optional(list(anyObject)) })

/** A node of the API format. */
export const apiNodeShape = object('node', { class_type: needed(className), inputs: { shape: anyObject }, _meta: { shape: anyObject } })
