import { describe, expect, test } from 'vitest'
import {
  createEngine, createGraph, createRegistry, defineNode, graphFrom, json, type EngineEvent, type NodeContext, type Packet,
  type PacketStream,
} from '../../src/index.js'
import * as nodes from '../../src/nodes/index.js'

const { add, audioBuffer, divide, gain, listSink, map, numbers } = nodes
const registry = createRegistry(...Object.values(nodes).filter((one) => 'definition' in one) as never[])
const packet = (data: unknown, ctx: NodeContext): Packet => ({
  media: { kind: 'json' }, data, position: 0, duration: 1, streamId: ctx.node.id, seq: 0, arrivalUs: ctx.nowUs(), metadata: {},
})

/** A node whose code is the test's. */
const node = (
  type: string,
  process: (ctx: NodeContext, input: unknown) => Promise<Record<string, Packet>>,
  extra: Record<string, unknown> = {},
) => defineNode({
  type, version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test', params: {},
  inputs: { in: { media: json(), optional: true } }, outputs: { out: { media: json() } },
  process: async (inputs, _params, ctx) => process(ctx, (await (inputs['in'] as PacketStream | undefined)?.whole())?.data), ...extra,
})

describe('ctx.expand (GR-30)', () => {
  test('a graph in the place of a node: its outputs, its nodes as outer/inner in the metrics', async () => {
    await using engine = await createEngine({ registry })
    const outer = node('test::outer', async (ctx) => ({
      out: (await ctx.expand({ out: listSink(add(numbers([1, 2, 3]), { addend: 10 })).items }))['out']!,
    }))
    const { outputs, metrics } = await engine.run({ out: outer() })
    expect(outputs.out.data).toEqual([11, 12, 13])
    expect(metrics.nodes.map(({ id }) => id)).toEqual(['outer-1', 'outer-1/numbers-1', 'outer-1/add-1', 'outer-1/list-sink-1'])
    expect(metrics.nodesTotal).toBe(4)
  })

  test('a recursive map-reduce', async () => {
    await using engine = await createEngine({ registry })
    const sumOf = (values: readonly number[]) => defineNode({
      type: 'test::sum', version: '1.0.0', title: 'Sum', doc: 'Halves its list until one is left.', family: 'test', params: {}, inputs: {},
      outputs: { out: { media: json() } },
      process: async (_inputs, _params, ctx): Promise<Record<string, Packet>> => {
        if (values.length === 1) return { out: packet(values[0], ctx) }
        const half = values.length >> 1
        const parts = await ctx.expand({ a: sumOf(values.slice(0, half))().out, b: sumOf(values.slice(half))().out })
        return { out: packet((parts['a']!.data as number) + (parts['b']!.data as number), ctx) }
      },
    })
    const { outputs, metrics } = await engine.run({ total: sumOf(Array.from({ length: 16 }, (_, i) => i + 1))() })
    expect(outputs.total.data).toBe(136)
    expect(metrics.nodesTotal).toBe(31)
  })

  test('more than the limit of added nodes: LIMIT_EXCEEDED, and a graph that never ends comes to it too', async () => {
    await using engine = await createEngine({ registry, limits: { expandedNodes: 20 } })
    const endless = node('test::endless', (ctx) => ctx.expand({ out: endless().out }) as Promise<Record<string, Packet>>)
    await expect(engine.run({ out: endless() })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', details: { limit: 20, got: 21 } })
    const wide = node('test::wide', (ctx) => ctx.expand({
      out: listSink(Array.from({ length: 20 })
        .reduce<ReturnType<typeof add>['out']>((out) => add(out, { addend: 1 }).out, numbers([0]).out)).items,
    }) as Promise<Record<string, Packet>>)
    await expect(engine.run({ out: wide() })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })

  test('a failure inside names outer/inner and keeps its code; nothing stays allocated', async () => {
    await using engine = await createEngine({ registry })
    const before = engine.stats().arena.usedBytes
    const outer = node('test::outer', (ctx) => ctx.expand({
      out: listSink(divide(numbers([1]), { divisor: 0 })).items, audio: gain(audioBuffer([new Float32Array(1_000)])).out,
    }) as Promise<Record<string, Packet>>)
    await expect(engine.run({ out: outer() })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', nodeId: 'outer-1/divide-1' })
    expect(engine.stats().arena.usedBytes).toBe(before)
  })

  test('a cancel reaches what runs within', async () => {
    await using engine = await createEngine({ registry })
    const abort = new AbortController()
    const waiting = node('test::waiting', async (ctx) => { abort.abort(); await ctx.clock.sleep(60_000); return { out: packet(1, ctx) } })
    const outer = node('test::outer', (ctx) => ctx.expand({ out: waiting().out }) as Promise<Record<string, Packet>>)
    await expect(engine.run({ out: outer() }, { signal: abort.signal })).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  test('one permit is enough: an outer node holds none while its inner ones run', async () => {
    await using engine = await createEngine({ registry, limiters: { cpu: 1 } })
    const outer = node('test::outer', async (ctx) => ({
      out: (await ctx.expand({ out: listSink(map(numbers([2]), { op: 'square' })).items }))['out']!,
    }))
    expect((await engine.run({ a: outer(), b: outer() })).outputs.a.data).toEqual([4])
  })
})

describe('ctx.callOp, ctx.preview, ctx.node.document (GR-28)', () => {
  test('one node on plain values and on audio', async () => {
    await using engine = await createEngine({ registry })
    const caller = node('test::caller', async (ctx) => {
      const sum = await ctx.callOp('math::add', { in: 5 }, { addend: 2 })
      const louder = await ctx.callOp('audio::gain', { in: [Float32Array.of(0.5, -0.5)] }, { gainDb: 20 * Math.log10(2) })
      const audio = louder['out']!.data as { channel(c: number): Float32Array; close(): void }, samples = [...audio.channel(0)]
      audio.close()
      return { out: packet([sum['out']!.data, samples], ctx) }
    })
    const before = engine.stats().arena.usedBytes
    const { outputs } = await engine.run({ out: caller() })
    const [sum, samples] = outputs.out.data as [number, number[]]
    expect(sum).toBe(7)
    expect(samples.map((x) => Math.round(x * 1e6) / 1e6)).toEqual([1, -1])
    expect(engine.stats().arena.usedBytes).toBe(before)
  })

  test('an unknown type names its neighbours', async () => {
    await using engine = await createEngine({ registry })
    const caller = node('test::caller', (ctx) => ctx.callOp('math::ad') as Promise<Record<string, Packet>>)
    await expect(engine.run({ out: caller() })).rejects
      .toMatchObject({ code: 'NODE_TYPE_UNKNOWN', hint: expect.stringContaining('math::add') as string })
  })

  test('a preview is an event with run and node; the document is the run\'s graph', async () => {
    const events: EngineEvent[] = []
    await using engine = await createEngine({ registry, onEvent: (event) => { events.push(event) } })
    const shows = node('test::shows', (ctx) => {
      ctx.preview({ media: { kind: 'json' }, data: { half: 'way' } })
      return ctx.node.document!().then((document) => ({ out: packet(document, ctx) }))
    })
    const { outputs, runId } = await engine.run({ out: shows() })
    expect(events.filter(({ type }) => type === 'node.preview'))
      .toMatchObject([{ runId, nodeId: 'shows-1', payload: { data: { half: 'way' } } }])
    expect(outputs.out.data).toMatchObject({ millrace: 1, nodes: [{ id: 'shows-1', type: 'test::shows' }] })
    expect(createGraph().nodes).toEqual([])
    expect(graphFrom({ out: shows() }).nodes).toHaveLength(1)
  })

  test.each(['engine', 'worker'] as const)('what is no graph is INVALID_ARGUMENT (%s)', async (thread) => {
    await using engine = await createEngine({ registry })
    const given = [5, null, undefined, 'a graph', () => 1]
    const careless = defineNode({
      type: 'test::careless', version: '1.0.0', title: 'Careless', doc: 'Expands what is no graph.', family: 'test', inputs: {},
      outputs: { out: { media: json() } }, thread,
      params: { n: { type: 'integer', min: 0, max: 4, required: true, doc: 'Which.' } },
      process: async (_inputs, { n }, ctx) => ctx.expand([5, null, undefined, 'a graph', () => 1][n as number] as never),
    })
    for (const n of given.keys()) {
      await expect(engine.run({ out: careless({ n }) })).rejects
        .toMatchObject({ code: 'INVALID_ARGUMENT', nodeId: 'careless-1', message: expect.stringContaining('ctx.expand') })
    }
  })

  test('on a thread of its own a graph of functions is UNSUPPORTED', async () => {
    await using engine = await createEngine({ registry })
    const threaded = defineNode({
      type: 'test::threaded', version: '1.0.0', title: 'Threaded', doc: 'Asks for what only the engine has.', family: 'test', params: {},
      inputs: {}, outputs: { out: { media: json() } }, thread: 'worker',
      process: async (_inputs, _params, ctx) => ctx.expand({ nodes: [] } as never),
    })
    await expect(engine.run({ out: threaded() })).rejects.toMatchObject({ code: 'UNSUPPORTED', nodeId: 'threaded-1' })
  })
})
