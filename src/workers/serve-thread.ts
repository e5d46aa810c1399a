import { nodeEndpoint, type Endpoint, type NodePort } from './endpoint.js'
import type { PrivateMemory } from './private-memory.js'
import { serveWorker } from './worker-main.js'

/** Finds out what host this thread is on and serves its engine. */
export function serveThread(own?: PrivateMemory): void {
  const nodeLike = typeof process === 'object' && typeof process.versions?.node === 'string' && typeof process.getBuiltinModule === 'function'
  serveWorker({
    endpoint: nodeLike ? nodeEndpoint((process.getBuiltinModule('worker_threads') as unknown as { readonly parentPort: NodePort }).parentPort) : globalThis as unknown as Endpoint,
    turn: nodeLike ? () => new Promise((resolve) => { setImmediate(resolve) }) : turnByMessage(),
    epochMs: () => performance.timeOrigin + performance.now(), own,
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
