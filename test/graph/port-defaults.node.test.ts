/** Defaults of run-time inputs at ports: `validate` refuses what `plan` refuses, in the same words, and nothing else. */
import { expect, test } from 'vitest'
import {
  createEngine, createRegistry, defineNode, events, fromDocument, isMillraceError, json, oneOf, text, validate, type MediaConstraint,
} from '../../src/index.js'
import { gain, listSink, pass } from '../../src/nodes/index.js'

const base = { version: '1.0.0', title: 'T', doc: '', family: 'my', params: {}, process: async () => ({}) }
const takes = (name: string, media: MediaConstraint) =>
  defineNode({ ...base, type: `my::${name}`, inputs: { in: { media } }, outputs: { out: { media: json() } } } as never)
const registry = createRegistry(
  gain, pass, listSink, takes('json', json()), takes('text', text()), takes('events', events({ schema: 's', timebase: 1 })),
  takes('either', oneOf(text(), json())),
)
const VALUES = [true, -3, 'x', { a: 1 }, [1], ['x'], [{ a: 1 }], [], 0]

test('validate and plan agree for each value at each kind of port', async () => {
  await using engine = await createEngine({ workers: 0, arenaBytes: 2 ** 24, registry, logger: () => undefined })
  let refused = 0
  for (const type of ['audio::gain', 'core::pass', 'core::list-sink', 'my::json', 'my::text', 'my::events', 'my::either']) {
    for (const value of VALUES) {
      const doc = { millrace: 1, nodes: [{ id: 'n', type, output: true }], inputs: { i: { to: [['n', 'in']], default: value } } }
      const found = validate(doc, registry).filter(({ code, severity }) => severity === 'error' && code === 'INVALID_ARGUMENT')
      const thrown = await engine.plan(fromDocument(doc, registry))
        .then(() => undefined, (error: unknown) => isMillraceError(error) && error.code === 'INVALID_ARGUMENT' ? error.message : undefined)
      // What a list of objects stands for decides who binds it.
      if (Array.isArray(value) && typeof value[0] === 'object') continue
      expect([type, value, found[0]?.message]).toEqual([type, value, thrown])
      if (found.length > 0) { refused++; expect(found).toMatchObject([{ pointer: '/inputs/i/default', node: 'n', port: 'in', stage: 8 }]) }
    }
  }
  expect(refused).toBeGreaterThan(10)
})
