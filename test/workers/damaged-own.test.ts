/**
 * A worker's private memory that its kernels have written over (MW-02): it is lost before it gives or executes anything more, what it was
 * given goes on elsewhere, the engine is as before.
 */
import { expect, test } from 'vitest'
import { audio, createEngine, defineNode, type AnyHandle, type AudioBuffer } from '../../src/index.js'
import { ARENA, layoutHash, WINDOW } from '../../src/memory/layout.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'
import { craftModule } from '../kernels/craft-module.js'

const EXPORTS = ['millrace_abi', 'millrace_layout', 'wild_size', 'wild_init', 'wild_reset', 'wild_process']
/** Stores 7 at an address, and says that its stream has ended. */
const storing = (address: number): readonly number[] => [0x41, ...signed(address), 0x41, 7, 0x36, 2, 0, 0x41, 0x7e, 0x0f]
function signed(n: number): number[] { return n < 64 ? [n] : [n & 127 | 128, ...signed(n >>> 7)] }
const wild = (module: string): ((input: AnyHandle) => AnyHandle) => defineNode({
  type: `test::${module}`, version: '1.0.0', title: 'Wild', doc: 'Writes where it must not.', family: 'test', params: {},
  inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } }, outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: { module, export: 'wild' }, parity: 'exact',
  reference: { init: () => ({}), process: (_state, io) => io.frames, reset: () => undefined },
}) as never

test.each([['the guard line', ARENA.GUARD], ['the magic', 0], ['the table’s address', ARENA.BLOCK_TABLE]])('%s', async (_, offset) => {
  const lost: string[] = []
  await using engine = await createEngine({
    tier: 'wasm', workers: 1,
    kernels: { wild: craftModule({ exports: EXPORTS, body: storing(WINDOW.ARENA + offset), layout: layoutHash() }) },
    logger: () => undefined,
    onEvent: ({ type, payload }) => { if (type === 'worker.lost') lost.push(String(payload['detail'])) },
  })
  const tone = Float32Array.from({ length: 1_000 }, (_one, i) => Math.sin(i / 9))
  const source = (): ReturnType<typeof audioBuffer> => audioBuffer({ data: [tone], rate: 16_000 })
  // What was computed there is not given: delivered again, three times, to others whose memories it damages too.
  expect(await engine.run({ out: wild('wild')(source()) } as never).then(() => 'success', (error: unknown) => error))
    .toMatchObject({ code: 'WORKER_LOST', nodeId: 'wild-1', message: expect.stringContaining('Arena: expected') })
  using result = await engine.run({ out: gain(source(), { gainDb: 0 }) })
  expect((result.outputs.out.data as AudioBuffer).toArray()).toEqual(tone)
  expect(lost).toEqual(new Array(4).fill(expect.stringContaining('Arena: expected')))
  expect(engine.stats().workers).toMatchObject({ count: 1, lost: 4 })
})
