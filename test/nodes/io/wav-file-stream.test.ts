import { describe, expect, test } from 'vitest'
import { createEngine, createRegistry, fromDocument, parseDocument, type AudioBuffer } from '../../../src/index.js'
import { gain } from '../../../src/nodes/audio/gain.js'
import { wavFile } from '../../../src/nodes/io/wav-file.js'
import { makeWav, valuesOf } from '../../formats/wav/make-wav.js'
import { nodeBench, paramsOf, pulled } from './node-bench.js'

const values = valuesOf('i16', 5_000)
const file = makeWav({ coding: 'i16', rate: 22_050, values })

/** The file in pieces; `state` tells whether its reader left. */
async function* pieces(bytes: Uint8Array, state: { ended: boolean } = { ended: false }): AsyncGenerator<Uint8Array> {
  try { for (let at = 0; at < bytes.length; at += 777) yield bytes.slice(at, at + 777) } finally { state.ended = true }
}
function webStream(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const iterator = pieces(bytes)
  return new ReadableStream({ pull: async (controller) => {
    const { done, value } = await iterator.next()
    if (done) controller.close()
    else controller.enqueue(value)
  } })
}

/** A document whose file is given at run time. */
function parseGraph(): {
  readonly graph: ReturnType<typeof fromDocument>
  readonly diagnostics: ReturnType<typeof parseDocument>['diagnostics']
} {
  const { document, diagnostics } = parseDocument(JSON.stringify({
    millrace: 1, inputs: { file: { to: [['read', 'path']] } }, nodes: [{ id: 'read', type: 'io::wav-file' }], edges: [],
    outputs: { out: ['read', 'out'] },
  }))
  return { graph: fromDocument(document!, createRegistry(wavFile)), diagnostics }
}

describe('io::wav-file over a stream', () => {
  test.each([
    ['web stream', () => wavFile(webStream(file))], ['generator', () => wavFile(pieces(file))],
    ['object literal that can be iterated', () => wavFile({ [Symbol.asyncIterator]: () => pieces(file) })],
    ['params', () => wavFile({ path: webStream(file), chunkFrames: 100 })],
  ])('the engine runs it, every sample once (%s)', async (_, make) => {
    await using engine = await createEngine({ workers: 0 })
    using result = await engine.run({ out: gain(make(), { gainDb: 0 }) })
    const { out } = result.outputs
    expect(out.media).toMatchObject({ kind: 'audio', rate: 22_050, channels: 1 })
    expect(out.data.frames).toBe(5_000)
    expect(Array.from(out.data.toArray(), (x) => Math.round(x * 32_768))).toEqual(values)
  })

  test('a run-time input may be a stream', async () => {
    await using engine = await createEngine({ workers: 0 })
    const { graph, diagnostics } = parseGraph()
    expect(diagnostics).toEqual([])
    using result = await engine.run(graph, { inputs: { file: webStream(file) } })
    expect((result.outputs['out']!.data as AudioBuffer).frames).toBe(5_000)
  })

  test('probe does not touch the stream', async () => {
    let asked = 0
    const path = { [Symbol.asyncIterator]: () => { asked++; return pieces(file) } }
    expect(await wavFile.definition.probe!(paramsOf(wavFile.definition, { path }), { signal: new AbortController().signal }))
      .toEqual({ media: {} })
    expect(asked).toBe(0)
  })

  test('a reader that leaves early ends the stream', async () => {
    const state = { ended: false }, bench = nodeBench()
    for await (const record of wavFile.definition.pull!(
      paramsOf(wavFile.definition, { path: pieces(file, state), chunkFrames: 10 }),
      bench.ctx,
    )) {
      const data = record['out']!.data as AudioBuffer
      expect(data.frames).toBe(10)
      data.close()
      break
    }
    expect(state.ended).toBe(true)
  })

  test('what is in the stream is checked when it is read', async () => {
    const wrong = async function* (): AsyncGenerator<string> { yield* ['text'] }
    await expect(pulled(wavFile.definition, { path: wrong() }, nodeBench().ctx)).rejects
      .toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('a stream of Uint8Array') as string })
    await expect(pulled(wavFile.definition, { path: pieces(new Uint8Array(100)) }, nodeBench().ctx)).rejects
      .toMatchObject({ code: 'FILE_INVALID' })
  })

  test('an empty WAV stream', async () => {
    await using engine = await createEngine({ workers: 0 })
    using result = await engine.run({ out: gain(wavFile(pieces(makeWav({ coding: 'i16', rate: 22_050, values: [] }))), { gainDb: 0 }) })
    expect(result.outputs.out).toMatchObject({ media: { kind: 'audio', rate: 22_050, channels: 1 }, data: { frames: 0 } })
  })
})
