import { MAIL } from '../memory/layout.js'
import { memoryErrors } from '../memory/errors.js'
import { faultError } from './fault.js'
import type { PoolState } from './pool-state.js'
import type { WorkerEvent } from './protocol.js'
import type { RemoteWorker } from './remote-worker.js'
import type { WorkerLosses } from './worker-losses.js'

/** Hears what a worker posts on its port. */
export type EventListener = (worker: RemoteWorker, event: WorkerEvent) => void

/** What is said between a pool and its workers apart from kernel tasks. Engine thread only. */
export class PoolMail {
  readonly #s: PoolState
  readonly #losses: WorkerLosses
  readonly #listeners = new Set<EventListener>()

  constructor(state: PoolState, losses: WorkerLosses) {
    this.#s = state
    this.#losses = losses
  }

  /** Returns how to stop. */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** A message is on its way to a worker that may sleep. */
  posted(worker: RemoteWorker): void {
    this.#s.messages++
    if (worker.slot >= 0 && worker.report !== undefined) this.#s.slots.announce(worker.slot, MAIL.MESSAGES)
  }

  /** A worker has posted something. */
  receive(worker: RemoteWorker, event: WorkerEvent): void {
    if (worker.slot < 0) worker.beatUs = this.#s.nowUs
    switch (event.kind) {
      case 'doorbell': this.#s.host.ring(); break
      case 'beat': break
      case 'task-failed': this.#losses.lose(worker, 'trap', event.fault.message, faultError(event.fault), event.task); break
      case 'worker-failed': this.#losses.lose(worker, 'error', event.fault.message, faultError(event.fault)); break
      case 'corrupt': this.#losses.corrupt(memoryErrors.ARENA_CORRUPT(event)); break
      case 'job-opened': case 'result': case 'job-failed': case 'job-closed':
        for (const listener of [...this.#listeners]) listener(worker, event)
        break
      default: event satisfies never
    }
  }
}
