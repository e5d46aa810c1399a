/** Entry of the file behind `workerURL`: workers of either kind of memory, and threads for nodes written in TypeScript (PK-15). */
import { hostEndpoint } from './endpoint.js'
import { privateMemory } from './private-memory.js'
import { hearScripts } from './script/hear-scripts.js'
import { serveThread } from './serve-thread.js'
import { sharedMemory } from './worker-shared.js'

serveThread({ own: privateMemory, shared: sharedMemory })
hearScripts(hostEndpoint())
