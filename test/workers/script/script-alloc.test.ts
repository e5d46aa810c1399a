/** `ctx.alloc` of nodes on threads: the same bounds, whether the thread shares the arena or has memory of its own (MW-09). */
import { describe, expect, test } from 'vitest'
import { audio, type AudioBuffer } from '../../../src/index.js'
import { loose, scripted } from './script-nodes.js'
import { failure, modes, open } from './script-rig.js'

const MIB = 2 ** 20

describe.each(modes)('ctx.alloc on a thread, shared memory %s', (shared) => {
  test('sizes that are none, types that are none, and more than there is', async () => {
    await using engine = await open(shared, { arenaBytes: 64 * MIB })
    const before = engine.stats().arena.usedBytes
    const bad = [
      [scripted(async (_inputs, _params, ctx) => { await ctx.alloc(Number.NaN); return {} }), 'INVALID_ARGUMENT'],
      [scripted(async (_inputs, _params, ctx) => { await ctx.alloc(-1); return {} }), 'INVALID_ARGUMENT'],
      [scripted(async (_inputs, _params, ctx) => { await ctx.alloc(1.5); return {} }), 'INVALID_ARGUMENT'],
      [scripted(async (_inputs, _params, ctx) => { await ctx.alloc(2 ** 40); return {} }), 'INVALID_ARGUMENT'],
      [scripted(async (_inputs, _params, ctx) => { await ctx.alloc(8, 'x' as never); return {} }), 'INVALID_ARGUMENT'],
      [scripted(async (_inputs, _params, ctx) => { await ctx.alloc(40 * 2 ** 20); await ctx.alloc(40 * 2 ** 20); return {} }),
        'ARENA_FULL'],
    ] as const
    for (const [node, code] of bad) {
      expect(await failure(engine.run({ out: node() }))).toMatchObject({ code })
      expect(engine.stats().arena.usedBytes).toBe(before)
    }
  })

  test('what was given back may be taken again, and counts once', async () => {
    await using engine = await open(shared, { arenaBytes: 64 * MIB })
    const before = engine.stats().arena.usedBytes
    const node = scripted(async (_inputs, _params, ctx) => {
      let sum = 0
      for (let n = 0; n < 4; n++) {
        const block = await ctx.alloc(10 * 2 ** 20, 'f32'), view = block.view(Float32Array)
        view[view.length - 1] = n
        sum += view.length + view[view.length - 1]! + view[0]!
        block.release()
        block.release()
      }
      return {
        out: { media: { kind: 'json' as const }, data: sum, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
      }
    })
    const { outputs } = await engine.run({ out: node() })
    expect(outputs['out']!.data).toBe(4 * 10 * MIB + 6)
    expect(engine.stats().arena.usedBytes).toBe(before)
  })

  test('audio is held and counted as other memory is, wherever it lies: bounds, peak, and nothing twice when it is given out', async () => {
    await using engine = await open(shared, { arenaBytes: 64 * MIB })
    const before = engine.stats().arena.usedBytes, sound = audio({ format: 'f32', layout: 'planar', discovered: true })
    const full = scripted(async (_inputs, _params, ctx) => {
      for (let n = 0; n < 2; n++) await ctx.allocAudio({ rate: 8_000, channels: 1, frames: 10 * 2 ** 20 })
      return {}
    })
    expect(await failure(engine.run({ out: full() }))).toMatchObject({ code: 'ARENA_FULL' })
    expect(engine.stats().arena.usedBytes).toBe(before)
    const node = loose({
      ...scripted(() => Promise.resolve({})).definition, type: 'test::loud', outputs: { out: { media: sound } },
      process: async (_inputs, _params, ctx) => {
        const frames = 10 * 2 ** 20
        ;(await ctx.allocAudio({ rate: 8_000, channels: 1, frames })).close()
        const data = await ctx.allocAudio({ rate: 8_000, channels: 1, frames })
        data.channel(0)[frames - 1] = 0.5
        return {
          out: {
            media: { kind: 'audio', rate: 8_000, channels: 1, format: 'f32', layout: 'planar' },
            data, position: 0, duration: frames, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
          },
        }
      },
    })
    const result = await engine.run({ out: node() }), { data } = result.outputs['out'] as { readonly data: AudioBuffer }
    expect([data.channel(0)[10 * MIB - 1], data.channel(0)[0]]).toEqual([0.5, 0])
    expect(result.metrics.nodes.find(({ type }) => type === 'test::loud')!.memoryPeakBytes).toBe(40 * MIB)
    result.close()
    expect(engine.stats().arena.usedBytes).toBe(before)
  })
})
