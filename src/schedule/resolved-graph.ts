import { passesThrough, type NodeDefinition, type ParamValues, type PortMedia } from '../graph/node-definition.js'
import type { ReferenceParts } from '../kernels/reference-code.js'
import type { Tier } from '../graph/tiers.js'
import type { ValueId } from './segment-plan.js'

/** One link into a node. `link` is the port's name, or `port.n` for the nth link of a `multi` input. */
export interface ResolvedInput { readonly link: string; readonly port: string; readonly from: ValueId | null }

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
export function resolveAliases(nodes: readonly ResolvedNode[], removed: ReadonlySet<string>): Map<ValueId, ValueId> {
  const origin = new Map<ValueId, ValueId>()
  for (const node of nodes) {
    const source = node.inputs[0]?.from
    for (const [port, output] of Object.entries(node.definition.outputs)) {
      const own = valueId(node.id, port)
      const aliased = source !== null && source !== undefined && (removed.has(node.id) || passesThrough(output, node.params, node.media))
      origin.set(own, aliased ? origin.get(source) ?? source : own)
    }
  }
  return origin
}

/** A node's reference with what it reads; undefined for nodes that have none. */
export function referenceParts(node: ResolvedNode): ReferenceParts | undefined {
  const { definition, params, media } = node
  return definition.reference && { reference: definition.reference, params, media, controls: controlNames(node) }
}

/** Names of the control records in order: params that may change while running; with a `multi` input param by param, `param.n` for its nth link. */
function controlNames({ definition, inputs }: ResolvedNode): string[] {
  const names = Object.entries(definition.params).filter(([, param]) => param.rate === 'sample' || param.rate === 'block').map(([name]) => name)
  const links = inputs.filter((input) => definition.inputs[input.port]?.multi === true)
  return links.length === 0 ? names : names.flatMap((name) => links.map((_, n) => `${name}.${n}`))
}
