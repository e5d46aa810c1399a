import { loadPart } from '../errors/load-part.js'

/**
 * The text of a worker for shared memory, or of a worker or worklet for private memory, in files of their own where a bundler splits code:
 * loaded with the first worker. Throws `NETWORK`.
 */
export async function workerCode(shared: boolean): Promise<string> {
  const { default: code } = await loadPart('workers', () =>
    shared ? import('inline-worker:./worker-entry-shared.ts') : import('inline-worker:./worker-entry-private.ts'))
  return code
}

/** The text of a thread for nodes written in TypeScript. Throws `NETWORK`. */
export async function scriptCode(): Promise<string> {
  const { default: code } = await loadPart('workers', () => import('inline-worker:./script/script-entry.ts'))
  return code
}
