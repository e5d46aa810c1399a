import { describe, expect, test } from 'vitest'
import type { SampleFormat } from '../../../src/media/media-type.js'
import { wavFile } from '../../../src/nodes/io/wav-file.js'
import { expectedSamples, makeWav, valuesOf, type Coding } from '../../formats/wav/make-wav.js'
import { nodeBench, paramsOf, pulled } from './node-bench.js'

const { definition } = wavFile
const CASES: readonly (readonly [Coding, SampleFormat])[] = [
  ['u8', 'u8'], ['i16', 'i16'], ['i24', 'i32'], ['i32', 'i32'], ['f32', 'f32'], ['f64', 'f32'], ['mu-law', 'i16'],
]

describe('io::wav-file', () => {
  test.each(CASES)('%s comes out as %s, in chunks, in the arena', async (coding, format) => {
    const bench = nodeBench()
    const values = valuesOf(coding, 2 * 1_000)
    const path = makeWav({ coding, channels: 2, rate: 22_050, values })
    const before = bench.arena.stats().usedBytes
    const packets = await pulled(definition, { path, chunkFrames: 300 }, bench.ctx)
    expect(packets.map((packet) => [packet.position, packet.duration, packet.seq]))
      .toEqual([[0, 300, 0], [300, 300, 1], [600, 300, 2], [900, 100, 3]])
    expect(packets[0]).toMatchObject({
      media: { kind: 'audio', rate: 22_050, channels: 2, format, layout: 'interleaved' }, streamId: 'n', arrivalUs: 7,
      metadata: { speakers: 'stereo', totalFrames: 1_000 },
    })
    expect(packets.flatMap((packet) => [...packet.data.toArray()])).toEqual(expectedSamples(coding, values))
    expect(bench.progress.at(-1)).toEqual([1_000, 1_000])
    expect(bench.arena.stats().usedBytes).toBeGreaterThan(before)
    for (const packet of packets) packet.data.close()
    expect(bench.arena.stats().usedBytes).toBe(before)
  })

  test('the main param, and what probe tells', async () => {
    const path = makeWav({ coding: 'i24', channels: 3, values: valuesOf('i24', 30) })
    expect(wavFile(path).out).toBeDefined()
    expect(await definition.probe!(paramsOf(definition, { path }), { signal: new AbortController().signal })).toEqual({
      media: { out: { kind: 'audio', rate: 8_000, channels: 3, format: 'i32', layout: 'interleaved' } }, frames: 10,
    })
  })

  test('a chunk is at most 10 MB', async () => {
    const bench = nodeBench()
    const values = new Array<number>(64 * 500).fill(0)
    const packets = await pulled(definition, { path: makeWav({ coding: 'i16', channels: 64, values }), chunkFrames: 10_000_000 }, bench.ctx)
      .catch((error: unknown) => error)
    // 78 125 frames of 64 × i16 would be 10 MB: the file's 500 come in one chunk.
    expect(bench.allocated).toEqual([500])
    expect(packets).toHaveLength(1)
    const wide = nodeBench()
    await pulled(definition, {
      path: makeWav({ coding: 'i32', channels: 1, values: new Array<number>(2_500_100).fill(0) }),
      chunkFrames: 10_000_000,
    }, wide.ctx)
    expect(wide.allocated).toEqual([2_500_000, 100])
  })

  test('warnings reach the run, with the node', async () => {
    const bench = nodeBench()
    const packets = await pulled(definition, { path: makeWav({ coding: 'i16', values: [1, 2], dataSize: 400 }) }, bench.ctx)
    expect(bench.warnings).toMatchObject([{ code: 'FILE_TRUNCATED', node: 'n', severity: 'warning' }])
    expect(packets).toHaveLength(1)
  })

  test('a length that nobody knows: the last chunk is cut', async () => {
    const bench = nodeBench()
    const file = makeWav({ coding: 'i16', values: [1, 2, 3], dataSize: 0xffffffff })
    const stream = (async function* () { yield file })()
    const packets = await pulled({ ...definition, params: { ...definition.params, path: { ...definition.params.path, type: 'json' } } }, {
      path: stream, chunkFrames: 2,
    }, bench.ctx)
    expect(packets.map((packet) => [...packet.data.toArray()])).toEqual([[1, 2], [3]])
    for (const packet of packets) packet.data.close()
    expect(bench.arena.stats().usedBytes).toBe(nodeBench().arena.stats().usedBytes)
  })

  test('a bad file is refused by both; an aborted run stops and leaves nothing', async () => {
    const bench = nodeBench()
    const before = bench.arena.stats().usedBytes
    const path = Uint8Array.of(1, 2, 3)
    await expect(pulled(definition, { path }, bench.ctx)).rejects.toMatchObject({ code: 'FILE_INVALID' })
    await expect(definition.probe!(paramsOf(definition, { path }), bench.ctx)).rejects.toMatchObject({ code: 'FILE_INVALID' })
    const iterator = definition.pull!(
      paramsOf(definition, { path: makeWav({ coding: 'i16', values: valuesOf('i16', 100) }), chunkFrames: 10 }),
      bench.ctx,
    )[Symbol.asyncIterator]()
    const first = await iterator.next()
    bench.abort.abort(new Error('enough'))
    await expect(iterator.next()).rejects.toThrow('enough')
    ;(first.value as { out: { data: { close(): void } } }).out.data.close()
    expect(bench.arena.stats().usedBytes).toBe(before)
  })

  test('an empty file is an empty stream', async () => {
    expect(await pulled(definition, { path: makeWav({ coding: 'i16', values: [] }) }, nodeBench().ctx)).toEqual([])
  })
})
