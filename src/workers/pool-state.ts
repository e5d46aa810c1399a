import type { MillraceError } from '../errors/millrace-error.js'
import { ARENA_FLAG } from '../memory/layout.js'
import type { Holder } from '../memory/leases.js'
import { HostEvent } from './host-event.js'
import type { ModeChoice } from './mode.js'
import { Places } from './places.js'
import type { LostWorker, PoolOptions } from './pool-options.js'
import type { KernelBinding } from './protocol.js'
import type { RemoteWorker } from './remote-worker.js'
import { RespawnBudget } from './respawn-budget.js'
import type { SlotLife } from './slot-life.js'
import { Slots } from './slots.js'

/** What the parts of a pool share. Engine thread only. */
export class PoolState {
  readonly o: PoolOptions
  readonly host: HostEvent
  readonly slots: Slots
  readonly budget: RespawnBudget<LostWorker>
  /** Workers that start or work, and those that wait for someone's place. */
  readonly workers: RemoteWorker[] = []
  readonly spares: RemoteWorker[] = []
  readonly kernels: KernelBinding[] = []
  /** Numbers of kernels that workers are being told, until all have answered. */
  readonly announcing = new Map<number, Promise<void>>()
  /** Who holds what is leased to a worker's slot. */
  readonly holders = new Map<RemoteWorker, Holder>()
  /** States of slots that have had a worker that was lost or lives. */
  readonly lives = new Map<number, SlotLife>()
  /** Ends of workers that are under way. */
  readonly cleaning = new Set<Promise<void>>()
  readonly places = new Places()
  /** Places in which nobody works yet after one that was lost, and its ordinal. */
  readonly vacant = new Map<number, number>()
  /** Why the last start failed that others made up for. */
  failed: MillraceError | undefined
  mode: ModeChoice
  /** Starts are made one after the other. */
  starting: Promise<void> = Promise.resolve()
  startsUnderWay = 0
  /** Workers wanted. */
  target = 0
  ordinals = 0
  /** Who wants workers watched. */
  holds = 0
  /** Posted both ways, and packets over rings both ways. */
  messages = 0
  packets = 0
  lost = 0
  /** Workers in a lost one's place: as often as it was told. */
  respawns = 0
  broken: MillraceError | undefined
  closing: Promise<void> | undefined

  constructor(options: PoolOptions) {
    this.o = {
      ...options, onLost: heard(options.onLost), onLog: heard(options.onLog), onBroken: heard(options.onBroken),
      onStarted: heard(options.onStarted),
    }
    this.mode = options.mode
    this.host = new HostEvent(options.arena)
    this.slots = new Slots(options.arena)
    this.budget = new RespawnBudget(options.respawns ?? 10)
  }

  /** Workers that have started and not ended, spares apart. */
  get started(): readonly RemoteWorker[] { return this.workers.filter((worker) => worker.report !== undefined && !worker.ended) }
  /** Are lost workers replaced now? Without pending work the next start does it. */
  get replaces(): boolean { return this.holds > 0 && this.closing === undefined && this.broken === undefined }
  /** Nothing in the arena can be trusted (MW-02): only threads are still ended. */
  get corrupt(): boolean { return this.broken?.code === 'ARENA_CORRUPT' }
  /** No thread is left, nor ending. */
  get gone(): boolean { return this.workers.length === 0 && this.cleaning.size === 0 }
  get nowUs(): number { return this.o.clock.nowUs() }

  /** Nothing is executed any more. A corrupt arena is worse than whatever broke before: that may be forgiven. */
  break(error: MillraceError): void {
    if (this.broken !== undefined && (this.corrupt || error.code !== 'ARENA_CORRUPT')) return
    this.broken = error
    if (this.corrupt) this.o.arena.mark(ARENA_FLAG.CORRUPT)
    this.o.onBroken?.(error)
    this.host.ring()
  }

  /** A worker is in use. */
  tellStart({ ordinal, slot, place }: RemoteWorker): void {
    const after = this.vacant.get(place)
    if (this.vacant.delete(place)) this.respawns++
    this.o.onStarted?.(ordinal, slot, after)
  }
}

/** Users hear what happens: what they throw changes nothing of it, nor of what follows. */
function heard<Words extends unknown[]>(call: ((...words: Words) => void) | undefined): (...words: Words) => void {
  return (...words) => { try { call?.(...words) } catch { /* Theirs. */ } }
}
