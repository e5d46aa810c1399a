import { expose } from 'comlink'
import { hostClock } from '../../src/engine/host-clock.js'
import type { Endpoint } from '../../src/workers/endpoint.js'
import { privateMemory } from '../../src/workers/private-memory.js'
import type { EndReason, SpawnWorker } from '../../src/workers/spawn.js'
import { serveWorker } from '../../src/workers/worker-main.js'
import { sharedMemory, type SharedMemory } from '../../src/workers/worker-shared.js'

/** A worker's code on this very thread that boots as ever and then does nothing; its thread ends when, and as slowly as, a test says. */
export interface FakeThread {
  readonly name: string
  /** The engine told it to end; {@link gone}: it has. */
  stopped: boolean
  gone: boolean
  /** Its host reports an end. */
  fail(reason?: EndReason, detail?: string): void
  /** A slow one is gone from now on. */
  finish(): void
}

/** What a test decides of each thread, by its number from 1. */
export interface FakePlan {
  /** It ends only when {@link FakeThread.finish} says so. */
  readonly slow?: (thread: number) => boolean
  /** Its host reports an end before its `n`th message from the engine arrives (0: at once; 1: while it starts). */
  readonly dies?: (thread: number) => number | undefined
  /** Holds a message from the engine back until the promise settles; `n` counts from 0 (0: start). */
  readonly holds?: (thread: number, n: number) => Promise<unknown> | undefined
}

/** Boots, greets over its rings, and never looks for tasks: on this thread a loop would block its engine. */
const idle: SharedMemory = { join(parts, env) {
  const worker = sharedMemory.join(parts, env)
  worker.work = () => undefined
  return worker
} }

/** Starts {@link FakeThread}s; they stand in `threads` in order. */
export function fakeThreads(plan: FakePlan = {}): { readonly spawn: SpawnWorker; readonly threads: FakeThread[] } {
  const threads: FakeThread[] = []
  const spawn: SpawnWorker = (name) => {
    const { port1, port2 } = new MessageChannel(), number = threads.length + 1, dies = plan.dies?.(number)
    let told: ((reason: EndReason, detail: string) => void) | undefined, ended = false, finished: () => void = () => undefined, said = 0
    const finish = new Promise<void>((resolve) => { finished = resolve })
    const thread: FakeThread = {
      name, stopped: false, gone: false, finish: finished,
      fail(reason = 'exit', detail = 'by the test') {
        if (ended) return
        ended = true
        told?.(reason, detail)
      },
    }
    threads.push(thread)
    const endpoint: Endpoint = {
      postMessage(message, transfer) {
        const n = said++, send = (): void => { if (!ended) port1.postMessage(message, transfer as Transferable[]) }
        if (dies !== undefined && n >= dies - 1) { setTimeout(() => { thread.fail() }); return }
        const held = plan.holds?.(number, n)
        if (held === undefined) send(); else void held.then(send)
      },
      addEventListener: (type, listener) => { port1.addEventListener(type, listener as EventListener) },
      removeEventListener: (type, listener) => { port1.removeEventListener(type, listener as EventListener) },
      start: () => { port1.start() },
    }
    port1.start()
    serveWorker({
      endpoint: port2 as never, turn: () => hostClock.yield(),
      epochMs: () => performance.timeOrigin + performance.now(),
      own: privateMemory, shared: idle,
    })
    if (dies === 0) queueMicrotask(() => { thread.fail() })
    return {
      endpoint, onEnd: (listener) => { told = listener }, started: () => undefined, ref: () => undefined, unref: () => undefined,
      async terminate() {
        thread.stopped = ended = true
        if (plan.slow?.(number) === true) await finish
        thread.gone = true
        port1.close()
        port2.close()
      },
    }
  }
  return { spawn, threads }
}

/** A thread whose host shares no memory, whatever it said: it answers so, or cannot be posted the memory at all (MW-73). */
export const deaf = (how: 'answers' | 'refuses'): SpawnWorker => () => {
  const { port1, port2 } = new MessageChannel()
  expose({ start: () => ({ protocol: 1, shared: false, stack: { tlsBase: 0, stackAlloc: 0 } }) }, port2)
  port2.postMessage({ millrace: 'hello', protocol: 1 })
  port1.start()
  return {
    endpoint: {
      postMessage(message, transfer) {
        if (how === 'refuses') throw new DOMException('#<Memory> could not be cloned.', 'DataCloneError')
        port1.postMessage(message, [...(transfer ?? [])] as Transferable[])
      },
      addEventListener: (type, listener) => { port1.addEventListener(type, listener as never) },
      removeEventListener: (type, listener) => { port1.removeEventListener(type, listener as never) },
    },
    onEnd: () => undefined, started: () => undefined, terminate: () => { port1.close(); port2.close(); return Promise.resolve() },
    ref: () => undefined, unref: () => undefined,
  }
}
