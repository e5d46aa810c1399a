/** A message as listeners get it: of a browser's event the part that all hosts have. */
export interface MessageLike { readonly data: unknown }
/** A listener, as Comlink gives it. */
export type MessageListener = ((event: never) => void) | { handleEvent(event: never): void }

/** One end of a channel between two threads, the same for a browser's worker, Node's and a MessagePort. What Comlink calls an endpoint. */
export interface Endpoint {
  postMessage(message: unknown, transfer?: readonly unknown[]): void
  addEventListener(type: string, listener: MessageListener): void
  removeEventListener(type: string, listener: MessageListener): void
  start?(): void
}

/** What Node's Worker, parentPort and MessagePort have in common. */
export interface NodePort {
  postMessage(message: unknown, transfer?: readonly never[]): void
  on(event: 'message' | 'messageerror', listener: (value: unknown) => void): unknown
  off(event: 'message' | 'messageerror', listener: (value: unknown) => void): unknown
}

/** Node's emitter as an endpoint (PK-51). */
export function nodeEndpoint(port: NodePort): Endpoint {
  const wrapped = new Map<MessageListener, (value: unknown) => void>()
  return {
    postMessage: (message, transfer = []) => { port.postMessage(message, transfer as readonly never[]) },
    addEventListener(type, listener) {
      if (wrapped.has(listener)) return
      const forward = (data: unknown): void => { deliver(listener, { data }) }
      wrapped.set(listener, forward)
      port.on(type as 'message', forward)
    },
    removeEventListener(type, listener) {
      const forward = wrapped.get(listener)
      if (forward !== undefined) port.off(type as 'message', forward)
      wrapped.delete(listener)
    },
  }
}

function deliver(listener: MessageListener, event: MessageLike): void {
  if (typeof listener === 'function') listener(event as never)
  else listener.handleEvent(event as never)
}

/** True on a thread of Node or a host like it. */
export function isNodeThread(): boolean {
  return typeof process === 'object' && typeof process.versions?.node === 'string' && typeof process.getBuiltinModule === 'function'
}

/** This thread's channel to its engine. */
export function hostEndpoint(): Endpoint {
  return isNodeThread()
    ? nodeEndpoint((process.getBuiltinModule('worker_threads') as unknown as { readonly parentPort: NodePort }).parentPort)
    : globalThis as unknown as Endpoint
}
