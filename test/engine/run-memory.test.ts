import { describe, expect, inject, test } from 'vitest'
import { audio, createEngine, defineNode, json } from '../../src/index.js'
import { audioBuffer, gain, mix, resample, toPcm16, vad } from '../../src/nodes/index.js'
import { alignedBytes } from '../../src/schedule/colouring.js'

const RATE = 16_000, FRAMES = 200_000
const X = Float32Array.from({ length: FRAMES }, (_, n) => Math.sin(n * 0.01))
const isolated = typeof window === 'undefined' || inject('isolated')

describe('memory of a run (EX-67)', () => {
  test('the sum of its leases at its peak is what the arena\'s peak rose by; a node\'s is what it held itself', async () => {
    await using engine = await createEngine({ workers: 0, tier: isolated ? 'wasm-threads' : 'wasm', arenaBytes: 32 * 1_048_576 })
    const before = engine.stats().arena
    using result = await engine.run({ y: gain.named('g')(audioBuffer.named('x')({ data: [X], rate: RATE }), { gainDb: 3 }) })
    const { metrics } = result, after = engine.stats().arena, node = new Map(metrics.nodes.map((one) => [one.id, one]))
    expect(metrics.peakMemoryBytes).toBe(after.peakBytes - before.usedBytes)
    // The gain keeps the whole result, whose room is larger by one block's worth of frames, beside its own few lines.
    const room = alignedBytes((FRAMES + 4_096) * 4)
    expect(node.get('g')!.memoryPeakBytes).toBeGreaterThan(room)
    expect(node.get('g')!.memoryPeakBytes).toBeLessThan(room + 8_192)
    // Chunks of 65 536 frames; at most eight wait, and three and a bit are all there are.
    expect([0, alignedBytes((FRAMES % 65_536) * 4)]).toContain(node.get('x')!.memoryPeakBytes % (65_536 * 4))
    expect(metrics.arena.allocs - metrics.arena.frees).toBe(1)
  })

  test.each(isolated ? [0, 2] : [0])('runs at the same time do not count each other (%i workers)', async (workers) => {
    await using engine = await createEngine({ workers, arenaBytes: 64 * 1_048_576 })
    const small = { y: resample.named('r')(audioBuffer.named('x')({ data: [X.subarray(0, 20_000)], rate: RATE }), { rate: 8_000 }) }
    const large = {
      y: mix.named('m')([audioBuffer({ data: [X], rate: RATE }), gain(audioBuffer({ data: [X], rate: RATE }), { gainDb: 1 })]),
    }
    const facts = async (): Promise<unknown> => {
      using result = await engine.run(small)
      const { metrics } = result
      return {
        copies: metrics.copyBytes, peak: metrics.peakMemoryBytes, allocs: metrics.arena.allocs,
        nodes: metrics.nodes.map(({ id, memoryPeakBytes, copyBytes }) => ({ id, memoryPeakBytes, copyBytes })),
      }
    }
    await facts()
    const alone = await facts()
    const [others, beside] = await Promise.all([
      Promise.all([engine.run(large), engine.run(large)]), facts(), engine.run(large),
    ].map((work) => work as Promise<unknown>)) as [unknown, unknown]
    expect(beside).toEqual(alone)
    expect(others).toBeDefined()
  })
})

describe('copies (MW-23)', () => {
  test('the README\'s graph: samples are written once, by the source; kernels and fan-out copy nothing', async () => {
    await using engine = await createEngine({ workers: 0, arenaBytes: 32 * 1_048_576 })
    const speech = resample.named('speech')(audioBuffer.named('x')({ data: [X], rate: 44_100 }), { rate: 16_000, quality: 'high' })
    const outside = engine.parts.arena.copies.bytes()
    using result = await engine.run({ segments: vad.named('v')(speech).segments, pcm: toPcm16(speech), again: gain(speech, { gainDb: 1 }) })
    const copied = Object.fromEntries(result.metrics.nodes.filter((node) => node.copyBytes > 0).map((node) => [node.id, node.copyBytes]))
    // Events leave the arena as objects: 32 bytes each.
    expect(copied)
      .toEqual({ x: FRAMES * 4, ...(result.outputs.segments.data.length > 0 && { v: result.outputs.segments.data.length * 32 }) })
    expect(result.metrics.copyBytes).toBe(Object.values(copied).reduce((sum, bytes) => sum + bytes, 0))
    expect(engine.parts.arena.copies.bytes()).toBe(outside)
  })

  test('one result of 10 MB to 100 readers: one block, nothing copied', async () => {
    const seen: number[] = []
    const reader = defineNode({
      type: 'test::reader', version: '1.0.0', title: 'Reader', doc: 'Reads.', family: 'test', params: {},
      inputs: { in: { media: audio() } }, outputs: { n: { media: json() } },
      process: async ({ in: x }, _, ctx) => {
        const packet = await (x as unknown as { whole(): Promise<{ data: { handle: number; frames: number } }> }).whole()
        seen.push(packet.data.handle)
        return {
          n: {
            media: { kind: 'json' as const }, data: packet.data.frames, position: 0, duration: 0, streamId: '', seq: 0,
            arrivalUs: ctx.nowUs(), metadata: {},
          },
        }
      },
    })
    await using engine = await createEngine({ workers: 0, arenaBytes: 32 * 1_048_576 })
    const x = engine.audio.alloc({ rate: 48_000, channels: 2, frames: 1_310_720 }), source = audioBuffer.named('x')({ data: x })
    using result = await engine.run(Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`r${n}`, reader(source)])))
    expect(Object.keys(result.outputs)).toHaveLength(100)
    expect(new Set(seen)).toEqual(new Set([x.handle]))
    expect(result.metrics.copyBytes).toBe(0)
    x.close()
  })
})
