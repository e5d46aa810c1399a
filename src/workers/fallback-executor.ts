import type { OpenSegment, OutputMode, RunScope, SegmentExecutor, ValueTask } from '../schedule/open-segment.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'
import type { WorkerPool } from './pool.js'

/**
 * Shared memory as long as workers get it, transfer from the moment that one says it did not (MW-55, MW-73): a page may call itself
 * isolated, construct shared memory and still refuse to post it. The pool changes mode while it starts workers, so the choice is made after
 * `prepare`.
 */
export class FallbackExecutor implements SegmentExecutor {
  readonly where = 'worker' as const
  readonly #pool: WorkerPool
  readonly #shared: SegmentExecutor
  readonly #transfer: SegmentExecutor

  constructor(pool: WorkerPool, shared: SegmentExecutor, transfer: SegmentExecutor) {
    this.#pool = pool
    this.#shared = shared
    this.#transfer = transfer
  }

  prepare(plans: readonly SegmentPlan[], signal: AbortSignal): Promise<void> { return this.#now.prepare(plans, signal) }
  open(plan: SegmentPlan, outputs: ReadonlyMap<number, OutputMode>, scope: RunScope): Promise<OpenSegment> {
    return this.#now.open(plan, outputs, scope)
  }
  runValues(tasks: readonly ValueTask[], scope: RunScope): Promise<readonly OpenSegment[]> { return this.#now.runValues(tasks, scope) }

  get #now(): SegmentExecutor { return this.#pool.mode.mode === 'shared' ? this.#shared : this.#transfer }
}
