/**
 * Definitions that contradict themselves are refused where they are made; a run's seed that no number
 * of 64 bits is, where the graph is checked.
 */
import { expect, test } from 'vitest'
import { audio, createEngine, createRegistry, defineNode, fromDocument, json, oneOf, sameAs, text, validate } from '../../src/index.js'
import { numbers } from '../../src/nodes/index.js'

const make = (parts: object) => defineNode({
  type: 'my::a', version: '1.0.0', title: 'A', doc: '', family: 'my', params: {}, inputs: {}, outputs: { out: { media: json() } },
  process: async () => ({}), ...parts,
} as never)
const param = (p: object) => make({ params: { p: { doc: '', ...p } } })
const gives = (media: object) => make({ inputs: { in: { media: audio() } }, outputs: { out: { media } } })

test.each<[string, () => unknown, string]>([
  ['a default above its max', () => param({ type: 'number', max: 3, default: 4 }), 'a default of p of max 3, got 4'],
  ['a default of no whole number', () => param({ type: 'integer', default: 1.5 }), 'a default of p of its type, integer, got 1.5'],
  ['a default outside an enum', () => param({ type: 'enum', values: ['a', 'b'], default: 'c' }),
    'a default of p among its values, got "c"'],
  ['a default that does not match', () => param({ type: 'string', pattern: '^a', default: 'b' }), 'a default of p of pattern ^a, got "b"'],
  ['an item of a default', () => param({ type: 'array', items: { type: 'number', max: 3, doc: '' }, default: [1, 4] }),
    'a default of p of max 3, got [1,4]'],
  ['a seed beyond 64 bits', () => param({ type: 'seed', default: '18446744073709551616' }),
    'a default of p of its type, seed, got "18446744073709551616"'],
  ['lengths', () => param({ type: 'string', minLength: 3, maxLength: 2 }), 'lengths of p from the least to the most, got 3…2'],
  ['counts', () => param({ type: 'array', minItems: 3, maxItems: 2 }), 'lengths of p from the least to the most'],
  ['sameAs of no port', () => gives(audio({ rate: sameAs('inn') })), 'outputs.out.media.rate to name a port, got "inn"'],
  ['like no port', () => gives(audio({ like: 'inn' })), 'outputs.out.media.like to name a port, got "inn"'],
  ['an empty set', () => gives(audio({ rate: [] })), 'outputs.out.media.rate with at least one value'],
  ['no options', () => gives(oneOf()), 'outputs.out.media.options as a list of media, at least one, got []'],
  ['an option like no port', () => gives(oneOf(text(), audio({ like: 'inn' }))),
    'outputs.out.media.options[1].like to name a port, got "inn"'],
  ['an option without kind', () => gives({ kind: 'oneOf', options: [{}] }), 'outputs.out.media.options[0].kind as audio'],
])('%s', (_name, call, said) => {
  expect(call).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(said) }))
})

test.each(['18446744073709551616', '99999999999999999999'])('config.seed %s is PARAM_INVALID in validate, plan and run', async (seed) => {
  const registry = createRegistry(numbers)
  const doc = { millrace: 1, nodes: [{ id: 'n', type: 'core::numbers', output: true }], config: { seed } }
  const error = { code: 'PARAM_INVALID', pointer: '/config/seed' }
  expect(validate(doc, registry)).toMatchObject([error])
  expect(validate({ ...doc, config: { seed: '18446744073709551615' } }, registry)).toEqual([])
  await using engine = await createEngine({ workers: 0, arenaBytes: 2 ** 24, registry })
  const graph = fromDocument(doc, registry)
  await expect(engine.plan(graph)).rejects.toMatchObject({ code: 'PARAM_INVALID' })
  await expect(engine.run({ ...graph, config: { seed: 1.5 } })).rejects.toMatchObject({ code: expect.stringMatching(/INVALID/) })
})
