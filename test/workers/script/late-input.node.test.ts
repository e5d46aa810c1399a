/**
 * A node's thread ends while its code waits for a packet: the next delivery gets that packet, not who asked for it before (GR-28, MW-47).
 */
import { expect, test } from 'vitest'
import { audio, createEngine, defineNode, json, type AnyHandle, type Packet, type PacketStream } from '../../../src/index.js'
import { threadEnder } from '../../support/end-threads.js'

const endThreads = threadEnder(), media = { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' } as const
const base = { version: '1.0.0', title: 'Test', doc: 'Test.', family: 'test', params: {} } as const
const reader = (how: string, process: unknown): ((input: AnyHandle) => AnyHandle) => defineNode({
  ...base, type: `test::${how}`, thread: 'worker', inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } },
  outputs: { out: { media: json() } }, process,
} as never) as never
const NODES = {
  whole: reader('whole', async (inputs: Readonly<Record<string, PacketStream>>) => {
    const { duration } = await inputs['in']!.whole()
    return { out: { media: { kind: 'json' }, data: duration, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
  }),
  packets: reader('packets', async (inputs: Readonly<Record<string, PacketStream>>) => {
    let frames = 0
    for await (const packet of inputs['in']!) frames += packet.duration
    return { out: { media: { kind: 'json' }, data: frames, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
  }),
}

test('all that comes, packet by packet and as one', async () => {
  await using engine = await createEngine({ tier: 'wasm', workers: 1, logger: () => undefined })
  const { blocks } = engine.stats().arena
  for (const node of Object.values(NODES)) {
    let open = (): void => undefined, asked = 0
    const gate = new Promise<void>((resolve) => { open = resolve })
    const source = defineNode({
      ...base, type: 'test::slow', inputs: {},
      outputs: { out: { media: audio({ rate: 8_000, channels: 1, format: 'f32', layout: 'planar' }) } },
      pull: async function* (_params: unknown, ctx: { allocAudio(spec: object): Promise<never> }): AsyncGenerator<Record<string, Packet>> {
        for (let n = 0; n < 3; n++) {
          const data = await ctx.allocAudio({ rate: 8_000, channels: 1, frames: 100 })
          if (n > 0) { asked++; await gate }
          yield { out: { media, data, position: n * 100, duration: 100, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
        }
      },
    } as never) as never as () => AnyHandle
    const run = engine.run({
      out: node(source()),
    } as never) as unknown as Promise<{ readonly outputs: { readonly out: Packet }; close(): void }>
    await expect.poll(() => [asked, engine.stats().workers.scripts.busy], { timeout: 10_000 }).toEqual([1, 1])
    const { lost } = engine.stats().workers.scripts
    endThreads()
    // Its next delivery asks for what the first one still waits for.
    await expect.poll(() => [engine.stats().workers.scripts.lost - lost, engine.stats().workers.scripts.busy], { timeout: 10_000 })
      .toEqual([1, 1])
    await new Promise((resolve) => { setTimeout(resolve, 50) })
    open()
    const result = await run
    expect(result.outputs.out.data).toBe(300)
    result.close()
  }
  expect(engine.stats().arena.blocks).toBe(blocks)
})
