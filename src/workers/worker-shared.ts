import { slotAddress } from '../memory/arena-header.js'
import { ARENA, MAIL, SLOT, SLOT_PHASE } from '../memory/layout.js'
import type { WorkerEvent } from './protocol.js'
import type { BootedWorker } from './worker-boot.js'
import { runLoop } from './worker-loop.js'
import { WorkerMail, type MailParts } from './worker-mail.js'

/** What its thread gives a worker on shared memory. */
export interface SharedEnvironment {
  /** Lets the event loop turn once. */
  readonly turn: () => Promise<void>
  /** The engine's time, µs. */
  readonly nowUs: () => number
  readonly epochMs: () => number
  /** Longest sleep, ms. */
  readonly idleMs: number
  /** Messages of the thread's own channel that have come so far. */
  readonly received: () => number
}

/** What a worker needs to work on the engine's memory. Workers on memories of their own carry none of it: no rings, no codec, no loop. */
export interface SharedMemory { readonly join: (parts: Omit<MailParts, 'epochMs'>, env: SharedEnvironment) => SharedWorker }
/** The half of a worker's code that shared memory adds. */
export const sharedMemory: SharedMemory = { join: (parts, env) => new SharedWorker(parts, env) }

/** Turns after which a call whose message has not come is forgotten. */
const CALL_TURNS = 200

/** A worker on shared memory: takes tasks, sleeps when there is none, reads its mail when it is announced (MW-32, MW-67). */
export class SharedWorker {
  tasks = 0
  mails = 0
  readonly #parts: Omit<MailParts, 'epochMs'>
  readonly #env: SharedEnvironment
  readonly #mail: WorkerMail
  #heard: number
  /** The engine knows why this worker ends. */
  #said = false

  /** Greets over its ring, before it claims its slot. */
  constructor(parts: Omit<MailParts, 'epochMs'>, env: SharedEnvironment) {
    this.#parts = parts
    this.#env = env
    this.#mail = new WorkerMail({ ...parts, epochMs: env.epochMs })
    this.#heard = env.received()
  }

  /** Begins to work once the caller has its answer. `facts`: bits of what this thread has (MW-36). */
  work(on: BootedWorker, facts: number): void {
    void this.#env.turn().then(() => this.#loop(on, facts)).catch((error: unknown) => { this.#mail.failed(0, error) })
  }

  async #loop({ runtime, canary }: BootedWorker, facts: number): Promise<void> {
    const { views: { u32 }, base, slot, doorbell, port } = this.#parts, { nowUs, idleMs, turn } = this.#env
    // By the port: memory that is not what it was cannot carry the news of it.
    const corrupt = (expected: string, at: number, offset = at): void => {
      this.#said = true
      port.postMessage({ kind: 'corrupt', expected, got: `0x${u32[at >>> 2]!.toString(16)}`, offset } satisfies WorkerEvent)
    }
    let host = Atomics.load(u32, (base + ARENA.HOST_EVENT) >>> 2)
    await runLoop({
      core: runtime.core, u32, base, slot, facts, nowUs, idleMs, mail: () => this.#read(),
      turn: () => { this.#mail.flush(); return turn() },
      failed: (task, error) => { this.#said = true; this.#mail.failed(task, error) },
      finished: () => {
        this.tasks++
        this.#mail.flush()
        const now = Atomics.load(u32, (base + ARENA.HOST_EVENT) >>> 2), offset = canary.broken()
        if (doorbell && now !== host) port.postMessage({ kind: 'doorbell' } satisfies WorkerEvent)
        host = now
        if (offset !== 0) corrupt('canary of a stack', offset)
        return offset === 0
      },
      corrupt: (expected, offset) => { corrupt(expected, base + offset, offset) },
    })
    // Told by its slot or the arena's flags: an engine that has not done so believes that it works.
    if (!this.#said) this.#mail.failed(0, new Error('its loop ended'))
  }

  /** Mail was announced. False: the engine ends this worker. */
  async #read(): Promise<boolean> {
    this.mails++
    const { views: { i32 }, base, slot } = this.#parts, { turn, received } = this.#env
    const flags = Atomics.exchange(i32, (slotAddress(base, slot) + SLOT.MAIL) >>> 2, 0)
    if (flags & MAIL.DRAIN) return false
    if (flags & MAIL.MESSAGES) {
      const phase = (slotAddress(base, slot) + SLOT.PHASE) >>> 2
      Atomics.store(i32, phase, SLOT_PHASE.CODEC)
      if (!this.#mail.read()) { this.#said = true; return false }
      Atomics.store(i32, phase, SLOT_PHASE.IDLE)
    }
    // The engine is reading: what has no room now goes soon, else after the next task or sleep.
    for (let turns = 0; !this.#mail.flush() && turns < CALL_TURNS; turns++) await turn()
    if (flags & MAIL.DUMP) {
      // A call is posted before it is announced, yet may arrive a few turns later.
      let turns = 0
      for (; received() === this.#heard && turns < CALL_TURNS; turns++) await turn()
      if (turns === CALL_TURNS) this.#mail.log('warn', 'a call was announced and has not come', { turns })
      await turn()
      this.#heard = received()
    }
    return true
  }
}
