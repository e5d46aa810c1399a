/** Entry of a script thread's code: no kernels, no arena, no Comlink (PK-15). */
import { hostEndpoint } from '../endpoint.js'
import { WORKER_PROTOCOL } from '../protocol.js'
import { hearScripts } from './hear-scripts.js'

const endpoint = hostEndpoint()
hearScripts(endpoint)
endpoint.postMessage({ millrace: 'hello', protocol: WORKER_PROTOCOL })
