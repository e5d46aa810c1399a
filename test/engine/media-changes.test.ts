import { expect, test } from 'vitest'
import { audio, createEngine, defineNode, json, type Packet, type PacketStream } from '../../src/index.js'
import { gain, listSink, pass, switchTo } from '../../src/nodes/index.js'

const base = { version: '1.0.0', title: 'Test', doc: 'A node of this test.', family: 'test', params: {} } as const
type Shape = readonly [rate: number, channels: number]

/** One packet of 16 frames per shape. */
const changing = (...shapes: Shape[]): never => defineNode({
  ...base, type: 'test::changing', inputs: {}, outputs: { out: { media: audio({ discovered: true }) } },
  pull: async function* (_params, ctx) {
    for (const [i, [rate, count]] of shapes.entries()) {
      const data = await ctx.allocAudio({ rate, channels: count, frames: 16 })
      for (let c = 0; c < count; c++) data.channel(c).fill(0.25)
      yield {
        out: {
          media: { kind: 'audio', rate, channels: count, format: 'f32', layout: 'planar' },
          data, position: i * 16, duration: 16, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
        } as Packet,
      }
    }
  },
})() as never

const reader = (changes: boolean): ((stream: never) => never) => defineNode({
  ...base, type: 'test::reader', inputs: { in: { media: audio(), ...(changes && { changes }) } }, outputs: { out: { media: json() } },
  process: async (inputs) => {
    const seen: number[] = []
    for await (const { media } of inputs['in'] as PacketStream) seen.push(media.kind === 'audio' ? media.rate : 0)
    return { out: { media: { kind: 'json' }, data: seen, position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
  },
}) as never

const readers: readonly (readonly [name: string, build: (stream: never) => unknown, node: string])[] = [
  ['a kernel', (s) => gain(s), 'test'], ['core::pass', (s) => pass(s), 'pass'],
  ['core::switch', (s) => switchTo([s] as never, { which: 0 }), 'switch'],
  ['core::list-sink', (s) => (listSink(s) as { items: unknown }).items, 'list-sink'], ['a run output', (s) => s, 'changing'],
  ['a node of one\'s own', reader(false), 'reader'],
]

test.each(readers)('GR-35: another rate or channel count in mid-stream is MEDIA_CHANGED at %s', async (_name, build, node) => {
  await using engine = await createEngine({ workers: 0, tier: 'js' })
  const used: number[] = []
  for (const [first, second, texts] of [
    [[8_000, 2], [16_000, 2], ['8000 Hz', '16000 Hz']], [[8_000, 2], [8_000, 1], ['2 channels', '1 channel']],
  ] as const) {
    const error = await engine.run({ x: build(changing(first, second)) } as never)
      .then(() => undefined, (thrown: unknown) => thrown as Error)
    expect(error).toMatchObject({ code: 'MEDIA_CHANGED', nodeId: expect.stringContaining(node === 'test' ? '' : node) as string })
    used.push(engine.stats().arena.usedBytes)
    for (const text of texts) expect(error!.message).toContain(text)
  }
  expect(new Set(used).size).toBe(1)
})

test('GR-35: a node that declares `changes` gets packets of any media; the same node without gets none after the change', async () => {
  await using engine = await createEngine({ workers: 0, tier: 'js' })
  using result = await engine.run({ x: reader(true)(changing([8_000, 1], [16_000, 2], [8_000, 1])) } as never)
  expect((result.outputs as Record<string, Packet>)['x']!.data).toEqual([8_000, 16_000, 8_000])
  expect(() => defineNode({ ...gain.definition, type: 'test::kernel', inputs: { in: { media: audio(), changes: true } } } as never))
    .toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error)
})
