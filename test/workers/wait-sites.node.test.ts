/**
 * MW-66, the static half: nothing that an engine's thread or a worklet runs can block. The other half runs engines in no-wait.test.ts;
 * Chromium's worklets, where a wait throws, in worklet.browser.test.ts.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { scanCode } from '../../src/kernels/code-scan.js'
import { moduleFacts } from '../../src/kernels/module-facts.js'
import { loads } from './loads.js'
import { runScript } from './run-script.js'

const root = resolve('.')
const files = (folder: string, ending: string): string[] => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith(ending)).map((path) => join(folder, path))
/** Code without comments and the texts in it. */
const code = (path: string): string => readFileSync(join(root, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')

describe('MW-66: who may wait', () => {
  test('Atomics.wait is written once, task_take is called once, both for workers', () => {
    const all = files('src', '.ts')
    expect(all.filter((path) => /Atomics\.wait\b(?!Async)/.test(code(path)))).toEqual(['src/workers/worker-wait.ts'])
    expect(all.filter((path) => /\.task_take\(/.test(code(path)))).toEqual(['src/workers/worker-loop.ts'])
    expect(all.filter((path) => /\brunLoop\(/.test(code(path)) && path !== 'src/workers/worker-loop.ts'))
      .toEqual(['src/workers/worker-shared.ts'])
  })

  test.each(['src/index.ts', 'src/graph-tools.ts', 'src/workers/worklet-entry.ts'])('%s loads neither, however late', (entry) => {
    const loaded = loads(entry)
    expect(loaded.has(entry === 'src/index.ts' ? 'src/workers/create-worker-host.ts'
      : entry === 'src/graph-tools.ts' ? 'src/graph/graph.ts'
      : 'src/workers/segment-quantum.ts')).toBe(true)
    expect(['src/workers/worker-wait.ts', 'src/workers/worker-shared.ts', 'src/workers/worker-main.ts'].filter((path) => loaded.has(path)))
      .toEqual([])
  })

  test('in compiled code one function waits, and it is task_take\'s; kernels have no such instruction', () => {
    const rust = files('wasm/crates', '.rs')
    expect(rust.filter((path) => /memory_atomic_wait|atomic::wait|thread::park/.test(code(path))))
      .toEqual(['wasm/crates/engine/src/host.rs'])
    expect(rust.filter((path) => /host::wait\(/.test(code(path)))).toEqual(['wasm/crates/engine/src/tasks.rs'])
    expect((code('wasm/crates/engine/src/tasks.rs').match(/host::wait\(/g) ?? []).length).toBeGreaterThan(0)
    expect(code('wasm/crates/engine/src/exports.rs').match(/fn \w+\([^)]*wait_ms/g)).toEqual([expect.stringContaining('task_take')])
    for (const name of ['level', 'convert', 'detect']) {
      const bytes = new Uint8Array(readFileSync(join(root, `assembly/build/${name}.wasm`)))
      expect([name, scanCode(bytes, moduleFacts(bytes)).atomicWait]).toEqual([name, 0])
    }
  })

  test('an engine on a thread of Node, which may wait, does not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-wait-'))
    try {
      expect(await runScript(join(folder, 'inside.mjs'), `
        import { isMainThread, Worker } from 'node:worker_threads'
        import { fileURLToPath } from 'node:url'
        import { createEngine } from './src/index.ts'
        import { audioBuffer, gain } from './src/nodes/index.ts'
        if (isMainThread) new Worker(fileURLToPath(import.meta.url))
        else {
          let waits = 0
          const { wait } = Atomics
          Atomics.wait = (...words) => { waits++; return wait(...words) }
          await using engine = await createEngine({ workers: 1, tier: 'wasm-threads', logger: () => undefined })
          const { outputs } = await engine.run({ out: gain(audioBuffer({ data: [new Float32Array(30_000).fill(0.5)], rate: 8000 }), { gainDb: -6 }) })
          console.log(outputs.out.duration, engine.stats().workers.count, waits)
        }
      `)).toEqual({ code: 0, out: '30000 1 0' })
    } finally { rmSync(folder, { recursive: true, force: true }) }
  }, 30_000)
})
