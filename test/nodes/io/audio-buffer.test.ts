import { describe, expect, test } from 'vitest'
import { audioBuffer } from '../../../src/nodes/io/audio-buffer.js'
import { nodeBench, paramsOf, pulled } from './node-bench.js'

const { definition } = audioBuffer

describe('io::audio-buffer', () => {
  test('an AudioBuffer: one packet, the same bytes, the owner keeps it', async () => {
    const bench = nodeBench()
    const data = bench.audio.alloc({ rate: 44_100, channels: 2, frames: 100, format: 'i16', layout: 'interleaved' })
    data.tryView(Int16Array)!.fill(5)
    const used = bench.arena.stats().usedBytes
    const [packet, ...rest] = await pulled(definition, { data }, bench.ctx)
    expect(rest).toEqual([])
    expect(packet).toMatchObject({ media: { rate: 44_100, channels: 2, format: 'i16', layout: 'interleaved' }, duration: 100, position: 0 })
    expect(packet!.data.tryView(Int16Array)!.byteOffset).toBe(data.tryView(Int16Array)!.byteOffset)
    expect(bench.arena.stats().usedBytes).toBe(used)
    packet!.data.close()
    expect(data.tryView(Int16Array)![0]).toBe(5)
    data.close()
  })

  test('plain arrays: chunks in the arena, at the given rate', async () => {
    const bench = nodeBench()
    const data = [Float32Array.from({ length: 100_000 }, (_, n) => n), Float32Array.from({ length: 100_000 }, (_, n) => -n)]
    const packets = await pulled(definition, { data, rate: 8_000 }, bench.ctx)
    expect(packets.map((packet) => [packet.position, packet.duration, packet.data.rate]))
      .toEqual([[0, 65_536, 8_000], [65_536, 34_464, 8_000]])
    for (const channel of [0, 1]) {
      const joined = packets.flatMap((packet) => [...packet.data.channel(channel)])
      expect(joined.every((value, n) => value === data[channel]![n])).toBe(true)
    }
    expect(await definition.probe!(paramsOf(definition, { data, rate: 8_000 }), { signal: new AbortController().signal })).toEqual({
      media: { out: { kind: 'audio', rate: 8_000, channels: 2, format: 'f32', layout: 'planar' } }, frames: 100_000,
    })
    expect(audioBuffer({ data: [new Float32Array(1)] }).out).toBeDefined()
  })

  test.each([[[]], [[new Float32Array(1), new Float32Array(2)]], [5], [[new Int16Array(1)]], [null]])('%j is refused', async (data) => {
    await expect(pulled(definition, { data }, nodeBench().ctx)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
