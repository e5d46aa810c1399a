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
}

/** Writers' values and the views of them that readers get. */
export interface Aliases {
  /** Value id → the value id of its real writer. */
  readonly origin: Map<ValueId, ValueId>
  /** Values that are some channels of their origin. */
  readonly views: Map<ValueId, ChannelView>
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
  const origin = new Map<ValueId, ValueId>(), views = new Map<ValueId, ChannelView>()
  for (const node of nodes) {
    const source = node.inputs[0]?.from
    for (const [port, output] of Object.entries(node.definition.outputs)) {
      const own = valueId(node.id, port)
      const aliased = source !== null && source !== undefined && (removed.has(node.id) || passesThrough(output, node.params, node.media))
      origin.set(own, aliased ? origin.get(source) ?? source : own)
      const view = aliased ? viewOf(views.get(source), output.view?.(node.params, node.media)) : undefined
      if (view) views.set(own, view)
    }
  }
  return { origin, views }
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
