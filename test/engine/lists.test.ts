import { describe, expect, test } from 'vitest'
import {
  anyMedia, audio, blocker, createEngine, createRegistry, defineNode, events, json, type AudioBuffer, type NodeContext, type Packet,
  type PacketStream,
} from '../../src/index.js'
import * as nodes from '../../src/nodes/index.js'

const { add, audioBuffer, gain, listSink, listSource, numbers, pass, switchTo, vad } = nodes
const registry = createRegistry(...Object.values(nodes).filter((one) => 'definition' in one) as never[])
const packet = (data: unknown, more: Partial<Packet> = {}): Packet => ({
  media: { kind: 'json' }, data, position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {}, ...more,
})
const base = { version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test', params: {} } as const
type Inputs = Readonly<Record<string, PacketStream>>

/** A source of one list. */
const listOf = (data: readonly unknown[]) => defineNode({
  ...base, type: 'test::list', inputs: {}, outputs: { out: { media: json(), list: true } },
  process: () => Promise.resolve({ out: packet(data, { duration: data.length }) }),
})()
/** Pairs of what its inputs give, and how often it was called. */
const pairs = (calls: unknown[] = []) => defineNode({
  ...base, type: 'test::pair', inputs: { a: { media: json() }, b: { media: json() } }, outputs: { out: { media: json() } },
  process: async (inputs) => {
    const pair = [(await (inputs as Inputs)['a']!.whole()).data, (await (inputs as Inputs)['b']!.whole()).data]
    calls.push(pair)
    return { out: packet(pair) }
  },
})
/** Takes lists whole. */
const count = defineNode({
  ...base, type: 'test::count', inputs: { in: { media: anyMedia(), list: true } }, outputs: { out: { media: json() } },
  process: async (inputs) => ({ out: packet((await (inputs as Inputs)['in']!.whole()).data) }),
})
/** Two tones of different lengths as a list. */
const tones = defineNode({
  ...base, type: 'test::tones', inputs: {},
  outputs: { out: { media: audio({ rate: 8_000, channels: 1, format: 'f32', layout: 'planar' }), list: true } },
  process: async (_inputs, _params, ctx) => {
    const data = await Promise.all([400, 9_000].map(async (frames) => {
      const buffer = await ctx.allocAudio({ rate: 8_000, channels: 1, frames })
      buffer.channel(0).fill(0.5)
      return buffer
    }))
    return { out: packet(data, { media: { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' }, duration: 2 }) }
  },
})

describe('list mapping (GR-29)', () => {
  test('a list where one item is taken: once per item, results are a list; a shorter list repeats its last item; one value is given to all', async () => {
    await using engine = await createEngine({ registry })
    const calls: unknown[] = []
    const { outputs, metrics } = await engine.run({ out: pairs(calls)(listOf([1, 2, 3]), listOf(['x', 'y'])) })
    expect(outputs.out.data).toEqual([[1, 'x'], [2, 'y'], [3, 'y']])
    expect(calls).toHaveLength(3)
    expect(metrics.nodes.find(({ type }) => type === 'test::pair')).toMatchObject({ status: 'success', itemsOut: 1, attempts: 1 })
    expect((await engine.run({ out: pairs()(listOf([1, 2]), listSource(['z'])) })).outputs.out.data).toEqual([[1, 'z'], [2, 'z']])
    // and on: what comes out is a list for the next node
    expect((await engine.run({ out: pairs()(add(listOf([1, 2]), { addend: 10 }), listOf([0])) })).outputs.out.data)
      .toEqual([[11, 0], [12, 0]])
  })

  test('an empty list: no call, an empty list', async () => {
    await using engine = await createEngine({ registry })
    const calls: unknown[] = []
    expect((await engine.run({ out: pairs(calls)(listOf([]), listOf([1])) })).outputs.out.data).toEqual([])
    expect(calls).toEqual([])
  })

  test('taken whole: the list; a value that is no list is a list of one', async () => {
    await using engine = await createEngine({ registry })
    expect((await engine.run({ out: count(listOf([1, 2])) })).outputs.out.data).toEqual([1, 2])
    expect((await engine.run({ out: count(listSource([[1, 2]])) })).outputs.out.data).toEqual([[1, 2]])
  })

  test.each([
    'wasm', 'js',
  ] as const)('kernels too: a list of audio, through two of them, with nothing left in memory (%s)', async (tier) => {
    await using engine = await createEngine({ registry, tier, arenaBytes: 16 * 1_048_576 })
    ;(await engine.run({ out: gain(tones(), { gainDb: 1 }) })).close()
    const before = engine.stats().arena
    {
      using result = await engine.run({ out: gain(gain(tones(), { gainDb: -6 }), { gainDb: 12 }), n: count(listOf([1])) })
      const list = result.outputs.out.data as unknown as readonly AudioBuffer[]
      expect(list.map(({ frames }) => frames)).toEqual([400, 9_000])
      expect(list[1]!.channel(0)[8_999]).toBeCloseTo(0.5 * 10 ** (6 / 20), 5)
      expect(result.metrics.nodes.filter(({ kernelCalls }) => kernelCalls > 0)).toHaveLength(4)
    }
    expect(engine.stats().arena).toMatchObject({ usedBytes: before.usedBytes, blocks: before.blocks })
  })

  test('converters that negotiation inserts run per item as well; events are lists of events', async () => {
    await using engine = await createEngine({ registry, arenaBytes: 16 * 1_048_576 })
    const mono16 = defineNode({
      ...base, type: 'test::mono16',
      inputs: { in: { media: audio({ rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }) } },
      outputs: { out: { media: json() } },
      process: async (inputs) => ({ out: packet((await (inputs as Inputs)['in']!.whole()).duration) }),
    })
    using result = await engine.run({ out: mono16(tones()), speech: vad(tones()).segments })
    expect((result.outputs.out.data as number[]).map((frames) => Math.round(frames / 400))).toEqual([2, 45])
    expect((result.outputs.speech.data as unknown as unknown[][]).map((list) => Array.isArray(list))).toEqual([true, true])
  })

  test('a param that an edge drives goes along with the items; a failing item fails the node', async () => {
    await using engine = await createEngine({ registry })
    const scaled = defineNode({ ...base, type: 'test::scaled', params: { by: { type: 'number', default: 1, input: true, doc: 'Factor.' } },
      inputs: { in: { media: json() } }, outputs: { out: { media: json() } },
      process: async (inputs, params) => ({
        out: packet((await (inputs as Inputs)['in']!.whole()).data as number * (params['by'] as number)),
      }) })
    expect((await engine.run({ out: scaled(listOf([1, 2, 3]), { by: listOf([10, 100]) }) })).outputs.out.data).toEqual([10, 200, 300])
    await expect(engine.run({ out: scaled(listOf([1]), { by: listOf(['x']) }) })).rejects
      .toMatchObject({ code: 'PARAM_INVALID', nodeType: 'test::scaled' })
  })

  test('no list where a list was declared: OUTPUT_INVALID', async () => {
    await using engine = await createEngine({ registry })
    const liar = defineNode({
      ...base, type: 'test::liar', inputs: {}, outputs: { out: { media: json(), list: true } },
      process: () => Promise.resolve({ out: packet(1) }),
    })
    await expect(engine.run({ out: liar() })).rejects
      .toMatchObject({ code: 'OUTPUT_INVALID', message: expect.stringContaining('list') as string })
    expect(() => defineNode({ ...gain.definition, outputs: { out: { ...gain.definition.outputs.out, list: true } } } as never))
      .toThrow(/no lazy or list ports beside a kernel/)
  })
})

describe('blocker (GR-29)', () => {
  const gate = (open: boolean) => defineNode({ ...base, type: 'test::gate', inputs: { in: { media: json() } },
    outputs: { out: { media: json() }, side: { media: json() } },
    process: async (inputs) => ({ out: open ? packet((await (inputs as Inputs)['in']!.whole()).data) : blocker, side: packet('side') }) })

  test('dependents are skipped, reason blocked; the run succeeds without that output; the node\'s other outputs go on', async () => {
    await using engine = await createEngine({ registry })
    const shut = gate(false)(listSource([1]))
    const { outputs, status, metrics, diagnostics } = await engine.run({ out: add(pass(shut.out), { addend: 1 }), side: pass(shut.side) })
    expect([Object.keys(outputs), outputs.side.data, status]).toEqual([['side'], 'side', 'success'])
    expect(metrics.nodes.map(({ type, status: of, reason }) => [type, of, reason].join(' ').trim()).sort()).toEqual([
      'core::list-source success', 'core::pass skipped blocked', 'core::pass success', 'math::add skipped blocked', 'test::gate success'])
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
    const open = gate(true)(listSource([1]))
    expect((await engine.run({ out: add(pass(open.out), { addend: 1 }) })).outputs.out.data).toBe(2)
  })

  test('kernels, lazy inputs and optional inputs behind it', async () => {
    await using engine = await createEngine({ registry, arenaBytes: 16 * 1_048_576 })
    const silent = defineNode({
      ...base, type: 'test::silent', inputs: {},
      outputs: { out: { media: audio({ rate: 8_000, channels: 1, format: 'f32', layout: 'planar' }) } },
      process: () => Promise.resolve({ out: blocker }),
    })
    const optional = defineNode({ ...base, type: 'test::optional',
      inputs: { in: { media: json(), optional: true }, lazy: { media: json(), optional: true, lazy: true } },
      outputs: { out: { media: json() } },
      process: async (inputs, _params, ctx) => ({ out: packet([inputs['in'], await ctx.need('lazy')]) }) })
    const shut = gate(false)(listSource([1])).out
    const { outputs, status, metrics } = await engine.run({
      loud: gain(gain(silent(), { gainDb: 3 }), { gainDb: 3 }), chosen: switchTo([listSource([1]), shut], { which: 1 }),
      kept: optional({ in: shut, lazy: shut }),
    })
    expect([Object.keys(outputs), outputs.kept.data, status]).toEqual([['kept'], [undefined, undefined], 'success'])
    expect(metrics.nodes.filter(({ reason }) => reason === 'blocked').map(({ type }) => type).sort())
      .toEqual(['audio::gain', 'audio::gain', 'core::switch'])
  })

  test('in a list it holds its place: no call for it downstream, no item at the end', async () => {
    await using engine = await createEngine({ registry })
    const odd = defineNode({
      ...base, type: 'test::odd', inputs: { in: { media: json() } }, outputs: { out: { media: json() } },
      process: async (inputs) => {
        const value = (await (inputs as Inputs)['in']!.whole()).data as number
        return { out: value % 2 === 1 ? packet(value) : blocker }
      },
    })
    const list = listOf([1, 2, 3])
    const { outputs } = await engine.run({ out: pairs()(odd(list), list), whole: count(odd(list)) })
    expect(outputs.out.data).toEqual([[1, 1], [3, 3]])
    expect(outputs.whole.data).toEqual([1, 3])
  })
})

describe('params that edges drive, in TypeScript', () => {
  const scaled = defineNode({
    ...base, type: 'test::scaled', params: { by: { type: 'number', max: 50, default: 1, input: true, doc: 'Factor.' } },
    inputs: { in: { media: json() } }, outputs: { out: { media: json() } },
    async *process(inputs, params) {
      for await (const one of (inputs as Inputs)['in']!) {
        yield { out: packet(one.data as number * (params['by'] as number), { position: one.position }) }
      }
    },
  })

  test('the nth value goes with the nth packet; the last one holds; without any the param is as it was set', async () => {
    await using engine = await createEngine({ registry })
    const run = async (by: Parameters<typeof scaled>[1]) =>
      (await engine.run({ out: listSink(scaled(numbers([1, 2, 3, 4]), by)).items })).outputs.out.data
    expect(await run({ by: numbers([10, 20]) })).toEqual([10, 40, 60, 80])
    expect(await run({ by: numbers([1, 2, 3, 4, 5, 6]) })).toEqual([1, 4, 9, 16])
    expect(await run({ by: numbers([]) })).toEqual([1, 2, 3, 4])
    await expect(run({ by: numbers([10, 51]) })).rejects.toMatchObject({ code: 'PARAM_INVALID', nodeType: 'test::scaled', port: 'by' })
  })

  test('a source too, from record to record', async () => {
    await using engine = await createEngine({ registry })
    const source = defineNode({ ...base, type: 'test::source',
      params: { value: { type: 'integer', default: 0, input: true, doc: 'What it gives.' } }, inputs: {},
      outputs: { out: { media: json() } },
      async *pull(params) { for (let n = 0; n < 4; n++) yield { out: packet(params['value']) } } })
    expect((await engine.run({ out: listSink(source({ value: numbers([5, 6, 7]) })).items })).outputs.out.data).toEqual([5, 6, 7, 7])
  })

  test('events and json have different shapes: an output that carries no value is refused before the run', async () => {
    await using engine = await createEngine({ registry })
    const marks = defineNode({
      ...base, type: 'test::marks', inputs: {},
      outputs: { out: { media: events({ schema: 'vad', timebase: 8_000 }) } },
      process: (_i, _p, ctx: NodeContext) =>
        Promise.resolve({ out: packet([ctx.attempt], { media: { kind: 'events', schema: 'vad', timebase: 8_000 } }) }),
    })
    await expect(engine.run({ out: scaled(numbers([1]), { by: marks() as never }) })).rejects.toMatchObject({ code: 'TYPE_MISMATCH' })
    await expect(engine.run({ out: scaled(numbers([1]), { by: audioBuffer([new Float32Array(10)]) as never }) })).rejects
      .toMatchObject({ code: 'TYPE_MISMATCH' })
  })
})
