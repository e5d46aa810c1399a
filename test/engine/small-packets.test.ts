/**
 * Outputs that leave packet by packet (EX-05, EX-06): what waits holds about its own bytes, not the rooms that it was written
 * into, and nothing stays when the arena is full.
 */
import { describe, expect, test } from 'vitest'
import { audio, createEngine, defineNode, feedback, type Engine, type OutputRef } from '../../src/index.js'
import { gain, mix } from '../../src/nodes/index.js'

type Sound = OutputRef<'audio'>
const RATE = 16_000, FRAMES = 320, MIB = 1_048_576
const TIERS = ['wasm', ...(typeof crossOriginIsolated === 'undefined' || crossOriginIsolated ? ['wasm-threads'] : [])]

/** Packets of 20 ms; how many is not told before the run. Sample n is n mod 4 096. */
const live = defineNode({
  type: 'test::live', version: '1.0.0', title: 'Live', doc: 'Sound in packets of 20 ms.', family: 'test',
  params: {
    packets: { type: 'integer', required: true, doc: 'How many.' },
    frames: { type: 'integer', default: FRAMES, doc: 'Frames of each.' },
  },
  inputs: {}, outputs: { out: { media: audio({ rate: RATE, channels: 1, format: 'f32', layout: 'planar' }) } }, deterministic: 'yes',
  pull: async function* (params, ctx) {
    const packets = params['packets'] as number, frames = params['frames'] as number
    for (let i = 0; i < packets; i++) {
      const own = await ctx.allocAudio({ rate: RATE, channels: 1, frames }), samples = own.channel(0)
      for (let n = 0; n < frames; n++) samples[n] = (i * frames + n) % 4_096
      yield {
        out: {
          streamId: '', seq: 0,
          media: { kind: 'audio', rate: RATE, channels: 1, format: 'f32', layout: 'planar' },
          data: own, position: i * frames, duration: frames, metadata: {}, arrivalUs: 0,
        } as never,
      }
    }
  },
})

const used = (engine: Engine): number => engine.stats().arena.usedBytes

describe.each(TIERS)('%s', (tier) => {
  test('a minute of 20 ms packets behind gain is a run output in an arena of 16 MiB', async () => {
    await using engine = await createEngine({ tier: tier as 'wasm', workers: 0, arenaBytes: 16 * MIB })
    const packets = 60 * RATE / FRAMES
    using result = await engine.run({ out: gain(live({ packets }) as Sound, { gainDb: 0.000_001 }) })
    const { data } = result.outputs.out as unknown as { data: { frames: number; channel(c: number): Float32Array } }
    expect(data.frames).toBe(packets * FRAMES)
    expect(data.channel(0).findIndex((one, n) => Math.abs(one - n % 4_096) > 0.01)).toBe(-1)
  })

  test('a run that fills the arena gives back all that it held', async () => {
    await using engine = await createEngine({ tier: tier as 'wasm', workers: 0, arenaBytes: 16 * MIB })
    using taken = engine.audio.alloc({ rate: RATE, channels: 1, frames: 2 * MIB })
    expect(taken.frames).toBe(2 * MIB)
    const short = live({ packets: 2 }) as Sound
    ;(await engine.run({ a: gain(short, { gainDb: 1 }) }))[Symbol.dispose]()
    const before = used(engine)
    for (let i = 0; i < 6; i++) {
      const s = live({ packets: 1_500, frames: FRAMES + 3 * i }) as Sound
      await expect(engine.run({
        a: gain(s, { gainDb: 1 }), b: gain(gain(s, { gainDb: 1.5 }), { gainDb: 2 }),
        c: feedback({ delayFrames: 4_000 + 900 * i }, (late: Sound) => mix([s, gain(late, { gainDb: -6 })])),
      })).rejects.toMatchObject({ code: 'ARENA_FULL' })
      expect(used(engine)).toBeLessThanOrEqual(before)
    }
  })
})
