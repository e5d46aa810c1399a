/**
 * `policy.skipIf` in `validate` and in a run (EX-58, GR-48): what is left out is not asked for its inputs, by
 * neither; what it hangs on is asked the same.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createEngine, createRegistry, defineNode, fromDocument, isMillraceError, json, validate, type Engine, type Packet,
} from '../../../src/index.js'

const step = defineNode({
  type: 'test::step', version: '1.0.0', title: 'Step', doc: 'Gives 1.', family: 'test',
  params: { mode: { type: 'string', default: 'a', doc: 'Mode.' } },
  inputs: { in: { media: json() }, more: { media: json(), optional: true } }, outputs: { out: { media: json() } },
  process: async () => ({
    out: { media: { kind: 'json' }, data: 1, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } as Packet,
  }),
})
const give = defineNode({ ...step.definition, type: 'test::give', inputs: {} } as never) as unknown as typeof step
const registry = createRegistry(step, give)
let engine: Engine
beforeAll(async () => { engine = await createEngine({ registry, workers: 0 }) })
afterAll(() => engine.close())

/** `n` has no input linked unless `edges` say so; `probe` always runs. */
const documentOf = (
  skipIf: unknown,
  more: { readonly params?: object; readonly edges?: readonly object[]; readonly inputs?: object; readonly nodes?: readonly object[] } = {},
): object => ({
  millrace: 1,
  nodes: [
    { id: 'probe', type: 'test::give' },
    { id: 'n', type: 'test::step', policy: { skipIf }, params: more.params ?? {} },
    ...more.nodes ?? [],
  ],
  edges: more.edges ?? [], inputs: more.inputs ?? {}, outputs: { probe: ['probe', 'out'], n: ['n', 'out'] },
})
const told = (document: object): readonly unknown[] =>
  validate(document, registry).filter(({ severity }) => severity === 'error').map(({ code, pointer }) => [code, pointer])
const ran = async (document: object, inputs: Readonly<Record<string, unknown>> = {}): Promise<unknown> => engine.run(
  fromDocument(document, registry), { inputs },
).then(
  ({ metrics, outputs }) => [metrics.nodes.find(({ id }) => id === 'n')?.status, Object.keys(outputs)],
  (error: unknown) => isMillraceError(error) ? error.code : error)

describe('a node that is left out', () => {
  const fromProbe = (to: string, port = 'in'): object => ({ from: ['probe', 'out'], to: [to, port] })
  test.each<[string, object]>([
    ['always', documentOf(true)], ['by the default of a param', documentOf({ param: 'mode', is: 'a' })],
    ['by a param', documentOf({ param: 'mode', is: 'b' }, { params: { mode: 'b' } })],
    ['by what its param is not', documentOf({ param: 'mode', is: 'b', not: true })],
    ['because an input is absent', documentOf({ absent: 'more' })],
    ['because an input is linked', documentOf({ absent: 'more', not: true }, { edges: [fromProbe('n', 'more')] })],
    ['by the default of a run-time input',
      documentOf({ param: 'mode', is: 'c' }, { inputs: { how: { to: [['n', 'mode']], default: 'c' } } })],
    ['because an optional run-time input gives nothing',
      documentOf({ absent: 'more' }, { inputs: { x: { to: [['n', 'more']], required: false } } })],
    ['with one behind it',
      documentOf(true, { nodes: [{ id: 'next', type: 'test::step' }], edges: [{ from: ['n', 'out'], to: ['next', 'in'] }] })],
  ])('%s: no input is missed, and it does not run', async (_name, document) => {
    expect(told(document)).toEqual([])
    expect(await ran(document)).toEqual(['skipped', ['probe']])
  })

  test.each<[string, object, object]>([
    ['never', documentOf(false), {}], ['by a param that has another value', documentOf({ param: 'mode', is: 'b' }), {}],
    ['because an input is absent that is linked', documentOf({ absent: 'more' }, { edges: [fromProbe('n', 'more')] }), {}],
    ['by a run-time input that must be given', documentOf({ param: 'mode', is: 'a' }, { inputs: { how: { to: [['n', 'mode']] } } }),
      { how: 'b' }],
  ])('%s: it runs, and misses its input', async (_name, document, inputs) => {
    expect(told(document)).toEqual([['INPUT_MISSING', '/nodes/1']])
    expect(await ran(document, inputs as Record<string, unknown>)).toBe('INPUT_MISSING')
  })

  test.each([
    ['yes'], [1], [null], [{}], [{ param: 'nope', is: 1 }], [{ absent: 'nope' }], [{ absent: 'constructor' }],
  ])('%j is no condition', async (skipIf) => {
    const document = documentOf(skipIf, { edges: [fromProbe('n')] })
    expect(told(document)).toEqual([['INVALID_ARGUMENT', '/nodes/1/policy/skipIf']])
    expect(validate(document, registry)[0])
      .toMatchObject({ stage: 8, message: expect.stringMatching(/^Node n policy.skipIf: expected true, false, .*, got /) })
    expect(await ran(document)).toBe('INVALID_ARGUMENT')
  })

  test('all that is left out leaves nothing to run', async () => {
    const document = { millrace: 1, nodes: [{ id: 'n', type: 'test::give', policy: { skipIf: true } }], outputs: { n: ['n', 'out'] } }
    expect(told(document)).toEqual([['GRAPH_NO_END', '/nodes']])
    expect(await ran(document)).toBe('GRAPH_NO_END')
  })
})
