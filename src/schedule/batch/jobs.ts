import { commonErrors } from '../../errors/common-errors.js'
import type { MillraceError } from '../../errors/millrace-error.js'
import type { CompiledPlan } from '../compiled-plan.js'
import { onAbort } from '../on-abort.js'
import { valueId } from '../resolved-graph.js'
import type { ValueId } from '../segment-plan.js'
import { outputsOf } from './output-modes.js'
import type { ValueGroup } from './value-group.js'

/** Cancels the work of a node that has not ended, with what is done together with it; false when there is none. */
export type CancelJob = (node: string, reason: unknown) => boolean

/**
 * A run's jobs (EX-52): what starts and ends together, and can be cancelled by itself. A node written in TypeScript, a segment, or
 * whole-value segments that start each other. Each has a signal of its own, which the run's aborts too.
 */
export class Jobs {
  readonly #compiled: CompiledPlan
  readonly #run: AbortSignal
  readonly #byNode = new Map<number, AbortController>()

  constructor(compiled: CompiledPlan, run: AbortSignal) {
    this.#compiled = compiled
    this.#run = run
  }

  /**
   * Cancels a node's job (EX-52); false when the plan has no such node, its job was cancelled before, or the run was stopped. `groupOf`:
   * the whole-value segments that start with a node, if it is in one; `left` tells those who are concerned: who writes for these nodes, and
   * who reads what they would have written.
   */
  cancelNode(
    id: string, reason: unknown, runId: string, groupOf: (node: number) => ValueGroup | undefined,
    left: (members: readonly number[], outputs: readonly ValueId[], error: MillraceError) => void,
  ): boolean {
    const { nodes, removed } = this.#compiled, index = nodes.findIndex((node) => node.id === id)
    if (index < 0 || removed.has(id) || this.#run.aborted || this.cancelled(index) !== undefined) return false
    const { members, outputs } = this.#membersOf(index, groupOf(index)), error = cancelledBy(reason, runId, id)
    this.#of(members).abort(error)
    left(members, outputs, error)
    return true
  }

  /** Nodes of a node's job, and what they write. */
  #membersOf(node: number, group: ValueGroup | undefined): { readonly members: readonly number[]; readonly outputs: readonly ValueId[] } {
    const { segments, nodes } = this.#compiled
    const plan = segments.find((one) => one.nodes.some((member) => member.node === node))
    const { id, definition } = nodes[node]!
    if (plan === undefined) return { members: [node], outputs: Object.keys(definition.outputs).map((port) => valueId(id, port)) }
    if (plan.feed !== 'values' || group === undefined) return { members: plan.nodes.map((member) => member.node), outputs: outputsOf(plan) }
    return { members: group.nodes, outputs: group.segments.flatMap((one) => outputsOf(one.plan)) }
  }

  /** The signal of the job that does these nodes. */
  signal(nodes: readonly number[]): AbortSignal { return this.#of(nodes).signal }

  /** Why a node's job was cancelled, unless the run was stopped. */
  cancelled(node: number): MillraceError | undefined {
    const signal = this.#byNode.get(node)?.signal
    return signal?.aborted === true && !this.#run.aborted ? signal.reason as MillraceError : undefined
  }

  #of(nodes: readonly number[]): AbortController {
    let job = this.#byNode.get(nodes[0]!)
    if (job !== undefined) return job
    const made = job = new AbortController(), stop = (): void => { made.abort(this.#run.reason) }
    if (this.#run.aborted) stop(); else onAbort(this.#run, stop)
    for (const node of nodes) this.#byNode.set(node, made)
    return job
  }
}

/** `CANCELLED` of a run, or of a node's job. */
export function cancelledBy(reason: unknown, runId: string, nodeId?: string): MillraceError {
  const text = reason instanceof Error ? reason.message : typeof reason === 'string' ? reason : 'by the caller'
  return commonErrors.CANCELLED({ id: nodeId === undefined ? runId : `${runId}, node ${nodeId}`, reason: text }, {
    runId, cause: reason, ...(nodeId !== undefined && { nodeId }),
  })
}
