import type { MillraceError } from '../errors/millrace-error.js'
import { isMillraceError } from '../errors/millrace-error.js'
import { corrupt as corruptArena } from '../memory/arena-check.js'
import { ARENA, SLOT, SLOT_STATUS } from '../memory/layout.js'
import type { Clock } from '../schedule/clock.js'
import type { RemoteWorker } from './remote-worker.js'
import type { Slots, SlotState } from './slots.js'

/** How often the supervisor looks, ms. */
const SCAN_MS = 250
/** Later than this beyond its time it was itself held up (suspended, a throttled tab): what it sees says nothing about workers. */
const LATE_MS = 1_000
/** How long a busy worker's heartbeat may stand still when nobody says otherwise, ms (MW-45). */
const HANG_MS = 3_000

/** What the supervisor watches and tells. */
export interface SupervisorParts {
  /** Throws `ARENA_CORRUPT` when the arena is not what it must be. */
  readonly check: () => void
  readonly clock: Clock
  readonly slots: Slots
  readonly workers: () => readonly RemoteWorker[]
  /** `state`: as in {@link hung}. */
  readonly hangMs: (state: SlotState | undefined) => number | undefined
  /** `state`: what its slot says; undefined in transfer mode. */
  readonly hung: (worker: RemoteWorker, ms: number, state: SlotState | undefined) => void
  readonly corrupt: (error: MillraceError) => void
  /** After each look. */
  readonly looked: () => void
}

/**
 * Watches workers while work is pending: every 250 ms, by its own clock, whether busy ones still beat (in transfer mode: say anything) and
 * whether the arena is still the arena (MW-02, MW-45). Ends are told by the host's events, not here.
 */
export class Supervisor {
  readonly #o: SupervisorParts
  #stop: AbortController | undefined

  constructor(parts: SupervisorParts) { this.#o = parts }

  start(): void {
    if (this.#stop !== undefined) return
    this.#stop = new AbortController()
    void this.#watch(this.#stop.signal)
  }

  stop(): void {
    this.#stop?.abort()
    this.#stop = undefined
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { check, clock, workers, corrupt, looked } = this.#o
    let last = clock.nowUs()
    for (const worker of workers()) worker.beatUs = last
    for (;;) {
      await clock.sleep(SCAN_MS, signal)
      if (signal.aborted) return
      const now = clock.nowUs(), late = now - last > (SCAN_MS + LATE_MS) * 1_000
      last = now
      try {
        check()
        for (const worker of workers()) this.#expectOwn(worker)
      } catch (error) {
        if (!isMillraceError(error)) throw error
        corrupt(error)
        return
      }
      for (const worker of [...workers()]) this.#look(worker, now, late)
      looked()
    }
  }

  /** Its slot is its own. */
  #expectOwn({ slot, ordinal, life }: RemoteWorker): void {
    if (slot < 0 || (life.state !== 'idle' && life.state !== 'busy')) return
    const { pid, status } = this.#o.slots.state(slot), at = ARENA.SLOTS + slot * SLOT.BYTES
    if (pid !== ordinal) throw corruptArena(`pid ${ordinal} of slot ${slot}`, pid, at + SLOT.PID)
    if (status === SLOT_STATUS.DEAD) throw corruptArena(`status of slot ${slot}, which has a worker,`, status, at + SLOT.STATUS)
  }

  #look(worker: RemoteWorker, now: number, late: boolean): void {
    if (worker.report === undefined) return
    if (worker.slot < 0) { this.#listen(worker, now, late); return }
    const state = this.#o.slots.state(worker.slot), busy = state.status === SLOT_STATUS.BUSY
    // It works before its answer to the call that started it is here.
    if (worker.life.state === 'booting' || worker.life.state === 'respawning') {
      if (!busy) return
      worker.life.on('ready')
    }
    if (busy !== (worker.life.state === 'busy')) worker.life.on(busy ? 'take' : 'finish')
    if (!busy || late || state.beat !== worker.beat) {
      worker.beat = state.beat
      worker.beatUs = now
      return
    }
    this.#judge(worker, now, this.#o.hangMs(state), state)
  }

  /** Transfer mode: one of its segments runs, nobody here knows which, so the most patient one decides. */
  #listen(worker: RemoteWorker, now: number, late: boolean): void {
    if (worker.executing.size === 0 || late) { worker.beatUs = now; return }
    const common = this.#o.hangMs(undefined) ?? HANG_MS
    this.#judge(worker, now, [...worker.executing].reduce((most, { plan: { hangMs = common } }) => Math.max(most, hangMs), 0), undefined)
  }

  #judge(worker: RemoteWorker, now: number, ms = HANG_MS, state: SlotState | undefined): void {
    if (now - worker.beatUs > ms * 1_000) this.#o.hung(worker, Math.round((now - worker.beatUs) / 1_000), state)
  }
}
