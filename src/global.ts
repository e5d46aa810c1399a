/**
 * What a script tag gets as `globalThis.millrace`: the engine and every node (PK-20). The build makes this file one function, and its
 * workers run the same function (scripts/inline.mjs, `oneFunction`).
 */
import { hostEndpoint } from './workers/endpoint.js'
import { privateMemory } from './workers/private-memory.js'
import { hearScripts } from './workers/script/hear-scripts.js'
import { registerSegment } from './workers/segment-processor.js'
import { serveThread } from './workers/serve-thread.js'
import { sharedMemory } from './workers/worker-shared.js'

export * from './index.js'
export * from './nodes/index.js'

/** Parameter of the function that the build wraps around this file: undefined on a page. */
declare const MILLRACE_ROLE: 'worker' | undefined

// As in workers/worker-entry.ts and worklet-entry.ts.
if (MILLRACE_ROLE === 'worker') {
  if ('registerProcessor' in globalThis) registerSegment()
  else {
    serveThread({ own: privateMemory, shared: sharedMemory })
    hearScripts(hostEndpoint())
  }
}
