/**
 * What an engine and its workers say to each other, and what it says about them (MW-41, MW-45, MW-47; execution page, section 9). Node;
 * what is said also in Chromium with shared memory.
 */
import { describe, expect, test } from 'vitest'
import { audio, createEngine, defineNode, isMillraceError, type EngineEvent } from '../../src/index.js'
import { audioBuffer, gain, resample, vad } from '../../src/nodes/index.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { layoutHash } from '../../src/memory/layout.js'
import { craftModule } from '../kernels/craft-module.js'
import { speechLike } from '../support/speech-like.js'

const MIB = 2 ** 20, SAMPLES = speechLike({ rate: 16_000, seconds: 1 }), RUNS = 100
const speech = (): ReturnType<typeof audioBuffer> => audioBuffer({ data: [SAMPLES], rate: 16_000 })
/** `process` never returns. */
const STUCK = craftModule({
  exports: ['millrace_abi', 'millrace_layout', 'wobble_size', 'wobble_init', 'wobble_reset', 'wobble_process'],
  body: [0x03, 0x40, 0x0c, 0x00, 0x0b], layout: layoutHash(),
})
const wobble = defineNode({
  type: 'test::wobble', version: '1.0.0', title: 'Wobble', doc: 'Never returns.', family: 'test', params: {},
  inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } }, outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  kernel: { module: 'stuck', export: 'wobble' }, hangMs: 300, parity: 'exact',
  reference: { init: () => ({}), process: (_state, io) => io.frames, reset: () => undefined },
})
/** Samples in pieces: what reads them is fed chunk by chunk. */
const pieces = defineNode({
  type: 'test::pieces', version: '1.0.0', title: 'Pieces', doc: 'Samples in pieces.', family: 'test', params: {}, inputs: {},
  outputs: { out: { media: audio({ rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }) } },
  pull: async function* (_params, ctx) {
    for (let position = 0; position < SAMPLES.length; position += 4_000) {
      const piece = SAMPLES.subarray(position, position + 4_000)
      const buffer = await ctx.allocAudio({ rate: 16_000, channels: 1, frames: piece.length })
      buffer.makeMut().channel(0).set(piece)
      yield {
        out: {
          media: { kind: 'audio', rate: 16_000, channels: 1, format: 'f32', layout: 'planar' },
          data: buffer, position, duration: piece.length, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
        },
      }
    }
  },
})

describe.runIf(hostFacts().sab)('workers on shared memory', () => {
  test(`${RUNS} runs after the first ones: no Comlink call, no posted message, no packet (MW-41)`, { timeout: 60_000 }, async () => {
    await using engine = await createEngine({
      tier: 'wasm-threads', workers: 2, warmSpares: 0, arenaBytes: 64 * MIB, logger: () => undefined,
    })
    const run = async (): Promise<void> => {
      using _result = await engine.run({
        frames: vad(resample(gain(speech(), { gainDb: -3 }), { rate: 8_000 })).frames,
        fed: gain(pieces() as never, { gainDb: -3 }),
      })
    }
    // The first ones start workers and tell them their kernels. A spare would boot whenever work takes long enough.
    for (let n = 0; n < 3; n++) await run()
    const { messages, packets } = engine.stats().workers
    expect(messages).toBeGreaterThan(0)
    for (let n = 0; n < RUNS; n++) await run()
    expect(engine.stats().workers).toMatchObject({ messages, packets, lost: 0 })
  })
})

// Chromium lets each of eight hung threads run on for two seconds after its end.
describe.runIf(hostFacts().node)('a worker that hangs', () => {
  test.each([
    'wasm-threads', 'wasm',
  ] as const)('%s: errors name nodes and types; started, lost and respawned are told in this order', { timeout: 60_000 }, async (tier) => {
    const events: EngineEvent[] = []
    await using engine = await createEngine({
      tier, workers: 1, arenaBytes: 32 * MIB, kernels: { stuck: STUCK }, onEvent: (event) => { events.push(event) },
      logger: () => undefined,
    })
    const error: unknown = await engine.run({ out: wobble(speech() as never) }).then(() => undefined, (e: unknown) => e)
    expect(isMillraceError(error) && error).toMatchObject({
      code: 'WORKER_LOST', nodeId: 'wobble-1', nodeType: 'test::wobble',
      cause: { code: 'HEARTBEAT_LOST', message: expect.stringContaining('wobble-1 (test::wobble)') },
    })
    const told = events.filter(({ type }) => type.startsWith('worker.'))
    expect(told.slice(0, 3).map(({ type }) => type)).toEqual(['worker.started', 'worker.lost', 'worker.respawned'])
    expect(told[0]).toMatchObject({ payload: { worker: 1, slot: tier === 'wasm' ? -1 : 0 } })
    expect(told[1]).toMatchObject({ payload: { worker: 1, reason: 'hang', error: 'WORKER_LOST' } })
    expect(told[2]).toMatchObject({ payload: { after: 1, slot: tier === 'wasm' ? -1 : 0 } })
    expect(told.filter(({ type }) => type === 'worker.lost')).toHaveLength(4)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, n) => n))
  })
})
