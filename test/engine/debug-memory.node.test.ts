import { describe, expect, test } from 'vitest'
import { audio, createEngine, defineNode, type EngineEvent } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'
import { WINDOW } from '../../src/memory/layout.js'
import { compileFixture } from '../kernels/fixtures/compile-fixture.js'

/** Copies, and writes `over` bytes behind its output. */
const overrun = defineNode({
  type: 'test::overrun', version: '1.0.0', title: 'Overrun', doc: 'Writes too far.', family: 'test',
  params: { over: { type: 'integer', min: 0, max: 8, default: 0, rate: 'init', doc: 'Bytes.' } },
  inputs: { in: { media: audio({ channels: 1 }) } }, outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: { module: 'mine', export: 'overrun' },
  reference: {
    init: () => ({}),
    process: (_, { inputs, outputs, frames }) => { outputs[0]!.channels[0]!.set(inputs[0]!.channels[0]!); return frames },
    reset: () => undefined,
  },
})
const samples = Float32Array.from({ length: 10_000 }, (_, i) => Math.sin(i / 10))

describe('debugMemory (MW-15)', () => {
  test.each([
    ['inside a segment', false], ['at its end', true],
  ])('one byte too far %s: ARENA_CORRUPT names the kernel and the node', async (_, last) => {
    const mine = await compileFixture('overrun.ts')
    await using engine = await createEngine({ debugMemory: true, kernels: { mine }, logger: () => undefined })
    const graph = (over: number): { out: ReturnType<typeof overrun>['out'] } => {
      const wild = overrun(gain(audioBuffer([samples]), { gainDb: -6 }), { over })
      return { out: (last ? wild : gain(wild, { gainDb: -6 })).out as never }
    }
    const sound = await engine.run(graph(0))
    expect((sound.outputs.out as { data: { frames: number } }).data.frames).toBe(10_000)
    await expect(engine.run(graph(1))).rejects.toMatchObject({
      code: 'ARENA_CORRUPT', nodeType: 'test::overrun',
      message: expect.stringContaining('kernel mine.overrun of node overrun-') as string,
    })
  })

  test('the guard below the modules, which stays zero: ARENA_CORRUPT at the next run says where', async () => {
    await using engine = await createEngine({ debugMemory: true, logger: () => undefined })
    await using plain = await createEngine({ workers: 0 })
    const run = (on: typeof engine): Promise<unknown> => on.run({ out: gain(audioBuffer([samples]), { gainDb: -6 }) })
    await run(engine)
    for (const one of [engine, plain]) one.arena.u32[(WINDOW.GUARD + 0x1230) >>> 2] = 5
    await expect(run(engine)).rejects
      .toMatchObject({ code: 'ARENA_CORRUPT', details: { offset: WINDOW.GUARD + 0x1230 - WINDOW.ARENA, got: '0x5' } })
    await run(plain)
  })

  test('results are those of a run without guards', async () => {
    const plain = await createEngine({ workers: 0 }), guarded = await createEngine({ debugMemory: true })
    const run = async (engine: typeof plain): Promise<Float32Array> =>
      (await engine.run({ out: gain(gain(audioBuffer([samples]), { gainDb: -6 }), { gainDb: 3 }) })).outputs.out.data.channel(0).slice()
    expect(await run(guarded)).toEqual(await run(plain))
    await Promise.all([plain.close(), guarded.close()])
  })
})

describe('memory pressure (MW-12)', () => {
  test('a scripted fill tells each level; above 95 % a new run waits for the one that makes room', async () => {
    const events: EngineEvent[] = []
    await using engine = await createEngine({ workers: 0, onEvent: (event) => { events.push(event) } })
    const { capacityBytes, usedBytes } = engine.stats().arena
    const hold = engine.audio.alloc({ rate: 8_000, channels: 1, frames: Math.floor((capacityBytes * 0.94 - usedBytes) / 4) })
    let more: ReturnType<typeof engine.audio.alloc> | undefined, release: () => void = () => undefined
    const blocker = defineNode({
      type: 'test::blocker', version: '1.0.0', title: 'Blocker', doc: 'Holds the arena full until told.', family: 'test', params: {},
      inputs: {}, outputs: { out: { media: { kind: 'json' } } },
      pull: async function* (_params, ctx) {
        more = engine.audio.alloc({ rate: 8_000, channels: 1, frames: Math.floor(capacityBytes * 0.03 / 4) })
        await new Promise<void>((resolve) => { release = resolve })
        yield {
          out: {
            media: { kind: 'json' as const }, data: 1, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: ctx.nowUs(), metadata: {},
          },
        }
      },
    })
    const first = engine.run({ out: blocker().out }), order: string[] = []
    for (let i = 0; i < 100 && more === undefined; i++) await new Promise((resolve) => { setTimeout(resolve, 5) })
    const second = engine.run({ out: gain(audioBuffer([samples]), { gainDb: -6 }) })
      .then((result) => { order.push('second'); return result })
    await new Promise((resolve) => { setTimeout(resolve, 30) })
    expect(order).toEqual([])
    more!.close()
    hold.close()
    expect((await second).outputs.out.data.frames).toBe(10_000)
    release()
    await first
    expect(events.filter(({ type }) => type === 'memory.pressure').map(({ payload }) => payload['level']))
      .toEqual(['before-runs', 'wait', 'none'])
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i))
  })

  test('a dispose that throws while idle instances are given up fails no run and ends no process: it is logged', async () => {
    const warnings: string[] = [], unhandled: unknown[] = [], heard = (reason: unknown): void => { unhandled.push(reason) }
    process.on('unhandledRejection', heard)
    const engine = await createEngine({ workers: 0, logger: (_level, text) => { warnings.push(text) } })
    const clumsy = defineNode({
      type: 'test::clumsy', version: '1.0.0', title: 'Clumsy', doc: 'Cannot be given up.', family: 'test', params: {}, inputs: {},
      outputs: { out: { media: { kind: 'json' } } },
      init: () => ({}), reset: () => undefined, dispose: () => { throw new Error('stuck fast') },
      pull: async function* (_params, ctx) {
        yield {
          out: {
            media: { kind: 'json' as const }, data: 1, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: ctx.nowUs(), metadata: {},
          },
        }
      },
    })
    const { capacityBytes, usedBytes } = engine.stats().arena
    const fill = (): { close(): void } =>
      engine.audio.alloc({ rate: 8_000, channels: 1, frames: Math.floor((capacityBytes * 0.86 - usedBytes) / 4) })
    await engine.run({ out: clumsy().out })
    const beside = fill()
    await new Promise((resolve) => { setTimeout(resolve, 20) })
    expect(warnings).toEqual([expect.stringContaining('stuck fast')])
    beside.close()
    await engine.run({ out: clumsy().out })
    const before = fill()
    expect((await engine.run({ out: gain(audioBuffer([samples]), { gainDb: -6 }) })).outputs.out.data.frames).toBe(10_000)
    before.close()
    await engine.close()
    process.off('unhandledRejection', heard)
    expect(unhandled).toEqual([])
    expect(warnings).toHaveLength(2)
  })
})
