import { expect, test } from 'vitest'
import { fromDocument } from '../../src/graph/document/from-document.js'
import { refreshTypes } from '../../src/graph/edit/edits.js'
import type { NodeDefinition } from '../../src/graph/node-definition.js'
import { hashGraph } from '../../src/graph/hash.js'
import { createEngine, createRegistry, type Packet } from '../../src/index.js'
import { json } from '../../src/media/media-type.js'
import { nodeType } from '../support/graph-nodes.js'

const item = (data: unknown): Packet =>
  ({ media: { kind: 'json' }, data, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} }) as never
const five = nodeType('my::five', { outputs: { out: json() }, process: async () => ({ out: item(5) }), aliases: ['Five'] })
const six: NodeDefinition = { ...five, process: async () => ({ out: item(6) }) }
const pass = nodeType('my::pass', {
  inputs: { in: json() }, outputs: { out: json() },
  process: async (inputs) => ({ out: await (inputs['in'] as { whole(): Promise<Packet> }).whole() }),
})
const document = {
  millrace: 1,
  nodes: [{ id: 'a', type: 'my::five' }, { id: 'b', type: 'my::pass' }, { id: 'other', type: 'my::seven' }, { id: 'c', type: 'my::pass' }],
  edges: [{ from: ['a', 'out'], to: ['b', 'in'] }, { from: ['other', 'out'], to: ['c', 'in'] }],
  outputs: { x: ['b', 'out'], y: ['c', 'out'] },
}
const seven = nodeType('my::seven', { outputs: { out: json() }, process: async () => ({ out: item(7) }) })

test('a replaced definition of the same id changes the hashes of its nodes and their descendants, of no other', async () => {
  const registry = createRegistry({ definition: five }, { definition: pass }, { definition: seven })
  const old = fromDocument(document, registry), before = hashGraph(old)
  registry.alias('Number', 'my::five')
  registry.replace({ definition: six })
  const now = fromDocument(document, registry), fresh = refreshTypes(old, registry), after = hashGraph(now, { previous: before })
  expect(['a', 'b', 'other', 'c'].map((id) => before.node(id) === after.node(id))).toEqual([false, false, true, true])
  expect(hashGraph(fresh, { previous: before })).toMatchObject({ graph: after.graph, hashed: 2 })
  expect(refreshTypes(now, registry)).toBe(now)
  expect([registry.get('Five'), registry.get('Number')]).toEqual([six, six])
  await using engine = await createEngine({ workers: 0, registry })
  const outputs = async (graph: typeof old): Promise<unknown[]> => {
    using result = await engine.run(graph)
    return Object.values(result.outputs as Record<string, Packet>).map(({ data }) => data)
  }
  // A graph that was read before keeps what it was read with.
  expect([await outputs(old), await outputs(now), await outputs(fresh)]).toEqual([[5, 7], [6, 7], [6, 7]])
})

test('only what is there can be replaced, and a name that is taken leaves everything as it was', () => {
  const registry = createRegistry({ definition: five }, { definition: pass })
  expect(() => { registry.replace({ definition: seven }) }).toThrow(expect.objectContaining({ code: 'NODE_TYPE_UNKNOWN' }))
  expect(() => { registry.extend().replace({ definition: six }) }).toThrow(expect.objectContaining({ code: 'NODE_TYPE_UNKNOWN' }))
  expect(() => { registry.replace({ definition: { ...six, aliases: ['my::pass'] } }) })
    .toThrow(expect.objectContaining({ code: 'DUPLICATE_ID' }))
  expect([registry.get('my::five'), registry.get('Five')]).toEqual([five, five])
})
