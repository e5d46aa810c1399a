import { controlNames, type LinkedInput, type LinkedNode } from '../graph/resolve/linked-node.js'
import type { ReferenceParts } from '../kernels/reference-code.js'
import type { NodePolicy } from './policy/node-policy.js'

export { nodeOf, portOf, valueId } from '../graph/resolve/linked-node.js'
/** One link into a node. */
export type ResolvedInput = LinkedInput

/**
 * A node with everything decided that does not depend on its neighbours' placement. In topological order; `index` is the position there.
 */
export interface ResolvedNode extends LinkedNode {
  readonly tierWhy: string
  /** Estimated µs for the whole run. */
  readonly estUs: number
  /** Absent: the node asks for nothing. */
  readonly policy?: NodePolicy
}

/** A node's reference with what it reads; undefined for nodes that have none. */
export function referenceParts(node: ResolvedNode): ReferenceParts | undefined {
  const { definition, params, media } = node
  return definition.reference && { reference: definition.reference, params, media, controls: controlNames(node) }
}
