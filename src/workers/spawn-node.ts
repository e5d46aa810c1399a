import { nodeEndpoint, type NodePort } from './endpoint.js'
import type { EndReason, SpawnWorker, WorkerSource } from './spawn.js'

interface NodeWorker extends NodePort {
  on(event: 'message' | 'messageerror' | 'error' | 'exit', listener: (value: never) => void): unknown
  terminate(): Promise<number>
  ref(): void
  unref(): void
}
interface NodeThreads {
  readonly Worker: new (
    source: string | URL,
    options: { readonly eval: boolean; readonly name: string; readonly execArgv: readonly string[]; readonly resourceLimits?: NodeLimits },
  ) => NodeWorker
}
/** Limits of a thread for untrusted code (MW-52), MiB. */
export interface NodeLimits {
  readonly maxOldGenerationSizeMb?: number
  readonly maxYoungGenerationSizeMb?: number
  readonly stackSizeMb?: number
}

/**
 * Starts Node threads: the inlined code with `eval`, or a file (PK-50). Loader flags of the parent are not
 * passed on: they do not fit a classic script.
 */
export function nodeSpawner(source: WorkerSource, limits?: NodeLimits): SpawnWorker {
  return (name) => {
    const { Worker } = process.getBuiltinModule('worker_threads') as unknown as NodeThreads
    const [from, isCode] = 'code' in source ? [source.code, true] : [fileOf(source.url), false]
    const worker = new Worker(from, { eval: isCode, name, execArgv: [], ...(limits === undefined ? {} : { resourceLimits: limits }) })
    let ended = false, left = false
    let exited: () => void = () => undefined
    const gone = new Promise<void>((resolve) => { exited = resolve })
    const listeners: ((reason: EndReason, detail: string) => void)[] = []
    const end = (reason: EndReason, detail: string): void => {
      if (ended) return
      ended = true
      for (const listener of listeners) listener(reason, detail)
    }
    worker.on('error', (error: Error & { code?: string }) => {
      end(error?.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'out of memory' : 'error', error instanceof Error ? error.message : String(error))
    })
    worker.on('messageerror', (error: Error) => { end('messageerror', String(error)) })
    worker.on('exit', (code: number) => { left = true; exited(); end('exit', `exit code ${code}`) })
    return {
      endpoint: nodeEndpoint(worker),
      onEnd: (listener) => { listeners.push(listener) },
      started: () => undefined,
      async terminate() {
        ended = true
        // Of a thread that is gone nothing more is to be waited for.
        if (!left) await worker.terminate()
        await gone
      },
      ref: () => { worker.ref() },
      unref: () => { worker.unref() },
    }
  }
}

/** Node takes an absolute path or a `file:` URL object. */
function fileOf(url: string | URL): string | URL {
  return typeof url === 'string' && /^[a-z][a-z+.-]+:/i.test(url) ? new URL(url) : url
}
