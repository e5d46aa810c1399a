/** Entry of a worker's code on a memory of its own. */
import { privateMemory } from './private-memory.js'
import { serveThread } from './serve-thread.js'

serveThread(privateMemory)
