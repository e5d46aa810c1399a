import { expect, test } from 'vitest'
import { createEngine, createRegistry, fromDocument, parseDocument } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'

test('a document read with a small registry finds the rest of its types in the engine', async () => {
  const { document } = parseDocument(JSON.stringify({
    millrace: 1, inputs: { samples: { to: [['gain', 'in']] } }, nodes: [{ id: 'gain', type: 'audio::gain' }, { id: 'pcm', type: 'audio::convert', params: { format: 'i16' } }],
    edges: [{ from: ['gain', 'out'], to: ['pcm', 'in'] }], outputs: { out: ['pcm', 'out'] },
  }))
  await using engine = await createEngine({ workers: 0, registry: createRegistry(audioBuffer) })
  const samples = [new Float32Array(100)]
  using result = await engine.run(fromDocument(document!, createRegistry(gain)), { inputs: { samples } })
  expect(result.outputs['out']!.data).toMatchObject({ format: 'i16', frames: 100 })
  await expect(engine.run(fromDocument(document!, createRegistry()), { inputs: { samples } })).rejects.toMatchObject({ code: 'NODE_TYPE_UNKNOWN', nodeId: 'gain' })
})
