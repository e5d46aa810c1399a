import { describe, expect, inject, test } from 'vitest'
import { createEngine } from '../../../src/index.js'
import { audioBuffer, convert, gain, merge, mix, select, split, swap, wavWriter } from '../../../src/nodes/index.js'
import { registerConformance } from '../../../src/testing/index.js'

const RATE = 16_000, FRAMES = 10_000
const plane = (c: number): Float32Array => Float32Array.from({ length: FRAMES }, (_, n) => Math.fround(Math.sin(n * 0.01 * (c + 1)) * 0.5))
const PLANES = [0, 1, 2, 3].map(plane)
const isolated = typeof window === 'undefined' || inject('isolated')
const cases = [...(isolated ? [['wasm-threads', 0], ['wasm-threads', 2]] as const : []), ['wasm', 0], ['wasm', 2], ['js', 0]] as const

describe.each(cases)('split, select, swap: views (%s, %i workers)', (tier, workers) => {
  test.each([
    'chunks', 'whole',
  ])('readers in and out of the segment, TypeScript nodes and run outputs see their channels where they stand (%s)', async (feed) => {
    await using engine = await createEngine({ tier, workers, arenaBytes: 32 * 1_048_576 })
    const own = feed === 'whole' ? engine.audio.from(PLANES, { rate: RATE, channels: 4 }, { copy: true }) : undefined
    const source = audioBuffer(own ? { data: own } : { data: PLANES, rate: RATE })
    const copied = engine.parts.arena.copies.bytes({ reason: 'user' })
    const x = gain(source, { gainDb: 0 }), parts = split(x), back = select(x, { first: 1, count: 2 }), turned = swap(back)
    const file = wavWriter(turned, {})
    const target = {
      third: parts.c2, swapped: turned, again: swap(turned), one: split(turned).c0, louder: gain(parts.c3, { gainDb: 20 * Math.log10(2) }),
      sum: mix([parts.c0, parts.c1]), file,
      pcm: convert(turned, { format: 'i16', layout: 'interleaved' }), whole: x,
    }
    const plan = await engine.plan(target)
    expect(plan.nodes.filter((node) => ['audio::split', 'audio::select', 'audio::swap'].includes(node.type))
      .every((node) => node.segment < 0 && node.why.startsWith('removed'))).toBe(true)
    expect(plan.segments.length).toBe(1)
    using result = await engine.run(target)
    const { outputs, metrics } = result
    expect(outputs.third.data.channel(0)).toEqual(PLANES[2])
    expect([outputs.swapped.data.channel(0), outputs.swapped.data.channel(1)]).toEqual([PLANES[2], PLANES[1]])
    expect(outputs.swapped.data.toArray()).toEqual(Float32Array.from([...PLANES[2]!, ...PLANES[1]!]))
    expect([outputs.again.data.channel(0), outputs.again.data.channel(1)]).toEqual([PLANES[1], PLANES[2]])
    expect(outputs.one.data.channel(0)).toEqual(PLANES[2])
    expect(outputs.one.media).toMatchObject({ kind: 'audio', channels: 1 })
    expect(outputs.louder.data.channel(0)).toEqual(PLANES[3]!.map((value) => value * 2))
    expect(outputs.sum.data.channel(0)).toEqual(PLANES[0]!.map((value, n) => value + PLANES[1]![n]!))
    const pcm = outputs.pcm.data.toArray(), samples = new Int16Array((outputs.file.data as Uint8Array).slice(-FRAMES * 4).buffer)
    expect(pcm[2_002]).toBe(Math.round(PLANES[2]![1_001]! * 32_768))
    expect(pcm[2_003]).toBe(Math.round(PLANES[1]![1_001]! * 32_768))
    expect(samples.length).toBe(2 * FRAMES)
    expect(outputs.whole.data.channels).toBe(4)
    // Every run output is the one block that the gain wrote, in shared memory nothing was copied for any of them.
    if (workers === 0) {
      expect(new Set([outputs.third, outputs.swapped, outputs.again, outputs.one, outputs.whole].map((packet) => packet.data.handle)).size)
        .toBe(1)
    }
    const moved = tier === 'wasm' && workers > 0
    expect(engine.stats().edges.reduce((sum, { copyBytes: { thread, convert } }) => sum + (moved ? 0 : thread) + convert, 0)).toBe(0)
    expect(metrics.edges.reduce((sum, edge) => sum + edge.copyBytes, 0)).toBe(metrics.copyBytes)
    expect(engine.parts.arena.copies.bytes({ reason: 'user' })).toBeGreaterThanOrEqual(copied)
    own?.close()
  })

  test('nothing stays allocated, also when only views are returned', async () => {
    await using engine = await createEngine({ tier, workers, arenaBytes: 32 * 1_048_576 })
    const run = async (): Promise<void> => {
      (await engine.run({ one: split(gain(audioBuffer({ data: PLANES, rate: RATE }), { gainDb: 1 })).c1 })).close()
    }
    await run()
    const before = engine.stats().arena.usedBytes
    await run()
    expect(engine.stats().arena.usedBytes).toBe(before)
  })

  test('merge: channels in input order, shorter inputs end in silence', async () => {
    await using engine = await createEngine({ tier, workers, arenaBytes: 32 * 1_048_576 })
    const stereo = audioBuffer({ data: PLANES.slice(0, 2), rate: RATE })
    const short = audioBuffer({ data: [PLANES[2]!.subarray(0, 4_000)], rate: RATE })
    using result = await engine.run({ y: merge([stereo, short, split(stereo).c0]) })
    const { data } = result.outputs.y
    expect(data.channels).toBe(4)
    expect([0, 1, 3].map((c) => data.channel(c))).toEqual([PLANES[0], PLANES[1], PLANES[0]])
    expect(data.channel(2)).toEqual(Float32Array.from({ length: FRAMES }, (_, n) => n < 4_000 ? PLANES[2]![n]! : 0))
  })
})

describe('views of channels that are not there', () => {
  test('select: PARAM_INVALID; split: PORT_NOT_FOUND naming the channels', async () => {
    await using engine = await createEngine({ workers: 0, arenaBytes: 16 * 1_048_576 })
    const x = audioBuffer({ data: PLANES.slice(0, 2), rate: RATE })
    await expect(engine.run({ y: select(x, { first: 1, count: 2 }) })).rejects.toMatchObject({ code: 'PARAM_INVALID' })
    await expect(engine.run({ y: split(x).c2 })).rejects
      .toMatchObject({ code: 'PORT_NOT_FOUND', details: { diagnostic: { expected: ['c0', 'c1'] } } })
    await expect(engine.run({ y: swap(audioBuffer({ data: PLANES, rate: RATE })) }, { negotiate: 'strict' })).rejects
      .toMatchObject({ code: 'NEGOTIATION_CONFLICT' })
  })
})

registerConformance(merge, { describe, test }, { setups: [{}, { links: 1 }, { links: 5 }] })
