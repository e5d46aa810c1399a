import { commonErrors } from '../errors/common-errors.js'
import { passesThrough, type ChannelView, type NodeDefinition, type ParamValues, type PortMedia } from '../graph/node-definition.js'
import type { ReferenceParts } from '../kernels/reference-code.js'
import type { Tier } from '../graph/tiers.js'
import type { NodePolicy } from './policy/node-policy.js'
import type { ValueId } from './segment-plan.js'

/** One link into a node. `link` is the port's name, or `port.n` for the nth link of a `multi` input. */
export interface ResolvedInput {
  readonly link: string
  readonly port: string
  readonly from: ValueId | null
  /** The edge drives a param: number of its control record; −1 for a node written in TypeScript. Such links follow the inputs. */
  readonly control?: number
  /** Frames by which it comes later than its writer wrote it, those of the aliases in between included (GR-12). */
  readonly delay?: number
}

/** Writers' values and the views of them that readers get. */
export interface Aliases {
  /** Value id → the value id of its real writer. */
  readonly origin: Map<ValueId, ValueId>
  /** Values that are some channels of their origin. */
  readonly views: Map<ValueId, ChannelView>
  /** Values that come later than their origin, frames. */
  readonly delays: Map<ValueId, number>
}

/** A node with everything decided that does not depend on its neighbours' placement. In topological order; `index` is the position there. */
export interface ResolvedNode {
  readonly index: number
  readonly id: string
  readonly definition: NodeDefinition
  readonly params: ParamValues
  /** By port or link name. */
  readonly media: PortMedia
  readonly inputs: readonly ResolvedInput[]
  /** Tier of a kernel node; null for a node written in TypeScript. */
  readonly tier: Tier | null
  readonly tierWhy: string
  /** Estimated µs for the whole run. */
  readonly estUs: number
  /** Absent: the node asks for nothing. */
  readonly policy?: NodePolicy
  /** Links that carry lists. Absent: none. */
  readonly lists?: ReadonlySet<string>
  /** A list comes where one item is taken: the node is called once per item, and its outputs are lists. */
  readonly perItem?: boolean
}

/** Node id part of a value id. Node ids may contain dots; port names may not. */
export function nodeOf(value: ValueId): string { return value.slice(0, value.lastIndexOf('.')) }
/** Port part of a value id. */
export function portOf(value: ValueId): string { return value.slice(value.lastIndexOf('.') + 1) }
/** Name of the value that a port writes. */
export function valueId(node: string, port: string): ValueId { return `${node}.${port}` }

/**
 * Where a value really comes from: `passThrough` outputs are their node's first input, nodes that change nothing are skipped.
 * Returns the writer's value id for every value id of the graph.
 */
export function resolveAliases(nodes: readonly ResolvedNode[], removed: ReadonlySet<string>): Aliases {
  const origin = new Map<ValueId, ValueId>(), views = new Map<ValueId, ChannelView>(), delays = new Map<ValueId, number>()
  // Where a first input comes later, its writer may stand behind the node: then once more, until nothing changes.
  for (let round = 0, again = true; again; round++) {
    again = false
    for (const node of nodes) {
      const source = node.inputs[0]?.from, late = node.inputs[0]?.delay ?? 0
      for (const [port, output] of Object.entries(node.definition.outputs)) {
        const own = valueId(node.id, port)
        const aliased = source !== null && source !== undefined && (removed.has(node.id) || passesThrough(output, node.params, node.media))
        const root = aliased ? origin.get(source) ?? source : own, delay = aliased ? late + (delays.get(source) ?? 0) : 0
        again ||= (delays.get(own) ?? 0) !== delay || (delays.size > 0 && origin.get(own) !== root)
        origin.set(own, root)
        if (delay > 0) delays.set(own, delay)
        const view = aliased ? viewOf(views.get(source), output.view?.(node.params, node.media)) : undefined
        if (view) views.set(own, view)
      }
      if (again && round > nodes.length) throw commonErrors.UNSUPPORTED({ feature: `Feedback into ${node.id}`, runtime: 'a loop of nodes that change nothing', alternative: 'Remove it.' }, { nodeId: node.id })
    }
  }
  return { origin, views, delays }
}

/** Nodes that no code runs for: they change nothing, or all that they give are views. */
export function needsNoCode(node: ResolvedNode): boolean {
  if (node.definition.identity?.(node.params, node.media) === true) return true
  const outputs = Object.values(node.definition.outputs)
  return outputs.length > 0 && outputs.every((output) => output.view?.(node.params, node.media) !== undefined)
}

/** A view of a view. */
function viewOf(outer: ChannelView | undefined, own: ChannelView | undefined): ChannelView | undefined {
  if (outer === undefined || own === undefined) return outer ?? own
  const down = outer.downwards === true
  return { first: outer.first + (down ? -own.first : own.first), downwards: down !== (own.downwards === true) }
}

/** A node's reference with what it reads; undefined for nodes that have none. */
export function referenceParts(node: ResolvedNode): ReferenceParts | undefined {
  const { definition, params, media } = node
  return definition.reference && { reference: definition.reference, params, media, controls: controlNames(node) }
}

/** Names of the control records in order: params that may change while running; with a `multi` input param by param, `param.n` for its nth link. */
export function controlNames({ definition, inputs }: Pick<ResolvedNode, 'definition' | 'inputs'>): string[] {
  const names = Object.entries(definition.params).filter(([, param]) => param.rate === 'sample' || param.rate === 'block').map(([name]) => name)
  const links = inputs.filter((input) => definition.inputs[input.port]?.multi === true)
  return links.length === 0 ? names : names.flatMap((name) => links.map((_, n) => `${name}.${n}`))
}
