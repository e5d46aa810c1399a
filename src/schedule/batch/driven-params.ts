import { checkParam } from '../../graph/check-param.js'
import { graphErrors } from '../../graph/errors.js'
import type { ParamValues } from '../../graph/node-definition.js'
import type { ResolvedNode } from '../resolved-graph.js'
import type { NodeInput } from './node-input.js'

/** The value that an edge gives to a param. Throws `PARAM_INVALID`. */
export function drivenValue({ id, definition }: ResolvedNode, name: string, value: unknown): unknown {
  const problem = checkParam(definition.params[name]!, value)
  if (problem) {
    throw graphErrors.PARAM_INVALID({
      node: id, param: name + problem.path, constraint: problem.constraint, limit: problem.limit,
      got: definition.params[name]!.secret === true ? '(secret)' : problem.got,
    }, { nodeId: id, nodeType: definition.type, port: name })
  }
  return value
}

/**
 * Params of a node written in TypeScript that edges drive: the nth packet of such an edge is the param's value for the nth packet of the
 * node's first input, or, of a node that has none but lazy ones, from its nth record on. An edge that has ended keeps its last value; one
 * that gives nothing leaves the param as it was set.
 */
export class DrivenParams {
  /** All params; those that edges drive change while the node runs. */
  readonly values: Record<string, unknown>
  readonly #node: ResolvedNode
  readonly #edges: readonly (readonly [string, NodeInput])[]
  /** They go on with the node's first input; else with what it gives. */
  readonly byInput: boolean

  constructor(node: ResolvedNode, params: ParamValues, edges: readonly (readonly [string, NodeInput])[], head: NodeInput | undefined) {
    this.values = { ...params }
    this.#node = node
    this.#edges = edges
    this.byInput = head !== undefined
    if (head && edges.length > 0) head.onNext = () => this.advance()
  }

  /** Names of the params that edges drive. */
  get names(): readonly string[] { return this.#edges.map(([name]) => name) }

  /** Goes on to each edge's next packet. Throws `PARAM_INVALID`, and what failed an edge. */
  async advance(): Promise<void> {
    for (const [name, input] of this.#edges) {
      const packet = await input.next()
      if (packet !== undefined) this.values[name] = drivenValue(this.#node, name, packet.data)
    }
  }
}
