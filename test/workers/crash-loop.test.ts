/** Kernels that trap in every run: replacements are counted whoever asks for them, and end (MW-48). Events and numbers say the same. */
import { expect, test } from 'vitest'
import { audio, createEngine, defineNode, isMillraceError, type AnyHandle } from '../../src/index.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { layoutHash } from '../../src/memory/layout.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'
import { craftModule } from '../kernels/craft-module.js'
import { threadEnder } from '../support/end-threads.js'
import { fakeThreads } from './fake-threads.js'
import { makePool, rejection } from './support.js'

const EXPORTS = ['millrace_abi', 'millrace_layout', 'trap_size', 'trap_init', 'trap_reset', 'trap_process']
const UNREACHABLE = 0
const trap = defineNode({
  type: 'test::trap', version: '1.0.0', title: 'Trap', doc: 'Traps.', family: 'test', params: {},
  inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } }, outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: { module: 'trap', export: 'trap' }, parity: 'exact',
  reference: { init: () => ({}), process: (_state, io) => io.frames, reset: () => undefined },
}) as never as (input: AnyHandle) => AnyHandle

const tiers = hostFacts().sab ? ['wasm-threads', 'wasm'] as const : ['wasm'] as const, endThreads = threadEnder()

test.each(tiers)('%s: three are replaced, then runs fail with what was lost last and no thread starts', async (tier) => {
  const events: string[] = [], codes: string[] = []
  const engine = await createEngine({
    tier, workers: 1, respawns: 3, warmSpares: 0,
    kernels: { trap: craftModule({ exports: EXPORTS, body: [UNREACHABLE], layout: layoutHash() }) }, logger: () => undefined,
    onEvent: ({ type }) => { if (type.startsWith('worker')) events.push(type.slice(7)) },
  })
  for (let run = 0; run < 7; run++) {
    const { workers } = engine.stats()
    try { await engine.run({ out: trap(audioBuffer({ data: [new Float32Array(1_000)], rate: 16_000 })) } as never) } catch (error) {
      if (!isMillraceError(error)) throw error
      const { code, cause } = error
      codes.push(code)
      if (code === 'WORKER_LOST') expect(isMillraceError(cause) ? cause.code : String(cause)).toMatch(/KERNEL_TRAP|unreachable/)
    }
    // Its loss is told before the next run begins, or there is none any more.
    while (workers.lost < 4 && engine.stats().workers.lost === workers.lost) await new Promise((resolve) => { setTimeout(resolve, 1) })
  }
  await engine.close()
  expect(events).toEqual(['started', 'lost', 'respawned', 'lost', 'respawned', 'lost', 'respawned', 'lost'])
  expect(engine.stats().workers).toMatchObject({ lost: 4, respawns: 3, count: 0 })
  // The fourth may hear of its own trap or of the loop's end first.
  expect([...codes.slice(0, 3), ...codes.slice(4)])
    .toEqual(['KERNEL_TRAP', 'KERNEL_TRAP', 'KERNEL_TRAP', 'WORKER_LOST', 'WORKER_LOST', 'WORKER_LOST'])
})

test.each(tiers)('%s: a host that ends 16 threads while nothing runs is no loop of crashes: the next run starts 16 again; threads that end in the place of others again and again are one', async (tier) => {
  const { spawn, threads } = fakeThreads(), { pool } = await makePool({ spawn, size: 16, respawns: 2 }, tier === 'wasm-threads')
  const endAll = (): void => { for (const thread of threads) if (!thread.stopped) thread.fail() }
  for (let round = 1; round < 3; round++) {
    await pool.ensure(16)
    endAll()
    expect(pool.stats()).toMatchObject({ count: 0, lost: 16 * round })
  }
  await pool.ensure(16)
  expect(pool.stats()).toMatchObject({ count: 16, respawns: 32 })
  endAll()
  expect((await rejection(pool.ensure(16))).code).toBe('WORKER_LOST')
  expect(threads.length).toBe(48)
  await pool.close()
})

test.each(tiers)('%s: as many real threads as may be replaced, and more, end while nothing runs', async (tier) => {
  const lost: string[] = []
  await using engine = await createEngine({
    tier, workers: 4, respawns: 1, warmSpares: 0, logger: () => undefined,
    onEvent: ({ type }) => { if (type === 'worker.lost') lost.push(type) },
  })
  const run = async (): Promise<void> => {
    using result = await engine.run({
      out: gain(audioBuffer({ data: [new Float32Array(1_000).fill(1)], rate: 16_000 }), { gainDb: -6 }),
    } as never) as unknown as { readonly outputs: object } & Disposable
    expect(Object.keys(result.outputs)).toEqual(['out'])
  }
  await run()
  const { count } = engine.stats().workers
  endThreads()
  while (lost.length < count) await new Promise((resolve) => { setTimeout(resolve, 1) })
  await run()
  expect([count, engine.stats().workers]).toMatchObject([4, { lost: 4, respawns: 4 }])
})
