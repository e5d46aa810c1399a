import { Worker } from 'node:worker_threads'
import { resolve } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createArena } from '../../src/memory/arena.js'
import { ARENA } from '../../src/memory/layout.js'

const root = resolve(import.meta.dirname, '../..')
let worker: Worker
beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { parentPort } from 'node:worker_threads'
        import { checkHeader } from './src/memory/arena-header.ts'
        import { resolveHandle } from './src/memory/shared-handle.ts'
        parentPort.on('message', ({ buffer, base, handle, at }) => {
          const u32 = new Uint32Array(buffer)
          try {
            checkHeader(u32, base)
            const { address, bytes } = resolveHandle(u32, base, handle), first = u32[(address + at) >>> 2]
            u32[(address + at) >>> 2] = 0xfeedface
            parentPort.postMessage({ address, bytes, first })
          } catch (error) { parentPort.postMessage({ code: error.code, details: error.details }) }
        })`,
      resolveDir: root, loader: 'ts',
    },
    bundle: true, write: false, format: 'cjs', platform: 'node', target: 'es2022', logLevel: 'silent',
  })
  worker = new Worker(outputFiles[0]!.text, { eval: true })
})
afterAll(async () => { await worker.terminate() })
const ask = (message: object): Promise<Record<string, unknown>> =>
  new Promise((done) => { worker.once('message', done); worker.postMessage(message) })

test('a worker reads what the engine wrote at an offset, and the reverse; a stale handle is refused there too', async () => {
  const arena = createArena({ bytes: 2 ** 24, shared: true, wasm: true }), block = arena.alloc(4096), { handle, address } = block
  arena.u32[(address + 1024) >>> 2] = 0xdeadbeef
  const message = { buffer: arena.buffer, base: arena.base, handle, at: 1024 }
  expect(await ask(message)).toEqual({ address, bytes: 4096, first: 0xdeadbeef })
  expect(arena.u32[(address + 1024) >>> 2]).toBe(0xfeedface)
  block.release()
  expect(await ask(message)).toMatchObject({ code: 'INVALID_HANDLE', details: { reason: 'freed', handle } })
  arena.alloc(64)
  expect(await ask(message)).toMatchObject({ code: 'INVALID_HANDLE', details: { reason: 'generation' } })
  arena.u32[(arena.base + ARENA.MAGIC_HIGH) >>> 2] = 0
  expect(await ask(message)).toMatchObject({ code: 'ARENA_CORRUPT', details: { offset: ARENA.MAGIC_HIGH } })
})

test('1 GiB costs no resident memory until touched, and its view no heap', () => {
  const rss = process.memoryUsage().rss
  const arena = createArena({ bytes: 2 ** 30 + 2 ** 25, shared: true, wasm: true }), block = arena.alloc(2 ** 30)
  const heap = process.memoryUsage().heapUsed, view = block.view(Uint8Array)
  expect([view.length, view.byteOffset]).toEqual([2 ** 30, block.address])
  expect(process.memoryUsage().heapUsed - heap).toBeLessThan(2 ** 20)
  expect(process.memoryUsage().rss - rss).toBeLessThan(2 ** 28)
})
