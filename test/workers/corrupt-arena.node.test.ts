/**
 * An arena that was written over far beyond its magic while a kernel runs (MW-02): only threads are
 * still ended, nothing that it says is believed.
 */
import { expect, test } from 'vitest'
import { audio, createEngine, defineNode } from '../../src/index.js'
import { audioBuffer } from '../../src/nodes/index.js'
import { layoutHash } from '../../src/memory/layout.js'
import { craftModule } from '../kernels/craft-module.js'

const EXPORTS = ['millrace_abi', 'millrace_layout', 'wobble_size', 'wobble_init', 'wobble_reset', 'wobble_process']
const stuck = defineNode({
  type: 'test::stuck', version: '1.0.0', title: 'Stuck', doc: 'Never returns.', family: 'test', params: {},
  inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } }, outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: { module: 'stuck', export: 'wobble' }, parity: 'exact',
  reference: { init: () => ({}), process: (_state, io) => io.frames, reset: () => undefined },
})

test.each([
  ['its header', 64], ['slots, runs and blocks too', 65_536],
])('%s: the run fails with ARENA_CORRUPT, the engine closes', async (_, bytes) => {
  const module = craftModule({ exports: EXPORTS, body: [0x03, 0x40, 0x0c, 0x00, 0x0b], layout: layoutHash() })
  const engine = await createEngine({
    tier: 'wasm-threads', workers: 2, arenaBytes: 2 ** 25, kernels: { stuck: module }, logger: () => undefined,
  })
  const run = engine.run({ out: stuck(audioBuffer({ data: [new Float32Array(50_000)], rate: 16_000 })) })
  const failed = expect(run).rejects.toMatchObject({ code: 'ARENA_CORRUPT' })
  while (engine.stats().workers.busy === 0) await new Promise((resolve) => { setTimeout(resolve, 1) })
  const { u8, base } = engine.parts.arena
  u8.fill(255, base, base + bytes)
  await failed
  await engine.close()
  expect(engine.stats().workers.count).toBe(0)
})
