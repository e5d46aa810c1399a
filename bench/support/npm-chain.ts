/** The same job as our pipeline, made of the strongest parts that npm has, in one thread: what a careful hand builds today. */
import createSpeex from '@echogarden/speex-resampler-wasm/simd'
import createFvad from '@echogarden/fvad-wasm'

interface Speex {
  readonly HEAPF32: Float32Array
  readonly HEAP32: Int32Array
  _malloc(bytes: number): number
  _speex_resampler_init(channels: number, from: number, to: number, quality: number, error: number): number
  _speex_resampler_process_float(
    state: number, channel: number, input: number, inputLength: number, output: number, outputLength: number,
  ): number
  _speex_resampler_destroy(state: number): void
}
interface Fvad {
  readonly HEAP16: Int16Array
  _malloc(bytes: number): number
  _fvad_new(): number
  _fvad_free(vad: number): void
  _fvad_set_mode(vad: number, mode: number): number
  _fvad_set_sample_rate(vad: number, rate: number): number
  _fvad_process(vad: number, samples: number, count: number): number
}

/** Frames at a time: small enough for the cache, large enough that a call costs nothing. */
const CHUNK = 8_192
const FRAME = 480
/** 1.5·2⁵²: adding and subtracting it rounds half to even. */
const ROUND = 6_755_399_441_055_744
const HEADER = 44

export interface NpmResult { readonly pcm: Int16Array; readonly segments: readonly (readonly [number, number])[] }
export type NpmChain = (wav: Uint8Array, detector: 'energy' | 'fvad') => NpmResult

/** Loads the parts once; the chain reads 16-bit stereo WAV at 44.1 kHz with a plain header. */
export async function npmChain(): Promise<NpmChain> {
  const speex = await (createSpeex as unknown as () => Promise<Speex>)(), fvad = await (createFvad as unknown as () => Promise<Fvad>)()
  const input = speex._malloc(CHUNK * 4), room = CHUNK, output = speex._malloc(room * 4)
  const counts = speex._malloc(12), frame = fvad._malloc(FRAME * 2)
  return (wav, detector) => {
    const source = new Int16Array(wav.buffer, wav.byteOffset + HEADER, (wav.byteLength - HEADER) >> 1), frames = source.length >> 1
    const pcm = new Int16Array(Math.ceil(frames * 16_000 / 44_100) + 64), floats = new Float32Array(pcm.length)
    const state = speex._speex_resampler_init(1, 44_100, 16_000, 5, counts + 8), { HEAPF32, HEAP32 } = speex
    let made = 0
    for (let at = 0; at < frames; at += CHUNK) {
      const count = Math.min(CHUNK, frames - at), x = input >> 2
      for (let n = 0, from = at * 2; n < count; n++, from += 2) HEAPF32[x + n] = (source[from]! + source[from + 1]!) * (0.5 / 32_768)
      HEAP32[counts >> 2] = count
      HEAP32[(counts >> 2) + 1] = room
      speex._speex_resampler_process_float(state, 0, input, counts, output, counts + 4)
      const got = HEAP32[(counts >> 2) + 1]!
      floats.set(HEAPF32.subarray(output >> 2, (output >> 2) + got), made)
      for (let n = made; n < made + got; n++) pcm[n] = Math.max(-32_768, Math.min(32_767, floats[n]! * 32_768 + ROUND - ROUND))
      made += got
    }
    speex._speex_resampler_destroy(state)
    return { pcm: pcm.subarray(0, made), segments: runs(detector === 'energy' ? byEnergy(floats, made) : byFvad(fvad, frame, pcm, made)) }
  }
}

function byEnergy(x: Float32Array, count: number): Uint8Array {
  const speech = new Uint8Array(Math.floor(count / FRAME)), threshold = 0.02 * 0.02 * FRAME
  for (let f = 0, n = 0; f < speech.length; f++) {
    let sum = 0
    for (const end = n + FRAME; n < end; n++) sum += x[n]! * x[n]!
    speech[f] = sum > threshold ? 1 : 0
  }
  return speech
}

function byFvad(fvad: Fvad, room: number, pcm: Int16Array, count: number): Uint8Array {
  const speech = new Uint8Array(Math.floor(count / FRAME)), vad = fvad._fvad_new()
  fvad._fvad_set_mode(vad, 0)
  fvad._fvad_set_sample_rate(vad, 16_000)
  for (let f = 0; f < speech.length; f++) {
    fvad.HEAP16.set(pcm.subarray(f * FRAME, (f + 1) * FRAME), room >> 1)
    speech[f] = fvad._fvad_process(vad, room, FRAME)
  }
  fvad._fvad_free(vad)
  return speech
}

function runs(speech: Uint8Array): [number, number][] {
  const found: [number, number][] = []
  for (let f = 0, from = -1; f <= speech.length; f++) {
    if (speech[f] === 1) { if (from < 0) from = f } else if (from >= 0) { found.push([from * FRAME, f * FRAME]); from = -1 }
  }
  return found
}
