import type { KernelRuntime } from '../kernels/runtime.js'
import { createArena, type Arena } from '../memory/arena.js'
import type { Note } from '../memory/recorder.js'
import type { KernelBinding, StartOptions } from './protocol.js'
import { JobServer, type JobClock } from './transfer-worker.js'

/** What a worker needs to work on a memory of its own. Workers on shared memory carry none of it: no allocator, no segments, no packets. */
export interface PrivateMemory {
  readonly arena: (own: NonNullable<StartOptions['own']>) => Arena
  readonly serve: (
    arena: Arena, runtime: KernelRuntime, port: MessagePort, kernels: readonly KernelBinding[], clock: JobClock, note: Note | undefined,
  ) => Pick<JobServer, 'open' | 'register'>
}

/** The half of a worker's code that transfer mode adds. */
export const privateMemory: PrivateMemory = {
  arena: ({ bytes, arenaId }) => createArena({ bytes, id: arenaId, shared: false, wasm: true }),
  serve: (...parts) => new JobServer(...parts),
}
