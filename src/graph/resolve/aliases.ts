import { ask } from '../ask.js'
import { passesThrough, type ChannelView } from '../node-definition.js'
import { valueId, type LinkedNode, type ValueId } from './linked-node.js'

/** Writers' values and the views of them that readers get. */
export interface Aliases {
  /** Value id → the value id of its real writer. */
  readonly origin: Map<ValueId, ValueId>
  /** Values that are some channels of their origin. */
  readonly views: Map<ValueId, ChannelView>
  /** Values that come later than their origin, frames. */
  readonly delays: Map<ValueId, number>
  /** The feedback edges nearest to these, by position. */
  readonly late: Map<ValueId, number>
  /** A node of a loop that changes nothing all the way round, whose values come from nowhere: nothing else here holds then. */
  readonly endless?: LinkedNode
}

/**
 * Where a value really comes from: `passThrough` outputs are their node's first input, nodes that change nothing are skipped.
 * Returns the writer's value id for every value id of the graph.
 */
export function resolveAliases(nodes: readonly LinkedNode[], removed: ReadonlySet<string>): Aliases {
  const origin = new Map<ValueId, ValueId>(), views = new Map<ValueId, ChannelView>()
  const delays = new Map<ValueId, number>(), late = new Map<ValueId, number>()
  // Where a first input comes later, its writer may stand behind the node: then once more, until nothing changes; each round
  // gets past one such link at least, or never.
  const most = nodes.reduce((sum, { inputs }) => sum + (inputs[0]?.delay === undefined ? 0 : 1), 1)
  for (let round = 0, again = true; again; round++) {
    again = false
    for (const node of nodes) {
      const first = node.inputs[0], source = first?.from
      for (const [port, output] of Object.entries(node.definition.outputs)) {
        const own = valueId(node.id, port)
        const aliased = source !== null && source !== undefined
          && (removed.has(node.id) || ask(node.definition, `outputs.${port}`, () => passesThrough(output, node.params, node.media)))
        const root = aliased ? origin.get(source) ?? source : own, delay = aliased ? (first!.delay ?? 0) + (delays.get(source) ?? 0) : 0
        again ||= (delays.get(own) ?? 0) !== delay || (delays.size > 0 && origin.get(own) !== root)
        origin.set(own, root)
        if (delay > 0) { delays.set(own, delay); late.set(own, first!.late ?? late.get(source!)!) }
        const view = aliased ? viewOf(views.get(source), output.view?.(node.params, node.media)) : undefined
        if (view) views.set(own, view)
      }
      if (again && round > most) return { origin, views, delays, late, endless: node }
    }
  }
  return { origin, views, delays, late }
}

/** A view of a view. */
function viewOf(outer: ChannelView | undefined, own: ChannelView | undefined): ChannelView | undefined {
  if (outer === undefined || own === undefined) return outer ?? own
  const down = outer.downwards === true
  return { first: outer.first + (down ? -own.first : own.first), downwards: down !== (own.downwards === true) }
}
