import { expose } from 'comlink'
import { workerErrors } from './errors.js'
import { ARENA, MAIL, RECORD_KIND, SLOT } from '../memory/layout.js'
import { slotAddress } from '../memory/arena-header.js'
import { record } from '../memory/recorder.js'
import type { Endpoint } from './endpoint.js'
import { useErrorCodec } from './errors-over-comlink.js'
import { faultOf } from './fault.js'
import type { PrivateMemory } from './private-memory.js'
import type { Greeting, StartOptions, WorkerControl, WorkerEvent } from './protocol.js'
import { WORKER_PROTOCOL } from './protocol.js'
import { bootWorker, claimSlot, type BootedWorker } from './worker-boot.js'
import { runLoop } from './worker-loop.js'

/** What the thread's host gives the worker; tests give a MessagePort and a clock of their own (MW-78). */
export interface WorkerEnvironment {
  readonly endpoint: Endpoint
  /** Lets the event loop turn once, so that messages are read. */
  readonly turn: () => Promise<void>
  /** Milliseconds since 1970, monotonic, as precise as the host allows. */
  readonly epochMs: () => number
  /** Longest sleep of the loop, ms. */
  readonly idleMs?: number
  /** Settles when the thread holds the web lock of its name, or not. */
  readonly locked?: Promise<boolean> | undefined
  /** Transfer mode: absent where the code is for shared memory alone. */
  readonly own?: PrivateMemory
}

/** Turns after which a mail whose message has not come is forgotten. */
const MAIL_TURNS = 200

/** Serves an engine on this thread: says hello, answers control calls, and once started works until the engine ends it. */
export function serveWorker(env: WorkerEnvironment): void {
  useErrorCodec()
  let booted: BootedWorker | undefined, tasks = 0, mails = 0, received = 0, jobs: ReturnType<PrivateMemory['serve']> | undefined
  const greet = (greeting: Greeting): void => { env.endpoint.postMessage(greeting) }
  const control: WorkerControl = {
    start(options) {
      if (booted !== undefined) throw workerErrors.IPC_ERROR({ channel: `worker ${options.ordinal}`, reason: 'started twice' })
      const nowUs = timeOf(options), from = nowUs()
      booted = bootWorker(options, env.own)
      if (booted.arena === null) {
        const { views: { u32 }, base } = booted, slot = options.shared!.slot
        record(u32, base, from, slot, RECORD_KIND.BOOT, 0, 0, options.ordinal)
        record(u32, base, nowUs(), slot, RECORD_KIND.END_BOOT, 0, 0, options.ordinal)
        if (slot >= 0) work(booted, slot)
      } else jobs = env.own?.serve(booted.arena, booted.runtime, options.port, options.kernels, { nowUs, epochMs: env.epochMs, turn: env.turn })
      return booted.report
    },
    register(kernels) {
      if (booted === undefined) throw workerErrors.IPC_ERROR({ channel: 'worker', reason: 'not started' })
      for (const { id, module, name } of kernels) booted.runtime.register(id, module, name)
      booted = { ...booted, options: { ...booted.options, kernels: [...booted.options.kernels, ...kernels] } }
      jobs?.register(kernels)
    },
    claim(slot) {
      if (booted?.options.shared?.slot !== -1) throw workerErrors.IPC_ERROR({ channel: `slot ${slot}`, reason: 'claimed by a worker that is no spare' })
      claimSlot(booted.views.i32, booted.base, slot, booted.options.ordinal)
      booted = { ...booted, options: { ...booted.options, shared: { ...booted.options.shared, slot } } }
      work(booted, slot)
    },
    dump: () => ({ ordinal: booted?.options.ordinal ?? 0, kernels: booted?.options.kernels ?? [], tasks, mails, jobs: jobs?.open ?? 0 }),
  }

  const timeOf = (options: StartOptions) => (): number => (env.epochMs() - options.clockOriginMs) * 1000

  /** Begins to work once the caller has its answer. */
  function work(on: BootedWorker, slot: number): void {
    void env.turn().then(() => loop(on, slot)).catch((error: unknown) => {
      const event: WorkerEvent = { kind: 'worker-failed', fault: faultOf(error) }
      on.options.port.postMessage(event)
    })
  }

  async function loop({ views: { u32, i32 }, base, runtime, canary, options }: BootedWorker, slot: number): Promise<void> {
    const { doorbell, facts } = options.shared!, words = slotAddress(base, slot) >>> 2
    const say = (event: WorkerEvent): void => { options.port.postMessage(event) }
    let seen = received, host = Atomics.load(u32, (base + ARENA.HOST_EVENT) >>> 2)
    await runLoop({
      core: runtime.core, u32, base, slot, facts, nowUs: timeOf(options), idleMs: env.idleMs ?? 1_000, turn: env.turn,
      async mail() {
        mails++
        const flags = Atomics.exchange(i32, words + SLOT.MAIL / 4, 0)
        if (flags & MAIL.DRAIN) return false
        // A message is posted before it is announced, yet may arrive a few turns later.
        if (flags & MAIL.MESSAGES) for (let turns = 0; received === seen && turns < MAIL_TURNS; turns++) await env.turn()
        await env.turn()
        seen = received
        return true
      },
      failed(task, error) {
        say({ kind: 'task-failed', task, fault: faultOf(error) })
      },
      finished() {
        tasks++
        const now = Atomics.load(u32, (base + ARENA.HOST_EVENT) >>> 2), offset = canary.broken()
        if (doorbell && now !== host) say({ kind: 'doorbell' })
        host = now
        if (offset !== 0) say({ kind: 'corrupt', expected: 'canary of a stack', got: `0x${u32[offset >>> 2]!.toString(16)}`, offset })
        return offset === 0
      },
      corrupt() { say({ kind: 'corrupt', expected: 'magic', got: `0x${u32[base >>> 2]!.toString(16)}`, offset: ARENA.MAGIC_LOW }) },
    })
  }

  env.endpoint.addEventListener('message', () => { received++ })
  env.endpoint.addEventListener('messageerror', () => { greet({ millrace: 'unreadable' }) })
  expose(control, env.endpoint as never)
  env.endpoint.start?.()
  if (env.locked === undefined) greet({ millrace: 'hello', protocol: WORKER_PROTOCOL })
  else void env.locked.then((lock) => { greet({ millrace: 'hello', protocol: WORKER_PROTOCOL, lock }) })
}
