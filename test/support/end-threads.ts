import { afterAll } from 'vitest'
import { hostFacts } from '../../src/kernels/host-facts.js'

interface Thread { terminate(): unknown }
interface Host { Worker: new (...words: never[]) => Thread }

/**
 * From now until the file's end, what it gives ends all threads that were started since it was last
 * called, behind the pool's back, as a host might.
 */
export function threadEnder(): () => void {
  const threads: Thread[] = []
  const host = (hostFacts().node ? process.getBuiltinModule('node:worker_threads') : globalThis) as unknown as Host
  const Real = host.Worker
  host.Worker = class extends Real {
    constructor(...words: never[]) { super(...words); threads.push(this) }
  }
  afterAll(() => { host.Worker = Real })
  return () => { for (const thread of threads.splice(0)) void thread.terminate() }
}
