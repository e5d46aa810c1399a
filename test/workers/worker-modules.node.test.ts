/**
 * MW-78: code that threads get as text is invisible to coverage, so tests also run it in their own thread. Here: that none of its modules
 * is left out. `npm run test:coverage` prints how much of each.
 */
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loads } from './loads.js'

/**
 * Modules that say which parts a thread's text has, and bind them to the host's own globals: nothing else is in them. The processor of
 * worklets extends a class that only they have (worklet.browser.test.ts).
 */
const BINDINGS = [
  'src/workers/script/hear-scripts.ts', 'src/workers/script/script-entry.ts', 'src/workers/serve-thread.ts',
  'src/workers/segment-processor.ts',
]

test('MW-78: every module of threads is run in thread by a test', () => {
  const entries = [
    'src/workers/worker-entry.ts', 'src/workers/worker-entry-shared.ts', 'src/workers/worker-entry-private.ts',
    'src/workers/script/script-entry.ts',
  ]
  const only = [...new Set(entries.flatMap((entry) => [...loads(entry)]))].filter((path) =>
    path.startsWith('src/workers/') && !entries.includes(path) && !BINDINGS.includes(path))
  expect(only).toEqual(expect.arrayContaining([
    'src/workers/worker-main.ts', 'src/workers/worker-boot.ts', 'src/workers/worker-loop.ts', 'src/workers/transfer-worker.ts',
    'src/workers/script/script-server.ts',
  ]))
  const tests = ['test/workers', 'test/workers/script'].flatMap((folder) => readdirSync(folder).filter((name) =>
    /^(worker-|transfer-worker|script-server).*\.test\.ts$/.test(name)).map((name) => `${folder}/${name}`))
  const inThread = new Set(tests.flatMap((path) => [...loads(path)]))
  expect(only.filter((path) => !inThread.has(path))).toEqual([])
})
