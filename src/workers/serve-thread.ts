import { hostEndpoint, isNodeThread } from './endpoint.js'
import { serveWorker, type WorkerEnvironment } from './worker-main.js'

/** Finds out what host this thread is on and serves its engine, on the kinds of memory that it has code for. */
export function serveThread(memories: Pick<WorkerEnvironment, 'own' | 'shared'>): void {
  const name = (globalThis as { name?: string }).name
  const locks = isNodeThread() ? undefined : (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks
  serveWorker({
    locked: locks === undefined || !name ? undefined : new Promise((resolve) => {
      // Held until this thread is gone, which nothing else tells in a browser (spawn-browser.ts).
      locks.request(name, () => { resolve(true); return new Promise(() => undefined) }).catch(() => { resolve(false) })
    }),
    endpoint: hostEndpoint(), turn: isNodeThread() ? () => new Promise((resolve) => { setImmediate(resolve) }) : turnByMessage(),
    epochMs: () => performance.timeOrigin + performance.now(), ...memories,
  })
}

/** A turn of the event loop without the 4 ms that nested browser timers cost: a message to itself, behind those that wait already. */
function turnByMessage(): () => Promise<void> {
  const channel = new MessageChannel(), waiting: (() => void)[] = []
  channel.port1.onmessage = () => { waiting.shift()?.() }
  return () => new Promise((resolve) => {
    waiting.push(resolve)
    channel.port2.postMessage(0)
  })
}
