import { describe, expect, inject, test } from 'vitest'
import { audio, createEngine, createRegistry, defineNode, json, type NodeContext, type Packet } from '../../src/index.js'
import * as nodes from '../../src/nodes/index.js'

const { add, audioBuffer, gain, listSink, listSource, numbers, pass, switchTo, wavFile } = nodes
const registry = createRegistry(...Object.values(nodes).filter((one) => 'definition' in one) as never[])
const isolated = typeof window === 'undefined' || inject('isolated')
const cases = [...(isolated ? [['wasm-threads', 0], ['wasm-threads', 2]] as const : []), ['wasm', 2], ['js', 0]] as const
const packet = (data: unknown, ctx: NodeContext): Packet => ({
  media: { kind: 'json' }, data, position: 0, duration: 1, streamId: ctx.node.id, seq: 0, arrivalUs: ctx.nowUs(), metadata: {},
})
const base = { version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test', params: {} } as const

/** A source that counts how often it ran. */
function counted(data: unknown, before?: (ctx: NodeContext) => Promise<void>) {
  const seen = { runs: 0 }
  const node = defineNode({
    ...base, type: 'test::counted', inputs: {}, outputs: { out: { media: json() } },
    process: async (_inputs, _params, ctx) => {
      seen.runs++
      await before?.(ctx)
      return { out: packet(data, ctx) }
    },
  })
  return { seen, node }
}

/** A node with two lazy inputs. */
const asker = (process: (ctx: NodeContext) => Promise<unknown>) => defineNode({
  ...base, type: 'test::asker', inputs: { a: { media: json(), lazy: true }, b: { media: json(), lazy: true, optional: true } },
  outputs: { out: { media: json() } },
  process: async (_inputs, _params, ctx): Promise<Record<string, Packet>> => ({ out: packet(await process(ctx), ctx) }),
})
const whole = async (ctx: NodeContext, port: string): Promise<unknown> => (await (await ctx.need(port)).whole()).data

describe('lazy inputs (GR-29)', () => {
  test('switch node runs only the chosen branch', async () => {
    await using engine = await createEngine({ registry })
    for (const which of [0, 1, false, true]) {
      const one = counted(1), other = counted(2)
      const { outputs, metrics, status } = await engine.run({
        out: switchTo([add(one.node(), { addend: 10 }), add(other.node(), { addend: 20 })], { which }),
      })
      expect(outputs.out.data).toBe(Number(which) === 0 ? 11 : 22)
      expect([one.seen.runs, other.seen.runs]).toEqual(Number(which) === 0 ? [1, 0] : [0, 1])
      expect(status).toBe('success')
      const idle = metrics.nodes.filter(({ status: of }) => of === 'skipped')
      expect(idle.map(({ reason, itemsIn, itemsOut }) => [reason, itemsIn, itemsOut])).toEqual([['lazy', 0, 0], ['lazy', 0, 0]])
    }
  })

  test.each(cases)('kernels of a branch that nobody asks for do not run (%s, %i workers)', async (tier, workers) => {
    await using engine = await createEngine({ registry, tier, workers, arenaBytes: 16 * 1_048_576 })
    const x = audioBuffer({ data: [new Float32Array(100_000).fill(0.5)], rate: 8_000 })
    const louder = gain(x, { gainDb: 6 }), softer = gain(x, { gainDb: -6 })
    const target = { out: switchTo([louder, gain(softer, { gainDb: -6 })], { which: 1 }), also: gain(x, { gainDb: 1 }) }
    const before = engine.stats().arena.usedBytes
    {
      using result = await engine.run(target)
      expect((result.outputs.out.data as { channel(c: number): Float32Array }).channel(0)[99_999]).toBeCloseTo(0.5 * 10 ** (-12 / 20), 6)
      expect(result.outputs.also.duration).toBe(100_000)
      const calls = result.metrics.nodes.filter(({ type }) => type === 'audio::gain')
        .map(({ kernelCalls, status }) => [kernelCalls > 0, status])
      expect(calls.sort()).toEqual([[false, 'skipped'], [true, 'success'], [true, 'success'], [true, 'success']])
    }
    expect(engine.stats().arena.usedBytes - before).toBeLessThan(2 * 1_048_576)
    const plan = await engine.plan(target)
    expect(plan.nodes.filter(({ why }) => why.includes('when asked for')).map(({ type }) => type))
      .toEqual(['audio::gain', 'audio::gain', 'audio::gain'])
  })

  test('asked twice, by two at once: the branch runs once, its result is shared, the promise is the same', async () => {
    await using engine = await createEngine({ registry })
    const source = counted(5), same: boolean[] = []
    const twice = asker(async (ctx) => {
      const first = ctx.need('a')
      same.push(first === ctx.need('a'))
      return (await (await first).whole()).data
    })
    const shared = pass(source.node())
    const { outputs } = await engine.run({ x: twice(shared), y: twice(shared) })
    expect([outputs.x.data, outputs.y.data]).toEqual([5, 5])
    expect(source.seen.runs).toBe(1)
    expect(same).toEqual([true, true])
  })

  test('a branch within a branch, a stream that another node reads all along, and an input that is not linked', async () => {
    await using engine = await createEngine({ registry })
    const long = numbers(Array.from({ length: 500 }, (_, n) => n))
    const deep = counted(1)
    const inner = switchTo([deep.node(), listSink(add(long, { addend: 1 })).items], { which: 1 })
    const late = asker(async (ctx) => {
      await ctx.clock.sleep(20)
      return [await whole(ctx, 'a'), await ctx.need('b')]
    })
    const { outputs } = await engine.run({ out: late(inner), all: listSink(long).items })
    const [list, none] = outputs.out.data as [number[], undefined]
    expect(list).toEqual(Array.from({ length: 500 }, (_, n) => n + 1))
    expect(none).toBeUndefined()
    expect((outputs.all.data as number[]).length).toBe(500)
    expect(deep.seen.runs).toBe(0)
    // Never asked for: its reader of the long stream holds nobody up.
    const never = await engine.run({ out: asker(() => Promise.resolve('no'))(listSink(long).items), all: listSink(long).items })
    expect([never.outputs.out.data, (never.outputs.all.data as number[]).length]).toEqual(['no', 500])
  })

  test('a failing branch fails who asked, as DEPENDENCY_FAILED; with onError continue it may take another', async () => {
    await using engine = await createEngine({ registry })
    const bad = counted(0, () => Promise.reject(new Error('broken'))), good = counted(7), codes: unknown[] = []
    const careful = asker(async (ctx) => {
      try { return await whole(ctx, 'a') } catch (error) {
        codes.push((error as { code?: string }).code)
        return whole(ctx, 'b')
      }
    })
    const result = await engine.run({ out: careful({ a: bad.node(), b: good.node() }) }, { onError: 'continue' })
    expect([codes, result.outputs.out.data, result.status]).toEqual([['DEPENDENCY_FAILED'], 7, 'partialfailure'])
    await expect(engine.run({ out: asker((ctx) => whole(ctx, 'a'))(bad.node()) })).rejects
      .toMatchObject({ code: 'NODE_FAILED', nodeType: 'test::counted' })
    const skipped =
      await engine.run({ out: asker((ctx) => whole(ctx, 'a'))(bad.node()), other: counted(1).node() }, { onError: 'continue' })
    expect(skipped.metrics.nodes.find(({ type }) => type === 'test::asker'))
      .toMatchObject({ status: 'skipped', reason: 'dependency-failed' })
  })

  test('a port that is not lazy, or not there: INVALID_ARGUMENT; a cancel settles who waits', async () => {
    await using engine = await createEngine({ registry })
    for (const port of ['c', 'out', '__proto__']) {
      await expect(engine.run({ out: asker((ctx) => ctx.need(port))(counted(1).node()) })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/ctx\.need: expected one of its lazy inputs a, b/) as string,
      })
    }
    const abort = new AbortController()
    const slow = counted(1, async (ctx) => { abort.abort(); await ctx.clock.sleep(60_000) })
    await expect(engine.run({ out: asker((ctx) => whole(ctx, 'a'))(slow.node()) }, { signal: abort.signal })).rejects
      .toMatchObject({ code: 'CANCELLED' })
  })

  test('partial outputs, nested runs, progress to 1, and a switch that an edge drives', async () => {
    await using engine = await createEngine({ registry })
    const one = counted(1), other = counted(2)
    const choice = switchTo([one.node(), other.node()], { which: listSource([true]) })
    const fractions: number[] = []
    const nested = defineNode({
      ...base, type: 'test::nested', inputs: {}, outputs: { out: { media: json() } },
      process: async (_inputs, _params, ctx): Promise<Record<string, Packet>> => ({ out: (await ctx.expand({ out: choice }))['out']! }),
    })
    const { outputs } = await engine.run(
      { out: nested(), unused: asker((ctx) => whole(ctx, 'a'))(one.node()) },
      { outputs: ['out'], onProgress: ({ fraction }) => { fractions.push(fraction) } },
    )
    expect(outputs.out.data).toBe(2)
    expect([one.seen.runs, other.seen.runs]).toEqual([0, 1])
    expect(fractions.at(-1)).toBe(1)
  })

  test('sources that nobody asks for are not started, nor missed; asked for, they fail as themselves', async () => {
    await using engine = await createEngine({ registry })
    let started = 0
    const unknown = defineNode({
      ...base, type: 'test::unknown', inputs: {}, outputs: { out: { media: audio({ discovered: true }) } },
      async *pull(_params, ctx) {
        started++
        const data = await ctx.allocAudio({ rate: 8_000, channels: 1, frames: 4 })
        yield {
          out: {
            ...packet(data, ctx),
            media: { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' },
            duration: 4,
          } as Packet,
        }
      },
    })
    const target = (which: number) => ({
      out: switchTo([listSink(unknown()).items, listSink(wavFile(new Uint8Array([1, 2, 3]))).items, listSource(['fine'])], { which }),
    })
    expect((await engine.run(target(2))).outputs.out.data).toBe('fine')
    expect(started).toBe(0)
    expect((await engine.run(target(0))).outputs.out.data).toEqual([new Float32Array(4)])
    expect(started).toBe(1)
    await expect(engine.run(target(1))).rejects.toMatchObject({ nodeType: 'io::wav-file' })
  })

  test('a switch that names no input: the run says so, a document before it', async () => {
    await using engine = await createEngine({ registry })
    await expect(engine.run({ out: switchTo([counted(1).node()], { which: 4 }) })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(engine.run({ out: switchTo([counted(1).node()], { which: 'left' }) })).rejects
      .toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('which') as string })
    await expect(engine.run({ out: switchTo([counted(1).node()], { which: listSource(['x']) }) })).rejects
      .toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
