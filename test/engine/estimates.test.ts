/** `costUs` and `memoryBytes` of node types, and what is learned in their place (EX-06, EX-20). */
import { describe, expect, test } from 'vitest'
import { audio, createEngine, defineNode, json, type NodeDefinition, type Packet, type PacketStream } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'

const FRAMES = 200_000, BYTES = FRAMES * 4
const source = () => audioBuffer({ data: [new Float32Array(FRAMES)], rate: 8_000 })
const item: Packet = { media: { kind: 'json' }, data: 1, position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {} }
/** Reads all, packet by packet, and takes what its param says. */
const worker = (parts: Partial<NodeDefinition> = {}, type = 'test::own') => defineNode({
  version: '1.0.0', title: 'Own', doc: 'Takes memory.', family: 'test', type,
  params: { take: { type: 'integer', default: 0, doc: 'Bytes.' } }, inputs: { in: { media: audio() } }, outputs: { out: { media: json() } },
  process: async (
    inputs: Readonly<Record<string, PacketStream>>, { take }: Readonly<Record<string, unknown>>,
    ctx: { alloc(bytes: number): Promise<unknown> },
  ) => {
    if (take !== 0) await ctx.alloc(take as number)
    for await (const _ of inputs['in']!);
    return { out: item }
  },
  ...parts,
} as never) as unknown as (input: unknown, params?: object) => never
const open = () => createEngine({ workers: 0, arenaBytes: 2 ** 25 })

describe('estimates of a node written in TypeScript', () => {
  test('without a word of its own: 100 ms, and 1.5 times its inputs, which refuses nobody', async () => {
    await using engine = await open()
    const plan = await engine.plan({ out: worker()(source()) }), bare = await engine.plan({ out: worker({ memoryBytes: 0 })(source()) })
    expect(plan.nodes.find(({ type }) => type === 'test::own')).toMatchObject({ estUs: 100_000, estBytes: 1.5 * BYTES })
    expect(plan.estPeakBytes - bare.estPeakBytes).toBe(1.5 * BYTES)
    expect(plan.estTimeMs).toBeGreaterThanOrEqual(100)
    const large = audioBuffer({ data: [new Float32Array(7_000_000)], rate: 8_000 })
    expect((await engine.plan({ out: worker()(large) })).estPeakBytes).toBeGreaterThan(2 ** 25)
    ;(await engine.run({ out: worker()(large) })).close()
  })

  test('as its type says, by number or from inputs and params; what is declared has to be free', async () => {
    await using engine = await open()
    const seen: unknown[] = []
    const node = worker({
      costUs: (inputs) => { seen.push(inputs['in']); return inputs['in']!.frames! / 1_000 },
      memoryBytes: (_inputs, { take }) => take as number,
    })
    const planned = (await engine.plan({ out: node(gain(source()), { take: 5_000_000 }) })).nodes.find(({ type }) => type === 'test::own')!
    expect(planned).toMatchObject({ estUs: FRAMES / 1_000, estBytes: 5_000_000 })
    expect(seen[0])
      .toEqual({ media: { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' }, frames: FRAMES, bytes: BYTES })
    await expect(engine.run({ out: node(source(), { take: 2 ** 25 }) })).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
    const { capacityBytes, usedBytes } = engine.stats().arena
    using tight = await engine.run({
      out: node(source(), { take: Math.floor(0.9 * (capacityBytes - usedBytes)) }),
    }) as { diagnostics: readonly { code: string }[]; close(): void; [Symbol.dispose](): void }
    expect(tight.diagnostics.map(({ code }) => code)).toContain('MEMORY_TIGHT')
  })

  test('nodes that declare memory hold it one after the other: only the largest has to be free', async () => {
    await using engine = await open()
    const node = worker({ memoryBytes: 2 ** 24 }), x = source(), graph = { a: node(x), b: node(x), c: node(x) }
    expect((await engine.plan(graph)).estPeakBytes).toBeGreaterThan(3 * 2 ** 24)
    ;(await engine.run(graph)).close()
  })

  test('of a kernel: costUs until it has run', async () => {
    await using engine = await open()
    const slow = defineNode({ ...gain.definition, costUs: 123_456 } as never) as unknown as (input: unknown) => never
    const us = async (): Promise<number> => (await engine.plan({ out: slow(source()) })).nodes
      .find(({ type }) => type === 'audio::gain')!.estUs
    expect(await us()).toBe(123_456)
    ;(await engine.run({ out: slow(source()) })).close()
    expect(await us()).toBeLessThan(100_000)
  })

  test('measured: time in place of any word, memory in place of the guess, both in proportion to what comes', async () => {
    await using engine = await open()
    const node = worker({ costUs: 7_000_000 }), twice = audioBuffer({ data: [new Float32Array(2 * FRAMES)], rate: 8_000 })
    ;(await engine.run({ out: node(source(), { take: 3_000_000 }) })).close()
    const find = async (from: unknown) => (await engine.plan({ out: node(from) })).nodes.find(({ type }) => type === 'test::own')!
    const one = await find(source()), two = await find(twice)
    expect(one.estUs).toBeLessThan(7_000_000)
    expect(Math.abs(two.estUs - 2 * one.estUs)).toBeLessThanOrEqual(1)
    expect(one.estBytes / 3_000_000).toBeCloseTo(1, 1)
    expect(two.estBytes / one.estBytes).toBeCloseTo(2, 3)
    // Declared, it stays as it is.
    const declared = worker({ memoryBytes: 42 }, 'test::declared')
    ;(await engine.run({ out: declared(source(), { take: 3_000_000 }) })).close()
    expect((await engine.plan({ out: declared(source()) })).nodes.find(({ type }) => type === 'test::declared')!.estBytes).toBe(42)
  })

  test('a function that fails, or gives no number, fails the plan and is named; what can never be a size is refused at once', async () => {
    await using engine = await open()
    for (const wrong of [() => { throw new Error('no idea') }, () => NaN, () => -1]) {
      await expect(engine.plan({ out: worker({ memoryBytes: wrong })(source()) })).rejects
        .toMatchObject({ code: 'NODE_FAILED', operation: 'memoryBytes' })
      await expect(engine.plan({ out: worker({ costUs: wrong })(source()) })).rejects
        .toMatchObject({ code: 'NODE_FAILED', operation: 'costUs' })
    }
    for (const wrong of [-1, NaN, 'a lot']) {
      expect(() => worker({ memoryBytes: wrong as never })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
  })
})
