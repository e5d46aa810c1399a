import { vi } from 'vitest'
import { testHost } from './lesser-host.js'

/** Vector opcodes are no opcodes here: the probe's modules that have one are invalid, and what the engine would compile does not. */
const validate = WebAssembly.validate.bind(WebAssembly), noSimd = (): never => { throw new WebAssembly.CompileError('invalid opcode 0xfd') }
vi.spyOn(WebAssembly, 'validate')
  .mockImplementation((bytes) => ![...new Uint8Array(bytes as ArrayBuffer)].includes(0xfd) && validate(bytes))
for (const way of ['compile', 'instantiate', 'compileStreaming', 'instantiateStreaming'] as const) {
  if (way in WebAssembly) vi.spyOn(WebAssembly, way).mockImplementation(noSimd as never)
}

testHost('no SIMD', 'js', { 'wasm-threads': 'SIMD', wasm: 'SIMD' }, { wasm: true, simd: false, relaxedSimd: false })
