import type { Media } from '../../media/media-type.js'
import type { Graph, GraphNode } from '../graph.js'
import type { NodeDefinition } from '../node-definition.js'
import { resolveParams } from '../params.js'
import type { Tier } from '../tiers.js'
import { driverKey, driverNeeds } from './driver-key.js'
import { controlNames, valueId, type LinkedInput, type LinkedNode, type ValueId } from './linked-node.js'

/** How nodes run, as far as linking asks. */
export interface LinkOptions {
  /** Tier of a kernel node. */
  readonly tierOf: (node: GraphNode) => Tier
  /** The definition of a kernel node that is to run once per item of a list; default {@link perItemPorts}. */
  readonly perItem?: (node: GraphNode) => NodeDefinition
}

const NONE: ReadonlySet<string> = new Set()

interface Link { readonly to: string; readonly from: ValueId; readonly order: number; readonly edge: number; readonly delay?: number }

/** Nodes of a graph in the given order, each with its params, media and links. O(nodes + edges). */
export function linkNodes(graph: Graph, order: Uint32Array, media: ReadonlyMap<ValueId, Media>, o: LinkOptions): LinkedNode[] {
  const links = new Map<string, Link[]>()
  graph.edges.forEach((edge, i) => {
    const list = links.get(edge.to[0]) ?? []
    list.push({
      to: edge.to[1], from: valueId(edge.from[0], edge.from[1]), order: edge.order ?? i, edge: i,
      ...(edge.delayFrames !== undefined && { delay: edge.delayFrames }),
    })
    links.set(edge.to[0], list)
  })
  const lists = new Set<ValueId>()
  return Array.from(order, (index, position) => {
    const node = graph.nodes[index]!
    let definition = node.definition!
    const { values: params } = resolveParams(definition, node.params)
    const inputs = inputsOf(definition, links.get(node.id) ?? [])
    const own: Record<string, Media> = {}
    for (const input of inputs) { const m = input.from === null ? undefined : media.get(input.from); if (m) own[input.link] = m }
    for (const port of Object.keys(definition.outputs)) { const m = media.get(valueId(node.id, port)); if (m) own[port] = m }
    const ofLists = lists.size === 0 ? NONE : new Set(inputs.flatMap(({ link, from }) => from !== null && lists.has(from) ? [link] : []))
    if (ofLists.size === 0) {
      for (const port in definition.outputs) if (definition.outputs[port]!.list === true) lists.add(valueId(node.id, port))
      return {
        index: position, id: node.id, definition, params, media: own, inputs, tier: definition.kernel === undefined ? null : o.tierOf(node),
        driver: driverKey(driverNeeds(node, definition), node.id),
      }
    }
    const taken = inputs.filter(({ link }) => ofLists.has(link))
    const perItem = taken.some(({ port }) => definition.inputs[port]?.list !== true && definition.inputs[port]?.lazy !== true)
    // A lazy list comes as it is, and an output that matches that input gives it on.
    const asIs = new Set(taken.flatMap(({ port }) => {
      const m = definition.inputs[port]?.media
      return m?.kind === 'match' && definition.inputs[port]!.list !== true ? [m.name] : []
    }))
    for (const [port, { list, media: one }] of Object.entries(definition.outputs)) {
      if (perItem || list === true || (one.kind === 'match' && asIs.has(one.name))) lists.add(valueId(node.id, port))
    }
    if (perItem && definition.process === undefined) definition = o.perItem?.(node) ?? perItemPorts(definition)
    return {
      index: position, id: node.id, definition, params, media: own, inputs, tier: definition.kernel === undefined ? null : o.tierOf(node),
      driver: driverKey(driverNeeds(node, definition), node.id), lists: ofLists, perItem,
    }
  })
}

/** A kernel's type without its code: whatever runs it item by item has its ports and params. */
export function perItemPorts({ kernel: _kernel, reference: _reference, summary: _summary, ...definition }: NodeDefinition): NodeDefinition {
  return {
    ...definition,
    outputs: Object.fromEntries(Object.entries(definition.outputs)
      .map(([port, { media, doc }]) => [port, { media, ...(doc !== undefined && { doc }) }])),
  }
}

/** Links in slot order: declared ports, the links of a `multi` input in their order; then params that edges drive. */
function inputsOf(definition: NodeDefinition, links: readonly Link[]): LinkedInput[] {
  const source = ({ from, edge, delay }: Link): Pick<LinkedInput, 'from' | 'edge' | 'delay' | 'late'> => ({
    from, edge, ...(delay !== undefined && { delay, late: edge }),
  })
  const inputs = Object.entries(definition.inputs).flatMap(([port, declared]): LinkedInput[] => {
    const own = links.filter((link) => link.to === port).sort((a, b) => a.order - b.order || a.edge - b.edge)
    if (declared.multi) return own.map((link, n) => ({ link: `${port}.${n}`, port, ...source(link) }))
    return [{ link: port, port, ...(own[0] ? source(own[0]) : { from: null }) }]
  })
  const driven = links.length === inputs.filter(({ from }) => from !== null).length
    ? []
    : Object.keys(definition.params).flatMap((name): LinkedInput[] => {
      const link = links.find((one) => one.to === name)
      return link === undefined ? [] : [{
        link: name, port: name, ...source(link),
        control: definition.kernel === undefined ? -1 : controlNames({ definition, inputs }).indexOf(name),
      }]
    })
  return driven.length === 0 ? inputs : [...inputs, ...driven]
}

/** Declared run outputs, or every output that nothing reads. */
export function runOutputs(graph: Graph, nodes: readonly LinkedNode[]): Map<string, ValueId> {
  const outputs = new Map<string, ValueId>()
  for (const [name, [node, port]] of graph.outputs) outputs.set(name, valueId(node, port))
  if (graph.outputs.size > 0) return outputs
  const read = new Set(nodes.flatMap((node) => node.inputs.map((input) => input.from)))
  for (const node of nodes) for (const [port, output] of Object.entries(node.definition.outputs)) {
    const value = valueId(node.id, port)
    // Of a view's ports those that the input has channels for cannot be told apart here: the ones that are read count.
    if (!read.has(value) && (output.view === undefined || port === node.definition.main)) outputs.set(value, value)
  }
  return outputs
}
