import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runScript as run } from './run-script.js'
import { bundleWorker } from '../../scripts/inline.mjs'
import { createEngine } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'
import { nodeSpawner } from '../../src/workers/spawn-node.js'
import { makePool, rejection } from './support.js'

const root = resolve(import.meta.dirname, '../..')
let folder: string
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'millrace-workers-')) })
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

/** Runs a script that has `makePool` and friends in a process of its own; settles with what it printed and how it ended. */
const runScript = (name: string, body: string): ReturnType<typeof run> => run(join(folder, `${name}.mjs`),
  `import { makePool, emptyProgram } from './test/workers/support.ts'\nimport { RunTable } from './src/workers/run-table.ts'\n${body}`)

test('a script that leaves its pool open ends by itself', async () => {
  for (const shared of ['true', 'false']) {
    expect(await runScript(`idle-${shared}`, `
      const { pool } = await makePool({}, ${shared})
      await pool.ensure(2)
      console.log('workers', pool.stats().count)
    `)).toEqual({ code: 0, out: 'workers 2' })
  }
})

test('a script does not end while work is held, and ends after', async () => {
  expect(await runScript('held', `
    const { pool, arena, runtime } = await makePool()
    await pool.ensure(1)
    const letGo = pool.hold()
    const table = new RunTable(arena, runtime.core, [{ program: emptyProgram(arena), pending: 0, successors: [] }])
    const stop = pool.host.listen(() => { if (table.state(0) === 5) { console.log('done'); stop(); letGo(); letGo() } })
    setTimeout(() => { console.log('push'); table.push(0, 0); pool.wake() }, 300).unref()
  `)).toEqual({ code: 0, out: 'push\ndone' })
})

test('a process waits for a node on a thread of its own, and ends by itself after', async () => {
  expect(await runScript('script-node', `
    const { createEngine } = await import('./src/index.ts'), { audioBuffer } = await import('./src/nodes/index.ts'), { peak } = await import('./test/workers/script/script-nodes.ts')
    const engine = await createEngine({ workers: 1 })
    const { outputs } = await engine.run({ out: peak(audioBuffer({ data: [Float32Array.of(0.25, -0.5)], rate: 8000 })) })
    console.log('loudest', outputs.out.data.loudest)
  `)).toEqual({ code: 0, out: 'loudest 0.5' })
})

test('a process that is told to exit while workers sleep exits', async () => {
  expect(await runScript('exit', `
    const { pool } = await makePool()
    await pool.ensure(2)
    pool.hold()
    console.log('exit')
    process.exit(7)
  `)).toEqual({ code: 7, out: 'exit' })
})

test('workerURL: a file is used, a missing one fails and is not replaced', async () => {
  const file = join(folder, 'worker.mjs')
  writeFileSync(file, (await bundleWorker(resolve(root, 'src/workers/worker-entry.ts'))).code)
  for (const url of [file, pathToFileURL(file), pathToFileURL(file).href]) {
    const { pool } = await makePool({ spawn: nodeSpawner({ url }) })
    await pool.ensure(1)
    expect(pool.stats().count).toBe(1)
    await pool.close()
  }
  const { pool } = await makePool({ spawn: nodeSpawner({ url: join(folder, 'absent.mjs') }) })
  const error = await rejection(pool.ensure(1))
  expect([error.code, String(error.details['cause'])]).toEqual(['WORKER_SPAWN', expect.stringContaining('absent.mjs')])
  await pool.close()
})

test('a worker that runs out of memory is lost with that reason', async () => {
  const code = `const port = process.getBuiltinModule('worker_threads').parentPort; port.postMessage({ millrace: 'hello', protocol: 1 }); const keep = []; for (;;) keep.push(new Array(1e5).fill({}))`
  const { pool } = await makePool({ spawn: nodeSpawner({ code }, { maxOldGenerationSizeMb: 16 }) })
  expect(String((await rejection(pool.ensure(1))).details['cause'])).toMatch(/^out of memory/)
  await pool.close()
})

test('an engine whose workers say that they got no shared memory goes on by transfer; shared: true fails', async () => {
  const file = join(folder, 'unshared.mjs'), { code } = await bundleWorker(resolve(root, 'src/workers/worker-entry.ts'))
  writeFileSync(file, `delete globalThis.SharedArrayBuffer\n${code}`)
  const tone = Float32Array.from({ length: 30_000 }, (_, i) => Math.sin(i / 30))
  const graph = () => ({ out: gain(audioBuffer({ data: [tone], rate: 8_000 }), { gainDb: -6 }) })
  await using engine = await createEngine({ workers: 2, workerURL: file, arenaBytes: 2 ** 25 })
  expect(engine.stats().mode.mode).toBe('shared')
  for (let i = 0; i < 2; i++) {
    using result = await engine.run(graph())
    expect(result.outputs.out.data.channel(0)[7]).toBe(Math.fround(tone[7]! * Math.fround(10 ** (-6 / 20))))
    expect(engine.stats())
      .toMatchObject({ mode: { mode: 'transfer', why: 'a worker did not get the shared memory' }, workers: { count: 2 } })
  }
  await using strict = await createEngine({ workers: 2, workerURL: file, shared: true })
  expect((await rejection(strict.run(graph()))).code).toBe('SHARED_MEMORY')
})
