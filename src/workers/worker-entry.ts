/**
 * Entry of a worker's code for either kind of memory: the file behind `workerURL`, and the text of workers with memories of their own (PK-15).
 */
import { privateMemory } from './private-memory.js'
import { serveThread } from './serve-thread.js'

serveThread(privateMemory)
