import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { vad } from '../../../src/nodes/voice/vad.js'
import type { PortArray } from '../../../src/graph/reference.js'
import { readEvents } from '../../../src/schedule/border.js'
import type { AudioMedia } from '../../../src/media/media-type.js'
import {
  KernelRig, bytesOf, expectSame, kernelHost, randomNumbers, type KernelHost, type RigTier, type RunOptions,
} from '../../support/kernel-rig.js'
import { registerConformance } from '../../../src/testing/index.js'

let host: KernelHost, blocks = 0
beforeAll(async () => {
  host = await kernelHost()
  blocks = host.arena.stats().blocks
})
afterAll(() => { expect(host.arena.stats().blocks).toBe(blocks) })

interface Options extends RunOptions { readonly rate?: number; readonly outputs?: readonly string[] }
function run(x: readonly Float32Array[], params: Record<string, unknown> = {}, tier: RigTier = 'wasm', o: Options = {}) {
  const rate = o.rate ?? 16_000, media: AudioMedia = { kind: 'audio', rate, channels: x.length, format: 'f32', layout: 'planar' }
  const rig = new KernelRig(host, vad.definition, tier, {
    params, media: { in: media },
    outputs: o.outputs ?? (params['filter'] === true ? ['audio', 'segments', 'frames'] : ['segments', 'frames']),
  })
  const { outputs, results, counters } = rig.run([x], o)
  const summary = vad.definition.summary!({ inputFrames: x[0]!.length, outputs }, rig.params, rig.media)
  rig.close()
  return {
    frames: outputs['frames']![0] as Uint8Array, events: outputs['segments']![0]!,
    segments: readEvents(bytesOf(outputs['segments']![0]!), rate), audio: outputs['audio']!, results, counters, summary: summary['frames']!,
    metadata: vad.definition.outputs.frames.metadata(rig.params, rig.media),
  }
}
function sine(hertz: number, level: number, seconds: number, rate = 16_000): Float32Array {
  return Float32Array.from({ length: Math.round(seconds * rate) }, (_, n) => level * Math.sin(2 * Math.PI * hertz * n / rate))
}
/** Bursts of noise between pauses: runs of frames that begin and end anywhere. */
function speechLike(count: number, seed: number): Float32Array {
  const next = randomNumbers(seed), x = new Float32Array(count)
  for (let n = 0; n < count;) {
    const length = 50 + Math.floor(next() * 4_000), level = next() < 0.5 ? 0.005 : 0.2
    for (const end = Math.min(count, n + length); n < end; n++) x[n] = (next() * 2 - 1) * level
  }
  return x
}

describe('facts', () => {
  test('440 Hz at 0.5 for 5 s, 16 kHz: 166 of 166 frames, one segment', () => {
    for (const tier of ['wasm', 'js'] as const) {
      const { frames, segments, summary } = run([sine(440, 0.5, 5)], {}, tier)
      expect([frames.length, frames.reduce((sum: number, one: number) => sum + one, 0)]).toEqual([166, 166])
      expect(summary).toEqual({ isSpeech: true, speechFrames: 166, totalFrames: 166, ignoredFrames: 320 })
      expect(segments).toMatchObject([{ type: 'segment', from: 0, to: 166 * 480, timestampUs: 0, probability: 1 }])
      expect(segments[0]!.rms).toBeCloseTo(Math.SQRT1_2 / 2, 4)
      expect(segments[0]!.peak).toBeCloseTo(0.5, 3)
    }
  })
  test('silence: no speech, no segment', () => {
    const { frames, segments, summary } = run([new Float32Array(16_000)])
    expect([frames.length, segments.length, summary['isSpeech']]).toEqual([33, 0, false])
  })
  test('DC at the threshold is not above it; one ulp more is', () => {
    // an f32 level whose square has 48 bits; the threshold is that number, its neighbours one f64 ulp away
    const level = Math.fround(0.02), x = new Float32Array(480).fill(level), ulp = 2 ** -58
    const decide = (threshold: number, tier: RigTier) => run([x], { threshold }, tier).frames[0]
    for (const tier of ['wasm', 'js'] as const) {
      expect(decide(level, tier)).toBe(0)
      expect(decide(level - 4 * ulp, tier)).toBe(1)
      expect(decide(level + 4 * ulp, tier)).toBe(0)
    }
    const above = new Float32Array(480).fill(level)
    above[479] = Math.fround(level * (1 + 2 ** -23))
    expect(run([above], { threshold: level }).frames[0]).toBe(1)
  })
  test('frame lengths: ⌊rate · ms ÷ 1000⌋ at every rate', () => {
    for (const [rate, ms, length] of [
      [16_000, 30, 480], [48_000, 30, 1_440], [44_100, 10, 441], [11_025, 10, 110], [22_050, 30, 661], [8_000, 20, 160], [100, 10, 1],
    ] as const) {
      const x = new Float32Array(length * 3 + length - 1).fill(0.5)
      const { frames, summary, metadata } = run([x], { frameMs: ms }, 'wasm', { rate })
      expect([frames.length, summary['ignoredFrames'], metadata]).toEqual([3, length - 1, { hopFrames: length, rate }])
    }
  })
  test('energy is summed in four lanes by sample index mod 4, f64', () => {
    const x = speechLike(110, 1).map((one) => one + 0.02), lanes = [0, 0, 0, 0]
    x.forEach((one, n) => { lanes[n % 4]! += one * one })
    const energy = (lanes[0]! + lanes[1]!) + (lanes[2]! + lanes[3]!)
    const { events } = run([x], { frameMs: 10, threshold: 0 }, 'wasm', { rate: 11_025 })
    expect(new Float32Array(events.buffer)[7]).toBe(Math.fround(energy))
    expect(run([x], { frameMs: 10, threshold: Math.sqrt(energy / 110) * (1 + 1e-15) }, 'wasm', { rate: 11_025 }).frames[0]).toBe(0)
  })
})

describe('segments (AU-51)', () => {
  test.each([
    ['0110', [[1, 3]]], ['1111', [[0, 4]]], ['0000', []], ['1010', [[0, 1], [2, 3]]], ['0001', [[3, 4]]], ['1', [[0, 1]]],
    ['110100111', [[0, 2], [3, 4], [6, 9]]],
  ])('%s', (pattern, runs) => {
    const x = Float32Array.from({ length: pattern.length * 480 + 100 }, (_, n) => pattern[Math.floor(n / 480)] === '1' ? 0.1 : 0)
    for (const tier of ['wasm', 'js'] as const) for (const chunks of [[99_999], [1], [479, 2], [1_000]]) {
      expect(run([x], {}, tier, { chunks }).segments.map(({ from, to }) => [from / 480, to! / 480])).toEqual(runs)
    }
  })
  test('longer than 2³² − 2 samples: contiguous events', () => {
    const media: AudioMedia = { kind: 'audio', rate: 768_000, channels: 1, format: 'f32', layout: 'planar' }
    const length = 23_040, position = length * 1e6
    for (const tier of ['wasm', 'js'] as const) {
      const rig = new KernelRig(host, vad.definition, tier, { params: {}, media: { in: media }, outputs: ['segments', 'frames'] })
      rig.run([[new Float32Array(length).fill(1)]], { position, flush: false })
      pretendRunBeganAt(rig, position + length - (2 ** 32 - 2 - length * 1.5))
      const { outputs } = rig.run([[new Float32Array(length * 2).fill(1)]], { position: position + length })
      const events = readEvents(bytesOf(outputs['segments']![0]!), 768_000)
      expect(events.length).toBe(2)
      expect(events[0]!.to).toBe(events[1]!.from)
      expect(events[0]!.to! - events[0]!.from).toBeLessThanOrEqual(2 ** 32 - 2)
      expect(events[1]!.to).toBe(position + 3 * length)
      rig.close()
    }
  })
})

/** Moves the start of the open run, through a snapshot: nobody runs 74 hours in a test. */
function pretendRunBeganAt(rig: KernelRig, from: number): void {
  const snapshot = rig.instance.snapshot()
  if (snapshot instanceof Uint8Array) new DataView(snapshot.buffer).setBigInt64(32 + 72, BigInt(from), true)
  else (snapshot as { runFrom: number }).runFrom = from
  rig.instance.restore(snapshot)
}

describe('any chunking, any tier', () => {
  test('random chunkings, channels, rates and start positions: the same bits', () => {
    const next = randomNumbers(2)
    for (let round = 0; round < 60; round++) {
      const channels = [1, 2, 3, 6][round % 4]!, rate = [16_000, 11_025, 8_000][round % 3]!, frameMs = [10, 20, 30][Math.floor(next() * 3)]!
      const x = Array.from({ length: channels }, (_, c) => speechLike(9_000, round * 10 + c))
      const position = round % 5 === 0 ? Math.floor(next() * 2 ** 40) : 0
      const params = { frameMs, threshold: 0.02, filter: round % 2 === 1 }, whole = run(x, params, 'js', { rate, position })
      const chunks = Array.from({ length: 7 }, () => Math.floor(next() * (round % 7 === 0 ? 5 : 3_000)))
      const cut = run(x, params, 'wasm', { rate, position, chunks: [...chunks, 1], offset: round % 16 })
      expectSame(cut.frames, whole.frames, `frames, round ${round}`)
      expectSame(cut.events, whole.events, `events, round ${round}`)
      if (params.filter) cut.audio.forEach((plane, c) => expectSame(plane, whole.audio[c]!, `audio, round ${round}`))
    }
  })
  test('a start inside the grid: samples before the next frame belong to none', () => {
    const x = new Float32Array(480 * 3).fill(0.5), { frames, segments } = run([x], {}, 'wasm', { position: 100 })
    expect(frames.length).toBe(2)
    expect(segments).toMatchObject([{ from: 480, to: 1_440 }])
  })
  test('several channels are judged by their mean', () => {
    const left = new Float32Array(480).fill(0.5), right = left.map((one) => -one)
    expect([run([left, right]).frames[0], run([left, left]).frames[0]]).toEqual([0, 1])
  })
  test('state may be moved after every call', () => {
    const x = speechLike(20_000, 9), plain = run([x], { filter: true })
    const moved = run([x], { filter: true }, 'wasm', { chunks: [700], after: (instance) => instance.moveState() })
    expectSame(moved.events, plain.events)
    expectSame(moved.audio[0]!, plain.audio[0]!)
  })
  test('NaN and ∞ spoil their own frame only', () => {
    const x = new Float32Array(480 * 4).fill(0.5)
    x[500] = NaN
    x[1_000] = Infinity
    for (const tier of ['wasm', 'js'] as const) expect([...run([x], {}, tier).frames]).toEqual([1, 0, 1, 1])
  })
  test('flagged silence counts as frames without speech', () => {
    expect([...run([new Float32Array(1_000)], { threshold: 0 }, 'wasm', { silent: [true] }).frames]).toEqual([0, 0])
  })
})

describe('filter', () => {
  test('emits exactly the speech frames', () => {
    const x = speechLike(30_000, 4), { audio, frames } = run([x], { filter: true }, 'wasm', { chunks: [333] })
    const expected: number[] = []
    frames.forEach((voiced: number, n: number) => { if (voiced) expected.push(...x.subarray(n * 480, (n + 1) * 480)) })
    expectSame(audio[0]!, Float32Array.from(expected))
  })
  test('counts what it would emit when nobody reads it', () => {
    const x = speechLike(30_000, 4), read = run([x], { filter: true })
    const unread = run([x], { filter: true }, 'wasm', { outputs: ['frames', 'segments'] })
    expect(unread.results).toEqual(read.results)
  })
  test('without filter the audio output passes through: every sample counts as produced, none is written', () => {
    expect(run([new Float32Array(1_000)]).results).toEqual([1_000, 0])
  })
})

describe('definition', () => {
  test('params at their ends and beyond', () => {
    for (const params of [{ frameMs: 10 }, { frameMs: 30 }, { threshold: 0 }, { threshold: 1 }]) run([new Float32Array(10)], params)
    expect(() => run([new Float32Array(10)], { frameMs: 15 })).toThrow('BAD_PARAM')
    expect([10, 15, 20, 30].map((frameMs) => vad.definition.validate!({ frameMs }, {}).map((d) => d.code)))
      .toEqual([[], ['PARAM_INVALID'], [], []])
    for (const params of [{ frameMs: 40 }, { threshold: -0.1 }, { threshold: 1.1 }, { threshold: NaN }, { threshold: '0.1' }]) {
      expect(() => run([new Float32Array(10)], params)).toThrow(/frameMs|threshold/)
    }
  })
  test('below 100 Hz the kernel answers UNSUPPORTED', () => {
    expect(() => run([new Float32Array(10)], {}, 'wasm', { rate: 99 })).toThrow(/UNSUPPORTED|-7/)
  })
  test('never returns more than it declares', () => {
    const x: PortArray = speechLike(50_000, 12) // the rig gives exactly the declared room and watches the bytes behind it
    expect(() => run([x as Float32Array], { frameMs: 10, filter: true }, 'wasm', { chunks: [161, 1, 159, 4_000] })).not.toThrow()
  })
})

registerConformance(vad, { describe, test }, { setups: [{}, { params: { filter: true, frameMs: 10 } }] })
