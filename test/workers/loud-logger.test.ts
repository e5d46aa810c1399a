/** A user's callbacks that throw change nothing of what they are told. */
import { expect, test } from 'vitest'
import { audio, createEngine, defineNode } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'
import { layoutHash } from '../../src/memory/layout.js'
import { craftModule } from '../kernels/craft-module.js'
import { shares } from './support.js'

const EXPORTS = ['millrace_abi', 'millrace_layout', 'wobble_size', 'wobble_init', 'wobble_reset', 'wobble_process']
const trap = defineNode({
  type: 'test::trap', version: '1.0.0', title: 'Trap', doc: 'Traps.', family: 'test', params: {},
  inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } }, outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: { module: 'trap', export: 'wobble' }, parity: 'exact',
  reference: { init: () => ({}), process: (_state, io) => io.frames, reset: () => undefined },
})
const tone = (): ReturnType<typeof audioBuffer> =>
  audioBuffer({ data: [Float32Array.from({ length: 50_000 }, (_, i) => Math.sin(i / 20))], rate: 16_000 })

test.each<'wasm-threads' | 'wasm'>([
  ...(shares ? ['wasm-threads'] as const : []), 'wasm',
])('a logger that throws: a lost worker fails its run, the next one finds its workers, close ends (%s)', async (tier) => {
  let told = 0
  const engine = await createEngine({
    tier, workers: 2, arenaBytes: 2 ** 25,
    kernels: { trap: craftModule({ exports: EXPORTS, body: [0x00], layout: layoutHash() }) },
    logger: () => { told++; throw new Error('logger') },
  })
  await expect(engine.run({ out: trap(tone()) })).rejects.toMatchObject({ code: 'KERNEL_TRAP' })
  expect(told).toBe(1);
  (await engine.run({ out: gain(tone()) })).close()
  expect(engine.stats().workers).toMatchObject({ count: 2, lost: 1 })
  await engine.close()
})
