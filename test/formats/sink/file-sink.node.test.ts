import { spawnSync } from 'node:child_process'
import {
  chmodSync, existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fileSink } from '../../../src/formats/sink/file-sink.js'
import { writeWav } from '../../../src/formats/wav/wav-writer.js'

let folder = ''
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'millrace-sink-')) })
afterEach(() => rmSync(folder, { recursive: true }))
const bytes = Uint8Array.of(1, 2, 3)

describe('fileSink', () => {
  test.each(['path', 'URL'])('the older file stands until close, then the new one (%s)', async (kind) => {
    const path = join(folder, 'a b.wav')
    writeFileSync(path, 'older')
    chmodSync(path, 0o640)
    const sink = await fileSink(kind === 'URL' ? pathToFileURL(path) : path)
    await sink.write(bytes)
    await sink.write(bytes)
    await sink.patch(1, Uint8Array.of(9))
    expect(readFileSync(path, 'utf8')).toBe('older')
    expect(readdirSync(folder).sort()).toEqual(['a b.wav', expect.stringMatching(/^a b\.wav\.part-[0-9a-f]{12}$/)])
    await sink.close()
    expect([...readFileSync(path)]).toEqual([1, 9, 3, 1, 2, 3])
    expect(readdirSync(folder)).toEqual(['a b.wav'])
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o640)
    await sink.abort()
    expect(existsSync(path)).toBe(true)
  })

  test('abort keeps the older file, removes the part, and may come twice', async () => {
    const path = join(folder, 'a.wav')
    writeFileSync(path, 'older')
    const sink = await fileSink(path)
    await sink.write(bytes)
    await sink.abort()
    await sink.abort()
    expect(readdirSync(folder)).toEqual(['a.wav'])
    expect(readFileSync(path, 'utf8')).toBe('older')
  })

  test('abort of a new file leaves nothing', async () => {
    const sink = await fileSink(join(folder, 'new.wav'))
    await sink.write(bytes)
    await sink.abort()
    expect(readdirSync(folder)).toEqual([])
  })

  test('a close that fails leaves no part', async () => {
    const path = join(folder, 'a.wav'), sink = await fileSink(path)
    const { mkdirSync } = await import('node:fs')
    mkdirSync(path)
    await expect(sink.close()).rejects.toMatchObject({ code: expect.stringMatching(/^E/) as string })
    expect(readdirSync(folder)).toEqual(['a.wav'])
  })

  test.skipIf(process.platform === 'win32')('a link stays a link; its file is replaced', async () => {
    const path = join(folder, 'real.wav'), link = join(folder, 'link.wav')
    writeFileSync(path, 'older')
    symlinkSync(path, link)
    const sink = await fileSink(link)
    await sink.write(bytes)
    await sink.close()
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect([...readFileSync(path)]).toEqual([1, 2, 3])
  })

  test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)('a write-protected file is refused', async () => {
    const path = join(folder, 'a.wav')
    writeFileSync(path, 'older')
    chmodSync(path, 0o444)
    await expect(fileSink(path)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(readdirSync(folder)).toEqual(['a.wav'])
  })

  test('a folder, and a folder that is not there, are NOT_FOUND', async () => {
    await expect(fileSink(folder)).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('EISDIR') as string })
    await expect(fileSink(join(folder, 'none', 'a.wav'))).rejects
      .toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('ENOENT') as string })
  })

  test.skipIf(process.platform === 'win32')('a pipe takes a whole WAV file, and is still there after an abort', async () => {
    const pipe = join(folder, 'pipe')
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0)
    const taken = readFile(pipe)
    const writer = await writeWav(pipe, { rate: 8_000, channels: 1 })
    await writer.write({ samples: Int16Array.of(1, 2, 3), frames: 3, format: 'i16', layout: 'interleaved' })
    await writer.close()
    expect([...(await taken).subarray(-6)]).toEqual([1, 0, 2, 0, 3, 0])
    const cut = readFile(pipe), again = await fileSink(pipe)
    await again.write(bytes)
    await again.abort()
    expect([...await cut]).toEqual([1, 2, 3])
    expect(statSync(pipe).isFIFO()).toBe(true)
  })
})
