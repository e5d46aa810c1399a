import { vi } from 'vitest'
import { testHost } from './lesser-host.js'

vi.stubGlobal('WebAssembly', undefined)
testHost('no WebAssembly', 'js', { 'wasm-threads': 'WebAssembly', wasm: 'WebAssembly' }, { wasm: false, simd: false, sab: false })
