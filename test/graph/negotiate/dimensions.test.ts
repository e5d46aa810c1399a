/**
 * GR-34: a name of a tensor's dimension is one number at all ports of its node, and what numbers are known go along the edges; bytes
 * of at most so many fit where more may come.
 */
import { describe, expect, test } from 'vitest'
import { negotiate } from '../../../src/graph/negotiate/index.js'
import { bytes, match, oneOf, sameAs, tensor, text, type FieldConstraint, type MediaConstraint } from '../../../src/media/media-type.js'
import { graphOf, nodeType, registryOf } from '../../support/graph-nodes.js'

type Shape = readonly (number | string | null)[]
const of = (shape: Shape): MediaConstraint => tensor({ dtype: 'f32', shape })
const gives = (media: MediaConstraint) => nodeType('test::gives', { outputs: { out: media } })
const takes = (media: MediaConstraint) => nodeType('test::takes', { inputs: { in: media } })
const turns = (from: MediaConstraint, to: MediaConstraint, also?: MediaConstraint) =>
  nodeType('test::turns', { inputs: { in: from, ...(also && { also }) }, outputs: { out: to } })
const registry = registryOf()

describe('names of dimensions', () => {
  const run = (nodes: Parameters<typeof graphOf>[0], ...edges: string[]) => negotiate(graphOf(nodes, edges), registry)
  const shapeAt = ({ media }: ReturnType<typeof run>, port: string): unknown =>
    (media.get(port) as { readonly shape?: unknown } | undefined)?.shape

  test('a number goes from port to port by name, with the edges and against them', () => {
    const forth =
      run({ a: gives(of([7, 3])), b: turns(of(['n', 3]), of(['n', 5])), c: takes(of([null, 'm'])) }, 'a.out->b.in', 'b.out->c.in')
    expect(forth.diagnostics).toEqual([])
    expect([shapeAt(forth, 'b.out'), shapeAt(forth, 'c.in')]).toEqual([[7, 5], [7, 5]])
    const back = run({ a: gives(of([null, 3])), b: turns(of(['n', 3]), of([5, 'n'])), c: takes(of([5, 9])) }, 'a.out->b.in', 'b.out->c.in')
    expect(back.diagnostics).toEqual([])
    expect(shapeAt(back, 'a.out')).toEqual([9, 3])
    expect(shapeAt(run({ a: gives(of([null, 3])), b: turns(of(['n', 3]), of(['n', 5])) }, 'a.out->b.in'), 'b.out')).toEqual(['n', 5])
  })

  test('a number that is not the one a name has is a conflict that names the dimension', () => {
    const wrong = run({ a: gives(of([7, 3])), b: turns(of(['n', 3]), of(['n', 5])), c: takes(of([8, 5])) }, 'a.out->b.in', 'b.out->c.in')
    expect(wrong.diagnostics)
      .toMatchObject([{ code: 'NEGOTIATION_CONFLICT', edge: 'b.out->c.in', constraint: 'd0', expected: 'd0 8', got: 'd0 7' }])
    const square = run({ a: gives(of([2, 3])), b: takes(of(['n', 'n'])) }, 'a.out->b.in')
    expect(square.diagnostics).toMatchObject([{ code: 'NEGOTIATION_CONFLICT', constraint: 'd1', expected: 'd1 2', got: 'd1 3' }])
    expect(run({ a: gives(of([3, 3])), b: takes(of(['n', 'n'])) }, 'a.out->b.in').diagnostics).toEqual([])
    const two = turns(of(['n']), of([1]), of(['n']))
    expect(run({ a: gives(of([2])), b: gives(of([3])), c: two }, 'a.out->c.in', 'b.out->c.also').diagnostics)
      .toMatchObject([{ code: 'NEGOTIATION_CONFLICT', constraint: 'd0', expected: 'd0 2', got: 'd0 3' }])
    expect(run({ a: gives(of([2])), b: gives(of([2])), c: two }, 'a.out->c.in', 'b.out->c.also').diagnostics).toEqual([])
  })

  test('names are their node\'s own; among options they count where all have them', () => {
    expect(run({ a: gives(of([2])), b: turns(of(['n']), of(['m'])), c: takes(of([3])) }, 'a.out->b.in', 'b.out->c.in').diagnostics)
      .toEqual([])
    const choice = (second: Shape): MediaConstraint =>
      oneOf(tensor({ dtype: 'f32', shape: ['n', 1] }), tensor({ dtype: 'i32', shape: second }), text())
    const through = (second: Shape) =>
      run({ a: gives(of([2, 1])), b: turns(choice(second), of(['n'])), c: takes(of([3])) }, 'a.out->b.in', 'b.out->c.in').diagnostics.length
    expect([through(['n', 2]), through(['k', 2])]).toEqual([1, 0])
    expect(run({ a: gives(of([2])), b: turns(match('T'), of(['n'])), c: takes(of([3])) }, 'a.out->b.in', 'b.out->c.in').diagnostics)
      .toEqual([])
  })
})

describe('maxBytes', () => {
  const at = (maxBytes?: FieldConstraint<number>): MediaConstraint => bytes(maxBytes === undefined ? {} : { maxBytes })
  const agreed = (give: MediaConstraint, ...take: MediaConstraint[]): unknown => {
    const { media, diagnostics } = negotiate(
      graphOf(Object.fromEntries([['a', gives(give)], ...take.map((one, i) => [`r${i}`, takes(one)])]), take.map((_, i) =>
        `a.out->r${i}.in`)),
      registry,
    )
    return diagnostics.length > 0
      ? diagnostics.map(({ expected, got }) => `${expected} / ${got}`).join()
      : (media.get('a.out') as { readonly maxBytes?: number }).maxBytes
  }
  test.each<[what: string, give: MediaConstraint, take: MediaConstraint[], agreed: unknown]>([
    ['fewer', at(1_000), [at(5_000)], 1_000], ['as many', at(5_000), [at(5_000)], 5_000],
    ['more', at(5_001), [at(5_000)], 'maxBytes up to 5000 / maxBytes 5001'], ['not said', at(), [at(5_000)], 5_000],
    ['no limit', at(1_000), [at()], 1_000],
    ['the least of all readers', at(), [at(5_000), at(700), at()], 700], ['one of a list', at(300), [at([100, 500])], 300],
    ['a range', at(50), [at({ min: 100, max: 500 })], 50], ['a function', at(50), [at(() => 60)], 50],
    ['a function, more', at(70), [at(() => 60)], 'maxBytes up to 60 / maxBytes 70'],
  ])('%s', (_what, give, take, want) => { expect(agreed(give, ...take)).toBe(want) })

  test('an output that is as an input has its number', () => {
    const { media, diagnostics } = negotiate(
      graphOf({ a: gives(at(10)), b: turns(at(50), bytes({ maxBytes: sameAs('in') })), c: takes(at(20)) }, ['a.out->b.in', 'b.out->c.in']),
      registry,
    )
    expect(diagnostics).toEqual([])
    expect(media.get('c.in')).toEqual({ kind: 'bytes', maxBytes: 10 })
  })
})
