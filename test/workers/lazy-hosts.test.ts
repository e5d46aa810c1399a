/** Workers that nobody wanted are not loaded, and are as idle as they would be. */
import { describe, expect, test } from 'vitest'
import { createEngine } from '../../src/engine/create-engine.js'
import { lazyScriptHost, lazyWorkerHost, noWorkers } from '../../src/workers/lazy-hosts.js'

const never = new Proxy({}, { get: (_, name) => { throw new Error(`${String(name)} was read before anyone wanted a worker`) } })
const parts = { size: 3, mode: { mode: 'shared', reason: 'best' }, workerURL: '/worker.js' } as const

describe('lazy hosts', () => {
  test('numbers, mode, drain and close need no worker', async () => {
    const host = lazyWorkerHost({ ...parts, arena: never as never } as never)
    const scripts = lazyScriptHost({ ...parts, arena: never as never } as never)
    expect(host.available).toBe(true)
    expect(host.executor?.where).toBe('worker')
    expect(host.mode()).toEqual(parts.mode)
    expect(host.stats()).toEqual({ ...noWorkers().stats(), size: 3 })
    expect(scripts.stats()).toEqual({ count: 0, busy: 0, lost: 0, respawns: 0 })
    await host.drain(1)
    await host.close()
    await scripts.close()
  })

  test('what making them throws reaches who wants them, at every want; close still works', async () => {
    const host = lazyWorkerHost({
      ...parts, arena: never as never, clock: never as never, facts: { node: true }, compiled: never as never,
    } as never)
    for (let i = 0; i < 2; i++) {
      await expect(host.executor!.prepare([], new AbortController().signal)).rejects.toThrow('before anyone wanted')
    }
    expect(host.stats().count).toBe(0)
    await host.close()
  })

  test('an engine says the same before its first worker as `noWorkers`, with its size', async () => {
    const engine = await createEngine({ workers: 2 })
    expect(engine.stats().workers)
      .toEqual({ ...noWorkers().stats(), scripts: { count: 0, busy: 0, lost: 0, respawns: 0 }, size: engine.stats().workers.size })
    await engine.close()
  })
})
