import { beforeAll, describe, expect, test } from 'vitest'
import { builtinModuleBytes } from '../../src/kernels/builtin-modules.js'
import { compileModules } from '../../src/kernels/compile.js'
import { openWasmSource, type WasmSource } from '../../src/kernels/wasm-source.js'
import { instantiateRuntime } from '../../src/kernels/runtime.js'
import { createArena } from '../../src/memory/arena.js'
import { hasShared } from './support.js'

let bytes: Uint8Array<ArrayBuffer>
beforeAll(async () => { bytes = await builtinModuleBytes('level') })
const respond = (type: string, status = 200, body: BodyInit = bytes): Response =>
  new Response(body, { status, headers: { 'content-type': type } })
const opened = async (source: WasmSource, streaming = true): Promise<string> => (await openWasmSource('level', source, streaming)).kind

describe('where a module may come from (PK-03, PK-49)', () => {
  test('bytes, views, modules, promises of them', async () => {
    expect(await opened(bytes)).toBe('bytes')
    expect(await opened(bytes.buffer)).toBe('bytes')
    expect(await opened(Promise.resolve(bytes))).toBe('bytes')
    expect(await opened(new WebAssembly.Module(bytes))).toBe('module')
    const part = new Uint8Array(bytes.length + 8)
    part.set(bytes, 8)
    const input = await openWasmSource('level', part.subarray(8), false)
    expect(input.kind === 'bytes' && input.bytes.length).toBe(bytes.length)
    await expect(opened(7 as never)).rejects.toMatchObject({ code: 'KERNEL_ABI', details: { module: 'level', what: 'source' } })
  })
  test('a response streams when its type says so, else its bytes are compiled', async () => {
    expect(await opened(respond('application/wasm'))).toBe('stream')
    expect(await opened(respond('application/wasm; charset=x'))).toBe('stream')
    expect(await opened(respond('application/wasm'), false)).toBe('bytes')
    expect(await opened(respond('text/plain'))).toBe('bytes')
    expect(await opened(Promise.resolve(respond('')))).toBe('bytes')
    await expect(opened(respond('text/html', 404, 'not here'))).rejects
      .toMatchObject({ code: 'KERNEL_ABI', details: { expected: 'status 200', got: '404' } })
  })
  test('a blob URL loads; a URL that leads nowhere names itself', async () => {
    const url = URL.createObjectURL(new Blob([bytes], { type: 'application/wasm' }))
    expect(['stream', 'bytes']).toContain(await opened(url))
    expect(['stream', 'bytes']).toContain(await opened(new URL(url)))
    URL.revokeObjectURL(url)
    const error = await opened(url).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'KERNEL_ABI' })
    expect(String((error as Error).message)).toContain('blob:')
  })
  test.each(['bytes', 'response', 'plain response', 'module'])('an engine runs on a module given as %s', async (kind) => {
    const source: Record<string, () => WasmSource> = {
      bytes: () => bytes, response: () => respond('application/wasm'), 'plain response': () => respond('text/plain'),
      module: () => new WebAssembly.Module(bytes),
    }
    const shared = hasShared && kind !== 'nothing'
    if (!shared && kind === 'module') return
    const compiled = await compileModules({ shared, wasm: { level: source[kind]!() } })
    const arena = createArena({ bytes: 16 * 2 ** 20, shared, wasm: true })
    expect(typeof instantiateRuntime(compiled, arena.memory!).kernel('level', 'gain').process).toBe('function')
  })
  test('wrong bytes in place of a built-in module are refused, never replaced', async () => {
    await expect(compileModules({ shared: false, wasm: { core: new Uint8Array(40) } })).rejects
      .toMatchObject({ code: 'KERNEL_ABI', details: { module: 'core', what: 'bytes' } })
    await expect(compileModules({ shared: false, wasm: bytes })).rejects.toMatchObject({ code: 'KERNEL_ABI', details: { module: 'core' } })
    const broken = bytes.slice()
    broken[broken.length - 40]! ^= 0xff
    await expect(compileModules({ shared: hasShared, wasm: { level: respond('application/wasm', 200, broken.slice(0, 200)) } })).rejects
      .toMatchObject({ code: 'KERNEL_ABI', details: { module: 'level' } })
  })
})
