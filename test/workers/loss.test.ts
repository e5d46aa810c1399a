import { expect, test } from 'vitest'
import { hostFacts } from '../../src/kernels/host-facts.js'
import type { LostWorker } from '../../src/workers/pool.js'
import { makePool, rejection, spawner, workerCode } from './support.js'

const nodeHost = hostFacts().node
/** The real worker, which does something fatal when told by a message of its own. */
const doomed = (fatal: string): string => `${workerCode}
;{ const port = typeof process === 'object' && process.getBuiltinModule ? process.getBuiltinModule('worker_threads').parentPort : self
const hear = (data) => { if (data === 'doom') { ${fatal} } }
if (port.on) port.on('message', hear); else port.addEventListener('message', ({ data }) => hear(data)) }`

/** Ways in which a thread ends by itself that its host reports (MW-46); running out of memory is in process.node.test.ts. Own memory: such a thread reads its messages at once. */
test.each([
  ['a thrown error', "setTimeout(() => { throw new Error('too late') })", /^error$/, /too late/],
  ...(nodeHost ? [
    ['an exit', 'process.exit(5)', /^exit$/, /exit code 5/], ['a rejection that nobody handles', "Promise.reject(new Error('nobody'))", /^error$/, /nobody/],
  ] as const : []),
] as const)('a worker that ends by %s is lost, its calls are rejected, the next start replaces it', async (_name, fatal, reason, detail) => {
  const lost: LostWorker[] = []
  let seen: (() => void) | undefined
  const endpoints: { postMessage(message: unknown): void }[] = [], spawn = spawner(doomed(fatal))
  const { pool, arena } = await makePool({
    spawn: (name) => { const handle = spawn(name); endpoints.push(handle.endpoint); return handle }, onLost: (one) => { lost.push(one); seen?.() },
  }, false)
  await pool.ensure(2)
  const used = arena.stats().usedBytes, never = rejection(pool.workers[0]!.pending.call(() => new Promise(() => undefined)))
  endpoints[0]!.postMessage('doom')
  if (lost.length === 0) await new Promise<void>((resolve) => { seen = resolve })
  expect(lost).toMatchObject([{ worker: 1, slot: -1, reason: expect.stringMatching(reason), detail: expect.stringMatching(detail), error: { code: 'WORKER_LOST', retryable: true } }])
  expect((await never).code).toBe('WORKER_LOST')
  await lost[0]!.cleaned
  expect(pool.stats()).toMatchObject({ count: 1, lost: 1 })
  expect((await pool.dump()).map(({ ordinal }) => ordinal)).toEqual([2])
  await pool.ensure(2)
  expect((await pool.dump()).map(({ ordinal }) => ordinal)).toEqual([2, 3])
  expect(arena.stats().usedBytes).toBe(used)
  await pool.close()
})
