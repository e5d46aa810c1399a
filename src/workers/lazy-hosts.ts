import { loadPart } from '../errors/load-part.js'
import type { ScriptHost } from '../schedule/batch/script-host.js'
import type { WorkerHostParts } from './create-worker-host.js'
import { unlessAborted } from '../schedule/on-abort.js'
import type { ScriptHostParts } from './script/create-script-host.js'
import { scriptCode, workerCode } from './worker-code.js'
import type { PoolStats, WorkerHost } from './worker-host.js'

/** Numbers of a pool that has not begun. */
const idle = (size: number): PoolStats => ({
  size, count: 0, busy: 0, lost: 0, respawns: 0, spares: 0, messages: 0, packets: 0, utilisation: 0, queueWaitUs: [], workers: [],
})

/** No workers: `workers: 0`, the `js` tier, or a host without threads. */
export function noWorkers(): WorkerHost {
  return {
    available: false, executor: undefined, stats: () => idle(0), mode: () => undefined, drain: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}

/** A part that is made when it is first wanted. A load that fails is tried again at the next want. */
class Lazy<T> {
  value: T | undefined
  #loading: Promise<T> | undefined
  readonly #load: () => Promise<T>

  constructor(load: () => Promise<T>) { this.#load = load }

  get(): Promise<T> {
    return this.#loading ??= this.#load().then((value) => this.value = value, (error: unknown) => {
      this.#loading = undefined
      throw error
    })
  }

  /** What was made, or is being made; undefined when nobody wanted it. */
  async made(): Promise<T | undefined> { return this.#loading?.catch(() => undefined) }
}

/**
 * An engine's workers, whose pool and executors load with the first run that wants them; until then they are as
 * idle as they will be. Throws `NETWORK` then.
 */
export function lazyWorkerHost(parts: WorkerHostParts): WorkerHost {
  const host = new Lazy(async () => {
    // The threads' own code beside it, not after it; who needs it hears of a failure.
    if (parts.workerURL === undefined) workerCode(parts.mode.mode === 'shared').catch(() => undefined)
    return (await loadPart('workers', () => import('./create-worker-host.js'))).createWorkerHost(parts)
  })
  return {
    available: true,
    executor: {
      where: 'worker',
      // Threads go on starting for the next run; a cancelled one does not wait for them.
      prepare: async (plans, signal) => {
        await unlessAborted(host.get().then(({ executor }) => executor!.prepare(plans, signal)), signal)
      },
      open: async (plan, outputs, run) => (await host.get()).executor!.open(plan, outputs, run),
      runValues: async (tasks, run) => (await host.get()).executor!.runValues(tasks, run),
    },
    stats: () => host.value?.stats() ?? idle(parts.size), mode: () => host.value?.mode() ?? parts.mode,
    drain: async (ms) => { await (await host.made())?.drain(ms) },
    close: async () => { await (await host.made())?.close() },
  }
}

/** An engine's threads for nodes written in TypeScript, loaded with the first such node. Throws `NETWORK` then. */
export function lazyScriptHost(parts: ScriptHostParts): ScriptHost {
  const host = new Lazy(async () => {
    if (parts.workerURL === undefined && parts.spawn === undefined) scriptCode().catch(() => undefined)
    return (await loadPart('workers', () => import('./script/create-script-host.js'))).createScriptHost(parts)
  })
  return {
    prepare: async (definitions, signal) => (await host.get()).prepare(definitions, signal),
    async *run(call) { yield* (await host.get()).run(call) },
    stats: () => host.value?.stats() ?? { count: 0, busy: 0, lost: 0, respawns: 0 },
    close: async () => { await (await host.made())?.close() },
  }
}
