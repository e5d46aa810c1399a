import { describe, expect, test } from 'vitest'
import type { ByteSource } from '../../../src/formats/source/byte-source.js'
import { openSource, type SourceInput } from '../../../src/formats/source/open-source.js'
import { readWav } from '../../../src/formats/wav/wav-reader.js'
import { makeWav, textBytes, valuesOf } from '../wav/make-wav.js'

const values = valuesOf('i16', 50_000)
const file = makeWav({
  coding: 'i16', values,
  before: [{ id: 'LIST', bytes: textBytes('INFOINAM\x03\0\0\0ab\0\0') }],
  after: [{ id: 'iXML', bytes: textBytes('<x/>') }],
})

/** The file as a stream of uneven pieces. */
async function* pieces(bytes = file): AsyncGenerator<Uint8Array> {
  for (let at = 0, size = 1; at < bytes.length; at += size, size = size * 3 % 9_973) yield bytes.slice(at, at + size)
}
const webStream = (): ReadableStream<Uint8Array> => {
  const iterator = pieces()
  return new ReadableStream({ pull: async (controller) => {
    const { done, value } = await iterator.next()
    if (done) controller.close()
    else controller.enqueue(value)
  } })
}

const inputs: readonly (readonly [string, () => SourceInput])[] = [
  ['Uint8Array', () => file], ['ArrayBuffer', () => file.slice().buffer], ['Blob', () => new Blob([file.slice()])],
  ['web stream', webStream],
  ['async iterable', () => pieces()], ['blob address', () => URL.createObjectURL(new Blob([file.slice()]))],
]

describe.each(inputs)('%s', (_, open) => {
  test('the whole file', async () => {
    const reader = await readWav(open())
    const samples: number[] = []
    for await (const chunk of reader.chunks(7_001)) for (const sample of chunk.samples) samples.push(sample)
    expect(samples).toEqual(values)
    expect((await reader.metadata()).info).toEqual({ INAM: 'ab' })
    await reader.close()
  })

  test('reads are exact, at the end too', async () => {
    const source = await openSource(open())
    for (const [offset, bytes] of [[0, 1], [1, 0], [5, 70_000], [90_000, 3], [file.length - 2, 10], [file.length, 5]] as const) {
      const target = new Uint8Array(bytes).fill(0xee)
      const got = await source.read(offset, target)
      expect(got).toBe(Math.min(bytes, Math.max(0, file.length - offset)))
      expect([...target.subarray(0, Math.min(got, 100))]).toEqual([...file.subarray(offset, offset + Math.min(got, 100))])
    }
    await source.close()
  })
})

test('a stream of unknown length without a size is read to its end', async () => {
  const open = makeWav({ coding: 'i16', values: [1, 2, 3], dataSize: 0xffffffff })
  const reader = await readWav(pieces(open))
  expect(reader.info).toMatchObject({ frames: null, dataBytes: null })
  const target = new Int16Array(10)
  expect(await reader.read(target)).toBe(3)
  expect(await reader.read(target)).toBe(0)
})

test('a stream cannot go back', async () => {
  const reader = await readWav(webStream())
  await reader.seek(100)
  const target = new Int16Array(1)
  await reader.read(target)
  expect(target[0]).toBe(values[100])
  await expect(reader.seek(5)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  await reader.close()
})

test('closing cancels the stream, also after a bad header', async () => {
  let returned = 0
  const watched = (bytes: Uint8Array): AsyncIterable<Uint8Array> => ({
    [Symbol.asyncIterator]: () => {
      const inner = pieces(bytes)
      return { next: () => inner.next(), return: async (value?: unknown) => { returned++; return inner.return(value) } }
    },
  })
  await (await readWav(watched(file))).close()
  expect(returned).toBe(1)
  await expect(readWav(watched(Uint8Array.from(textBytes('not a wave file'))))).rejects.toMatchObject({ code: 'FILE_INVALID' })
  expect(returned).toBe(2)
})

test('the header of a large file takes at most 64 KiB', async () => {
  let bytes = 0
  const big = makeWav({ coding: 'u8', values: [1, 2, 3], before: [{ id: 'JUNK', bytes: new Array<number>(300_000).fill(0) }] })
  const inner = await openSource(big)
  const source: ByteSource = {
    ...inner, view: () => null,
    read: (offset, target) => { bytes += target.length; return inner.read(offset, target) },
  }
  const reader = await readWav(source)
  const target = new Uint8Array(1)
  await reader.read(target)
  expect(target[0]).toBe(1)
  expect(bytes).toBeLessThanOrEqual(65_536)
})

test.each([[null], [5], [{}], [undefined]])('%j is no source', async (input) => {
  await expect(openSource(input as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})

test('a stream of text is refused', async () => {
  await expect(readWav((async function* () { yield 'RIFF' })() as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})
