import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { open, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ByteSink } from '../../../src/formats/sink/byte-sink.js'
import { readWav } from '../../../src/formats/wav/wav-reader.js'
import { writeWav } from '../../../src/formats/wav/wav-writer.js'
import { headerPatches, wavHeader } from '../../../src/formats/wav/write-header.js'

const GIB = 2 ** 30
let folder = ''
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'wav-large-')) })
afterEach(() => rmSync(folder, { recursive: true }))

/** True where the file system keeps holes; else the tests would need 5 GiB of disk. */
async function sparse(): Promise<boolean> {
  const path = join(folder, 'probe')
  await (await open(path, 'w')).close()
  try {
    await truncate(path, 5 * GIB)
    return statSync(path).blocks * 512 < 1_000_000
  } catch {
    return false
  }
}

/** A file sink that leaves holes where a piece is all zeros, so that 4 GiB of silence take no room and little time. */
async function holeySink(path: string): Promise<ByteSink> {
  const handle = await open(path, 'w')
  const zeros = new Uint8Array(1_048_576)
  let length = 0
  return {
    name: path, seekable: true,
    write: async (bytes) => {
      if (Buffer.compare(bytes, zeros.subarray(0, bytes.length)) !== 0) await handle.write(bytes, 0, bytes.length, length)
      length += bytes.length
    },
    patch: async (offset, bytes) => { await handle.write(bytes, 0, bytes.length, offset) },
    close: async () => {
      await handle.truncate(length)
      await handle.close()
    },
    abort: () => handle.close(),
  }
}

describe('beyond 4 GiB', () => {
  test('the writer turns JUNK into ds64, the reader finds every frame', async (context) => {
    if (!await sparse()) {
      console.warn('\nSKIP test/formats/wav/large.node.test.ts: the file system of the temporary folder keeps no holes.\n')
      context.skip()
    }
    const path = join(folder, 'large.wav')
    const writer = await writeWav(await holeySink(path), { rate: 192_000, channels: 8, format: 'i32' })
    const silence = new Int32Array(8 * 1_048_576)
    for (let i = 0; i < 130; i++) await writer.write({ samples: silence, frames: 1_048_576, format: 'i32', layout: 'interleaved' })
    const last = Int32Array.from({ length: 8 }, (_, i) => i + 1)
    await writer.write({ samples: last, frames: 1, format: 'i32', layout: 'interleaved' })
    const { bytes, frames } = await writer.close()
    expect(bytes).toBeGreaterThan(4 * GIB)
    expect(statSync(path).size).toBe(bytes)
    const reader = await readWav(path)
    expect(reader.info).toMatchObject({ container: 'RF64', frames, channels: 8, warnings: [] })
    expect(frames).toBe(130 * 1_048_576 + 1)
    await reader.seek(frames - 1)
    const target = new Int32Array(8)
    expect(await reader.read(target)).toBe(1)
    expect(target).toEqual(last)
    await reader.close()
  }, 60_000)

  test('the last file that fits stays RIFF, one frame more does not', () => {
    const header = wavHeader({ rate: 8_000, channels: 1, format: 'u8', mask: null, info: {}, cues: [], graph: null })
    const patches = (frames: number): string =>
      headerPatches(header, frames, frames).map(([at, bytes]) => `${at}:${Buffer.from(bytes).toString('hex')}`).join(' ')
    const most = 0xfffffffe - (header.bytes.length - 8)
    expect(patches(most)).toBe(`4:feffffff ${header.bytes.length - 4}:b6ffffff`)
    expect(patches(most + 1))
      .toBe(`0:52463634 12:64733634${'1c000000'}${'0000000001000000'}${'b7ffffff00000000'}${'b7ffffff00000000'}${'00000000'}`)
  })
})
