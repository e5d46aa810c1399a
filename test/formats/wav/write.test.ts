import { describe, expect, test } from 'vitest'
import type { SampleFormat } from '../../../src/media/media-type.js'
import type { SampleArray } from '../../../src/media/audio-buffer.js'
import { memorySink } from '../../../src/formats/sink/memory-sink.js'
import type { WavSampleFormat } from '../../../src/formats/wav/encode-samples.js'
import { readWav, sampleArray } from '../../../src/formats/wav/wav-reader.js'
import { writeWav, type WavSpec } from '../../../src/formats/wav/wav-writer.js'
import { random } from './make-wav.js'

async function written(
  spec: WavSpec, samples: SampleArray | readonly SampleArray[], format: SampleFormat, frames: number, planar = false,
): Promise<Uint8Array> {
  const sink = memorySink(16)
  const writer = await writeWav(sink, spec)
  await writer.write({ samples, frames, format, layout: planar ? 'planar' : 'interleaved' })
  expect((await writer.close()).bytes).toBe(sink.bytes().length)
  return sink.bytes()
}

async function readBack(bytes: Uint8Array): Promise<SampleArray> {
  const reader = await readWav(bytes)
  expect(reader.info.warnings).toEqual([])
  const samples = sampleArray(reader.info.format, reader.info.frames! * reader.info.channels)
  expect(await reader.read(samples)).toBe(reader.info.frames)
  return samples
}

/** Place of the first difference, or null: `toEqual` takes seconds for long typed arrays. */
function difference(a: SampleArray, b: SampleArray): number | null {
  if (a.length !== b.length || a.constructor !== b.constructor) return -1
  const at = a.findIndex((value: number, i: number) => !Object.is(value, b[i]))
  return at < 0 ? null : at
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
const ascii = (text: string): string => hex(new TextEncoder().encode(text))
/** `JUNK` of 28 bytes behind the RIFF head. */
const head = (riffBytes: string): string => `${ascii('RIFF')}${riffBytes}${ascii('WAVEJUNK')}1c000000${'00'.repeat(28)}`

describe('golden bytes', () => {
  test('i16 mono: plain fmt', async () => {
    expect(hex(await written({ rate: 16_000, channels: 1 }, Int16Array.of(1, -2), 'i16', 2))).toBe(
      `${head('4c000000')}${ascii('fmt ')}10000000${'0100'}${'0100'}803e0000${'007d0000'}${'0200'}${'1000'}${ascii('data')}04000000${'0100feff'}`)
  })

  test('u8 mono, odd: padded', async () => {
    expect(hex(await written({ rate: 8_000, channels: 1, format: 'u8' }, Uint8Array.of(0, 128, 255), 'u8', 3))).toBe(
      `${head('4c000000')}${ascii('fmt ')}10000000${'0100'}${'0100'}401f0000${'401f0000'}${'0100'}${'0800'}${ascii('data')}03000000${'0080ff'}00`)
  })

  test('f32 stereo with a mask: EXTENSIBLE, fact', async () => {
    expect(hex(await written({ rate: 48_000, channels: 2, format: 'f32', speakers: 'stereo' }, Float32Array.of(1, -1), 'f32', 1))).toBe(
      `${head('74000000')}${ascii('fmt ')}28000000${'feff'}${'0200'}80bb0000${'00dc0500'}${'0800'}${'2000'}${'1600'}${'2000'}03000000${'0300'}`
      + `${'000000001000800000aa00389b71'}${ascii('fact')}04000000${'01000000'}${ascii('data')}08000000${'0000803f000080bf'}`)
  })

  test('INFO, cue, labels, graph', async () => {
    const bytes = await written({
      rate: 8_000, channels: 1, info: { INAM: 'ab' }, cues: [{ id: 1, position: 5, label: 'x' }], graph: Uint8Array.of(1, 2, 3),
    }, Int16Array.of(), 'i16', 0)
    expect(hex(bytes.subarray(72))).toBe(
      `${ascii('LIST')}10000000${ascii('INFOINAM')}03000000${ascii('ab')}0000`
      + `${ascii('cue ')}1c000000${'01000000'}${'01000000'}${'05000000'}${ascii('data')}${'00000000'}${'00000000'}${'05000000'}`
      + `${ascii('LIST')}12000000${ascii('adtllabl')}06000000${'01000000'}${ascii('x')}00`
      + `${ascii('mlgr')}03000000${'010203'}00${ascii('data')}00000000`)
  })

  test('EXTENSIBLE only where it is due', async () => {
    const tagOf = async (spec: Partial<WavSpec>): Promise<number> =>
      (await written({ rate: 8_000, channels: 1, ...spec }, new Int16Array(0), 'i16', 0))[56]!
    expect(await tagOf({})).toBe(1)
    expect(await tagOf({ channels: 2 })).toBe(1)
    expect(await tagOf({ format: 'u8' })).toBe(1)
    expect(await tagOf({ channels: 3 })).toBe(0xfe)
    expect(await tagOf({ format: 'i24' })).toBe(0xfe)
    expect(await tagOf({ format: 'f64' })).toBe(0xfe)
    expect(await tagOf({ speakers: 'mono' })).toBe(0xfe)
  })
})

describe('read(write(x)) = x', () => {
  const stored: readonly (readonly [WavSampleFormat, SampleFormat])[] = [
    ['u8', 'u8'], ['i16', 'i16'], ['i32', 'i32'], ['f32', 'f32'], ['i24', 'i32'], ['f64', 'f32'],
  ]
  for (const [format, emitted] of stored) for (const channels of [1, 2, 3, 6, 64]) test(`${format} × ${channels}`, async () => {
    const frames = 1_009
    const next = random(channels)
    const samples = sampleArray(emitted, frames * channels)
    for (let i = 0; i < samples.length; i++) {
      samples[i] = emitted === 'f32' ? next() * 2 - 1 : emitted === 'u8' ? next() * 256 : Math.floor(next() * 2 ** 32) - 2 ** 31
      if (format === 'i24') samples[i]! &= ~255
    }
    const bytes = await written({ rate: 44_100, channels, format }, samples, emitted, frames)
    expect(difference(await readBack(bytes), samples)).toBeNull()
    // The same sound in planes, in one array and in one array per channel, in uneven pieces: the same bytes.
    const planes = Array.from({ length: channels }, (_, channel) => samples.filter((__: number, i: number) => i % channels === channel))
    expect(difference(await written({ rate: 44_100, channels, format }, planes, emitted, frames, true), bytes)).toBeNull()
    const flat = sampleArray(emitted, frames * channels)
    planes.forEach((plane, channel) => flat.set(plane, channel * frames))
    expect(difference(await written({ rate: 44_100, channels, format }, flat, emitted, frames, true), bytes)).toBeNull()
    const sink = memorySink()
    const writer = await writeWav(sink, { rate: 44_100, channels, format })
    for (let at = 0, size = 1; at < frames; at += size, size = size * 2 + 1) {
      const count = Math.min(size, frames - at)
      await writer.write({
        samples: samples.subarray(at * channels, (at + count) * channels),
        frames: count, format: emitted, layout: 'interleaved',
      })
    }
    expect((await writer.close()).frames).toBe(frames)
    expect(difference(sink.bytes(), bytes)).toBeNull()
  })

  test('tags come back', async () => {
    const cues = [{ id: 7, position: 3, label: 'döner' }, { id: 8, position: 1 }]
    const bytes = await written(
      { rate: 8_000, channels: 1, info: { INAM: 'Talk', IART: 'Ä' }, cues, graph: Uint8Array.of(5) },
      Int16Array.of(1), 'i16', 1,
    )
    expect(await (await readWav(bytes)).metadata())
      .toMatchObject({ info: { INAM: 'Talk', IART: 'Ä' }, cues, graph: Uint8Array.of(5), others: [] })
  })
})

describe('conversion (spec audio.md section 3)', () => {
  const NaN_ = Number.NaN
  const cases: readonly (readonly [SampleFormat, WavSampleFormat, readonly number[], readonly number[]])[] = [
    ['f32', 'i16', [0, 1, -1, 0.5 / 32_768, 1.5 / 32_768, -0.5 / 32_768, -1.5 / 32_768, 2, -2, NaN_, Infinity, -Infinity, -0],
      [0, 32_767, -32_768, 0, 2, 0, -2, 32_767, -32_768, 0, 32_767, -32_768, 0]],
    ['f32', 'u8', [0, 1, -1, 0.5 / 128, 1.5 / 128, NaN_], [128, 255, 0, 128, 130, 128]],
    ['f32', 'i24', [1, -1, 1.5 / 8_388_608, NaN_], [2 ** 31 - 256, -(2 ** 31), 2 * 256, 0]],
    ['f32', 'i32', [1, -1, 0.25, NaN_], [2 ** 31 - 1, -(2 ** 31), 2 ** 29, 0]],
    ['u8', 'i16', [0, 128, 255], [-32_768, 0, 32_512]],
    ['u8', 'f32', [0, 128, 255], [-1, 0, 127 / 128]],
    ['i16', 'i24', [-32_768, 1], [-(2 ** 31), 65_536]],
    ['i16', 'i32', [-32_768, 1], [-(2 ** 31), 65_536]],
    ['i16', 'u8', [-32_768, -1, 0, 255, 256], [0, 127, 128, 128, 129]],
    ['i16', 'f64', [-32_768, 1], [-1, 1 / 32_768]],
    ['i32', 'i16', [-(2 ** 31), -1, 65_535, 65_536], [-32_768, -1, 0, 1]],
    ['i32', 'i24', [-1, 255, 256], [-256, 0, 256]],
    ['i32', 'f32', [2 ** 31 - 1, -(2 ** 31), 16_777_217], [1, -1, 2 ** -7]],
  ]
  test.each(cases)('%s to %s', async (from, to, input, output) => {
    const source = sampleArray(from, input.length)
    source.set(input)
    expect([...await readBack(await written({ rate: 8_000, channels: 1, format: to }, source, from, input.length))]).toEqual(output)
  })

  test('clipped samples are counted', async () => {
    const writer = await writeWav(memorySink(), { rate: 8_000, channels: 1 })
    await writer.write({ samples: Float32Array.of(1, 0.999, -1, -1.1, NaN_), frames: 5, format: 'f32', layout: 'planar' })
    expect((await writer.close()).clipped).toBe(2)
  })
})

describe('streams and misuse', () => {
  test('an unseekable sink keeps sizes open, and the reader reads to the end', async () => {
    const pieces: Uint8Array[] = []
    const writer = await writeWav(new WritableStream<Uint8Array>({ write: (piece) => { pieces.push(piece) } }), {
      rate: 8_000, channels: 1, format: 'f32',
    })
    await writer.write({ samples: Float32Array.of(0.25, 0.5), frames: 2, format: 'f32', layout: 'planar' })
    await writer.close()
    const bytes = Uint8Array.from(pieces.flatMap((piece) => [...piece]))
    expect(hex(bytes.subarray(4, 8))).toBe('ffffffff')
    expect([...await readBack(bytes)]).toEqual([0.25, 0.5])
  })

  test.each([
    [{ rate: 0, channels: 1 }], [{ rate: 1.5, channels: 1 }], [{ rate: 8_000, channels: 0 }], [{ rate: 8_000, channels: 65 }],
    [{ rate: 8_000, channels: 1, format: 'i8' as never }], [{ rate: 8_000, channels: 1, speakers: 'stereo' as const }],
    [{ rate: 8_000, channels: 1, info: { toolong: '' } }], [{ rate: 8_000, channels: 1, cues: [{ id: -1, position: 0 }] }],
  ] satisfies [WavSpec][])('%j is refused', async (spec) => {
    await expect(writeWav(memorySink(), spec)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('dithers are not there yet', async () => {
    for (const dither of ['rect', 'tpdf', 'tpdf-hp', 'shaped'] as const) {
      await expect(writeWav(memorySink(), { rate: 8_000, channels: 1, dither })).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    }
  })

  test('missing samples and a closed writer are refused', async () => {
    const writer = await writeWav(memorySink(), { rate: 8_000, channels: 2 })
    const frames = { frames: 2, format: 'i16', layout: 'interleaved' } as const
    await expect(writer.write({ ...frames, samples: new Int16Array(3) })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(writer.write({ ...frames, samples: [new Int16Array(2)] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    const first = await writer.close()
    expect(await writer.close()).toBe(first)
    await expect(writer.write({ ...frames, samples: new Int16Array(4) })).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
