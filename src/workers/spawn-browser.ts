import type { EndReason, SpawnWorker, WorkerSource } from './spawn.js'

/** What of a page's scope threads are started with. */
export type WorkerScope = Pick<typeof globalThis, 'Worker' | 'URL' | 'Blob'> & { readonly navigator?: { readonly locks?: LockManager } }

/** How long Chromium lets a worker go on that was told to end, ms, and a little more. */
const LAST_BREATH_MS = 2_200

/**
 * Starts browser threads: the inlined code as a classic worker from a Blob, or the module at `workerURL` (PK-46, PK-50). A content security
 * policy that forbids it throws nothing, it only fires `error` (MW-71). Browsers report no end of a worker, and a busy one goes on for up
 * to two seconds after `terminate` (Chromium): each worker holds a web lock of its name, which its end alone releases. Without locks a busy
 * one counts as gone after that time.
 */
export function browserSpawner(source: WorkerSource, scope: WorkerScope = globalThis): SpawnWorker {
  return (name) => {
    const { Worker, URL, Blob } = scope, locks = scope.navigator?.locks, own = `${name} ${Math.random().toString(36).slice(2)}`
    const blobUrl = 'code' in source ? URL.createObjectURL(new Blob([source.code], { type: 'text/javascript' })) : null
    const worker = blobUrl === null
      ? new Worker((source as { readonly url: string | URL }).url, { name: own, type: 'module' })
      : new Worker(blobUrl, { name: own })
    let ended = false, greeted = false, gone: Promise<void> | undefined
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
      started(locked) {
        revoke()
        greeted = locked !== undefined
        if (locked !== true || locks === undefined) return
        gone = locks.request(own, () => undefined).then(() => { end('exit', 'its lock was released') }, () => undefined)
      },
      terminate() {
        ended = true
        revoke()
        worker.terminate()
        if (gone !== undefined) return gone
        return greeted ? new Promise((resolve) => { setTimeout(resolve, LAST_BREATH_MS) }) : Promise.resolve()
      },
      ref: () => undefined,
      unref: () => undefined,
    }
  }
}
