/** What a node's own `validate` finds is told with the node's id, the param's place in the document and what it allows. */
import { describe, expect, test } from 'vitest'
import { createRegistry } from '../../../src/graph/registry.js'
import { graphErrors } from '../../../src/graph/errors.js'
import { validate } from '../../../src/graph/validate/index.js'
import { channels, select, vad } from '../../../src/nodes/index.js'
import { sink, source } from '../../support/graph-nodes.js'

const give = source('test::give', { rate: 48_000, channels: 2, format: 'f32', layout: 'planar' })
const take = sink('test::take', {})
const registry = createRegistry({ definition: give }, { definition: take }, channels, select, vad)
const found = (type: string, params: Readonly<Record<string, unknown>>) => validate({
  millrace: 1, nodes: [{ id: 'give', type: 'test::give' }, { id: 'x', type, params }], edges: [{ from: ['give', 'out'], to: ['x', 'in'] }],
  outputs: { o: ['x', type === 'voice::vad' ? 'audio' : 'out'] },
}, registry).filter(({ code }) => code === 'PARAM_INVALID')

test.each([
  ['audio::channels', { to: 2, mode: 'mean' }, 'to', 'Param x.to: expected 1 with mode mean, got 2.', 'Allowed: 1, or another mode.'],
  ['audio::channels', { to: 2, mode: 'matrix', matrix: [1, 2, 3] }, 'matrix', 'Param x.matrix: expected 4 weights, got 3.',
    'Allowed: 2 rows of 2 weights.'],
  ['audio::channels', { to: 1, mode: 'matrix', matrix: [1, 1e300] }, 'matrix',
    'Param x.matrix: expected weights that are finite in f32, got 1e+300.', 'Allowed: weights up to 3.4e38.'],
  ['audio::channels', { to: 1, matrix: [1, 1] }, 'matrix', 'Param x.matrix: expected no weights without mode matrix, got 2.',
    'Allowed: with mode matrix only.'],
  ['voice::vad', { frameMs: 15 }, 'frameMs', 'Param x.frameMs: expected one of 10, 20, 30, got 15.', 'Allowed: 10, 20 or 30 ms.'],
  ['voice::vad', { frame_ms: 15 }, 'frame_ms', 'Param x.frameMs: expected one of 10, 20, 30, got 15.', 'Allowed: 10, 20 or 30 ms.'],
  ['audio::select', { first: 1, count: 2 }, 'first', 'Param x.first: expected a last channel of at most 1, got 2.',
    'Allowed: channels 0 to 1.'],
])('%s %j: %s', (type, params, spelling, message, hint) => {
  expect(found(type, params)).toMatchObject([{ node: 'x', pointer: `/nodes/1/params/${spelling}`, stage: 12, message, hint }])
})

describe('each constraint is English', () => {
  test.each<[string, unknown, string]>([
    ['min', 1, 'at least 1'], ['max', 64, 'at most 64'], ['exclusiveMin', 0, 'more than 0'], ['exclusiveMax', 1, 'less than 1'],
    ['enum', ['a', 'b'], 'one of a, b'], ['required', undefined, 'a value'],
    ['type', 'an integer', 'an integer'], ['format', 'well-formed Unicode', 'well-formed Unicode'], ['pattern', '^a', 'a match of ^a'],
    ['minLength', 2, 'at least 2 characters'],
    ['maxLength', 4, 'at most 4 characters'], ['minItems', 1, 'at least 1 entries'], ['maxItems', 3, 'at most 3 entries'],
    ['other', 'one spelling, a or b', 'one spelling, a or b'], ['constructor', 1, 'constructor 1'],
  ])('%s %j: %s', (constraint, limit, words) => {
    expect(graphErrors.PARAM_INVALID.diagnostic({ node: 'n', param: 'p', constraint, limit, got: 9 }, {}).message)
      .toBe(`Param n.p: expected ${words}, got 9.`)
  })
})
