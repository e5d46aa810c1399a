import { isMillraceError } from '../errors/millrace-error.js'
import type { LostWorker } from './pool-options.js'
import type { PoolState } from './pool-state.js'
import { RespawnBudget } from './respawn-budget.js'
import type { WorkerLosses } from './worker-losses.js'
import type { WorkerStarts } from './worker-starts.js'

/** Replacements of lost workers while work is pending, spares first (MW-47, MW-48). Engine thread only. */
export class WorkerSpares {
  readonly #s: PoolState
  readonly #starts: WorkerStarts
  readonly #losses: WorkerLosses
  /** Spares that end as soon as they have booted are not booted for ever (MW-48). Their own: they are nobody's loss. */
  readonly #boots: RespawnBudget
  #sparing = false

  constructor(state: PoolState, starts: WorkerStarts, losses: WorkerLosses) {
    this.#s = state
    this.#starts = starts
    this.#losses = losses
    const { respawns = 10, warmSpares = 1 } = state.o
    this.#boots = new RespawnBudget(respawns + warmSpares)
  }

  /**
   * Starts workers again that could not be started, and spares. What only a missing worker has is not waited for
   * once that was tried often enough (MW-48).
   */
  refill(): void {
    const s = this.#s
    if (s.replaces && s.startsUnderWay === 0 && s.places.free(s.target) > 0) {
      // A loss that is owed is counted by the start.
      if (s.budget.owes || s.budget.take(s.nowUs)) {
        this.#starts.ensure(s.target).catch((error: unknown) => { this.#failed(error) })
      } else if (s.failed !== undefined && this.#lacking) s.break(s.failed)
    }
    this.#keep()
  }

  /**
   * Puts another worker in a lost one's place: a spare at once, else a new one; one that does not
   * take it in the time of a start is lost too.
   */
  async replace(lost: LostWorker, again = false): Promise<void> {
    const s = this.#s
    if (!s.replaces || s.places.free(s.target) === 0) return
    if (again ? !s.budget.take(s.nowUs) : s.budget.settle(s.nowUs, [lost]) !== undefined) { s.break(lost.error); return }
    const shared = s.mode.mode === 'shared', spare = s.spares.find(({ report, ended }) => report?.shared === shared && !ended)
    try {
      if (spare === undefined) { await this.#starts.ensure(s.target); return }
      s.spares.splice(s.spares.indexOf(spare), 1)
      s.workers.push(spare)
      s.places.take(spare)
      if (shared) {
        const rings = this.#starts.reserve(spare)
        await spare.claim(spare.slot, rings, s.o.clock, s.o.startTimeoutMs)
        this.#starts.greeted(spare)
      } else this.#starts.equip(spare)
      this.#starts.ready(spare)
    } catch (error) {
      // A pool that closes ends it.
      if (s.closing !== undefined) return
      if (spare !== undefined && !spare.ended) this.#losses.lose(spare, isSpawn(error) ? 'hang' : 'error', String(error), error)
      // What is no failed start is tried again at the supervisor's looks.
      else if (spare === undefined) {
        this.#failed(error)
        if (isSpawn(error)) await this.replace(lost, true)
      }
    } finally { this.#keep() }
  }

  /** Would work that needs what a missing worker has wait for ever? */
  get #lacking(): boolean {
    const { started, places, o: { facts } } = this.#s, [one] = started, bits = one && (facts?.(places.lowest, one.modules) ?? 0)
    return bits === undefined || started.every((worker) => (bits & ~worker.facts) !== 0)
  }

  #failed(error: unknown): void { if (isMillraceError(error)) this.#s.failed = error }

  /** Boots spares up to, but without, their places (MW-48), one after the other, while work is pending. */
  #keep(): void {
    const s = this.#s, { warmSpares = 1, clock, startTimeoutMs } = s.o
    if (this.#sparing || s.spares.length >= warmSpares || !s.replaces || s.started.length < s.target || !this.#boots.take(s.nowUs)) return
    this.#sparing = true
    s.starting = s.starting.then(async () => {
      const shared = s.mode.mode === 'shared', compiled = await s.o.compiled(shared)
      if (!s.replaces) return
      const spare = this.#starts.spawn(s.spares)
      try {
        await spare.greeting(clock, startTimeoutMs)
        if (!await this.#starts.start(spare, compiled, shared)) throw new Error('no shared memory')
      } catch (error) { await this.#losses.discard(spare, error) }
    }).catch(() => undefined).finally(() => { this.#sparing = false })
  }
}

function isSpawn(error: unknown): boolean { return isMillraceError(error) && error.code === 'WORKER_SPAWN' }
