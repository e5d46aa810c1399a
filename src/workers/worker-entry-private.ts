/**
 * Entry of the code of threads on a memory of their own: workers, and the processors of audio contexts, which have most of it in common.
 */
import { privateMemory } from './private-memory.js'
import { registerSegment } from './segment-processor.js'
import { serveThread } from './serve-thread.js'

if ('registerProcessor' in globalThis) registerSegment()
else serveThread({ own: privateMemory })
