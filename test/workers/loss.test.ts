/**
 * Every way in which a worker of kernels ends or goes deaf that its host tells, on shared and on its own memory (MW-46): found, its calls
 * rejected, replaced, nothing left. Node and Chromium.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { hostClock } from '../../src/engine/host-clock.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import type { LostWorker } from '../../src/workers/pool.js'
import { nodeSpawner } from '../../src/workers/spawn-node.js'
import { makePool, rejection, shares, spawner, workerCode } from './support.js'

const { node } = hostFacts()
interface Thread { terminate(): unknown; emit?(type: string, value: unknown): void; dispatchEvent?(event: Event): void }
const threads: Thread[] = []
const host = (node ? process.getBuiltinModule('node:worker_threads') : globalThis) as unknown as {
  Worker: new (...words: never[]) => Thread
}
const Real = host.Worker
host.Worker = class extends Real { constructor(...words: never[]) { super(...words); threads.push(this) } }
afterAll(() => { host.Worker = Real })

/** The real worker, which does something fatal when told by a message of its own. */
const doomed = (fatal: string): string => `${workerCode}
;{ const port = typeof process === 'object' && process.getBuiltinModule ? process.getBuiltinModule('worker_threads').parentPort : self
const hear = (data) => { if (data === 'doom') { ${fatal} } }
if (port.on) port.on('message', hear); else port.addEventListener('message', ({ data }) => hear(data)) }`
const DEEP = 'setTimeout(() => { const deeper = (n) => deeper(n + 1) + 1; deeper(0) })'
const HOARD = 'const keep = []; for (;;) keep.push(new Array(1e5).fill({}))'
const UNREAD = node ? "port.emit('messageerror', new Error('not this one'))" : "self.dispatchEvent(new MessageEvent('messageerror'))"

const KINDS: readonly (readonly [name: string, fatal: string, reason: RegExp, detail: RegExp])[] = [
  ['throws a string', "setTimeout(() => { throw 'a string' })", /^error$/, /a string/],
  ['throws an error', "setTimeout(() => { throw new Error('too late') })", /^error$/, /too late/],
  ['overflows its stack', DEEP, /^error$/, /call stack/],
  ['cannot read a message', UNREAD, /^messageerror$/, /could not read/],
  ...(node ? [
    ['calls process.exit', 'process.exit(5)', /^exit$/, /exit code 5/],
    ['runs out of memory', HOARD, /^out of memory$/, /memory limit/],
    ['rejects a promise that nobody handles', "Promise.reject(new Error('nobody'))", /^error$/, /nobody/],
  ] as const : []),
]

describe.each([
  ...(shares ? [['shared memory', true]] as const : []), ['its own memory', false],
] as const)('a worker on %s', (_memory, shared) => {
  async function open(code: string): Promise<Awaited<ReturnType<typeof makePool>>
    & { lost: LostWorker[]; tell: (message: unknown) => void }> {
      const lost: LostWorker[] = []
      const endpoints: { postMessage(message: unknown): void }[] = []
      const spawn = node ? nodeSpawner({ code }, { maxOldGenerationSizeMb: 48 }) : spawner(code)
      const bench = await makePool({
        spawn: (name) => { const handle = spawn(name); endpoints.push(handle.endpoint); return handle },
        onLost: (one) => { lost.push(one) }, warmSpares: 0, size: 2,
      }, shared)
      await bench.pool.ensure(2)
      return { ...bench, lost, tell: (message) => {
        endpoints[0]!.postMessage(message)
        // A worker that sleeps over shared memory turns its event loop when mail is announced.
        if (shared) bench.pool.slots.announce(bench.pool.workers[0]!.slot)
      } }
    }
  async function follow(
    { pool, arena, lost }: Awaited<ReturnType<typeof open>>, cause: () => void, reason: RegExp, detail: RegExp,
  ): Promise<void> {
    const { usedBytes, blocks } = arena.stats(), never = rejection(pool.workers[0]!.pending.call(() => new Promise(() => undefined)))
    cause()
    while (lost.length === 0) await hostClock.sleep(1)
    expect(lost).toMatchObject([{
      worker: 1, slot: shared ? 0 : -1, reason: expect.stringMatching(reason), detail: expect.stringMatching(detail),
      error: { code: 'WORKER_LOST', retryable: true },
    }])
    expect((await never).code).toBe('WORKER_LOST')
    await lost[0]!.cleaned
    expect(pool.stats()).toMatchObject({ count: 1, lost: 1 })
    await pool.ensure(2)
    expect((await pool.dump()).map(({ ordinal }) => ordinal)).toEqual([2, 3])
    expect(arena.stats()).toMatchObject({ usedBytes, blocks })
    await pool.close()
  }

  test.each(KINDS)('%s', async (_name, fatal, reason, detail) => {
    const bench = await open(doomed(fatal))
    await follow(bench, () => { bench.tell('doom') }, reason, detail)
  })

  test('says something that cannot be read here', async () => {
    threads.length = 0
    const bench = await open(workerCode), thread = threads[0]!
    await follow(bench, () => {
      if (node) thread.emit!('messageerror', new Error('not this one')); else thread.dispatchEvent!(new MessageEvent('messageerror'))
    }, /^messageerror$/, /not this one|could not be read/)
  })
})
