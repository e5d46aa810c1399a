import { onAbort } from '../schedule/on-abort.js'
import type { RunScope, RunShare } from '../schedule/open-segment.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'
import { LANE } from './run-table.js'

/**
 * What waits for a worker: the next passes of a segment, or a whole one. One object per segment; it waits or is handed out once at a time.
 */
export interface Piece<W> {
  readonly share: RunShare
  /** 0 high, 1 normal, 2 low (EX-57). */
  readonly lane: number
  /** Plan order: first among those that became ready at the same time. */
  readonly index: number
  /** How many workers of its run it may keep busy; default 1. */
  readonly permits?: number
  /** Workers that may execute it. Absent: all. */
  readonly fits?: (worker: W) => boolean
  /**
   * Told when it is what its worker executes, because what was before it there has ended, and nothing is behind it:
   * {@link DispatchQueue.next} may give it more now.
   */
  readonly room?: (() => void) | undefined
}

/** A piece that was handed to a worker. */
export interface Handed<W> {
  readonly worker: W
  readonly piece: Piece<W>
  /** It has ended there, or its worker has: what waits goes on. Leaving twice is fine. */
  leave(): void
}

/** Runs that nobody said anything of. */
const ALONE: RunShare = { priority: 0, limit: 0, age: 0 }

/** A segment's lane, 0 the most urgent. */
export function laneOf({ lane = 'normal' }: SegmentPlan): number { return LANE[lane] }
/** The piece of a segment. */
export function pieceOf<W>(
  plan: SegmentPlan, { share = ALONE }: RunScope, more: Pick<Piece<W>, 'permits' | 'fits' | 'room'> = {},
): Piece<W> { return { share, lane: laneOf(plan), index: plan.index, ...more } }

/** How many pieces of a run hold each permit: a piece, and what was handed ahead behind it. */
interface Permit { readonly run: Run; readonly count: number; holders: number }
interface Waiting<W> {
  readonly piece: Piece<W>
  readonly readyUs: number
  readonly seq: number
  readonly settle: (handed: Handed<W> | undefined) => void
  readonly reject: (error: unknown) => void
}
interface Run { used: number }
interface Own<W> extends Handed<W> { readonly permit: Permit }

/** Over 0: `b` is more urgent. Runs by priority, then age; then lanes. */
const urgency = (a: Piece<never>, b: Piece<never>): number =>
  b.share.priority - a.share.priority || a.share.age - b.share.age || a.lane - b.lane

/**
 * Who executes next (MW-32, MW-57, EX-57): pieces wait in one order, run priority, older run, lane, ready time, plan order, and are handed
 * out as workers become free and the limit of their run allows. A worker has one piece that it executes and, `depth` 2, one behind it:
 * never a less urgent one, so that what is urgent waits for nothing but what is there when it comes, nor one of the same run when that has
 * a limit. A queue without depth is of workers that choose by themselves: it only counts permits.
 */
export class DispatchQueue<W> {
  readonly #workers: () => readonly W[]
  readonly #depth: number
  readonly #runs = new WeakMap<RunShare, Run>()
  /** By worker, gone ones too until {@link look}. */
  readonly #on = new Map<W, Own<W>[]>()
  /** In order. */
  readonly #waiting: Waiting<W>[] = []
  #seq = 0

  constructor(workers: () => readonly W[], depth = Number.POSITIVE_INFINITY) {
    this.#workers = workers
    this.#depth = depth
  }

  /** Pieces that wait now. */
  get size(): number { return this.#waiting.length }

  /**
   * Waits for its turn; at hand at once when there is nothing to wait for. `readyUs`: since when it is ready, by the engine's clock.
   * Undefined: no worker that there is fits, now or from now on; who starts one enters again with the same time. Rejects with the signal's
   * reason, or that of {@link withdraw}.
   */
  enter(piece: Piece<W>, readyUs: number, signal: AbortSignal): Handed<W> | Promise<Handed<W> | undefined> {
    if (signal.aborted) return Promise.reject(signal.reason as Error)
    if (this.#waiting.length === 0) {
      const at = this.#placeOf(piece, this.#workers())
      if (at !== undefined) return this.#hand(piece, at)
    }
    if (!this.#workers().some((worker) => fits(piece, worker))) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      const deaf = onAbort(signal, () => { this.withdraw(piece, signal.reason) })
      this.#insert({
        piece, readyUs, seq: this.#seq++, settle: (handed) => { deaf(); resolve(handed) },
        reject: (error) => { deaf(); reject(error as Error) },
      })
      this.#pump()
    })
  }

  /**
   * The same segment's next pass behind the one that its worker executes, under the same permit.
   * Undefined when its turn must be waited for.
   */
  next(handed: Handed<W>): Handed<W> | undefined {
    const { piece, worker } = handed, on = this.#on.get(worker) ?? []
    if (on.length >= this.#depth || !on.includes(handed as Own<W>)) return undefined
    for (const { piece: other } of this.#waiting) {
      // Others of its class have been ready for longer.
      if ((urgency(other, piece) <= 0 && fits(other, worker) && this.#permits(other))
        || (piece.share.limit > 0 && other.share === piece.share)) {
        return undefined
      }
    }
    return this.#hand(piece, worker, (handed as Own<W>).permit)
  }

  /** Takes a piece out that waits; nothing when it does not. */
  withdraw(piece: Piece<W>, reason: unknown): void {
    const at = this.#waiting.findIndex((one) => one.piece === piece)
    if (at < 0) return
    const [{ reject }] = this.#waiting.splice(at, 1) as [Waiting<W>]
    reject(reason)
    // Others of its run may have stood behind it.
    this.#pump()
  }

  /** Workers have come or gone. */
  look(): void {
    const workers = this.#workers()
    for (const [worker, on] of [...this.#on]) {
      if (workers.includes(worker)) continue
      this.#on.delete(worker)
      for (const handed of [...on]) handed.leave()
    }
    for (const one of [...this.#waiting]) {
      if (workers.some((worker) => fits(one.piece, worker))) continue
      this.#waiting.splice(this.#waiting.indexOf(one), 1)
      one.settle(undefined)
    }
    this.#pump()
  }

  #pump(): void {
    if (this.#waiting.length === 0) return
    let free = this.#free()
    // Runs of which a piece waits for a permit: what is behind it waits too.
    const full = new Set<RunShare>()
    for (let i = 0; i < this.#waiting.length && free.length > 0;) {
      const { piece, settle } = this.#waiting[i]!
      // What follows is less urgent still.
      if (free.every((worker) => this.#isAbove(worker, piece))) return
      const at = full.has(piece.share) ? undefined : this.#placeOf(piece, free)
      if (at === undefined) {
        if (!this.#permits(piece)) full.add(piece.share)
        i++
        continue
      }
      this.#waiting.splice(i, 1)
      settle(this.#hand(piece, at))
      free = this.#free()
    }
  }

  /** Workers with room. */
  #free(): W[] { return this.#workers().filter((worker) => (this.#on.get(worker)?.length ?? 0) < this.#depth) }

  #permits({ share, permits = 1 }: Piece<W>): boolean {
    return share.limit === 0 || (this.#runs.get(share)?.used ?? 0) + permits <= share.limit
  }

  /** A worker has something more urgent. */
  #isAbove(worker: W, piece: Piece<W>): boolean {
    return this.#depth !== Number.POSITIVE_INFINITY && (this.#on.get(worker) ?? []).some((handed) => urgency(handed.piece, piece) < 0)
  }

  /** The worker with least to do of those that may have it now. */
  #placeOf(piece: Piece<W>, workers: readonly W[]): W | undefined {
    if (!this.#permits(piece)) return undefined
    let best: W | undefined, least = this.#depth
    for (const worker of workers) {
      const on = this.#on.get(worker), count = on?.length ?? 0
      if (count >= least || !fits(piece, worker)) continue
      if (count > 0 && this.#depth !== Number.POSITIVE_INFINITY
        && (this.#isAbove(worker, piece) || (piece.share.limit > 0 && on!.some((handed) => handed.piece.share === piece.share)))) {
        continue
      }
      best = worker
      least = count
    }
    return best
  }

  #hand(piece: Piece<W>, worker: W, behind?: Permit): Handed<W> {
    const { share, permits: count = 1 } = piece
    let run = this.#runs.get(share)
    if (run === undefined) this.#runs.set(share, run = { used: 0 })
    const permit = behind ?? { run, count, holders: 0 }
    if (permit.holders++ === 0) run.used += count
    let on = this.#on.get(worker)
    if (on === undefined) this.#on.set(worker, on = [])
    const handed: Own<W> = { worker, piece, permit, leave: () => {
      const at = on.indexOf(handed)
      if (at < 0) return
      on.splice(at, 1)
      if (--permit.holders === 0) permit.run.used -= permit.count
      this.#pump()
      if (on.length < this.#depth) on[0]?.piece.room?.()
    } }
    on.push(handed)
    return handed
  }

  #insert(one: Waiting<W>): void {
    let low = 0, high = this.#waiting.length
    while (low < high) {
      const middle = (low + high) >>> 1, other = this.#waiting[middle]!
      if ((urgency(other.piece, one.piece) || other.readyUs - one.readyUs || other.piece.index - one.piece.index
        || other.seq - one.seq) < 0) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    this.#waiting.splice(low, 0, one)
  }
}

function fits<W>({ fits: may }: Piece<W>, worker: W): boolean { return may === undefined || may(worker) }
