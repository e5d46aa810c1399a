import type { CopyEntry, CopyLedger, CopyReason } from '../memory/copies.js'
import type { BatchOutcome } from '../schedule/batch/batch-types.js'
import { copiesOf, edgeRows } from '../schedule/batch/edge-rows.js'
import type { CompiledPlan } from '../schedule/compiled-plan.js'
import type { PlanEdge } from '../schedule/plan.js'

/** Runs whose edges are remembered. */
const RUNS = 8

/**
 * One edge of a run that has ended (MW-23). `from`: `node.port`, or the name of a call of a user's (`audio.from`), with `runId`
 * empty. `to`: `node.port`, empty for who called.
 */
export interface EdgeStats {
  readonly runId: string
  readonly from: string
  readonly to: string
  /**
   * `address`: inside a segment; `value`: a whole block; `queue`: packets by handle; `transfer`: to or from
   * another memory. Empty: no edge of the graph.
   */
  readonly transport: PlanEdge['transport'] | ''
  /** Packets and frames that a queue has carried; 0 for what no queue carries. */
  readonly items: number
  readonly frames: number
  /** Bytes copied, by reason. What is copied for a value stands at the first edge that it leaves by. */
  readonly copyBytes: Readonly<Record<CopyReason, number>>
}

/**
 * What the last runs' edges carried and copied. Nothing is computed until someone asks, and once a run: O(edges of
 * that run), then nothing but a list of them.
 */
export class EdgeLog {
  readonly #runs: (() => readonly EdgeStats[])[] = []
  #all: readonly EdgeStats[] | undefined

  /** Remembers a run that has ended: numbers and names only. */
  add(runId: string, { plan: { edges } }: CompiledPlan, { edges: carried, segments }: BatchOutcome, copies: CopyLedger): void {
    const charged = copiesOf(copies, segments.map((segment) => segment?.report()))
    let rows: readonly EdgeStats[] | undefined
    this.#runs.push(() => rows ??= statsOf(runId, edges, carried, charged))
    if (this.#runs.length > RUNS) this.#runs.shift()
    this.#all = undefined
  }

  /** All edges, oldest run first, after what was copied outside of runs. */
  list(outside: CopyLedger): EdgeStats[] {
    // Copies to threads are made for runs, whose segments tell them.
    return statsOf('', [], [], outside.entries().filter(({ reason }) => reason !== 'thread'))
      .concat(this.#all ??= this.#runs.flatMap((run) => run()))
  }
}

function statsOf(runId: string, edges: readonly PlanEdge[], carried: BatchOutcome['edges'], copies: readonly CopyEntry[]): EdgeStats[] {
  return edgeRows(edges, carried, copies)
    .map(({ from, to, transport, items, frames, copyBytes }) => ({ runId, from, to, transport, items, frames, copyBytes }))
}
