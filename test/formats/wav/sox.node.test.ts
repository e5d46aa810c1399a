import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openSource } from '../../../src/formats/source/open-source.js'
import { readWav, sampleArray } from '../../../src/formats/wav/wav-reader.js'
import type { WavSampleFormat } from '../../../src/formats/wav/encode-samples.js'
import { writeWav } from '../../../src/formats/wav/wav-writer.js'
import { makeWav, valuesOf } from './make-wav.js'

const present = spawnSync('sox', ['--version']).status === 0
if (!present) console.warn('\nSKIP test/formats/wav/sox.node.test.ts: sox is not installed.\n')
const folder = present ? mkdtempSync(join(tmpdir(), 'wav-sox-')) : ''
afterAll(() => { if (folder) rmSync(folder, { recursive: true }) })

function sox(...args: readonly string[]): Buffer {
  const { status, stdout, stderr } = spawnSync('sox', ['-D', ...args], { maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(`sox ${args.join(' ')}: ${stderr.toString()}`)
  return stdout
}

const tone = Array.from({ length: 4_410 }, (_, n) => Math.round(20_000 * Math.sin(n / 9)))
const noise = valuesOf('i16', 4_410)
const original = tone.flatMap((value, n) => [value, noise[n]!])

/** 2 channels of a tone and noise-like values, i16. */
const source = (): string => {
  const path = join(folder, 'source.wav')
  writeFileSync(path, makeWav({ coding: 'i16', channels: 2, rate: 44_100, values: original }))
  return path
}

async function readAll(
  path: string,
): Promise<{ readonly samples: readonly number[]; readonly info: Awaited<ReturnType<typeof readWav>>['info'] }> {
  const reader = await readWav(path)
  const samples = sampleArray(reader.info.format, reader.info.frames! * reader.info.channels)
  expect(await reader.read(samples)).toBe(reader.info.frames)
  await reader.close()
  return { samples: [...samples], info: reader.info }
}

/** What sox itself decodes, as 32-bit integers. */
const decodedBySox = (path: string): Int32Array => {
  const raw = sox(path, '-t', 'raw', '-e', 'signed', '-b', '32', '-L', '-')
  return new Int32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length))
}

describe.skipIf(!present)('files made by sox', () => {
  test.each([
    ['8 bit', ['-b', '8', '-e', 'unsigned'], 'u8', 'RIFF'], ['16 bit', ['-b', '16'], 'i16', 'RIFF'],
    ['24 bit', ['-b', '24'], 'i32', 'RIFF'],
    ['32 bit', ['-b', '32', '-e', 'signed'], 'i32', 'RIFF'], ['float', ['-b', '32', '-e', 'float'], 'f32', 'RIFF'],
    ['double', ['-b', '64', '-e', 'float'], 'f32', 'RIFF'],
    ['A-law', ['-e', 'a-law'], 'i16', 'RIFF'], ['mu-law', ['-e', 'mu-law'], 'i16', 'RIFF'],
    ['IMA ADPCM', ['-e', 'ima-adpcm'], 'i16', 'RIFF'],
    ['RIFX', ['-B', '-b', '16'], 'i16', 'RIFX'], ['RIFX 24', ['-B', '-b', '24'], 'i32', 'RIFX'],
    ['Wave64', ['-b', '24', '-t', 'w64'], 'i32', 'W64'], ['Wave64 float', ['-b', '32', '-e', 'float', '-t', 'w64'], 'f32', 'W64'],
    ['6 channels', ['-b', '16', '-c', '6'], 'i16', 'RIFF'],
  ] as const)('%s', async (name, options, format, container) => {
    const path = join(folder, `${name.replace(' ', '-')}.${container === 'W64' ? 'w64' : 'wav'}`)
    sox('-R', source(), ...options, path)
    const { samples, info } = await readAll(path)
    expect(info).toMatchObject({ container, format, rate: 44_100, warnings: [] })
    // sox gives whole ADPCM blocks; the reader stops where `fact` says that the sound ends.
    // Reading Wave64 float, sox itself clips −1.
    const expected = name === 'Wave64 float'
      ? original.map((value) => value * 65_536)
      : decodedBySox(path).subarray(0, name === 'IMA ADPCM' ? 2 * 4_410 : undefined)
    // Everything brought to 32 bits.
    const scale = { u8: 2 ** 24, i16: 2 ** 16, i32: 1, f32: 2 ** 31 }[format]
    const worst =
      samples.reduce((most, sample, i) => Math.max(most, Math.abs((sample - (format === 'u8' ? 128 : 0)) * scale - expected[i]!)), 0)
    expect(samples).toHaveLength(expected.length)
    expect(worst).toBe(0)
  })
})

describe.skipIf(!present)('sox reads what the writer wrote', () => {
  test.each<readonly [WavSampleFormat, number]>([
    ['u8', 1], ['i16', 2], ['i24', 2], ['i32', 1], ['f32', 3], ['f64', 2], ['i16', 6],
  ])('%s × %i', async (format, channels) => {
    const path = join(folder, `out-${format}-${channels}.wav`)
    const values = valuesOf('i16', channels * 1_000, 5)
    const writer = await writeWav(path, { rate: 22_050, channels, format, info: { INAM: 'odd' } })
    await writer.write({ samples: Int16Array.from(values), frames: 1_000, format: 'i16', layout: 'interleaved' })
    await writer.close()
    const bits = format === 'u8' ? 8 : 16
    expect([...decodedBySox(path)].map((sample) => sample >> 32 - bits)).toEqual(values.map((value) => value >> 16 - bits))
  })
})

test('a path that is not there is NOT_FOUND, a folder FILE_INVALID', async () => {
  await expect(openSource('/no/such/file.wav')).rejects
    .toMatchObject({ code: 'NOT_FOUND', message: 'File /no/such/file.wav: it does not exist (ENOENT).' })
  await expect(openSource(tmpdir())).rejects.toMatchObject({ code: 'FILE_INVALID' })
  await expect(writeWav('/no/such/out.wav', { rate: 8_000, channels: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' })
})
