/**
 * Question: how fast do WAV samples get from memory into the arena, and back into a file? Hypothesis: 16-bit samples at the speed of a copy
 * (bar: 1 GB/s), coded ones within a few times of it.
 */
import { readWav, sampleArray } from '../src/formats/wav/wav-reader.js'
import { writeWav, type WavSpec } from '../src/formats/wav/wav-writer.js'
import type { ByteSink } from '../src/formats/sink/byte-sink.js'
import { memorySink } from '../src/formats/sink/memory-sink.js'
import type { SampleArray } from '../src/media/audio-buffer.js'
import type { SampleFormat } from '../src/media/media-type.js'
import { bench } from './support/bench.js'

const CHANNELS = 2
const FRAMES = 4 * 1_048_576
const CHUNK = 65_536

/** A file of noise in memory. */
async function file(format: NonNullable<WavSpec['format']>): Promise<Uint8Array> {
  const sink = memorySink(FRAMES * CHANNELS * 8 + 1_024)
  const writer = await writeWav(sink, { rate: 48_000, channels: CHANNELS, format })
  const noise = Int16Array.from({ length: CHUNK * CHANNELS }, (_, i) => Math.imul(i, 2_654_435_761) >> 16)
  for (let at = 0; at < FRAMES; at += CHUNK) await writer.write({ samples: noise, frames: CHUNK, format: 'i16', layout: 'interleaved' })
  await writer.close()
  return sink.bytes()
}

/** Reads the whole file, chunk by chunk, into one shared block as the node does. */
async function readThrough(bytes: Uint8Array, target: SampleArray): Promise<void> {
  const reader = await readWav(bytes)
  while (await reader.read(target) > 0);
  await reader.close()
}

function sharedSamples(format: SampleFormat): SampleArray {
  const { BYTES_PER_ELEMENT } = sampleArray(format, 0)
  const bytes = CHUNK * CHANNELS * BYTES_PER_ELEMENT
  const buffer = typeof SharedArrayBuffer === 'function' ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)
  return new (sampleArray(format, 0).constructor as new (buffer: ArrayBufferLike) => SampleArray)(buffer)
}

/** The loop that one writes by hand. */
function plainLoop(bytes: Uint8Array, dataOffset: number, target: Int16Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (let at = dataOffset; at + target.length * 2 <= bytes.length; at += target.length * 2) {
    for (let i = 0; i < target.length; i++) target[i] = view.getInt16(at + i * 2, true)
  }
}

function copyOnly(bytes: Uint8Array, dataOffset: number, target: Uint8Array): void {
  for (let at = dataOffset; at + target.length <= bytes.length; at += target.length) target.set(bytes.subarray(at, at + target.length))
}

export const wavReadBench = bench('formats/wav-read', async (b) => {
  const bytes = await file('i16')
  const target = sharedSamples('i16') as Int16Array
  const { dataOffset, dataBytes } = (await readWav(bytes)).info
  const unit = { name: 'B', count: dataBytes! }
  const row = await b.compare('16 bit, 16 MiB in memory, chunks of 65 536 frames into shared memory', {
    'readWav': () => readThrough(bytes, target),
    'copy of the same bytes': () => copyOnly(bytes, dataOffset, new Uint8Array(target.buffer)),
    'DataView loop': () => plainLoop(bytes, dataOffset, target),
  }, { unit })
  b.note(`bar 1 GB/s: ${((row.variants[0]!.perSecond ?? 0) / 1e9).toFixed(2)} GB/s`)
  for (const format of ['i24', 'f32', 'f64'] as const) {
    const coded = await file(format)
    const emitted = format === 'i24' ? 'i32' as const : 'f32' as const
    const samples = sharedSamples(emitted)
    await b.compare(`${format} to ${emitted}`, { 'readWav': () => readThrough(coded, samples) }, {
      unit: { name: 'B', count: coded.length }, rounds: 7,
    })
  }
})

export const wavWriteBench = bench('formats/wav-write', async (b) => {
  const count = CHUNK * CHANNELS
  const noise = Float32Array.from({ length: count }, (_, i) => (Math.imul(i, 2_654_435_761) >> 8) / 2 ** 23)
  const stored = Int16Array.from(noise, (value) => value * 32_767)
  const planes = [noise.subarray(0, CHUNK), noise.subarray(CHUNK)]
  // Everything but the medium: a sink that drops its bytes.
  const sink = (): ByteSink => ({
    name: 'none', seekable: false, write: () => Promise.resolve(), patch: () => Promise.resolve(), close: () => Promise.resolve(),
    abort: () => Promise.resolve(),
  })
  const through = async (
    samples: SampleArray | readonly SampleArray[], format: SampleFormat, layout: 'planar' | 'interleaved',
  ): Promise<void> => {
    const writer = await writeWav(sink(), { rate: 48_000, channels: CHANNELS })
    for (let i = 0; i < 16; i++) await writer.write({ samples, frames: CHUNK, format, layout })
    await writer.close()
  }
  await b.compare('16 × 65 536 stereo frames to 16 bit', {
    'i16 as stored': () => through(stored, 'i16', 'interleaved'),
    'f32 planar': () => through(planes, 'f32', 'planar'),
  }, { unit: { name: 'samples', count: count * 16 } })
})
