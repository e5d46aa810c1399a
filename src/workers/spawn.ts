import type { Endpoint } from './endpoint.js'

/** Why a thread ended, or may be expected to: an event of the host, or the engine's own doing. */
export type EndReason = 'hang' | 'error' | 'messageerror' | 'exit' | 'trap' | 'out of memory' | 'terminated' | 'closed'

/** A thread of any host. */
export interface WorkerHandle {
  readonly endpoint: Endpoint
  /** Called once at the first sign that the thread has ended or cannot go on (MW-46). */
  onEnd(listener: (reason: EndReason, detail: string) => void): void
  /**
   * The thread has said its first word: what only the start needed may go (the Blob's URL). `locked`: it holds the web lock of its name
   * until it is gone; absent: it touches no memory of the engine.
   */
  started(locked?: boolean): void
  /** Ends the thread between any two instructions; settles when it is gone and touches no memory any more. */
  terminate(): Promise<void>
  /** Keep the process alive, or do not (Node). */
  ref(): void
  unref(): void
}

/** Starts a thread that runs the worker entry. Throws what the host throws. */
export type SpawnWorker = (name: string) => WorkerHandle

/** Where the worker's code comes from: the inlined text, or a file (`workerURL`), which is then the only source (PK-03). */
export type WorkerSource = { readonly code: string } | { readonly url: string | URL }
