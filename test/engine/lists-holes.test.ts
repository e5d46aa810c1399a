/** Lists as users give them (GR-29): in lists, empty, into kernels in every way, and with items that fail. */
import { describe, expect, test } from 'vitest'
import {
  audio, blocker, createEngine, createRegistry, defineNode, json, type AudioBuffer, type Engine, type Packet, type PacketStream,
} from '../../src/index.js'
import * as nodes from '../../src/nodes/index.js'

const { add, audioBuffer, gain, listSink, mix, pass, split, vad } = nodes
const registry = createRegistry(...Object.values(nodes).filter((one) => 'definition' in one) as never[])
const base = { version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test', params: {} } as const
const mono = { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' } as const
const packet = (data: unknown, more: Partial<Packet> = {}): Packet => ({
  media: { kind: 'json' }, data, position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {}, ...more,
})
const listOf = (data: readonly unknown[]) => defineNode({
  ...base, type: 'test::list', inputs: {}, outputs: { out: { media: json(), list: true } },
  process: () => Promise.resolve({ out: packet(data, { duration: data.length }) }),
})() as never
/** Tones of these lengths; null: a place that a blocker holds. */
const tones = (lengths: readonly (number | null)[]) => defineNode({
  ...base, type: 'test::tones', inputs: {},
  outputs: { out: { media: audio({ rate: 8_000, channels: 1, format: 'f32', layout: 'planar' }), list: true } },
  process: async (_inputs, _params, ctx) => {
    const data = await Promise.all(lengths.map(async (frames) => {
      if (frames === null) return blocker
      const buffer = await ctx.allocAudio({ rate: 8_000, channels: 1, frames })
      buffer.channel(0).fill(0.25)
      return buffer
    }))
    return { out: packet(data, { media: mono, duration: data.length }) }
  },
})() as never
/** Calls with what it reads; throws for 2. */
const picky = (calls: unknown[] = []) => defineNode({
  ...base, type: 'test::picky', inputs: { in: { media: json() } }, outputs: { out: { media: json() } },
  process: async (inputs) => {
    const { data } = await (inputs['in'] as unknown as PacketStream).whole()
    calls.push(data)
    if (data === 2) throw new Error('no twos')
    return { out: packet(data) }
  },
})
/** Audio on, but for the item of 200 frames. */
const fussy = defineNode({
  ...base, type: 'test::fussy', inputs: { in: { media: audio(mono) } }, outputs: { out: { media: audio(mono) } },
  process: async (inputs) => {
    const one = await (inputs['in'] as unknown as PacketStream<AudioBuffer>).whole()
    if (one.data.frames === 200) throw new Error('not this one')
    return { out: { ...one, data: one.data.clone() } }
  },
})
const firsts = (data: unknown): unknown => (data as readonly AudioBuffer[])
  .map((one) => [one.frames, Number(one.channel(0)[one.frames - 1]?.toFixed(3))])
const open = (options: object = {}): Promise<Engine> => createEngine({ registry, workers: 0, arenaBytes: 16 * 1_048_576, ...options })

describe('lists in lists', () => {
  test('an item may be an array: it stays one, through nodes that take one item, that take all, and that give lists', async () => {
    await using engine = await open()
    const nested = listOf([[1, 2], [], [[3]]])
    const all = defineNode({
      ...base, type: 'test::all', inputs: { in: { media: json(), list: true } }, outputs: { out: { media: json() } },
      process: async (inputs) => ({ out: packet((await (inputs['in'] as unknown as PacketStream).whole()).data) }),
    })
    const halves = defineNode({
      ...base, type: 'test::halves', inputs: { in: { media: json() } }, outputs: { out: { media: json(), list: true } },
      process: async (inputs) => {
        const data = (await (inputs['in'] as unknown as PacketStream).whole()).data as unknown[]
        return { out: packet([data, data.length], { duration: 2 }) }
      },
    })
    const { outputs } = await engine.run({ one: pass(nested), all: all(nested), twice: pass(pass(nested)), halves: halves(nested) })
    expect([outputs.one.data, outputs.all.data, outputs.twice.data])
      .toEqual([[[1, 2], [], [[3]]], [[1, 2], [], [[3]]], [[1, 2], [], [[3]]]])
    // A list per item: the lists stand behind each other, as ComfyUI has it.
    expect(outputs.halves.data).toEqual([[1, 2], 2, [], 0, [[3]], 1])
  })
})

describe('empty lists', () => {
  test('no call, and empty lists all the way, kernels and events too; with a longer list beside', async () => {
    await using engine = await open()
    const none = tones([]), calls: unknown[] = []
    using result = await engine.run({
      loud: gain(gain(none, { gainDb: 3 }), { gainDb: 3 }), speech: vad(none).segments, mixed: mix([none, tones([5, 6])] as never),
      json: picky(calls)(add(listOf([]), { addend: 1 }) as never), blocked: gain(tones([null, null])),
    })
    expect(Object.values(result.outputs).map(({ data }) => data as unknown)).toEqual([[], [], [], [], []])
    expect(calls).toEqual([])
  })
})

describe('lists into kernels', () => {
  test.each([
    'wasm', 'js',
  ] as const)('a multi input, several outputs, a driven param, one value for all, blocked places (%s)', async (tier) => {
    await using engine = await open({ tier })
    const long = audioBuffer({ data: [new Float32Array(150_000).fill(0.25)], rate: 8_000 })
    {
      using result = await engine.run({
        mixed: mix([tones([100, 200]), tones([200, 200, 300])] as never), split: split(tones([10, 20])).c0,
        driven: gain(tones([10, 20]), { gainDb: tones([10, 20]) } as never),
        beside: mix([long, tones([10, 20])] as never), holed: gain(tones([10, null, 30]), { gainDb: 20 }),
        byParam: gain(long, { gainDb: tones([1_000, 2_000]) } as never),
      })
      const outputs = result.outputs as Record<string, Packet>
      expect((firsts(outputs['mixed']!.data) as number[][]).map(([frames]) => frames)).toEqual([200, 200, 300])
      expect(firsts(outputs['split']!.data)).toEqual([[10, 0.25], [20, 0.25]])
      expect(firsts(outputs['driven']!.data)).toEqual([[10, 0.257], [20, 0.257]])
      expect((firsts(outputs['beside']!.data) as number[][]).map(([frames]) => frames)).toEqual([150_000, 150_000])
      expect(firsts(outputs['holed']!.data)).toEqual([[10, 2.5], [30, 2.5]])
      expect(firsts(outputs['byParam']!.data)).toEqual([[150_000, 0.257], [150_000, 0.257]])
    }
    // What stays are tables and instances, no audio.
    expect(engine.stats().arena.usedBytes).toBeLessThan(400_000)
  })
})

test('channels of items and of values: views of what there is, also by ctx.callOp', async () => {
  await using engine = await open()
  const stereo = defineNode({
    ...base, type: 'test::stereo', inputs: {},
    outputs: { out: { media: audio({ rate: 8_000, channels: 2, format: 'f32', layout: 'planar' }), list: true } },
    process: async (_inputs, _params, ctx) => {
      const one = await ctx.allocAudio({ rate: 8_000, channels: 2, frames: 10 })
      one.channel(1).fill(0.5)
      return { out: packet([one], { media: { ...mono, channels: 2 } }) }
    },
  })
  const caller = defineNode({
    ...base, type: 'test::caller', inputs: {}, outputs: { out: { media: json() } },
    process: async (_inputs, _params, ctx) => {
      const one = await ctx.allocAudio({ rate: 8_000, channels: 2, frames: 4 }), split = await ctx.callOp('audio::split', { in: one })
      one.close()
      for (const { data } of Object.values(split)) (data as AudioBuffer).close()
      return { out: packet(Object.keys(split)) }
    },
  })
  using result = await engine.run({ right: gain(split(stereo() as never).c1, { gainDb: 20 }), ports: caller() })
  expect([firsts(result.outputs.right.data), result.outputs.ports.data]).toEqual([[[10, 5]], ['c0', 'c1']])
  await expect(engine.run({ none: gain(split(tones([10])).c1) })).rejects.toThrow(/split-1.*c1/)
})

describe('items that fail', () => {
  test('the node fails with them; with onError continue the rest of the run goes on, what reads the node is skipped, and no audio stays', async () => {
    await using engine = await open()
    const run = (onError: 'stop' | 'continue') => engine.run({
      bad: gain(fussy(tones([100, 200, 300])) as never, { gainDb: 1 }), good: gain(tones([100, 200]), { gainDb: 20 }),
      values: listSink(picky()(listOf([1, 2, 3])) as never).items, fine: picky()(listOf([1, 3])),
    }, { onError })
    for (let round = 0; round < 3; round++) {
      await expect(run('stop')).rejects.toMatchObject({ code: 'NODE_FAILED' })
      using result = await run('continue')
      expect([result.status, Object.keys(result.outputs).sort()]).toEqual(['partialfailure', ['fine', 'good']])
      expect([result.outputs.fine!.data, firsts(result.outputs.good!.data)]).toEqual([[1, 3], [[100, 2.5], [200, 2.5]]])
      expect(result.metrics.nodes.filter(({ status }) => status === 'failed').map(({ type }) => type).sort())
        .toEqual(['test::fussy', 'test::picky'])
      expect(result.metrics.nodes.filter(({ reason }) => reason === 'dependency-failed').map(({ type }) => type).sort())
        .toEqual(['audio::gain', 'core::list-sink'])
    }
    expect(engine.stats().arena.blocks).toBeLessThan(12)
  })

  test('a retry calls anew from the first item, nothing is given twice; a cancel in the middle of a list ends it', async () => {
    await using engine = await open()
    const calls: unknown[] = [], once = { failed: false }
    const flaky = defineNode({
      ...base, type: 'test::flaky', inputs: { in: { media: json() } }, outputs: { out: { media: json() } },
      process: async (inputs) => {
        const { data } = await (inputs['in'] as unknown as PacketStream).whole()
        calls.push(data)
        if (data === 2 && !once.failed) { once.failed = true; throw new Error('not yet') }
        return { out: packet(data) }
      },
    })
    const { graphFrom } = await import('../../src/index.js'), graph = graphFrom({ x: flaky(listOf([1, 2, 3])) } as never)
    const retried = await engine.run({
      ...graph,
      nodes: graph.nodes.map((node) =>
        node.type === 'test::flaky' ? { ...node, policy: { retry: { kind: 'fixed', retries: 1, delayMs: 1 } } } : node),
    } as never) as { outputs: Record<string, Packet> }
    expect([retried.outputs['x']!.data, calls]).toEqual([[1, 2, 3], [1, 2, 1, 2, 3]])
    const stop = new AbortController(), seen: unknown[] = []
    const slow = defineNode({
      ...base, type: 'test::slow', inputs: { in: { media: json() } }, outputs: { out: { media: json() } },
      process: async (inputs) => {
        const { data } = await (inputs['in'] as unknown as PacketStream).whole()
        seen.push(data)
        if (data === 2) stop.abort()
        return { out: packet(data) }
      },
    })
    await expect(engine.run({ x: slow(listOf([1, 2, 3, 4])) }, { signal: stop.signal })).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(seen).toEqual([1, 2])
  })
})
