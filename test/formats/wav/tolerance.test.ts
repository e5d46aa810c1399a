import { describe, expect, test } from 'vitest'
import { readWav } from '../../../src/formats/wav/wav-reader.js'
import { chunkBytes, formatBytes, intBytes, makeWav, textBytes, valuesOf } from './make-wav.js'

const values = valuesOf('i16', 100)
const plain = makeWav({ coding: 'i16', values })

/** RIFF around chunks given as bytes. */
function riff(...chunks: readonly (readonly number[])[]): Uint8Array {
  const body = chunks.flat()
  return Uint8Array.from([...textBytes('RIFF'), ...intBytes(body.length + 4, 4), ...textBytes('WAVE'), ...body])
}
const fmt = (edit: (bytes: number[]) => void = () => {}): number[] => {
  const bytes = formatBytes({ coding: 'i16', values: [] })
  edit(bytes)
  return chunkBytes('RIFF', 'fmt ', bytes)
}
const data = chunkBytes('RIFF', 'data', [1, 2, 3, 4])

describe('tolerance (AU-101)', () => {
  test.each([0, 0xffffffff])('data size %i is: to the end', async (dataSize) => {
    const reader = await readWav(makeWav({ coding: 'i16', values, dataSize }))
    expect(reader.info).toMatchObject({ frames: 100, warnings: [] })
  })

  test('a size beyond the file: what is there, and a warning with both numbers', async () => {
    const reader = await readWav(makeWav({ coding: 'i16', values, dataSize: 100_000 }))
    expect(reader.info.frames).toBe(100)
    expect(reader.info.warnings)
      .toMatchObject([{ code: 'FILE_TRUNCATED', severity: 'warning', message: 'File memory: expected 100000 bytes of data, got 200.' }])
  })

  test('a file cut within a frame gives its whole frames', async () => {
    const reader = await readWav(plain.subarray(0, plain.length - 3))
    expect(reader.info).toMatchObject({ frames: 98, dataBytes: 196 })
    expect(reader.info.warnings).toMatchObject([{ code: 'FILE_TRUNCATED' }])
    const target = new Int16Array(200)
    expect(await reader.read(target)).toBe(98)
    expect([...target.subarray(0, 98)]).toEqual(values.slice(0, 98))
  })

  test('a size that is no multiple of the frame', async () => {
    const reader = await readWav(riff(fmt(), chunkBytes('RIFF', 'data', [1, 2, 3])))
    expect(reader.info.frames).toBe(1)
    expect(reader.info.warnings).toMatchObject([{ code: 'FILE_TRUNCATED', message: 'File memory: expected 3 bytes of data, got 2.' }])
  })
})

describe('errors (AU-101)', () => {
  const bad: readonly (readonly [string, Uint8Array, Record<string, unknown>])[] = [
    ['empty', new Uint8Array(0), { code: 'FILE_INVALID', details: { offset: 0, got: 'an empty file' } }],
    ['not RIFF', Uint8Array.from(textBytes('OggS and more')), { code: 'FILE_INVALID', details: { offset: 0, got: '"OggS"' } }],
    ['RIFF, not WAVE', Uint8Array.from([...textBytes('RIFF'), 0, 0, 0, 0, ...textBytes('AVI ')]),
      { code: 'FILE_INVALID', details: { offset: 8, expected: 'form WAVE' } }],
    ['riff, not Wave64', Uint8Array.from([...textBytes('riff'), ...new Array<number>(60).fill(0)]),
      { code: 'FILE_INVALID', details: { offset: 4 } }],
    ['no fmt', riff(data), { code: 'FILE_INVALID', details: { expected: 'a fmt chunk before data' } }],
    ['fmt behind data', riff(data, fmt()), { code: 'FILE_INVALID', details: { expected: 'a fmt chunk before data' } }],
    ['no data', riff(fmt()), { code: 'FILE_INVALID', details: { expected: 'a data chunk', offset: 36 } }],
    ['nothing', riff(), { code: 'FILE_INVALID', details: { expected: 'a fmt chunk' } }],
    ['short fmt', riff(chunkBytes('RIFF', 'fmt ', [1, 0, 1, 0]), data), { code: 'FILE_INVALID', details: { offset: 16, got: '4' } }],
    ['0 channels', riff(fmt((f) => { f[2] = 0 }), data), { code: 'FILE_INVALID', details: { offset: 22, got: '0' } }],
    ['65 channels', riff(fmt((f) => { f[2] = 65 }), data), { code: 'FILE_INVALID', details: { offset: 22, got: '65' } }],
    ['rate 0', riff(fmt((f) => { f.fill(0, 4, 8) }), data), { code: 'FILE_INVALID', details: { offset: 24, got: '0' } }],
    ['block align', riff(fmt((f) => { f[12] = 3 }), data),
      { code: 'FILE_INVALID', details: { offset: 32, expected: 'block align 2', got: '3' } }],
    ['bits 0', riff(fmt((f) => { f[14] = 0; f[12] = 0 }), data), { code: 'FILE_INVALID', details: { offset: 34, got: '0' } }],
    ['chunk over the end', riff(chunkBytes('RIFF', 'what', [1, 2], 999), fmt(), data), { code: 'FILE_INVALID', details: { got: '999' } }],
    ['short EXTENSIBLE', riff(fmt((f) => { f[0] = 0xfe; f[1] = 0xff }), data), { code: 'FILE_INVALID', details: { got: '16' } }],
    ['MP3 inside', riff(fmt((f) => { f[0] = 0x55 }), data), { code: 'CODEC_UNSUPPORTED', details: { codec: '0x0055' } }],
    ['MS ADPCM', riff(fmt((f) => { f[0] = 2 }), data), { code: 'CODEC_UNSUPPORTED', details: { codec: '0x0002' } }],
    ['PCM 64', riff(fmt((f) => { f[14] = 64; f[12] = 8 }), data), { code: 'CODEC_UNSUPPORTED', details: { codec: 'PCM 64 bit' } }],
    ['float 16', riff(fmt((f) => { f[0] = 3 }), data), { code: 'CODEC_UNSUPPORTED', details: { codec: 'float 16 bit' } }],
  ]
  test.each(bad)('%s', async (_, bytes, error) => {
    await expect(readWav(bytes)).rejects.toMatchObject(error)
  })

  test('an unknown GUID is named', async () => {
    const bytes = makeWav({ coding: 'i16', values, extensible: { mask: 4 } })
    bytes[60 - 8] = 0x99
    await expect(readWav(bytes)).rejects
      .toMatchObject({ code: 'CODEC_UNSUPPORTED', details: { codec: expect.stringContaining('GUID') as string } })
  })
})

describe('limits (AU-109)', () => {
  const empty = chunkBytes('RIFF', 'none', [])
  test('10 000 chunks pass, 10 001 do not', async () => {
    const many = (count: number): Uint8Array => riff(...Array.from({ length: count - 2 }, () => empty), fmt(), data)
    expect((await readWav(many(10_000))).info.frames).toBe(2)
    await expect(readWav(many(10_001))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', details: { limit: 10_000 } })
  })

  test('1 MiB of tags passes, one byte more does not; the sound is read either way', async () => {
    for (const [bytes, ok] of [[1_048_576, true], [1_048_577, false]] as const) {
      const reader = await readWav(makeWav({ coding: 'i16', values, after: [{ id: 'iXML', bytes: new Array<number>(bytes).fill(65) }] }))
      expect(await reader.read(new Int16Array(100))).toBe(100)
      if (ok) expect((await reader.metadata()).ixml).toHaveLength(bytes)
      else await expect(reader.metadata()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', details: { limit: 1_048_576 } })
    }
  })

  test('a declared 4 GiB takes no memory', async () => {
    const reader = await readWav(makeWav({ coding: 'i16', values, dataSize: 0xfffffffe }))
    const chunks: number[] = []
    for await (const chunk of reader.chunks(1_000_000_000)) chunks.push(chunk.samples.length)
    expect(chunks).toEqual([100])
    const tags = makeWav({ coding: 'i16', values, after: [{ id: 'iXML', bytes: [65] }] })
    tags.set(intBytes(0xffffff00, 4), tags.length - 6)
    expect((await (await readWav(tags)).metadata()).ixml).toBe('A')
  })
})
