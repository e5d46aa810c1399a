import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PacketRecord } from '../../../src/graph/node-definition.js'
import type { AudioMedia } from '../../../src/media/media-type.js'
import type { Packet } from '../../../src/media/packet.js'
import { wavFile } from '../../../src/nodes/io/wav-file.js'
import { wavWriter } from '../../../src/nodes/io/wav-writer.js'
import { makeWav, valuesOf } from '../../formats/wav/make-wav.js'
import { nodeBench, paramsOf, streamOf } from './node-bench.js'

let folder = ''
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'wav-nodes-')) })
afterEach(() => rmSync(folder, { recursive: true }))

describe('files on disk', () => {
  test('a 2 GiB file passes through in bounded memory', async () => {
    // No disk: a Blob-like of zeros that only knows its length, and a writer's sink would be the disk, so the packets are counted here.
    const header = makeWav({ coding: 'i16', channels: 2, rate: 48_000, values: [], dataSize: 0x7fffff00 })
    const size = header.length + 0x7fffff00
    let largest = 0
    const blob = (from: number, to: number): object => ({
      size: to - from, slice: (a: number, b: number) => blob(from + a, Math.min(to, from + b)),
      arrayBuffer: () => {
        const bytes = new Uint8Array(to - from)
        largest = Math.max(largest, bytes.length)
        if (from < header.length) bytes.set(header.subarray(from, to))
        return Promise.resolve(bytes.buffer)
      },
    })
    const bench = nodeBench()
    const before = bench.arena.stats()
    let frames = 0
    for await (const { out } of wavFile.definition.pull!(
      paramsOf(wavFile.definition, { path: blob(0, size) }), bench.ctx,
    ) as AsyncIterable<{ out: Packet<import('../../../src/media/audio-buffer.js').AudioBuffer> }>) {
      expect(out.position).toBe(frames)
      frames += out.data.frames
      out.data.close()
    }
    expect(frames).toBe(0x7fffff00 / 4)
    expect(bench.arena.stats().usedBytes).toBe(before.usedBytes)
    expect(bench.arena.stats().peakBytes - before.usedBytes).toBeLessThan(1_000_000)
    expect(largest).toBeLessThanOrEqual(262_144)
  }, 60_000)

  test('from path to path, bit for bit', async () => {
    const bench = nodeBench()
    const values = valuesOf('i16', 2 * 100_000)
    const { writeFileSync } = await import('node:fs')
    const from = join(folder, 'in.wav'), to = join(folder, 'out.wav')
    writeFileSync(from, makeWav({ coding: 'i16', channels: 2, rate: 16_000, values }))
    const media: AudioMedia = { kind: 'audio', rate: 16_000, channels: 2, format: 'i16', layout: 'interleaved' }
    const packets: Packet[] = []
    for await (const record of wavFile.definition.pull!(paramsOf(wavFile.definition, { path: from }), bench.ctx)) {
      packets.push((record as PacketRecord)['out']!)
    }
    expect(packets).toHaveLength(2)
    const { file } = await wavWriter.definition.process!(
      { in: streamOf(media, packets) }, paramsOf(wavWriter.definition, { path: to }), bench.ctx,
    ) as { file: Packet<Uint8Array> }
    expect(file.metadata).toMatchObject({ path: to, frames: 100_000, bytes: readFileSync(to).length })
    expect(file.data).toHaveLength(0)
    expect(readFileSync(to).subarray(-400_000).equals(readFileSync(from).subarray(-400_000))).toBe(true)
  })

  test('a run that fails leaves no file', async () => {
    const bench = nodeBench()
    const to = join(folder, 'broken.wav')
    const media: AudioMedia = { kind: 'audio', rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }
    const stream = streamOf(media, [])
    const failing = { ...stream, async* [Symbol.asyncIterator]() { yield* []; throw new Error('upstream') } }
    await expect(wavWriter.definition.process!({ in: failing }, paramsOf(wavWriter.definition, { path: to }), bench.ctx)).rejects
      .toThrow('upstream')
    expect(existsSync(to)).toBe(false)
  })

  test('cleaning up that fails too does not hide what went wrong first', async () => {
    const to = join(folder, 'gone', 'broken.wav')
    mkdirSync(join(folder, 'gone'))
    const media: AudioMedia = { kind: 'audio', rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }
    // The folder goes away under the writer: its part cannot be removed any more.
    const failing = {
      ...streamOf(media, []),
      async* [Symbol.asyncIterator]() { yield* []; rmSync(join(folder, 'gone'), { recursive: true }); throw new Error('upstream') },
    }
    await expect(wavWriter.definition.process!({ in: failing }, paramsOf(wavWriter.definition, { path: to }), nodeBench().ctx)).rejects
      .toThrow('upstream')
  })
})
