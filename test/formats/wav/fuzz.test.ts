import { describe, expect, test } from 'vitest'
import { isMillraceError } from '../../../src/errors/millrace-error.js'
import { readWav, sampleArray } from '../../../src/formats/wav/wav-reader.js'
import { parseWavHeader } from '../../../src/formats/wav/parse-header.js'
import { memorySource } from '../../../src/formats/source/memory-source.js'
import type { ByteSource } from '../../../src/formats/source/byte-source.js'
import { makeWav, random, textBytes, valuesOf, type Coding, type Container } from './make-wav.js'

/** The same code reads them in a page: a tenth is enough there. */
const FILES = 100_000, PARTS = typeof window === 'undefined' ? 10 : 1
const ALLOWED = new Set(['FILE_INVALID', 'CODEC_UNSUPPORTED', 'LIMIT_EXCEEDED'])

/** Small files of every kind, with tags. */
const seeds: Uint8Array[] = (['RIFF', 'RIFX', 'RF64', 'W64'] as readonly Container[]).flatMap((container) =>
  (['u8', 'i16', 'i24', 'f64', 'mu-law'] as readonly Coding[]).map((coding) => makeWav({
    container, coding, channels: 2, values: valuesOf(coding, 20), ...(coding === 'i24' ? { extensible: { mask: 3 } } : {}),
    before: [{ id: 'LIST', bytes: textBytes('INFOINAM\x02\0\0\0ab') }],
    after: [{ id: 'cue ', bytes: [1, 0, 0, 0, ...new Array<number>(24).fill(1)] }, { id: 'iXML', bytes: textBytes('<x/>') }],
  })))
seeds.push(seeds[1]!.map((byte, i) => i === 40 ? 0x11 : byte))

/** A file with a few bytes changed, cut, doubled or set to an edge value. */
function mutate(next: () => number): Uint8Array {
  const seed = seeds[Math.floor(next() * seeds.length)]!
  let bytes = Uint8Array.from(seed)
  for (let edits = 1 + Math.floor(next() * 4); edits > 0; edits--) {
    const at = Math.floor(next() * Math.min(bytes.length, next() < 0.7 ? 120 : bytes.length))
    switch (Math.floor(next() * 5)) {
      case 0: bytes[at] = Math.floor(next() * 256); break
      case 1: bytes[at] = [0, 1, 0x7f, 0x80, 0xff][Math.floor(next() * 5)]!; break
      case 2: bytes.fill([0, 0xff][Math.floor(next() * 2)]!, at, at + 4); break
      case 3: bytes = bytes.slice(0, at); break
      default: bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(Math.max(0, at - 8), at), ...bytes.subarray(at)])
    }
  }
  return bytes
}

/** A source that refuses reads which begin behind its end or whose targets are larger than any header or block needs. */
function watched(bytes: Uint8Array, seen: { largest: number; past: number }): ByteSource {
  const inner = memorySource(bytes)
  return {
    ...inner, view: () => null,
    read: (offset, target) => {
      seen.largest = Math.max(seen.largest, target.length)
      if (!Number.isSafeInteger(offset) || offset < 0) seen.past++
      return inner.read(offset, target)
    },
  }
}

describe('mutated files', () => {
  for (let part = 0; part < PARTS; part++) test(`${FILES / 10} files, part ${part}`, async () => {
    const next = random(0x5eed + part)
    const seen = { largest: 0, past: 0 }
    let read = 0
    for (let i = 0; i < FILES / 10; i++) {
      const bytes = mutate(next)
      try {
        const reader = await readWav(watched(bytes, seen))
        const { info } = reader
        // Never more samples than the file has bytes for: 1 byte gives at most 2 (ADPCM), and each block one more.
        expect(info.frames!).toBeLessThanOrEqual(bytes.length * 2)
        const target = sampleArray(info.format, 64 * info.channels)
        let frames = 0
        for (let got = await reader.read(target); got > 0; got = await reader.read(target)) frames += got
        expect(frames).toBe(info.frames)
        await reader.metadata()
        read++
      } catch (error) {
        if (!isMillraceError(error) || !ALLOWED.has(error.code)) throw error
      }
    }
    expect(read).toBeGreaterThan(100)
    expect(seen.past).toBe(0)
    expect(seen.largest).toBeLessThanOrEqual(65_536)
  })

  test('a stream gives the same as the bytes at once', async () => {
    const next = random(0x57e4)
    const outcome = async (input: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> => {
      try {
        const reader = await readWav(input)
        const samples: number[] = []
        for await (const chunk of reader.chunks(7)) samples.push(...chunk.samples)
        return samples.join()
      } catch (error) {
        if (!isMillraceError(error) || !ALLOWED.has(error.code)) throw error
        return 'refused'
      }
    }
    let read = 0
    for (let i = 0; i < 5_000; i++) {
      const bytes = mutate(next)
      const whole = await outcome(bytes)
      expect(await outcome((async function* () { for (let at = 0; at < bytes.length; at += 13) yield bytes.subarray(at, at + 13) })()))
        .toBe(whole)
      if (whole !== 'refused') read++
    }
    expect(read).toBeGreaterThan(500)
  })

  test('each seed itself is read', async () => {
    for (const seed of seeds.slice(0, -1)) expect((await parseWavHeader(memorySource(seed))).frames).toBe(10)
  })
})
