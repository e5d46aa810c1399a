import { expect, test } from 'vitest'
import { audio, blocker, createEngine, createRegistry, defineNode, json, type Packet, type PacketStream } from '../../src/index.js'
import * as nodes from '../../src/nodes/index.js'

const { add, audioBuffer, gain, listSource, switchTo } = nodes
const registry = createRegistry(...Object.values(nodes).filter((one) => 'definition' in one) as never[])
const packet = (data: unknown, duration = 1): Packet => ({
  media: { kind: 'json' }, data, position: 0, duration, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
})
const base = { version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test', params: {} } as const
const listOf = (data: readonly unknown[] | typeof blocker): never => defineNode({
  ...base, type: 'test::list', inputs: {}, outputs: { out: { media: json(), list: true } },
  process: () => Promise.resolve({ out: Array.isArray(data) ? packet(data, data.length) : blocker }),
})() as never
const asker = defineNode({
  ...base, type: 'test::asker', inputs: { a: { media: json(), lazy: true }, e: { media: json() } }, outputs: { out: { media: json() } },
  process: async (inputs, _params, ctx) => ({
    out: packet([(await (inputs['e'] as PacketStream).whole()).data, (await (await ctx.need('a')).whole()).data]),
  }),
}) as unknown as (a: never, e: never) => never
const run = async (x: unknown): Promise<unknown> => {
  await using engine = await createEngine({ registry, workers: 0, tier: 'js' })
  return ((await engine.run({ x } as never)).outputs as Record<string, Packet>)['x']!.data
}

test('a list at a lazy input comes as it is, and a switch gives it on as a list', async () => {
  for (const [which, expected] of [[0, [1, 2, 3]], [1, [4, 5]]] as const) {
    const chosen = (): never => switchTo([listOf([1, 2, 3]), listOf([4, 5])], { which }) as never
    expect(await run(chosen())).toEqual(expected)
    expect(await run(add(chosen(), { addend: 1 }))).toEqual(expected.map((n) => n + 1))
  }
  expect(await run(asker(listOf([7, 8]), listSource(['z']) as never))).toEqual(['z', [7, 8]])
})

test('a list beside plain values: the switch gives lists whatever it chooses, so that what follows does not change its shape', async () => {
  const chosen = (which: number): never =>
    switchTo([listOf([1, 2, 3]), listSource([7]), listSource(['a', 'b']), listOf([]), listSource([])], { which }) as never
  const cases = [[0, [1, 2, 3]], [1, [7]], [3, []], [4, []]] as const
  for (const [which, expected] of cases) {
    expect(await run(chosen(which))).toEqual(expected)
    expect(await run(add(chosen(which), { addend: 1 }))).toEqual(expected.map((n) => n + 1))
    // A switch behind a switch, and one beside it that is plain.
    expect(await run(switchTo([listSource([9]), chosen(which)], { which: true }))).toEqual(expected)
  }
  expect(await run(switchTo([listSource([9]), chosen(0)], { which: false }))).toEqual([9])
  // Of a stream: what a whole input is, which of json is its last value.
  expect(await run(chosen(2))).toEqual(['b'])
  // Without a list among them nothing is one.
  expect(await run(switchTo([listSource([7]), listSource([8])], { which: 1 }))).toBe(8)
})

test('audio beside a list of audio, into a kernel: one item, whole, and nothing left in memory', async () => {
  await using engine = await createEngine({ registry, workers: 0, arenaBytes: 16 * 1_048_576 })
  const mono = { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' } as const
  const tones = defineNode({
    ...base, type: 'test::tones', inputs: {},
    outputs: { out: { media: audio({ rate: 8_000, channels: 1, format: 'f32', layout: 'planar' }), list: true } },
    process: async (_inputs, _params, ctx) => ({
      out: { ...packet([await ctx.allocAudio({ rate: 8_000, channels: 1, frames: 10 })]), media: mono },
    }),
  })
  const frames = async (which: number): Promise<number[]> => {
    using result = await engine.run({
      x: gain(switchTo([tones(), audioBuffer({ data: [new Float32Array(150_000).fill(0.5)], rate: 8_000 })] as never, { which }), {
        gainDb: 6,
      }),
    })
    return (result.outputs.x.data as unknown as readonly { frames: number }[]).map((one) => one.frames)
  }
  expect(await frames(0)).toEqual([10])
  const before = engine.stats().arena
  expect([await frames(1), await frames(0)]).toEqual([[150_000], [10]])
  expect(engine.stats().arena).toMatchObject({ usedBytes: before.usedBytes, blocks: before.blocks })
})

test('a lazy value is there for every item', async () => {
  expect(await run(asker(listSource(['b']) as never, listOf([1, 2])))).toEqual([[1, 'b'], [2, 'b']])
  expect(await run(switchTo([listSource(['a']), listSource(['b'])], { which: listOf([0, 1, 0]) } as never))).toEqual(['a', 'b', 'a'])
})

test('a blocked optional list: one call without it', async () => {
  const optional = defineNode({
    ...base, type: 'test::optional', inputs: { in: { media: json(), optional: true } }, outputs: { out: { media: json() } },
    process: (inputs) => Promise.resolve({ out: packet(inputs['in'] === undefined ? 'absent' : 'there') }),
  })
  expect(await run(optional(listOf(blocker)))).toEqual(['absent'])
})

test('item by item, results are checked as elsewhere: undeclared outputs warn once, no record is OUTPUT_INVALID, long lists are gathered (GR-27)', async () => {
  await using engine = await createEngine({ registry, workers: 0, tier: 'js' })
  const own = (give: () => unknown, list = false): (stream: never) => never => defineNode({
    ...base, type: 'test::own', inputs: { in: { media: json() } }, outputs: { out: { media: json(), list } },
    process: () => Promise.resolve(give() as never),
  }) as never
  const extra = await engine.run({ x: own(() => ({ out: packet(1), other: packet(2) }))(listOf([1, 2])) } as never)
  expect(extra.diagnostics.filter(({ code }) => code === 'OUTPUT_INVALID').map(({ severity }) => severity)).toEqual(['warning'])
  for (const nothing of [undefined, 5, null]) {
    await expect(engine.run({ x: own(() => nothing)(listOf([1, 2])) } as never)).rejects.toMatchObject({ code: 'OUTPUT_INVALID' })
  }
  const many = await engine.run({
    x: own(() => ({ out: packet(Array.from({ length: 300_000 }, (_, i) => i)) }), true)(listOf([1])),
  } as never)
  expect(((many.outputs as Record<string, Packet>)['x']!.data as unknown[]).length).toBe(300_000)
})
