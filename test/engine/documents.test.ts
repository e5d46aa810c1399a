import { expect, test } from 'vitest'
import { createEngine, createRegistry, fromDocument, parseDocument } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'

test('a document read with a small registry finds the rest of its types in the engine', async () => {
  const { document } = parseDocument(JSON.stringify({
    millrace: 1, inputs: { samples: { to: [['gain', 'in']] } },
    nodes: [{ id: 'gain', type: 'audio::gain' }, { id: 'pcm', type: 'audio::convert', params: { format: 'i16' } }],
    edges: [{ from: ['gain', 'out'], to: ['pcm', 'in'] }], outputs: { out: ['pcm', 'out'] },
  }))
  await using engine = await createEngine({ workers: 0, registry: createRegistry(audioBuffer) })
  const samples = [new Float32Array(100)]
  using result = await engine.run(fromDocument(document!, createRegistry(gain)), { inputs: { samples } })
  expect(result.outputs['out']!.data).toMatchObject({ format: 'i16', frames: 100 })
  await expect(engine.run(fromDocument(document!, createRegistry()), { inputs: { samples } })).rejects
    .toMatchObject({ code: 'NODE_TYPE_UNKNOWN', nodeId: 'gain' })
})

test('a value for an input is held against the media that the input declares', async () => {
  const { document } = parseDocument(JSON.stringify({
    millrace: 1, inputs: { voice: { to: [['gain', 'in']], media: { kind: 'audio', channels: 1 } } },
    nodes: [{ id: 'gain', type: 'audio::gain' }], outputs: { out: ['gain', 'out'] },
  }))
  await using engine = await createEngine({ workers: 0, registry: createRegistry(audioBuffer, gain) })
  const run = async (channels: number): Promise<number> => {
    using result = await engine.run(fromDocument(document!, createRegistry(gain)), {
      inputs: { voice: Array.from({ length: channels }, () => new Float32Array(100)) },
    })
    return (result.outputs['out']!.data as { readonly channels: number }).channels
  }
  expect(await run(1)).toBe(1)
  await expect(run(2)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(/voice: expected audio .*1 channel.*got audio .*2 channels/) as string,
  })
})
