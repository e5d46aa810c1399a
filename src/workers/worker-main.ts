import { expose } from 'comlink'
import { RECORD_KIND, RECORD_THREAD } from '../memory/layout.js'
import type { Address } from '../memory/memory-host.js'
import { logIn, record, threadNotes, type FlightLog } from '../memory/recorder.js'
import type { MemoryViews } from '../memory/views.js'
import type { ChannelAddresses } from './codec/ring-channel.js'
import type { Endpoint } from './endpoint.js'
import { workerErrors } from './errors.js'
import { useErrorCodec } from './errors-over-comlink.js'
import type { PrivateMemory } from './private-memory.js'
import type { Greeting, StartOptions, WorkerControl } from './protocol.js'
import { WORKER_PROTOCOL } from './protocol.js'
import { bootWorker, claimSlot, type BootedWorker } from './worker-boot.js'
import type { SharedMemory, SharedWorker } from './worker-shared.js'

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
  /** Shared mode: absent where the code is for private memory alone. */
  readonly shared?: SharedMemory
}

/** Serves an engine on this thread: says hello, answers control calls, and once started works until the engine ends it. */
export function serveWorker(env: WorkerEnvironment): void {
  useErrorCodec()
  let booted: BootedWorker | undefined, shared: SharedWorker | undefined, received = 0, jobs: ReturnType<PrivateMemory['serve']> | undefined
  const greet = (greeting: Greeting): void => { env.endpoint.postMessage(greeting) }
  const timeOf = (options: StartOptions) => (): number => (env.epochMs() - options.clockOriginMs) * 1000
  const join = (
    { ordinal, port, shared: o, ...options }: StartOptions, views: MemoryViews, base: Address, slot: number, rings: ChannelAddresses,
  ): void => {
    if (env.shared === undefined) throw workerErrors.IPC_ERROR({ channel: `worker ${ordinal}`, reason: 'its code is for private memory' })
    shared = env.shared.join({ views, base, slot, ordinal, rings, port, doorbell: o!.doorbell }, {
      turn: env.turn, nowUs: timeOf({ ordinal, port, ...options }), epochMs: env.epochMs, idleMs: env.idleMs ?? 1_000,
      received: () => received,
    })
  }
  const control: WorkerControl = {
    start(options) {
      if (booted !== undefined) throw workerErrors.IPC_ERROR({ channel: `worker ${options.ordinal}`, reason: 'started twice' })
      const { ordinal, own } = options, nowUs = timeOf(options), from = nowUs(), slot = options.shared?.slot ?? -1
      const note = own?.log && threadNotes(logIn(own.log), nowUs, RECORD_THREAD.WORKER, ordinal)
      // A spare has no slot yet.
      const boot = (log: FlightLog, us: number, kind: number): void => {
        record(log, us, slot, slot < 0 ? kind | RECORD_THREAD.WORKER : kind, slot < 0 ? ordinal : 0, 0, ordinal)
      }
      note?.(RECORD_KIND.BOOT, -1, ordinal)
      booted = bootWorker(options, env.own, (views, base) => {
        if (options.shared !== undefined) boot({ u32: views.u32, base }, from, RECORD_KIND.BOOT)
        if (slot >= 0) join(options, views, base, slot, options.shared!.rings!)
      })
      note?.(RECORD_KIND.END_BOOT, -1, ordinal)
      if (booted.arena === null) {
        boot({ u32: booted.views.u32, base: booted.base }, nowUs(), RECORD_KIND.END_BOOT)
        shared?.work(booted, options.shared!.facts)
      } else jobs =
        env.own?.serve(booted.arena, booted.runtime, options.port, options.kernels, { nowUs, epochMs: env.epochMs, turn: env.turn }, note)
      return booted.report
    },
    register(kernels) {
      if (booted === undefined) throw workerErrors.IPC_ERROR({ channel: 'worker', reason: 'not started' })
      for (const { id, module, name } of kernels) booted.runtime.register(id, module, name)
      booted = { ...booted, options: { ...booted.options, kernels: [...booted.options.kernels, ...kernels] } }
      jobs?.register(kernels)
    },
    claim(slot, facts, rings) {
      if (booted?.options.shared === undefined || shared !== undefined) {
        throw workerErrors.IPC_ERROR({ channel: `slot ${slot}`, reason: 'claimed by a worker that is no spare' })
      }
      const { views, base, options } = booted
      join(options, views, base, slot, rings)
      claimSlot(views.i32, base, slot, options.ordinal)
      shared!.work(booted, facts)
    },
    dump: () => ({
      ordinal: booted?.options.ordinal ?? 0, kernels: booted?.options.kernels ?? [], tasks: shared?.tasks ?? 0, mails: shared?.mails ?? 0,
      jobs: jobs?.open ?? 0, bytes: booted?.arena?.stats().usedBytes ?? 0,
    }),
  }

  env.endpoint.addEventListener('message', () => { received++ })
  env.endpoint.addEventListener('messageerror', () => { greet({ millrace: 'unreadable' }) })
  expose(control, env.endpoint as never)
  env.endpoint.start?.()
  if (env.locked === undefined) greet({ millrace: 'hello', protocol: WORKER_PROTOCOL })
  else void env.locked.then((lock) => { greet({ millrace: 'hello', protocol: WORKER_PROTOCOL, lock }) })
}
