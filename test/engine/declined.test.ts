/** Lazy inputs that are declined hold up nobody and fill nothing (GR-29). */
import { describe, expect, inject, test } from 'vitest'
import {
  audio, createEngine, createRegistry, defineNode, json, type AudioBuffer, type NodeContext, type Packet, type PacketStream,
} from '../../src/index.js'
import * as nodes from '../../src/nodes/index.js'

const { add, audioBuffer, gain, listSink, listSource, numbers, pass, switchTo } = nodes
const registry = createRegistry(...Object.values(nodes).filter((one) => 'definition' in one) as never[])
const isolated = typeof window === 'undefined' || inject('isolated')
const base = { version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test', params: {} } as const
const PACKETS = 10_000
const packet = (data: unknown, position = 0): Packet => ({
  media: { kind: 'json' }, data, position, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
})
type Inputs = Readonly<Record<string, PacketStream>>

/** Numbers from 0; how many were given. `held`: how many wait at most, as its reader counts them. */
function counter(count: number) {
  const seen = { given: 0 }
  const node = defineNode({ ...base, type: 'test::counter', inputs: {}, outputs: { out: { media: json() } }, async *pull() {
    for (let n = 0; n < count; n++) { seen.given++; yield { out: packet(n, n) } }
  } })
  return { seen, node }
}
/** Counts packets, and lets nothing on. */
const tally = defineNode({
  ...base, type: 'test::tally', inputs: { in: { media: json() } }, outputs: { out: { media: json() } },
  process: async (inputs) => {
    let count = 0
    for await (const one of (inputs as Inputs)['in']!) count += Number(one.duration > 0)
    return { out: packet(count) }
  },
})
const asker = (process: (ctx: NodeContext) => AsyncGenerator<unknown>) => defineNode({
  ...base, type: 'test::asker', inputs: { a: { media: json(), lazy: true }, b: { media: json(), lazy: true, optional: true } },
  outputs: { out: { media: json() } },
  async *process(_inputs, _params, ctx) { for await (const data of process(ctx)) yield { out: packet(data) } },
})
/** What a lazy input gives, packet by packet, to a node that comes back to it. */
const reader = async (ctx: NodeContext, port: string) => {
  const packets = (await ctx.need(port))[Symbol.asyncIterator]()
  return async (): Promise<unknown> => { const next = await packets.next(); return next.done === true ? undefined : next.value.data }
}

describe('a stream that a switch does not read passes', () => {
  test(`${PACKETS} packets beside a branch that nobody asks for: no queue holds more than it may`, async () => {
    await using engine = await createEngine({ registry, workers: 0 })
    for (const which of [0, 1]) {
      const source = counter(PACKETS), s = source.node()
      const { outputs, metrics } = await engine.run({ out: tally(switchTo([s, add(s, { addend: 1 })], { which })) })
      expect([outputs.out.data, source.seen.given]).toEqual([PACKETS, PACKETS])
      expect(Math.max(...metrics.edges.map(({ depthMax }) => depthMax))).toBeLessThanOrEqual(16)
      const unread = metrics.edges.filter(({ dropped }) => dropped > 0)
      expect(unread.map(({ to, dropped, items }) => [to, dropped, items]))
        .toEqual([[which === 0 ? 'add-1.in' : 'switch-1.in.0', PACKETS, 0]])
      expect(metrics.nodes.filter(({ status }) => status === 'skipped').map(({ type, reason }) => [type, reason]))
        .toEqual(which === 0 ? [['math::add', 'lazy']] : [])
      expect(metrics.nodes.find(({ type }) => type === 'core::switch')).toMatchObject({ itemsIn: PACKETS, itemsOut: PACKETS })
    }
  })

  test('also where the source runs for somebody else, through branches within branches, to several switches', async () => {
    await using engine = await createEngine({ registry, workers: 0 })
    const source = counter(2_000), s = source.node(), other = counter(2_000), o = other.node()
    const inner = switchTo([add(s, { addend: 1 }), pass(o)], { which: 0 })
    const { outputs, metrics } = await engine.run({
      all: tally(s),
      chosen: listSink(switchTo([listSource(['x']), inner], { which: 0 })).items,
      late: tally(switchTo([listSource(['y']), add(s, { addend: 2 })], { which: 1 })),
    })
    expect([outputs.all.data, outputs.chosen.data, outputs.late.data]).toEqual([2_000, ['x'], 2_000])
    expect(other.seen.given).toBe(0)
    expect(Math.max(...metrics.edges.map(({ depthMax }) => depthMax))).toBeLessThanOrEqual(16)
  })

  const modes = [...(isolated ? [['wasm-threads', 0], ['wasm-threads', 2]] as const : []), ['wasm', 2], ['js', 0]] as const
  test.each(
    modes,
  )('audio through kernels: an arena of 16 MB holds minutes beside a branch that nobody reads (%s, %i workers)', async (tier, workers) => {
    await using engine = await createEngine({ registry, tier, workers, arenaBytes: 16 * 1_048_576 })
    const chunks = 400, mono = { kind: 'audio', rate: 16_000, channels: 1, format: 'f32', layout: 'planar' } as const
    const tone = defineNode({
      ...base, type: 'test::tone', inputs: {},
      outputs: { out: { media: audio({ rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }) } },
      async *pull(_params, ctx) {
        for (let n = 0; n < chunks; n++) {
          const data = await ctx.allocAudio({ rate: 16_000, channels: 1, frames: 16_384 })
          data.channel(0).fill(0.25)
          yield { out: { media: mono, data, position: n * 16_384, duration: 16_384, streamId: '', seq: n, arrivalUs: 0, metadata: {} } }
        }
      },
    })
    const frames = defineNode({
      ...base, type: 'test::frames', inputs: { in: { media: audio() } }, outputs: { out: { media: json() } },
      process: async (inputs) => {
        let count = 0, peak = 0
        for await (const { data, duration } of (inputs as Inputs)['in']!) {
          count += duration
          peak = Math.max(peak, (data as AudioBuffer).channel(0)[0]!)
        }
        return { out: packet([count, peak]) }
      },
    })
    for (const which of [0, 1]) {
      const s = tone(), { outputs, metrics } = await engine.run({ out: frames(switchTo([s, gain(s, { gainDb: 20 })], { which })) })
      expect(outputs.out.data).toEqual([chunks * 16_384, which === 0 ? 0.25 : expect.closeTo(2.5, 5)])
      expect(metrics.edges.reduce((sum, { dropped }) => sum + dropped, 0)).toBe(chunks)
      expect(metrics.nodes.find(({ type }) => type === 'audio::gain')).toMatchObject({ status: which === 0 ? 'skipped' : 'success' })
    }
    expect(engine.stats().arena.usedBytes).toBeLessThan(4 * 1_048_576)
  }, 20_000)

  test('a value of one packet stays, and is computed when it is asked for after all', async () => {
    await using engine = await createEngine({ registry, workers: 0, arenaBytes: 16 * 1_048_576 })
    const buffer = engine.audio.alloc({ rate: 8_000, channels: 1, frames: 50_000 })
    buffer.channel(0).fill(0.5)
    const both = defineNode({
      ...switchTo.definition, type: 'test::both', params: {}, validate: () => [], outputs: { out: { media: json() } },
      process: async (_inputs, _params, ctx: NodeContext) => {
        ctx.decline('in')
        const first = (await (await ctx.need('in.0')).whole()).data as AudioBuffer, peaks = [first.channel(0)[49_999]]
        ctx.decline('in.1')
        await ctx.clock.sleep(5)
        return { out: packet([...peaks, ((await (await ctx.need('in.1')).whole()).data as AudioBuffer).channel(0)[49_999]]) }
      },
    })
    const x = audioBuffer(buffer)
    const { outputs } = await engine.run({ out: both([x, gain(x, { gainDb: 20 })] as never), also: listSink(x).items })
    expect(outputs.out.data).toEqual([0.5, expect.closeTo(5, 5)])
    buffer.close()
  })
})

describe('the choice may change', () => {
  test('between sources that serve nobody else: each waits where it is, nothing is lost', async () => {
    await using engine = await createEngine({ registry, workers: 0 })
    const letters = counter(100), capitals = counter(100)
    const { outputs, metrics } = await engine.run({
      out:
        listSink(switchTo([letters.node(), add(capitals.node(), { addend: 1_000 })], { which: numbers([0, 0, 1, 1, 1, 0, 0, 1]) })).items,
    })
    expect((outputs.out.data as number[]).slice(0, 8)).toEqual([0, 1, 1_000, 1_001, 1_002, 2, 3, 1_003])
    // The last value holds until the stream that it names has ended.
    expect((outputs.out.data as number[]).slice(8)).toEqual(Array.from({ length: 96 }, (_, n) => 1_004 + n))
    expect(metrics.edges.map(({ dropped }) => dropped)).not.toContainEqual(expect.toSatisfy((n: number) => n > 0))
    expect(letters.seen.given).toBeLessThan(40)
  })

  test('of one source: reads from the packet that comes next, positions as they are, none twice', async () => {
    await using engine = await createEngine({ registry, workers: 0 })
    const s = counter(PACKETS).node()
    const twice = asker(async function* (ctx) {
      ctx.decline('b')
      const a = await reader(ctx, 'a')
      for (let n = 0; n < 500; n++) yield await a()
      ctx.decline('a')
      const b = await reader(ctx, 'b')
      for (let n = 0; n < 500; n++) yield await b()
      ctx.decline('b')
      await ctx.need('a')
      for (let one = await a(); one !== undefined; one = await a()) yield one
    })
    const { outputs, metrics } = await engine.run({ out: listSink(twice({ a: s, b: add(s, { addend: 0 }) })).items })
    const got = outputs.out.data as number[]
    expect(got.slice(0, 500)).toEqual(Array.from({ length: 500 }, (_, n) => n))
    // What was on its way when the choice changed has passed, no more than the queues hold.
    const jumps = got.flatMap((one, n) => n > 0 && one !== got[n - 1]! + 1 ? [[got[n - 1]!, one] as const] : [])
    expect(jumps.length).toBeLessThanOrEqual(2)
    for (const [before, after] of jumps) expect(after - before).toSatisfy((by: number) => by > 0 && by <= 70)
    expect(got.at(-1)).toBe(PACKETS - 1)
    expect(Math.max(...metrics.edges.map(({ depthMax }) => depthMax))).toBeLessThanOrEqual(32)
  })

  const threads = (['engine', 'worker'] as const)
    .flatMap((thread) => (isolated ? [true, false] : [false]).map((shared) => [thread, shared] as const))
  test.each(threads)('back and forth, thread %s, shared memory %s', async (thread, shared) => {
    await using engine = await createEngine({ registry, workers: 2, shared: shared ? 'auto' : false, arenaBytes: 16 * 1_048_576 })
    // Its text is all there is to it, so that it can cross.
    const far = defineNode({
      ...base, type: 'test::far', thread,
      inputs: { a: { media: json(), lazy: true }, b: { media: json(), lazy: true } },
      outputs: { out: { media: json() } },
      async *process(_inputs, _params, ctx) {
        const packets: Record<string, AsyncIterator<Packet>> = {}
        for (const port of ['a', 'b', 'a', 'b', 'a']) {
          ctx.decline(port === 'a' ? 'b' : 'a')
          const input = await ctx.need(port), from = packets[port] ??= input[Symbol.asyncIterator]()
          for (let n = 0; n < 20; n++) {
            const next = await from.next()
            if (next.done === true) return
            yield { out: { ...next.value } }
          }
        }
        for (let next = await packets['a']!.next(); next.done !== true; next = await packets['a']!.next()) yield { out: { ...next.value } }
      },
    })
    const letters = counter(100), capitals = counter(100)
    const apart = await engine.run({ out: listSink(far({ a: letters.node(), b: add(capitals.node(), { addend: 1_000 }) })).items })
    const count = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n)
    expect(apart.outputs.out.data)
      .toEqual([...count(0, 20), ...count(1_000, 1_020), ...count(20, 40), ...count(1_020, 1_040), ...count(40, 100)])
    const s = counter(1_000).node()
    const { outputs } = await engine.run({ out: listSink(far({ a: s, b: add(s, { addend: 0 }) })).items, all: tally(s) })
    const got = outputs.out.data as number[]
    const turns = [0, 1, 2, 3].map((turn) => got.slice(turn * 20, turn * 20 + 20)), last = got.slice(80)
    // A turn has no hole, and no branch gives a packet twice; how far one is before the other is the queues' affair.
    for (const turn of [...turns, last]) expect(turn).toEqual(count(turn[0]!, turn[0]! + turn.length))
    for (const [before, after] of [[turns[0], turns[2]], [turns[1], turns[3]], [turns[2], last]] as const) {
      expect(after![0]).toBeGreaterThan(before!.at(-1)!)
    }
    expect([turns[0], last.at(-1), outputs.all.data]).toEqual([count(0, 20), 999, 1_000])
  })

  test('what is neither asked for nor declined is kept whole; what has passed has passed; a wrong port is refused', async () => {
    await using engine = await createEngine({ registry, workers: 0 })
    const run = async (process: (ctx: NodeContext) => AsyncGenerator<unknown>) => {
      const s = counter(600).node()
      return (await engine.run({ out: asker(process)({ a: listSink(s).items as never }), all: tally(s) })).outputs.out.data
    }
    const length = async (ctx: NodeContext): Promise<number> => ((await (await ctx.need('a')).whole()).data as unknown[]).length
    expect(await run(async function* (ctx) { await ctx.clock.sleep(30); yield await length(ctx) })).toBe(600)
    expect(await run(async function* (ctx) { ctx.decline('a'); await ctx.clock.sleep(30); yield await length(ctx) })).toBe(0)
    await expect(run(async function* (ctx) { ctx.decline('c'); yield await length(ctx) })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/ctx\.decline: expected one of its lazy inputs a, b/) as string,
    })
  })
})
