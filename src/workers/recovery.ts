import type { CoreExports } from '../kernels/runtime.js'
import type { MillraceError } from '../errors/millrace-error.js'
import type { Arena } from '../memory/arena.js'
import { SLOT_PHASE } from '../memory/layout.js'
import type { Clock } from '../schedule/clock.js'
import type { RunTable } from './run-table.js'
import type { Slots } from './slots.js'

/** How long a live worker may touch rings before it counts as dead too, ms (MW-34). */
const QUIET_MS = 100

/**
 * What rebuilding needs. `corrupt`: nothing is rebuilt any more. `damaged`: makes it so. `stuck`: a slot whose worker
 * does not leave its ring; it is to be ended.
 */
export interface RecoveryParts {
  readonly arena: Arena
  readonly core: CoreExports
  readonly clock: Clock
  readonly slots: Slots
  readonly corrupt: () => boolean
  readonly damaged: (error: MillraceError) => void
  readonly stuck: (slot: number) => void
}

/**
 * Makes the runs in shared memory whole after a worker was ended at any instruction (MW-34): sets every run's `rebuilding` flag, waits
 * until no live worker touches a ring, and makes counts and rings again from the tasks' states. One rebuild at a time; model:
 * test/models/task-protocol.ts. Engine thread.
 */
export class Recovery {
  readonly #o: RecoveryParts
  readonly #tables = new Set<RunTable>()
  #last: Promise<void> = Promise.resolve()
  #asked = false

  constructor(parts: RecoveryParts) { this.#o = parts }

  watch(table: RunTable): void { this.#tables.add(table) }
  forget(table: RunTable): void { this.#tables.delete(table) }

  /** Throws `ARENA_CORRUPT` when a run's record is not as it must be (MW-02). */
  check(): void { for (const table of this.#tables) table.check() }
  /** A run's record is not as it must be: nobody goes on in this arena. */
  damaged(error: MillraceError): void { this.#o.damaged(error) }

  /** A ring refused a task: rebuilds soon. */
  request(): void {
    if (this.#asked) return
    this.#asked = true
    void this.rebuild().finally(() => { this.#asked = false })
  }

  /** Rebuilds all runs; the slots of workers that are gone must be DEAD. Tasks that had lost their worker are DELAYED when it settles. */
  rebuild(): Promise<void> { return this.#last = this.#last.then(() => this.#rebuild()) }

  async #rebuild(): Promise<void> {
    const { arena, core, clock, slots } = this.#o, tables = [...this.#tables]
    if (tables.length === 0 || this.#o.corrupt()) return
    for (const table of tables) table.raise()
    let since = clock.nowUs()
    while (core.queue_quiet(arena.base) === 0) {
      if (clock.nowUs() - since > QUIET_MS * 1_000) {
        for (const slot of slots.inPhase(SLOT_PHASE.QUEUE)) this.#o.stuck(slot)
        since = clock.nowUs()
      }
      await clock.yield()
      if (this.#o.corrupt()) return
    }
    for (const table of tables) table.rebuild()
  }
}
