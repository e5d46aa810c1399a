import type { PacketQueue } from '../packet-queue.js'

/**
 * Keeps a run of bounded queues from standing still: a node that wants a whole input while another reader of the same source waits for that
 * node would fill a queue for ever. When all live tasks wait on queues, the full ones grow. O(1) per wait.
 */
export class StallBreaker {
  #live = 0
  #waits = 0
  readonly #full = new Set<PacketQueue>()
  readonly #patient = new Set<() => void>()

  started(): void { this.#live++ }
  ended(): void { this.#live--; this.#check() }

  /** Calls back before any queue grows. Returns how to stop. */
  onStuck(callback: () => void): () => void {
    this.#patient.add(callback)
    return () => { this.#patient.delete(callback) }
  }

  waiting(queue: PacketQueue, end: 'reader' | 'writer', waits: boolean): void {
    this.#waits += waits ? 1 : -1
    if (end === 'writer') { if (waits) this.#full.add(queue); else this.#full.delete(queue) }
    if (waits) this.#check()
  }

  #check(): void {
    if (this.#waits < this.#live || this.#full.size === 0) return
    const patient = [...this.#patient]
    this.#patient.clear()
    for (const callback of patient) callback()
    if (patient.length > 0) return
    // A writer that is held up on purpose goes on waiting, unless there is no other.
    const full = [...this.#full], wanted = full.filter(({ mode }) => mode !== 'hold')
    for (const queue of wanted.length > 0 ? wanted : full) queue.grow()
  }
}
