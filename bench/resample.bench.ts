/**
 * Question: what does a second of mono audio cost to resample, at equal quality, against Speex in WebAssembly (AU-31, PF-01, PF-02, PF-03)?
 * Hypothesis: overlap-save with short real transforms is 8 × (44.1 to 16), 2.5 × (48 to 16) and 2 × (16 to 48) faster than q5 at `high`,
 * and 15 × and 8 × faster than q10 at `best`; blocks of 10 ms cost at most 1.3 × the whole.
 */
import createSpeex from '@echogarden/speex-resampler-wasm/simd'
import { bench, type BenchContext } from './support/bench.js'
import { benchHost, fillNoise, type BenchHost } from './support/kernel-bench.js'
import { prepareResampler, resamplerRoom, type PreparedResampler } from './support/resample-bench.js'

const SECONDS = 60
interface Speex {
  readonly HEAPF32: Float32Array
  readonly HEAPU32: Uint32Array
  _malloc(bytes: number): number
  _free(address: number): void
  _speex_resampler_init(channels: number, from: number, to: number, quality: number, error: number): number
  _speex_resampler_process_float(
    state: number, channel: number, input: number, inputCount: number, output: number, outputCount: number,
  ): number
  _speex_resampler_reset_mem(state: number): number
  _speex_resampler_destroy(state: number): void
}

/** Something that resamples f32 frames from `input` (a view of its own memory) when told, and shows what it made. */
interface Runner { readonly input: Float32Array; run(frames: number): Float32Array; close(): void }

function speexRunner(speex: Speex, from: number, to: number, quality: number, frames: number): Runner {
  const room = Math.ceil(frames * to / from) + 4_096, x = speex._malloc(frames * 4), y = speex._malloc(room * 4), counts = speex._malloc(12)
  const state = speex._speex_resampler_init(1, from, to, quality, counts + 8)
  return {
    get input() { return speex.HEAPF32.subarray(x >> 2, (x >> 2) + frames) },
    run(count) {
      speex._speex_resampler_reset_mem(state)
      speex.HEAPU32[counts >> 2] = count
      speex.HEAPU32[(counts >> 2) + 1] = room
      speex._speex_resampler_process_float(state, 0, x, counts, y, counts + 4)
      return speex.HEAPF32.subarray(y >> 2, (y >> 2) + speex.HEAPU32[(counts >> 2) + 1]!)
    },
    close() {
      speex._speex_resampler_destroy(state)
      for (const address of [x, y, counts]) speex._free(address)
    },
  }
}

/** Least SNR of three sines, the gain at 7 kHz, and when decimating what is left of 8.5 kHz. Fits a sine to the middle of 0.4 s. */
function quality(runner: Runner, from: number, to: number): string {
  const half = Math.min(from, to) / 2, count = Math.ceil(0.4 * from)
  const measure = (hertz: number): { gain: number; snr: number; level: number } => {
    for (let n = 0; n < count; n++) runner.input[n] = Math.sin(2 * Math.PI * (hertz / from * n % 1))
    const all = runner.run(count), y = all.subarray(all.length * 0.3, all.length * 0.7)
    let a = 0, b = 0, aa = 0, ab = 0, bb = 0, power = 0
    const wave = (n: number): readonly [number, number] =>
      [Math.cos(2 * Math.PI * (hertz / to * n % 1)), Math.sin(2 * Math.PI * (hertz / to * n % 1))]
    y.forEach((
      value, n,
    ) => { const [c, s] = wave(n); a += value * c; b += value * s; aa += c * c; ab += c * s; bb += s * s; power += value * value })
    const det = aa * bb - ab * ab, p = (a * bb - b * ab) / det, q = (b * aa - a * ab) / det
    let rest = 0
    y.forEach((value, n) => { const [c, s] = wave(n); rest += (value - p * c - q * s) ** 2 })
    const db = (ratio: number): number => 10 * Math.log10(ratio)
    return { gain: db(p * p + q * q), snr: db((power - rest) / rest), level: db(power / y.length * 2) }
  }
  const snr = Math.min(...[1_000, 0.5 * half, 0.85 * half].map((hertz) => measure(hertz).snr))
  const edge = measure(7 / 8 * half).gain
  const beyond = from > to ? `, 8.5 kHz ${measure(8_500).level.toFixed(0)} dB` : ''
  return `SNR ${snr.toFixed(0)} dB, 7 kHz ${edge.toFixed(3)} dB${beyond}`
}

async function row(b: BenchContext, host: BenchHost, speex: Speex, from: number, to: number): Promise<void> {
  const frames = SECONDS * from, block = from / 100
  const room = resamplerRoom(host, from, to, frames), spare = host.arena.allocate(frames * 4)
  const own = (grade: string, maxFrames: number, method = 'auto'): PreparedResampler =>
    prepareResampler(host, { from, to, quality: grade, method, maxFrames }, room)
  const high = own('high', frames), highBlocks = own('high', block), best = own('best', frames), bestBlocks = own('best', block)
  const direct = own('high', frames, 'direct'), low = own('low', frames), medium = own('medium', frames)
  const q5 = speexRunner(speex, from, to, 5, frames), q10 = speexRunner(speex, from, to, 10, frames)
  const q3 = speexRunner(speex, from, to, 3, frames)
  const label = `${from / 1_000} → ${to / 1_000} kHz, ${SECONDS} s`
  const told: Record<string, string> = {}
  const named = { high, medium, low, best, 'high, direct': direct, 'speex q3': q3, 'speex q5': q5, 'speex q10': q10 }
  for (const [name, runner] of Object.entries(named)) told[name] = quality(runner, from, to)
  fillNoise(host.arena, room.input, frames)
  for (const peer of [q3, q5, q10]) peer.input.set(high.input)
  const options = { unit: { name: 's of audio', count: SECONDS }, quality: told, rounds: 9 }
  const first = await b.compare(`${label}, high`, {
    high: () => high.run(frames), 'high in 10 ms blocks': () => highBlocks.blocks(block), 'speex q5': () => q5.run(frames),
    'speex q3': () => q3.run(frames), medium: () => medium.run(frames), low: () => low.run(frames),
    'high, direct': () => direct.run(frames),
    'copy of the input': () => host.arena.u8.copyWithin(spare, room.input, room.input + frames * 4),
  }, options)
  const [mine, blocks, five] = first.variants.map((v) => v.p50Ms)
  const bar = from === 44_100 ? 8 : from === 48_000 ? 2.5 : 2
  b.note(
    `${label}: high ${(mine! / SECONDS).toFixed(3)} ms per second of audio, ${(five! / mine!).toFixed(2)} × faster than q5 (bar ${bar}), `
      + `10 ms blocks ${(blocks! / mine!).toFixed(2)} × the whole (bar 1.3)`,
  )
  const second = await b.compare(`${label}, best`, {
    best: () => best.run(frames), 'best in 10 ms blocks': () => bestBlocks.blocks(block), 'speex q10': () => q10.run(frames),
  }, { ...options, rounds: 5 })
  const [top, topBlocks, ten] = second.variants.map((v) => v.p50Ms)
  const topBar = from === 44_100 ? '15' : from === 48_000 ? '8' : 'none'
  b.note(
    `${label}: best ${(top! / SECONDS).toFixed(3)} ms per second of audio, ${(ten! / top!).toFixed(2)} × faster than q10 (bar ${topBar}), `
      + `10 ms blocks ${(topBlocks! / top!).toFixed(2)} × the whole`,
  )
  for (const runner of [high, highBlocks, best, bestBlocks, direct, low, medium, q3, q5, q10]) runner.close()
  for (const address of [room.input, room.output, spare]) host.arena.free(address)
}

export const resampleBench = bench('kernels/resample', async (b) => {
  const speex = await (createSpeex as unknown as () => Promise<Speex>)()
  const host = await benchHost(512)
  for (const [from, to] of [[44_100, 16_000], [48_000, 16_000], [16_000, 48_000]] as const) await row(b, host, speex, from, to)
}, ['node'])
