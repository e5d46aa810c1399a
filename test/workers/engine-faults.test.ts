import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { audio, createEngine, defineNode, isMillraceError, type Engine, type RunFailure } from '../../src/index.js'
import { audioBuffer, gain, numbers } from '../../src/nodes/index.js'
import { layoutHash } from '../../src/memory/layout.js'
import { craftModule } from '../kernels/craft-module.js'
import { shares } from './support.js'

const TRAP = [0x00], STUCK = [0x03, 0x40, 0x0c, 0x00, 0x0b]
const POLITE = [0x03, 0x40, 0x20, 0x01, 0x28, 0x02, 0x2c, 0x28, 0x02, 0x00, 0x45, 0x0d, 0x00, 0x0b, 0x41, 0x7f, 0x0f]
const EXPORTS = ['millrace_abi', 'millrace_layout', 'wobble_size', 'wobble_init', 'wobble_reset', 'wobble_process']

/** A node whose kernel misbehaves in its own module. */
const wobble = (module: string): ReturnType<typeof defineNode> => defineNode({
  type: `test::${module}`, version: '1.0.0', title: 'Wobble', doc: 'Misbehaves.', family: 'test', params: {},
  inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } }, outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: { module, export: 'wobble' }, parity: 'exact',
  reference: { init: () => ({}), process: (_state, io) => io.frames, reset: () => undefined },
}) as never
const crafted = (body: readonly number[]): Uint8Array => craftModule({ exports: EXPORTS, body, layout: layoutHash() })
const tone = (): ReturnType<typeof audioBuffer> =>
  audioBuffer({ data: [Float32Array.from({ length: 50_000 }, (_, i) => Math.sin(i / 20))], rate: 16_000 })
const failureOf = async (run: Promise<unknown>): Promise<RunFailure> => {
  const error: unknown = await run.then(() => undefined, (e: unknown) => e)
  if (!isMillraceError(error)) throw error
  return error as RunFailure
}

describe.each([...(shares ? [['wasm-threads']] as const : []), ['wasm']] as const)('faults of kernels on workers, %s', (tier) => {
  let engine: Engine, used: number
  const good = async (): Promise<Float32Array> => {
    using result = await engine.run({ out: gain(tone(), { gainDb: -6 }) })
    return (result.outputs.out.data as { toArray(): Float32Array }).toArray()
  }
  const untilBusy = async (): Promise<void> => {
    while (engine.stats().workers.busy === 0) await new Promise((resolve) => { setTimeout(resolve, 1) })
  }
  beforeEach(async () => {
    engine = await createEngine({
      tier, workers: 2, arenaBytes: 2 ** 25,
      kernels: { trap: crafted(TRAP), stuck: crafted(STUCK), polite: crafted(POLITE) },
    })
    await good()
    used = engine.stats().arena.usedBytes
  })
  afterEach(async () => { await engine.close() })

  test('a trap is KERNEL_TRAP naming node and kernel; its worker is replaced; nothing stays', async () => {
    const before = await good()
    for (let i = 1; i <= 3; i++) {
      const failure = await failureOf(engine.run({ out: wobble('trap')(gain(tone())) } as never))
      expect(failure).toMatchObject({
        code: 'KERNEL_TRAP', nodeId: 'trap-1',
        details: { kernel: 'trap.wobble', reason: expect.stringContaining('unreachable') },
      })
      expect(engine.stats().workers.lost).toBe(i)
    }
    expect(await good()).toEqual(before)
    expect(engine.stats().workers).toMatchObject({ count: 2, busy: 0, lost: 3 })
    // Spans of new threads' stacks stay with the core's allocator.
    expect((engine.stats().arena.usedBytes - used) % 69_632).toBe(0)
  })

  // In transfer mode nobody writes the private cancel word while a kernel runs: kernels are bounded to short blocks there (MW-58).
  if (tier === 'wasm-threads') test('a busy kernel that looks at its cancel word stops when the run is cancelled', async () => {
    const stop = new AbortController(), run = failureOf(engine.run({ out: wobble('polite')(tone()) } as never, { signal: stop.signal }))
    await untilBusy()
    stop.abort('enough')
    expect(await run).toMatchObject({ code: 'CANCELLED' })
    expect(engine.stats().workers).toMatchObject({ count: 2, lost: 0 })
    expect(engine.stats().arena.usedBytes).toBe(used)
  })

  test('a run whose kernel never returns ends when it is cancelled, and the next one finds its workers', async () => {
    const stop = new AbortController(), run = failureOf(engine.run({ out: wobble('stuck')(tone()) } as never, { signal: stop.signal }))
    await untilBusy()
    stop.abort('enough')
    expect(await run).toMatchObject({ code: 'CANCELLED' })
    expect((await good()).length).toBe(50_000)
    expect(engine.stats().workers.count).toBe(2)
  })

  test('a job whose kernel never returns ends when it is cancelled by its node; the rest of its run is there, and another run goes on', async () => {
    const run = engine.run({ stuck: wobble('stuck').named('stuck')(tone()), kept: numbers({ values: [3] }) } as never, { runId: 'r' })
    await untilBusy()
    expect((await good()).length).toBe(50_000)
    expect(engine.cancel('r', { node: 'stuck' })).toBe(true)
    const result = await run as unknown as RunFailure['result']
    expect([result.status, Object.keys(result.outputs), result.error?.code, result.metrics.nodes.find(({ id }) => id === 'stuck')?.status])
      .toEqual(['partialfailure', ['kept'], 'CANCELLED', 'cancelled'])
    result.close()
    expect((await good()).length).toBe(50_000)
    expect(engine.stats().workers.count).toBe(2)
  })

  test('close while a kernel never returns', async () => {
    const run = failureOf(engine.run({ out: wobble('stuck')(tone()) } as never))
    await untilBusy()
    await engine.close()
    expect((await run).code).toMatch(/^CLOSED$|^CANCELLED$/)
  })
})
