import { describe, expect, inject, test } from 'vitest'
import { createEngine } from '../../src/index.js'
import { audioBuffer, gain, mix } from '../../src/nodes/index.js'
import { toGain } from '../../src/nodes/audio/gain/decibels.js'

const RATE = 8_000, FRAMES = 20_000
const DC = new Float32Array(FRAMES).fill(1)
const isolated = typeof window === 'undefined' || inject('isolated')
const cases = [...(isolated ? [['wasm-threads', 0], ['wasm-threads', 2]] as const : []), ['wasm', 0], ['wasm', 2], ['js', 0]] as const

describe.each(cases)('params driven by edges (%s, %i workers)', (tier, workers) => {
  test('each frame has the value that stands at its own place; a stream that ends early holds its last value', async () => {
    await using engine = await createEngine({ tier, workers, arenaBytes: 16 * 1_048_576 })
    const db = Float32Array.from({ length: 9_000 }, (_, n) => -40 + n / 500)
    const target = { y: gain(audioBuffer({ data: [DC], rate: RATE }), { gainDb: audioBuffer({ data: [db], rate: RATE }) }) }
    using result = await engine.run(target, { blockFrames: 1_000 })
    const y = result.outputs.y.data.channel(0)
    expect(y.length).toBe(FRAMES)
    const wrong = y.findIndex((value, n) => value !== Math.fround(toGain(db[Math.min(n, 8_999)]!)))
    expect(wrong).toBe(-1)
  })

  test('whole values too; a driver of another rate and two channels is converted', async () => {
    await using engine = await createEngine({ tier, workers, arenaBytes: 16 * 1_048_576 })
    const db = new Float32Array(FRAMES * 2).fill(-20), x = engine.audio.from([DC], { rate: RATE, channels: 1 }, { copy: true })
    const z = engine.audio.from([db, db], { rate: 2 * RATE, channels: 2 }, { copy: true }), driver = audioBuffer({ data: z })
    const target = { y: gain(audioBuffer({ data: x }), { gainDb: driver }) }
    const plan = await engine.plan(target)
    expect(plan.inserted.map((node) => node.type)).toEqual(['audio::channels', 'audio::resample'])
    using result = await engine.run(target)
    const y = result.outputs.y.data.channel(0)
    // The resampler settles within its own length.
    expect(y.subarray(2_000, FRAMES - 2_000).every((value) => Math.abs(value - 0.1) < 1e-5)).toBe(true)
    x.close()
    z.close()
  })

  test('the driver may come out of the same segment', async () => {
    await using engine = await createEngine({ tier, workers, arenaBytes: 16 * 1_048_576 })
    const x = audioBuffer({ data: [DC], rate: RATE })
    const db = audioBuffer({ data: [Float32Array.from({ length: FRAMES }, (_, n) => -(n % 100))], rate: RATE })
    const halved = gain(db, { gainDb: 20 * Math.log10(0.5) })
    using result = await engine.run({ y: gain(x, { gainDb: halved }), sum: mix([x, halved]) })
    const y = result.outputs.y.data.channel(0), sum = result.outputs.sum.data.channel(0)
    expect(Math.max(...y.map((value, n) => Math.abs(value - 10 ** (-(n % 100) / 40))))).toBeLessThan(1e-6)
    expect(sum[99]).toBeCloseTo(1 - 49.5, 3)
  })
})

describe.each(cases.filter(([, workers]) => workers === 0))('openNode setParam (%s)', (tier) => {
  test('ramps over 5 ms from the next frame, whatever the blocks; 0 ms is a step (AU-03)', async () => {
    const runs: number[][] = []
    await using engine = await createEngine({ tier, workers: 0, arenaBytes: 16 * 1_048_576 })
    for (const block of [16, 100, 333]) {
      const node = engine.openNode(gain, { gainDb: -120 }, { rate: RATE, channels: 1, format: 'f32', layout: 'planar' }), y: number[] = []
      const feed = (frames: number): void => {
        for (let at = 0; at < frames; at += block) {
          using x = engine.audio.from([DC.subarray(0, Math.min(block, frames - at))], { rate: RATE, channels: 1 }, { copy: true })
          y.push(...node.process(x).channel(0))
        }
      }
      feed(200)
      node.setParam('gainDb', 0)
      feed(100)
      node.setParam('gainDb', -20, { rampMs: 0 })
      feed(50)
      expect(() => { node.setParam('invert', true) }).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
      expect(() => { node.setParam('gainDb', 99) }).toThrow(expect.objectContaining({ code: 'PARAM_INVALID' }))
      expect(() => { node.setParam('gainDb', 0, { rampMs: 2_000 }) }).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
      node.close()
      runs.push(y)
    }
    const [first] = runs as [number[]], frames = RATE * 0.005
    expect(first.slice(0, 201).every((value) => value === 0)).toBe(true)
    expect(Math.max(...first.slice(1, 300).map((value, n) => Math.abs(value - first[n]!)))).toBeLessThanOrEqual(1 / frames + 1e-6)
    expect(first[200 + frames]).toBe(1)
    expect(first[300]).toBeCloseTo(0.1, 6)
    for (const run of runs) expect(run).toEqual(first)
  })
})
