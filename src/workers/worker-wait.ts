import type { BlockingWait } from '../memory/ring/ring-wait.js'

/**
 * `Atomics.wait` for the waits of rings and channels. Only workers call it: it throws on a browser's main thread and in worklets (MW-66).
 */
export const workerWait: BlockingWait = (i32, index, value, timeoutMs) => { Atomics.wait(i32, index, value, timeoutMs) }
