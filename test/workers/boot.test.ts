import { afterEach, describe, expect, test } from 'vitest'
import { hostClock } from '../../src/engine/host-clock.js'
import { isMillraceError } from '../../src/errors/millrace-error.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { compileModules } from '../../src/kernels/compile.js'
import { slotAddress } from '../../src/memory/arena-header.js'
import { privateMemory } from '../../src/workers/private-memory.js'
import { bootWorker } from '../../src/workers/worker-boot.js'
import type { StartOptions } from '../../src/workers/protocol.js'
import { makePool, rejection, shares, spawner, type Bench } from './support.js'

const made: Bench[] = []
afterEach(async () => { await Promise.all(made.splice(0).map(({ pool }) => pool.close())) })
const make = async (
  ...args: Parameters<typeof makePool>
): Promise<Bench> => { const one = await makePool(...args); made.push(one); return one }

/** A worker script that has the engine's end as `port`. */
const script = (body: string): string =>
  `const port = typeof process === 'object' && process.getBuiltinModule ? process.getBuiltinModule('worker_threads').parentPort : self; ${body}`
const HELLO = "port.postMessage({ millrace: 'hello', protocol: 1 });"

/** What a broken start leaves behind: no worker, no used slot, no bytes but the stack's span. */
function expectClean({ pool, arena }: Bench, used: number): void {
  expect(pool.stats()).toMatchObject({ count: 0, lost: 0 })
  expect(pool.slots.state(0)).toMatchObject({ status: 0 })
  expect([0, 69_632]).toContain(arena.stats().usedBytes - used)
}

describe('the script', () => {
  test.each([
    ['throws', script("throw new Error('broken on purpose')"), /^error: .*broken on purpose/],
    ['is no JavaScript', 'this is not JavaScript', /^error: /],
    ['never answers', script('setInterval(() => undefined, 1000)'), /^no answer$/],
    ['says hello and no more', script(`${HELLO} setInterval(() => undefined, 1000)`), /^start did not finish$/],
  ])('%s', async (_name, code, cause) => {
    const bench = await make({ spawn: spawner(code), startTimeoutMs: 400 }), used = bench.arena.stats().usedBytes
    const error = await rejection(bench.pool.ensure(1))
    expect([error.code, String(error.details['cause'])]).toEqual(['WORKER_SPAWN', expect.stringMatching(cause)])
    expect(error.hint).toContain('worker-src blob:')
    expect(error.hint).toContain('workerURL')
    expectClean(bench, used)
  })

  test.each([
    ['never answers', 'setInterval(() => undefined, 1000)'],
    ['says hello and no more', `${HELLO} setInterval(() => undefined, 1000)`],
  ])('%s while the pool is closed', async (_name, body) => {
    const bench = await make({ spawn: spawner(script(body)), startTimeoutMs: 60_000 }), used = bench.arena.stats().usedBytes
    const start = rejection(bench.pool.ensure(2))
    await hostClock.sleep(150)
    await bench.pool.close()
    expect((await start).code).toBe('CLOSED')
    expectClean(bench, used)
  })

  if (hostFacts().node) test('ends by itself', async () => {
    const bench = await make({ spawn: spawner(script('process.exit(3)')) })
    expect((await rejection(bench.pool.ensure(1))).details).toMatchObject({ cause: 'exit: exit code 3', step: 'script' })
  })

  test('is of another version', async () => {
    const bench = await make({
      spawn: spawner(script("port.postMessage({ millrace: 'hello', protocol: 99 }); setInterval(() => undefined, 1000)")),
    })
    expect(await rejection(bench.pool.ensure(1))).toMatchObject({ code: 'PROTOCOL_MISMATCH', details: { expected: 1, got: 99 } })
    expectClean(bench, bench.arena.stats().usedBytes)
  })

  test('cannot be started at all', async () => {
    const bench = await make({ spawn: () => { throw new Error('no threads here') } })
    expect(await rejection(bench.pool.ensure(2)))
      .toMatchObject({ code: 'WORKER_SPAWN', details: { cause: 'no threads here', step: 'script' } })
    expectClean(bench, bench.arena.stats().usedBytes)
  })
})

if (shares) describe('steps of the start', () => {
  const failing = async (bench: Bench): Promise<Readonly<Record<string, unknown>>> => {
    const used = bench.arena.stats().usedBytes, error = await rejection(bench.pool.ensure(1))
    expect(error.code).toBe('WORKER_SPAWN')
    expect(error.remoteStack).toMatch(/\bat /)
    expectClean(bench, used)
    return { ...error.details, inner: isMillraceError(error.cause) ? error.cause.code : undefined }
  }

  test('arena: a magic that was written over', async () => {
    const bench = await make()
    bench.arena.u32[bench.arena.base >>> 2] = 7
    expect(await failing(bench)).toMatchObject({ step: 'arena', inner: 'ARENA_CORRUPT' })
  })

  test('modules: none, and those of the other kind of memory', async () => {
    expect(await failing(await make({ compiled: () => Promise.resolve({ shared: true, modules: [] }) })))
      .toMatchObject({ step: 'modules', inner: 'KERNEL_ABI' })
    expect(await failing(await make({ compiled: () => compileModules({ shared: false }) })))
      .toMatchObject({ step: 'modules', inner: 'KERNEL_ABI' })
  })

  test('slot: taken by someone else', async () => {
    const bench = await make()
    bench.arena.i32[slotAddress(bench.arena.base, 0) >>> 2] = 99
    expect(await failing(bench)).toMatchObject({ step: 'slot', inner: 'IPC_ERROR' })
  })

  test('kernels: one that no module has', async () => {
    const bench = await make()
    await bench.pool.register([{ id: 0, module: 'level', name: 'nothing' }])
    expect(await failing(bench)).toMatchObject({ step: 'kernels', inner: 'KERNEL_ABI' })
  })

  test('options: another protocol, no memory', async () => {
    const base = {
      protocol: 1, ordinal: 1, compiled: await compileModules({ shared: true }), kernels: [], clockOriginMs: 0, timeoutMs: 5_000,
      port: null as never,
    } satisfies StartOptions
    const step = (options: StartOptions): unknown => {
      try {
        bootWorker(options, privateMemory)
      } catch (error) {
        return isMillraceError(error) ? [error.code, error.details['step']] : error
      }
      return 'started'
    }
    expect(step({ ...base, protocol: 2 })).toEqual(['WORKER_SPAWN', 'options'])
    expect(step(base)).toEqual(['WORKER_SPAWN', 'arena'])
    expect(step({ ...base, own: { bytes: 5, arenaId: 1 } })).toEqual(['WORKER_SPAWN', 'arena'])
  })

  test('after a failed start the next one works', async () => {
    const bench = await make(), word = slotAddress(bench.arena.base, 0) >>> 2
    bench.arena.i32[word] = 99
    await rejection(bench.pool.ensure(2))
    bench.arena.i32[word] = 0
    await bench.pool.ensure(2)
    expect(bench.pool.stats().workers.map(({ slot }) => slot)).toEqual([0, 1])
  })
})
