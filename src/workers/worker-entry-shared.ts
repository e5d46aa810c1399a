/** Entry of a worker's code on shared memory alone: a third of the whole, so that isolated pages and Node load no more (PK-15). */
import { serveThread } from './serve-thread.js'
import { sharedMemory } from './worker-shared.js'

serveThread({ shared: sharedMemory })
