import type { EndReason, SpawnWorker, WorkerSource } from './spawn.js'

/** What of a page's scope threads are started with. */
export type WorkerScope = Pick<typeof globalThis, 'Worker' | 'URL' | 'Blob'>

/**
 * Starts browser threads: the inlined code as a classic worker from a Blob, or the module at `workerURL` (PK-46, PK-50). A content security policy that
 * forbids it throws nothing, it only fires `error` (MW-71).
 */
export function browserSpawner(source: WorkerSource, scope: WorkerScope = globalThis): SpawnWorker {
  return (name) => {
    const { Worker, URL, Blob } = scope
    const blobUrl = 'code' in source ? URL.createObjectURL(new Blob([source.code], { type: 'text/javascript' })) : null
    const worker = blobUrl === null ? new Worker((source as { readonly url: string | URL }).url, { name, type: 'module' }) : new Worker(blobUrl, { name })
    let ended = false
    const listeners: ((reason: EndReason, detail: string) => void)[] = []
    const end = (reason: EndReason, detail: string): void => {
      if (ended) return
      ended = true
      for (const listener of listeners) listener(reason, detail)
    }
    const revoke = (): void => { if (blobUrl !== null) URL.revokeObjectURL(blobUrl) }
    worker.addEventListener('error', (event) => {
      event.preventDefault()
      end('error', event.message || 'the script did not load')
    })
    worker.addEventListener('messageerror', () => { end('messageerror', 'a message could not be read') })
    return {
      endpoint: worker as never,
      onEnd: (listener) => { listeners.push(listener) },
      started: revoke,
      terminate() {
        ended = true
        revoke()
        worker.terminate()
        return Promise.resolve()
      },
      ref: () => undefined,
      unref: () => undefined,
    }
  }
}
