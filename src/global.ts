/**
 * What a script tag gets as `globalThis.millrace`: the engine and every node (PK-20). The build makes this file one function, and its workers run the same function
 * (scripts/inline.mjs, `oneFunction`).
 */
import { privateMemory } from './workers/private-memory.js'
import { serveThread } from './workers/serve-thread.js'

export * from './index.js'
export * from './nodes/index.js'

/** Parameter of the function that the build wraps around this file: undefined on a page. */
declare const MILLRACE_ROLE: 'worker' | undefined

if (MILLRACE_ROLE === 'worker') serveThread(privateMemory)
