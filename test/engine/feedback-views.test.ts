/** Loops through nodes that are views of their input (GR-12): channels cross over without a copy, wherever the delay stands. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEngine, feedback, type AudioBuffer, type Engine, type OutputRef } from '../../src/index.js'
import { audioBuffer, gain, merge, mix, split, swap } from '../../src/nodes/index.js'

type Sound = OutputRef<'audio'>
const FRAMES = 3_000, DELAY = 256, HALF = 10 ** (-6 / 20)
const left = Float32Array.from({ length: FRAMES }, (_, n) => Math.sin(n))
const right = Float32Array.from({ length: FRAMES }, (_, n) => Math.cos(n * 0.3))
const dry = (): Sound => audioBuffer({ data: [left, right], rate: 8_000 }) as Sound

/**
 * The same echo, which crosses over: the delay before the swap, behind it, around a gain, through split channels, and with two swaps more.
 */
const LOOPS: Readonly<Record<string, () => Sound>> = {
  'swap, then the delay': () => {
    let sum!: Sound
    feedback({ delayFrames: DELAY }, (late: Sound) => swap(sum = mix([dry(), late], { gainDb: [0, -6] }) as Sound) as Sound)
    return sum
  },
  'the delay, then swap': () => feedback({ delayFrames: DELAY }, (late: Sound) =>
    mix([dry(), swap(late) as Sound], { gainDb: [0, -6] }) as Sound),
  'a gain between': () => feedback({ delayFrames: DELAY }, (late: Sound) =>
    mix([dry(), swap(gain(late, { gainDb: -6 })) as Sound]) as Sound),
  'split and merge': () => feedback({ delayFrames: DELAY }, (late: Sound) => {
    const { c0, c1 } = split(gain(late, { gainDb: -6 }))
    return mix([dry(), merge([c1, c0])]) as Sound
  }),
  'the delay, then split and merge': () => feedback({ delayFrames: DELAY }, (late: Sound) => {
    const { c0, c1 } = split(late)
    return mix([dry(), merge([c1, c0])], { gainDb: [0, -6] }) as Sound
  }),
  'three swaps': () => feedback({ delayFrames: DELAY }, (late: Sound) =>
    mix([dry(), swap(swap(swap(late))) as Sound], { gainDb: [0, -6] }) as Sound),
}

const engines: Engine[] = []
beforeAll(async () => {
  for (const o of [{ tier: 'js' }, { tier: 'wasm', workers: 0 }, { workers: 2 }] as const) engines.push(await createEngine(o))
})
afterAll(async () => { await Promise.all(engines.map((engine) => engine.close())) })

test.each(Object.keys(LOOPS))('%s', async (name) => {
  const want = [left.slice(), right.slice()]
  for (let n = DELAY; n < FRAMES; n++) for (const c of [0, 1]) want[c]![n]! += want[1 - c]![n - DELAY]! * HALF
  for (const [i, engine] of engines.entries()) for (const blockFrames of i === 0 ? [100] : [64, 4_096]) {
    using result = await engine.run({ out: LOOPS[name]!() }, { blockFrames })
    const { data } = (result.outputs as unknown as { out: { data: AudioBuffer } }).out
    expect(data.frames).toBe(FRAMES)
    for (const c of [0, 1]) {
      expect(data.channel(c).reduce((worst, x, n) => Math.max(worst, Math.abs(x - want[c]![n]!)), 0)).toBeLessThan(1e-6)
    }
  }
})
