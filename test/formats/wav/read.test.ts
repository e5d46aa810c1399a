import { describe, expect, test } from 'vitest'
import { readWav, sampleArray } from '../../../src/formats/wav/wav-reader.js'
import { expectedSamples, makeWav, textBytes, valuesOf, type Coding, type Container, type MakeOptions } from './make-wav.js'

const CODINGS: readonly Coding[] = ['u8', 'i12', 'i16', 'i20', 'i24', 'i32', 'f32', 'f64', 'a-law', 'mu-law']
const CONTAINERS: readonly Container[] = ['RIFF', 'RIFX', 'RF64', 'BW64', 'W64']
const FORMAT = {
  u8: 'u8', i12: 'i16', i16: 'i16', i20: 'i32', i24: 'i32', i32: 'i32', f32: 'f32', f64: 'f32', 'a-law': 'i16', 'mu-law': 'i16',
} as const

async function samplesOf(
  bytes: Uint8Array, piece = 65_536,
): Promise<{ readonly samples: number[]; readonly info: Awaited<ReturnType<typeof readWav>>['info'] }> {
  const reader = await readWav(bytes)
  const samples: number[] = []
  for await (const chunk of reader.chunks(piece)) for (const sample of chunk.samples) samples.push(sample)
  await reader.close()
  return { samples, info: reader.info }
}

interface Case { readonly name: string; readonly options: MakeOptions; readonly speakers?: string | number }
const cases: Case[] = []
for (const coding of CODINGS) for (const container of CONTAINERS) {
  const channels = 1 + cases.length % 3
  cases.push({
    name: `${container} ${coding} × ${channels}`,
    options: { container, coding, channels, rate: 8_000 + cases.length, values: valuesOf(coding, channels * 301, cases.length) },
  })
}
const extra = (name: string, options: Partial<MakeOptions> & { readonly coding: Coding }, speakers?: string | number): void => {
  const channels = options.channels ?? 1
  cases.push({
    name,
    options: { values: valuesOf(options.coding, channels * 67, cases.length), ...options },
    ...(speakers === undefined ? {} : { speakers }),
  })
}
extra('EXTENSIBLE 5.1', { coding: 'i16', channels: 6, extensible: { mask: 0x3f } }, '5.1')
extra('EXTENSIBLE 5.1 side, RIFX', { container: 'RIFX', coding: 'i24', channels: 6, extensible: { mask: 0x60f } }, '5.1')
extra('EXTENSIBLE 7.1 float', { coding: 'f32', channels: 8, extensible: { mask: 0x63f } }, '7.1')
extra('EXTENSIBLE mask without a name', { coding: 'i16', channels: 2, extensible: { mask: 0x600 } }, 0x600)
extra('EXTENSIBLE odd mask', { coding: 'i16', channels: 4, extensible: { mask: 0x7 } }, 'discrete')
extra('EXTENSIBLE mask 0, 4 channels', { coding: 'i16', channels: 4, extensible: { mask: 0 } }, 'discrete')
extra('EXTENSIBLE Ambisonics', { coding: 'i16', channels: 4, extensible: { mask: 0x33, ambisonic: true } }, 'discrete')
extra('EXTENSIBLE 20 in 24', { coding: 'i20', channels: 2, extensible: { mask: 3, validBits: 20 } }, 'stereo')
extra('EXTENSIBLE mu-law in W64', { container: 'W64', coding: 'mu-law', channels: 1, extensible: { mask: 4 } }, 'mono')
extra('odd chunks before and behind', {
  coding: 'u8', channels: 1, before: [{ id: 'odd1', bytes: [1, 2, 3] }, { id: 'JUNK', bytes: new Array<number>(5_001).fill(7) }],
  after: [{ id: 'last', bytes: [9] }],
})
extra('odd data, chunk behind', {
  coding: 'i24', channels: 1, values: valuesOf('i24', 67), after: [{ id: 'LIST', bytes: textBytes('INFOxxxx') }],
})
extra('fmt longer than known', { coding: 'i16', channels: 2, formatPadding: 100 })
extra('64 channels', { coding: 'i16', channels: 64 }, 'discrete')
extra('no samples', { coding: 'i16', channels: 2, values: [] })

describe('generated WAV files', () => {
  test('there are at least 60', () => expect(cases.length).toBeGreaterThanOrEqual(60))

  test.each(cases)('$name', async ({ options, speakers }) => {
    const { coding, channels = 1, container = 'RIFF', rate = 8_000, values } = options
    const { samples, info } = await samplesOf(makeWav(options))
    expect(samples).toEqual(expectedSamples(coding, values))
    expect(info).toMatchObject({ container, rate, channels, frames: values.length / channels, format: FORMAT[coding], warnings: [] })
    if (speakers !== undefined) expect(info.speakers).toBe(speakers)
  })

  test('valid bits are told', async () => {
    expect((await samplesOf(makeWav({ coding: 'i20', extensible: { mask: 4, validBits: 20 }, values: [0] }))).info)
      .toMatchObject({ bits: 24, validBits: 20 })
    expect((await samplesOf(makeWav({ coding: 'i12', values: [0] }))).info).toMatchObject({ bits: 16, validBits: 12 })
  })

  test.each(['a-law', 'mu-law'] as const)('all 256 codes of %s', async (coding) => {
    const codes = Array.from({ length: 256 }, (_, code) => code)
    expect((await samplesOf(makeWav({ coding, values: codes }))).samples).toEqual(expectedSamples(coding, codes))
  })

  test('G.711 values of the standard', async () => {
    // ITU-T G.711 tables 1a and 2a: the largest and the smallest decision values, 13 and 14 bits, to the top of 16.
    expect((await samplesOf(makeWav({ coding: 'a-law', values: [0xaa, 0x2a, 0xd5, 0x55] }))).samples).toEqual([32_256, -32_256, 8, -8])
    expect((await samplesOf(makeWav({ coding: 'mu-law', values: [0x80, 0x00, 0xff, 0xfe] }))).samples).toEqual([32_124, -32_124, 0, 8])
  })

  test('a NaN keeps its bits, in both byte orders', async () => {
    for (const container of ['RIFF', 'RIFX'] as const) {
      const bytes = makeWav({ container, coding: 'f32', values: [0] })
      bytes.set(container === 'RIFF' ? [0x12, 0x34, 0xc5, 0x7f] : [0x7f, 0xc5, 0x34, 0x12], bytes.length - 4)
      const reader = await readWav(bytes)
      const target = new Float32Array(1)
      await reader.read(target)
      expect(new Uint32Array(target.buffer)[0]).toBe(0x7fc53412)
    }
  })
})

describe('reading in pieces', () => {
  test.each([1, 2, 3, 7, 64, 300])('%i frames at a time', async (piece) => {
    for (const coding of CODINGS) {
      const values = valuesOf(coding, 2 * 301)
      expect((await samplesOf(makeWav({ coding, channels: 2, values }), piece)).samples).toEqual(expectedSamples(coding, values))
    }
  })

  test.each(CODINGS)('seek in %s', async (coding) => {
    const values = valuesOf(coding, 3 * 200)
    const expected = expectedSamples(coding, values)
    const reader = await readWav(makeWav({ coding, channels: 3, values }))
    for (const frame of [199, 0, 57, 200, 13]) {
      await reader.seek(frame)
      const target = sampleArray(reader.info.format, 3 * 10)
      const frames = await reader.read(target)
      expect(frames).toBe(Math.min(10, 200 - frame))
      expect([...target.subarray(0, frames * 3)]).toEqual(expected.slice(frame * 3, (frame + frames) * 3))
      expect(reader.position).toBe(frame + frames)
    }
    await expect(reader.seek(201)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(reader.seek(-1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('the target may be the bytes of an arena, and is written where it stands', async () => {
    const values = valuesOf('i24', 10)
    const memory = new Uint8Array(typeof SharedArrayBuffer === 'function' ? new SharedArrayBuffer(128) : new ArrayBuffer(128))
    const reader = await readWav(makeWav({ coding: 'i24', values }))
    expect(await reader.read(memory.subarray(64, 64 + 40))).toBe(10)
    expect([...new Int32Array(memory.buffer, 64, 10)]).toEqual(expectedSamples('i24', values))
    expect(memory.subarray(0, 64).every((byte) => byte === 0) && memory.subarray(104).every((byte) => byte === 0)).toBe(true)
    await expect(reader.read(memory.subarray(1, 41))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(reader.read(new Int16Array(4))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await reader.close()
    await expect(reader.read(new Int32Array(4))).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
