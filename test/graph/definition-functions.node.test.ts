/**
 * Functions of a definition that throw, or give what they may not: INTERNAL with the names of type and
 * function, in `validate`, `plan` and `run` alike.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { createEngine, createRegistry, defineNode, json, text, validate, type NodeDefinition } from '../../src/index.js'
import { audioBuffer, gain, numbers } from '../../src/nodes/index.js'

const base = { version: '1.0.0', title: 'T', doc: '', family: 'my', params: {}, process: async () => ({}) }
const boom = (): never => { throw new Error('boom') }
const giver = defineNode({ ...base, type: 'my::a', inputs: {}, outputs: { out: { media: text() } } })
const taker = defineNode({ ...base, type: 'my::b', inputs: { in: { media: json() } }, outputs: {} })
const between = (converter: object) => validate({
  millrace: 1,
  nodes: [{ id: 'a', type: 'my::a' }, { id: 'b', type: 'my::b', output: true }],
  edges: [{ from: ['a', 'out'], to: ['b', 'in'] }],
},
  createRegistry(giver, taker, defineNode({
    ...base, type: 'my::c', inputs: { in: { media: text() } }, outputs: { out: { media: json() } },
    converter: { lossless: true, cost: 1, params: () => ({}), ...converter },
  } as never)))

test.each<[string, object, string]>([
  ['params', { params: boom }, 'converter.params failed: boom'], ['params', { params: () => 3 }, 'converter.params failed: gave 3'],
  ['params', { params: () => undefined }, 'converter.params failed: gave nothing'],
  ['lossless', { lossless: boom }, 'converter.lossless failed: boom'],
  ['params', { params: () => { throw Object.create(null) } }, 'converter.params failed: {}'],
])('converter.%s %j', (_name, converter, message) => {
  const found = between(converter)
  expect(found.filter(({ code }) => code === 'INTERNAL'))
    .toMatchObject([{ message: `Node type my::c: ${message}`, stage: 12, pointer: '' }])
  expect(found.map(({ code }) => code)).toContain('TYPE_MISMATCH')
})

test.each<[unknown, string]>([
  [undefined, 'nothing'], [[null], '[null]'], [3, '3'], [['x'], '["x"]'],
])('validate that gives %j', (given, said) => {
  const odd = defineNode({ ...base, type: 'my::odd', inputs: {}, outputs: { out: { media: json() } }, validate: () => given as never })
  expect(validate({ millrace: 1, nodes: [{ id: 'n', type: 'my::odd', output: true }] }, createRegistry(odd))
    .filter(({ severity }) => severity === 'error'))
    .toMatchObject([{ code: 'INTERNAL', message: `Node type my::odd: validate failed: gave ${said}`, node: 'n' }])
})

describe('in a plan', async () => {
  const engine = await createEngine({ workers: 0, arenaBytes: 2 ** 24 })
  afterAll(() => engine.close())
  const kernel = (parts: Partial<NodeDefinition>) => (defineNode({
    ...gain.definition, type: 'my::gain', ...parts,
  } as never) as unknown as typeof gain)(audioBuffer({ data: [new Float32Array(1_000)], rate: 8_000 }) as never)
  const source = (parts: Partial<NodeDefinition>) =>
    (defineNode({ ...numbers.definition, type: 'my::gain', ...parts } as never) as unknown as typeof numbers)()
  test.each<[string, () => unknown, string]>([
    ['latencyFrames', () => kernel({ latencyFrames: boom }), 'boom'],
    ['latencyFrames', () => kernel({ latencyFrames: () => NaN }), 'gave NaN'],
    ['tailFrames', () => kernel({ tailFrames: () => -1 }), 'gave -1'],
    ['holdFrames', () => kernel({ holdFrames: () => 'x' as never }), 'gave "x"'], ['identity', () => kernel({ identity: boom }), 'boom'],
    ['planNote', () => kernel({ planNote: boom }), 'boom'],
    ['outputs.out.view', () => kernel({ outputs: { out: { ...gain.definition.outputs.out, view: boom } } }), 'boom'],
    ['outputs.out.metadata', () => kernel({ outputs: { out: { ...gain.definition.outputs.out, metadata: boom } } }), 'boom'],
    ['outputs.out.frames', () => kernel({ outputs: { out: { ...gain.definition.outputs.out, frames: (n) => n === 0 ? 0 : NaN } } }),
      'gave NaN'],
    ['whole', () => source({ whole: boom }), 'boom'],
  ])('%s', async (name, target, said) => {
    const expected = { code: 'INTERNAL', message: `Node type my::gain: ${name} failed: ${said}` }
    await expect(engine.plan({ o: target() } as never)).rejects.toMatchObject(expected)
    await expect(engine.run({ o: target() } as never)).rejects.toMatchObject(expected)
  })
})
