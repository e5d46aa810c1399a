import type { Arena } from '../memory/arena.js'
import { slotAddress } from '../memory/arena-header.js'
import { expectMost, expectWord } from '../memory/arena-check.js'
import { ARENA, MAIL, RUN, SLOT, SLOT_PHASE, SLOT_STATUS } from '../memory/layout.js'
import type { Address } from '../memory/memory-host.js'

/** What a slot's record says. `run`, `task`: indices, −1 without a job. */
export interface SlotState {
  readonly pid: number
  readonly status: number
  readonly phase: number
  readonly run: number
  readonly task: number
  readonly beat: number
}

/** Worker slots of the arena as the engine's thread sees them (spec memory-and-workers.md section 1). */
export class Slots {
  readonly #arena: Arena
  readonly #i32: Int32Array
  readonly #limit: number
  /** Slots that workers have, with their scratch spans. */
  readonly #taken = new Map<number, Address>()

  constructor(arena: Arena) {
    this.#arena = arena
    this.#i32 = arena.i32
    this.#limit = arena.u32[(arena.base + ARENA.SLOT_LIMIT) >>> 2]!
  }

  /** Slots that there are. */
  get limit(): number { return this.#limit }

  /** Makes a slot ready for a worker that boots: scratch span, next epoch. Nobody may have it. */
  reserve(slot: number, scratch: Address): void {
    this.#taken.set(slot, scratch)
    this.#set(slot, SLOT.STATUS, SLOT_STATUS.BOOTING)
    this.#set(slot, SLOT.PHASE, SLOT_PHASE.BOOT)
    this.#set(slot, SLOT.SCRATCH, scratch)
    this.#set(slot, SLOT.EPOCH, this.#get(slot, SLOT.EPOCH) + 1)
  }

  /** Zeroes a slot whose worker is gone, all but its epoch. */
  clear(slot: number): void {
    const epoch = this.#get(slot, SLOT.EPOCH)
    for (let at = SLOT.STATUS; at < SLOT.BYTES; at += 4) this.#set(slot, at, 0)
    this.#set(slot, SLOT.EPOCH, epoch)
    this.#set(slot, SLOT.PID, 0)
    this.#taken.delete(slot)
  }

  /** Tells a worker that is being ended to stop soonest: what it finishes until then counts. */
  dismiss(slot: number): void {
    this.#set(slot, SLOT.CANCEL, 2)
    this.#set(slot, SLOT.STATUS, SLOT_STATUS.DRAINING)
    this.announce(slot, MAIL.DRAIN)
  }

  /** Marks a slot whose worker is gone, so that nobody waits for it and its task is nobody's. */
  markDead(slot: number): void { this.#set(slot, SLOT.STATUS, SLOT_STATUS.DEAD) }

  /** Slots of live workers in a phase. */
  inPhase(phase: number): number[] {
    return [...this.#taken.keys()].filter((slot) =>
      this.#get(slot, SLOT.PHASE) === phase && this.#get(slot, SLOT.STATUS) !== SLOT_STATUS.DEAD && this.#get(slot, SLOT.PID) !== 0)
  }

  /** Throws `ARENA_CORRUPT` when a slot that a worker has says what none does (MW-02). */
  check(): void {
    const { u32, base } = this.#arena
    for (const [slot, scratch] of this.#taken) {
      const at = slotAddress(base, slot) - base
      expectWord(u32, base, at + SLOT.SCRATCH, scratch, `scratch span of slot ${slot}`)
      expectMost(u32, base, at + SLOT.STATUS, SLOT_STATUS.DRAINING, `status of slot ${slot}`)
      expectMost(u32, base, at + SLOT.PHASE, SLOT_PHASE.BOOT, `phase of slot ${slot}`)
      expectMost(u32, base, at + SLOT.RUN, RUN.COUNT, `run of slot ${slot}`)
      expectMost(u32, base, at + SLOT.CANCEL, 2, `cancel word of slot ${slot}`)
    }
  }

  state(slot: number): SlotState {
    return {
      pid: this.#get(slot, SLOT.PID), status: this.#get(slot, SLOT.STATUS), phase: this.#get(slot, SLOT.PHASE),
      run: this.#get(slot, SLOT.RUN) - 1,
      task: this.#get(slot, SLOT.TASK) - 1, beat: this.#get(slot, SLOT.BEAT),
    }
  }

  /** Announces mail to a worker that may sleep: flags first, then the event it sleeps on (MW-67). */
  announce(slot: number, flags: number = MAIL.MESSAGES): void {
    Atomics.or(this.#i32, this.#at(slot, SLOT.MAIL), flags)
    Atomics.add(this.#i32, this.#at(slot, SLOT.WAKE), 1)
    wakeWorkers(this.#arena)
  }

  /** Writes a run's cancel word, then that of every slot that executes it (MW-35). `word`: 1 soon, 2 now. Returns the slots. */
  cancelRun(run: number, word: 1 | 2): number[] {
    const record = this.#arena.base + ARENA.RUNS + run * RUN.BYTES
    Atomics.store(this.#i32, (record + RUN.CANCEL) >>> 2, word)
    const on = [...this.#taken.keys()].filter((slot) => this.#get(slot, SLOT.RUN) === run + 1)
    for (const slot of on) this.#set(slot, SLOT.CANCEL, word)
    return on
  }

  #at(slot: number, field: number): number { return (slotAddress(this.#arena.base, slot) + field) >>> 2 }
  #get(slot: number, field: number): number { return Atomics.load(this.#i32, this.#at(slot, field)) }
  #set(slot: number, field: number, value: number): void { Atomics.store(this.#i32, this.#at(slot, field), value) }
}

/** Changes the ready event and wakes up to `count` sleeping workers (default all). */
export function wakeWorkers(arena: Arena, count = Number.POSITIVE_INFINITY): void {
  const event = (arena.base + ARENA.READY_EVENT) >>> 2
  Atomics.add(arena.i32, event, 1)
  Atomics.notify(arena.i32, event, count)
}
