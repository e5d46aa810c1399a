import { expect, test } from 'vitest'
import { audio, createEngine, createRegistry, defineNode, json, type Packet } from '../../src/index.js'
import * as nodes from '../../src/nodes/index.js'

const { gain, listSink, pass, switchTo } = nodes
const registry = createRegistry(...Object.values(nodes).filter((one) => 'definition' in one) as never[])
const base = { version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test', params: {} } as const
const tone = { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' } as const

test.each([
  ['core::pass', (s: never) => pass(s)],
  ['core::switch', (s: never) => switchTo([s], { which: 0 })],
  ['audio::gain', (s: never) => gain(s)],
  ['core::pass behind core::pass', (s: never) => pass(pass(s) as never)],
])(
  'a stream without a packet is an empty value behind %s', async (_name, build) => {
    await using engine = await createEngine({ registry, workers: 0, tier: 'js' })
    const silent = defineNode({
      ...base, type: 'test::silent', inputs: {}, outputs: { out: { media: audio(tone) } }, async *pull() { /* ends */ },
    })
    using result = await engine.run({ x: build(silent() as never) } as never)
    expect((result.outputs as Record<string, Packet>)['x']).toMatchObject({ media: tone, duration: 0 })
  })

test('a node that gives nothing of something is OUTPUT_INVALID', async () => {
  await using engine = await createEngine({ registry, workers: 0, tier: 'js' })
  const one = defineNode({
    ...base, type: 'test::one', inputs: {}, outputs: { out: { media: json() } },
    async *pull() {
      yield {
        out: { media: { kind: 'json' }, data: 1, position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } as Packet,
      }
    },
  })
  const mute = defineNode({
    ...base, type: 'test::mute', inputs: { in: { media: json() } }, outputs: { out: { media: json() } },
    process: async (inputs) => { await (inputs['in'] as unknown as { whole(): Promise<Packet> }).whole(); return {} },
  })
  await expect(engine.run({ x: mute(one()) } as never)).rejects.toMatchObject({ code: 'OUTPUT_INVALID' })
})

test('items of a list through a kernel do not count against what ctx.expand may add', async () => {
  await using engine = await createEngine({ registry, workers: 0, tier: 'js', limits: { expandedNodes: 4 } })
  const tones = defineNode({
    ...base, type: 'test::tones', inputs: {}, outputs: { out: { media: audio(tone), list: true } },
    process: async (_inputs, _params, ctx) => {
      const data = await Promise.all([1, 2, 3, 4, 5, 6].map((frames) => ctx.allocAudio({ rate: 8_000, channels: 1, frames })))
      return { out: { media: tone, data, position: 0, duration: 6, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
    },
  })
  using result = await engine.run({ x: gain(tones() as never) } as never)
  expect(((result.outputs as Record<string, Packet>)['x']!.data as { frames: number }[]).map(({ frames }) => frames))
    .toEqual([1, 2, 3, 4, 5, 6])
})

test('a node\'s timeoutMs covers what it expands (GR-30)', async () => {
  await using engine = await createEngine({ registry, workers: 0, tier: 'js' })
  const slow = defineNode({
    ...base, type: 'test::slow', inputs: {}, outputs: { out: { media: json() } },
    process: async (_inputs, _params, ctx) => { await ctx.clock.sleep(20_000); return {} },
  })
  const outer = defineNode({
    ...base, type: 'test::outer', inputs: {}, outputs: { out: { media: json() } },
    process: (_inputs, _params, ctx) => ctx.expand({ out: (listSink(slow() as never) as unknown as { items: never }).items } as never),
  })
  const { graphFrom } = await import('../../src/index.js'), graph = graphFrom({ x: outer() } as never)
  await expect(engine.run({ ...graph, nodes: graph.nodes.map((node) => ({ ...node, policy: { timeoutMs: 50 } })) } as never)).rejects
    .toMatchObject({ code: 'NODE_TIMEOUT', nodeId: 'outer-1' })
})
