import { describe, expect, test } from 'vitest'
import type { AudioBuffer } from '../../../src/media/audio-buffer.js'
import type { AudioMedia } from '../../../src/media/media-type.js'
import type { Packet } from '../../../src/media/packet.js'
import type { PacketRecord } from '../../../src/graph/node-definition.js'
import { readWav } from '../../../src/formats/wav/wav-reader.js'
import { wavWriter } from '../../../src/nodes/io/wav-writer.js'
import { nodeBench, paramsOf, streamOf, type NodeBench } from './node-bench.js'

const { definition } = wavWriter
const stereo: AudioMedia = { kind: 'audio', rate: 16_000, channels: 2, format: 'f32', layout: 'planar' }

const packet = (data: AudioBuffer, position: number): Packet<AudioBuffer> =>
  ({ media: stereo, data, position, duration: data.frames, streamId: 's', seq: 0, arrivalUs: 0, metadata: {} })

/** Planar packets of 1, 2, 3 … frames: left counts up from 0, right is its negative, in steps of 1/256. */
function packetsOf(bench: NodeBench, count: number): Packet<AudioBuffer>[] {
  let at = 0
  return Array.from({ length: count }, (_, i) => {
    const frames = i + 1
    const data = bench.audio.from([
      Float32Array.from({ length: frames }, (__, n) => (at + n) / 256),
      Float32Array.from({ length: frames }, (__, n) => -(at + n) / 256),
    ],
      { rate: 16_000, channels: 2 }, { copy: true })
    const made = packet(data, at)
    at += frames
    return made
  })
}

async function run(
  bench: NodeBench, params: Readonly<Record<string, unknown>>, packets: readonly Packet[], media: AudioMedia = stereo,
): Promise<Packet<Uint8Array>> {
  const record = await definition.process!({ in: streamOf(media, packets) }, paramsOf(definition, params), bench.ctx) as PacketRecord
  return record['file'] as Packet<Uint8Array>
}

describe('io::wav-writer', () => {
  test('packets become one file in memory', async () => {
    const bench = nodeBench()
    const { data, metadata, media } = await run(bench, {}, packetsOf(bench, 10))
    expect(media).toEqual({ kind: 'bytes', mime: 'audio/wav' })
    expect(metadata).toEqual({ frames: 55, bytes: data.length, clipped: 0 })
    const reader = await readWav(data)
    expect(reader.info).toMatchObject({ rate: 16_000, channels: 2, format: 'i16', frames: 55 })
    const samples = new Int16Array(110)
    await reader.read(samples)
    expect([...samples]).toEqual(Array.from({ length: 55 }, (_, n) => [n * 128, n === 0 ? 0 : n * -128]).flat())
    expect(bench.progress.at(-1)).toEqual([55, undefined])
  })

  test('a slice of a planar buffer is written from its own window', async () => {
    const bench = nodeBench()
    const whole = bench.audio.from([Float32Array.of(0.1, 0.25, 0.5, 0.9), Float32Array.of(0, -0.25, -0.5, 0)], {
      rate: 16_000, channels: 2,
    }, { copy: true })
    const { data } = await run(bench, { format: 'f32' }, [packet(whole.slice(1, 3), 0)])
    const samples = new Float32Array(4)
    await (await readWav(data)).read(samples)
    expect([...samples]).toEqual([0.25, -0.25, 0.5, -0.5])
  })

  test('no packets: an empty file of the stream\'s media', async () => {
    const { data } = await run(nodeBench(), {}, [])
    expect((await readWav(data)).info).toMatchObject({ frames: 0, channels: 2 })
  })

  test('another rate or channel count on the way is refused, as are dithers', async () => {
    const bench = nodeBench()
    const other = bench.audio.alloc({ rate: 8_000, channels: 2, frames: 1 })
    await expect(run(bench, {}, [packet(other, 0)])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(run(bench, { dither: 'tpdf' }, [])).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })
})
