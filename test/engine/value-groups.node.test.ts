import { expect, test } from 'vitest'
import { audio, blocker, createEngine, createRegistry, defineNode, type Packet } from '../../src/index.js'
import * as nodes from '../../src/nodes/index.js'

const { audioBuffer, gain } = nodes
const registry = createRegistry(...Object.values(nodes).filter((one) => 'definition' in one) as never[])
const tone = { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' } as const

/** A whole value of 100 frames, or what `instead` gives or throws. */
const whole = (type: string, instead?: () => Packet): never => defineNode({
  type: `test::${type}`, version: '1.0.0', title: 'Whole', doc: 'A whole value.', family: 'test', params: {}, whole: () => true, inputs: {},
  outputs: { out: { media: audio(tone) } },
  process: async (_inputs, _params, ctx) => ({
    out: instead?.() ?? {
      media: tone,
      data: await ctx.allocAudio({ rate: 8_000, channels: 1, frames: 100 }),
      position: 0, duration: 100, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
    },
  }),
})() as never
const broken = (): never => whole('broken', () => { throw new Error('broken') })

test.each([
  ['wasm-threads', 0], ['wasm-threads', 2], ['wasm', 2],
] as const)('a value that fails or is blocked takes only what is behind it, on any number of threads (%s, %i workers)', async (
  tier, workers,
) => {
  await using engine = await createEngine({ registry, workers, tier })
  using failed = await engine.run({ a: gain(whole('sound')), b: gain(gain(broken()), { gainDb: 1 }) }, { onError: 'continue' })
  expect([failed.status, Object.keys(failed.outputs)]).toEqual(['partialfailure', ['a']])
  using blocked = await engine.run({
    a: gain(whole('sound')), b: gain(whole('blocked', () => blocker)),
    c: gain(audioBuffer({ data: [new Float32Array(50)], rate: 8_000 })),
  })
  expect([blocked.status, Object.keys(blocked.outputs)]).toEqual(['success', ['a', 'c']])
  await expect(engine.run({ a: gain(whole('sound')), b: gain(broken()) })).rejects
    .toMatchObject({ code: 'NODE_FAILED', message: expect.stringContaining('broken') as string })
})
