/** Node always has threads; a page, or a worker in a browser that nests none, may have no `Worker`. */
import { vi } from 'vitest'
import { testHost } from './lesser-host.js'

vi.stubGlobal('Worker', undefined)
testHost('no Worker', 'wasm', { 'wasm-threads': 'workers' }, { wasm: true, simd: true, worker: false })
