import { describe, expect, inject, test } from 'vitest'
import { createEngine } from '../../src/index.js'
import { audioBuffer, convert, gain, mix, resample, select, vad } from '../../src/nodes/index.js'

const RATE = 16_000, X = Float32Array.from({ length: 48_000 }, (_, n) => Math.sin(n * 0.05) * 0.4)
const isolated = typeof window === 'undefined' || inject('isolated')
const cases = [...(isolated ? [['wasm-threads', 0], ['wasm-threads', 2]] as const : []), ['wasm', 2], ['js', 0]] as const

describe.each(cases)('what is kept of a run (%s, %i workers, EX-05)', (tier, workers) => {
  test('all: every output of every node, but for sources read chunk by chunk; outputs: nothing; the plan says which', async () => {
    await using engine = await createEngine({ tier, workers, arenaBytes: 32 * 1_048_576 })
    const louder = gain.named('louder')(audioBuffer.named('source')({ data: [X], rate: RATE }), { gainDb: 6 })
    const low = resample.named('low')(louder, { rate: 8_000 })
    const detector = vad.named('detector')(low)
    const target = {
      pcm: convert.named('pcm')(mix.named('sum')([low, gain.named('same')(low, { gainDb: 0 })]), { format: 'i16', layout: 'interleaved' }),
      segments: detector.segments,
    }
    for (const materialize of ['all', 'outputs', 'segments'] as const) {
      const plan = await engine.plan(target, { materialize })
      using result = await engine.run(target, { materialize })
      const names = Object.keys(result.nodeOutputs ?? {}).sort()
      if (materialize !== 'all') {
        expect(names).toEqual([])
        expect(plan.stored.map(({ value }) => value).sort()).toEqual(['detector.segments', 'pcm.out'])
        continue
      }
      expect(names).toEqual([
        'detector.audio', 'detector.frames', 'detector.segments', 'detector.values', 'louder.out', 'low.out', 'pcm.out', 'same.out',
        'sum.out',
      ].filter((name) => plan.media[name] !== undefined))
      expect(plan.stored.filter(({ reason }) => reason === 'materialize').map(({ value }) => value).sort())
        .toEqual(expect.arrayContaining(['detector.frames', 'louder.out', 'low.out', 'sum.out']))
      const kept = result.nodeOutputs as Readonly<Record<string, { readonly data: { toArray(): Float32Array } }>>
      expect(kept['louder.out']!.data.toArray()).toHaveLength(48_000)
      const low = kept['low.out']!.data.toArray()
      expect(low).toHaveLength(24_000)
      expect(kept['sum.out']!.data.toArray()).toEqual(low.map((value) => value * 2))
      expect(kept['pcm.out']!.data.toArray()).toEqual(result.outputs.pcm.data.toArray())
      expect(result.nodeOutputs!['detector.segments']!.data).toEqual(result.outputs.segments.data)
    }
  })

  test('what is kept goes with the result', async () => {
    await using engine = await createEngine({ tier, workers, arenaBytes: 32 * 1_048_576 })
    const target = { y: select(gain(audioBuffer({ data: [X], rate: RATE }), { gainDb: 6 }), { first: 0, count: 1 }) }
    ;(await engine.run(target, { materialize: 'all' })).close()
    const before = engine.stats().arena.usedBytes
    ;(await engine.run(target, { materialize: 'all' })).close()
    expect(engine.stats().arena.usedBytes).toBe(before)
  })
})

describe('values that several segments read', () => {
  test('segments: kept when they are whole', async () => {
    if (!isolated) return
    await using engine = await createEngine({ workers: 2, arenaBytes: 64 * 1_048_576 })
    const x =
      engine.audio.from([Float32Array.from({ length: 600_000 }, (_, n) => Math.sin(n))], { rate: 48_000, channels: 1 }, { copy: true })
    const head = gain.named('head')(audioBuffer({ data: x }), { gainDb: -3 })
    const target = { a: resample(head, { rate: 16_000, quality: 'best' }), b: resample(head, { rate: 44_100, quality: 'best' }) }
    const plan = await engine.plan(target)
    expect(plan.segments.length).toBe(3)
    using result = await engine.run(target)
    expect(Object.keys(result.nodeOutputs ?? {})).toEqual(['head.out'])
    using bare = await engine.run(target, { materialize: 'outputs' })
    expect(bare.nodeOutputs).toBeUndefined()
    x.close()
  })

  test('an unknown mode is refused', async () => {
    await using engine = await createEngine({ workers: 0, arenaBytes: 16 * 1_048_576 })
    await expect(engine.run({ y: gain(audioBuffer({ data: [X] })) }, { materialize: 'some' as 'all' })).rejects
      .toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
