import { describe, expect, test } from 'vitest'
import { readWav } from '../../../src/formats/wav/wav-reader.js'
import { chunkBytes, intBytes, random, textBytes } from './make-wav.js'

/** A file of random ADPCM blocks. `cut`: bytes left out of the last block. */
function adpcmFile(
  channels: number, blockAlign: number, blocks: number,
  options: { readonly cut?: number; readonly fact?: number; readonly declared?: number } = {},
): Uint8Array {
  const next = random(channels * 1_000 + blockAlign)
  const data: number[] = []
  for (let block = 0; block < blocks; block++) for (let i = 0; i < blockAlign; i++) {
    data.push(i < 4 * channels && i % 4 === 3 ? 0 : i < 4 * channels && i % 4 === 2 ? Math.floor(next() * 89) : Math.floor(next() * 256))
  }
  data.length -= options.cut ?? 0
  const frames = (blockAlign / (4 * channels) - 1) * 8 + 1
  const fmt = [...intBytes(0x11, 2), ...intBytes(channels, 2), ...intBytes(8_000, 4), ...intBytes(4_000, 4), ...intBytes(blockAlign, 2),
    ...intBytes(4, 2),
    ...intBytes(2, 2), ...intBytes(options.declared ?? frames, 2)]
  const body = [
    ...chunkBytes('RIFF', 'fmt ', fmt),
    ...options.fact === undefined ? [] : chunkBytes('RIFF', 'fact', intBytes(options.fact, 4)),
    ...chunkBytes('RIFF', 'data', data),
  ]
  return Uint8Array.from([...textBytes('RIFF'), ...intBytes(body.length + 4, 4), ...textBytes('WAVE'), ...body])
}

/** IMA's own text (1992) as naively as it can be written: one channel, a list of nibbles. */
function oracle(first: number, startIndex: number, nibbles: readonly number[]): number[] {
  const steps = [7]
  // The standard's table, listed; each entry is about 1.1 times the one before.
  const table = '7 8 9 10 11 12 13 14 16 17 19 21 23 25 28 31 34 37 41 45 50 55 60 66 73 80 88 97 107 118 130 143 157 173 190 209 230 253 279 307 337 371 408 449 494 544 598 658 724 796 876 963 1060 1166 1282 1411 1552 1707 1878 2066 2272 2499 2749 3024 3327 3660 4026 4428 4871 5358 5894 6484 7132 7845 8630 9493 10442 11487 12635 13899 15289 16818 18500 20350 22385 24623 27086 29794 32767'
  steps.splice(0, 1, ...table.split(' ').map(Number))
  let predicted = first, index = startIndex
  const out = [first]
  for (const nibble of nibbles) {
    const step = steps[index]!
    let difference = Math.floor(step / 8)
    if (nibble & 4) difference += step
    if (nibble & 2) difference += Math.floor(step / 2)
    if (nibble & 1) difference += Math.floor(step / 4)
    predicted = Math.min(32_767, Math.max(-32_768, predicted + (nibble & 8 ? -difference : difference)))
    index = Math.min(88, Math.max(0, index + [-1, -1, -1, -1, 2, 4, 6, 8][nibble & 7]!))
    out.push(predicted)
  }
  return out
}

function expected(file: Uint8Array, channels: number, blockAlign: number, blocks: number): number[] {
  const at = file.length - blocks * blockAlign
  const out: number[] = []
  for (let block = 0; block < blocks; block++) {
    const bytes = file.subarray(at + block * blockAlign, at + (block + 1) * blockAlign)
    const tracks = Array.from({ length: channels }, (_, channel) => {
      const nibbles: number[] = []
      for (let word = channels + channel; word * 4 < blockAlign; word += channels) for (let i = 0; i < 4; i++) {
        const byte = bytes[word * 4 + i]!
        nibbles.push(byte & 15, byte >> 4)
      }
      const low = bytes[channel * 4]! | bytes[channel * 4 + 1]! << 8
      return oracle(low << 16 >> 16, bytes[channel * 4 + 2]!, nibbles)
    })
    for (let frame = 0; frame < tracks[0]!.length; frame++) for (const track of tracks) out.push(track[frame]!)
  }
  return out
}

async function all(file: Uint8Array, piece: number): Promise<number[]> {
  const reader = await readWav(file)
  const out: number[] = []
  for await (const { samples } of reader.chunks(piece)) out.push(...samples)
  return out
}

describe('IMA ADPCM', () => {
  test.each([[1, 256], [2, 512], [1, 36], [3, 120], [2, 8]])('%i channels, blocks of %i bytes', async (channels, blockAlign) => {
    const file = adpcmFile(channels, blockAlign, 5)
    for (const piece of [1, 50, 10_000]) expect(await all(file, piece)).toEqual(expected(file, channels, blockAlign, 5))
  })

  test('seek lands within blocks', async () => {
    const file = adpcmFile(2, 64, 6)
    const samples = expected(file, 2, 64, 6)
    const reader = await readWav(file)
    for (const frame of [100, 0, 56, 57, 58, 341]) {
      await reader.seek(frame)
      const target = new Int16Array(2)
      expect(await reader.read(target)).toBe(1)
      expect([...target]).toEqual(samples.slice(frame * 2, frame * 2 + 2))
    }
  })

  test('fact shortens; a short last block gives its words; a cut word does not', async () => {
    expect((await readWav(adpcmFile(1, 256, 4, { fact: 1_000 }))).info).toMatchObject({ frames: 1_000, format: 'i16', blockFrames: 505 })
    expect((await readWav(adpcmFile(1, 256, 4, { cut: 128 }))).info).toMatchObject({ frames: 3 * 505 + 249, warnings: [] })
    const cut = await readWav(adpcmFile(1, 256, 4, { cut: 127 }))
    expect(cut.info).toMatchObject({ frames: 3 * 505 + 249, warnings: [{ code: 'FILE_TRUNCATED' }] })
    expect(await all(adpcmFile(1, 256, 4, { cut: 127 }), 100)).toEqual(expected(adpcmFile(1, 256, 4), 1, 256, 4).slice(0, 3 * 505 + 249))
  })

  test('impossible blocks are refused', async () => {
    await expect(readWav(adpcmFile(2, 36, 1))).rejects.toMatchObject({ code: 'FILE_INVALID' })
    await expect(readWav(adpcmFile(1, 256, 1, { declared: 506 }))).rejects.toMatchObject({ code: 'FILE_INVALID', details: { got: '506' } })
  })
})
