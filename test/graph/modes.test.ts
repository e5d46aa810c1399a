import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pruneGraph } from '../../src/graph/ends.js'
import type { Graph } from '../../src/graph/graph.js'
import { applyModes } from '../../src/graph/modes.js'
import type { NodeMode } from '../../src/graph/output-ref.js'
import { audio, match, text } from '../../src/media/media-type.js'
import { graphOf, mix, nodeType, pass, source } from '../support/graph-nodes.js'

const give = source('test::give', {})
const none = nodeType('test::none', { outputs: { out: audio() } })
const optional = nodeType('test::optional', { inputs: { in: { media: audio(), optional: true } }, outputs: { out: audio() } })
const two = nodeType('test::two', { inputs: { a: audio(), b: audio() }, outputs: { out: audio() } })
const twoOptional = nodeType('test::two-optional', {
  inputs: { a: { media: audio(), optional: true }, b: { media: audio(), optional: true } },
  outputs: { out: audio() },
})
const toText = nodeType('test::to-text', { inputs: { in: audio() }, outputs: { out: text(), audio: audio() } })
const readText = nodeType('test::read-text', { inputs: { in: text() }, outputs: { out: text() } })

const withMode = (graph: Graph, modes: Readonly<Record<string, NodeMode>>): Graph =>
  ({ ...graph, nodes: graph.nodes.map((node) => modes[node.id] === undefined ? node : { ...node, mode: modes[node.id]! }) })
const shape = ({ nodes, edges }: Graph): string[] =>
  [...nodes.map((node) => node.id), ...edges.map((edge) => `${edge.from.join('.')}->${edge.to.join('.')}`)]

describe('mute (GR-08)', () => {
  const cases = [
    ['no input', none, [], []],
    ['one required input', pass, ['m.out->n.in'], ['n']],
    ['one optional input', optional, ['m.out->n.in'], []],
    ['two required inputs, one muted', two, ['m.out->n.a', 'give.out->n.b'], ['n']],
    ['two optional inputs, both muted', twoOptional, ['m.out->n.a', 'm.out->n.b'], []],
    ['a multi input that keeps a link', mix, ['m.out->n.in', 'give.out->n.in'], []],
    ['a multi input that loses all', mix, ['m.out->n.in'], ['n']],
  ] as const
  test.each(cases)('dependent with %s', (_, definition, edges, skipped) => {
    const applied = applyModes(withMode(
      graphOf({ give, m: pass, n: definition, after: pass }, ['give.out->m.in', ...edges, 'n.out->after.in']),
      { m: 'mute' },
    ))
    expect(applied.muted).toEqual(['m'])
    expect(applied.skipped).toEqual(skipped.length === 0 ? [] : ['n', 'after'])
    expect(applied.graph.nodes.map((node) => node.id)).toEqual(skipped.length === 0 ? ['give', 'n', 'after'] : ['give'])
    expect(applied.graph.edges.every((edge) => edge.from[0] !== 'm' && edge.to[0] !== 'm')).toBe(true)
  })

  test('run outputs on muted nodes are gone; a bound value keeps a node', () => {
    const graph = graphOf({ m: none, n: pass }, ['m.out->n.in'], {
      outputs: new Map([['m', ['m', 'out']], ['n', ['n', 'out']]]), inputs: new Map([['x', { to: [['n', 'in']] }]]),
    })
    const applied = applyModes(withMode(graph, { m: 'mute' }))
    expect([...applied.graph.outputs.keys()]).toEqual(['n'])
    expect(applied.skipped).toEqual([])
  })

  test('when every declared output is gone, what is left runs only for nodes kept for their own sake', () => {
    const graph = graphOf({ give, m: pass, keep: pass, other: pass }, ['give.out->m.in', 'give.out->keep.in', 'give.out->other.in'], {
      outputs: new Map([['m', ['m', 'out']]]),
    })
    const kept = { ...graph, nodes: graph.nodes.map((node) => node.id === 'keep' ? { ...node, output: true } : node) }
    expect(applyModes(withMode(kept, { m: 'mute' })).graph.nodes.map((node) => node.id)).toEqual(['give', 'keep'])
    expect(applyModes(withMode(graph, { m: 'mute' })).graph.nodes).toEqual([])
  })
})

describe('bypass (GR-08)', () => {
  test('forwards the input of equal media type, through chains of bypassed nodes', () => {
    const graph = graphOf({ give, a: pass, b: pass, c: pass }, ['give.out->a.in', 'a.out->b.in', 'b.out->c.in'], {
      outputs: new Map([['b', ['b', 'out']]]),
    })
    const applied = applyModes(withMode(graph, { a: 'bypass', b: 'bypass' }))
    expect(shape(applied.graph)).toEqual(['give', 'c', 'give.out->c.in'])
    expect(applied.graph.outputs.get('b')).toEqual(['give', 'out'])
    expect([applied.bypassed, applied.impossible, applied.nodeIndex, applied.edgeIndex]).toEqual([['a', 'b'], [], [0, 3], [2]])
  })

  test('takes the first linked input in order of declaration, the first link of a multi input', () => {
    const graph = (definition: typeof pass, ...edges: string[]): string[] =>
      shape(
        applyModes(withMode(graphOf({ x: give, y: give, n: definition, end: pass }, [...edges, 'n.out->end.in']), { n: 'bypass' })).graph,
      ).slice(3)
    expect(graph(two, 'x.out->n.b', 'y.out->n.a')).toEqual(['y.out->end.in'])
    expect(graph(twoOptional, 'x.out->n.b')).toEqual(['x.out->end.in'])
    expect(graph(mix, 'x.out->n.in', 'y.out->n.in')).toEqual(['x.out->end.in'])
  })

  test('a run-time input stands for the node', () => {
    const graph = graphOf({ n: pass, end: pass }, ['n.out->end.in'], { inputs: new Map([['x', { to: [['n', 'in']] }]]) })
    const applied = applyModes(withMode(graph, { n: 'bypass' }))
    expect(shape(applied.graph)).toEqual(['end'])
    expect(applied.graph.inputs.get('x')!.to).toEqual([['end', 'in']])
  })

  test('an output that no input fits acts as muted and is named when something reads it', () => {
    const graph = graphOf({ give, n: toText, t: readText, p: pass }, ['give.out->n.in', 'n.out->t.in', 'n.audio->p.in'])
    const applied = applyModes(withMode(graph, { n: 'bypass' }))
    expect(shape(applied.graph)).toEqual(['give', 'p', 'give.out->p.in'])
    expect(applied.impossible).toEqual([{ node: 'n', ports: ['out'] }])
    expect(applied.skipped).toEqual(['t'])
    expect(applyModes(withMode(graphOf({ give, n: toText, p: pass }, ['give.out->n.in', 'n.audio->p.in']), { n: 'bypass' })).impossible)
      .toEqual([])
    expect(applyModes(withMode(graphOf({ n: none, p: pass }, ['n.out->p.in']), { n: 'bypass' })))
      .toMatchObject({ impossible: [{ node: 'n', ports: ['out'] }], skipped: ['p'] })
  })

  test('type variables fit only themselves', () => {
    const variable = nodeType('test::variable', { inputs: { a: audio(), t: match('T') }, outputs: { out: match('T') } })
    const graph = graphOf({ x: give, y: give, n: variable, end: pass }, ['x.out->n.a', 'y.out->n.t', 'n.out->end.in'])
    expect(shape(applyModes(withMode(graph, { n: 'bypass' })).graph).slice(3)).toEqual(['y.out->end.in'])
  })
})

test('a graph in which every node runs is given back as it is', () => {
  const graph = graphOf({ give, pass }, ['give.out->pass.in'])
  expect(applyModes(graph).graph).toBe(graph)
  expect(applyModes(withMode(graph, { give: 'run' })).graph.nodes).toHaveLength(2)
})

describe('pruning (GR-09)', () => {
  const free = nodeType('test::free-node', { inputs: { in: { media: audio(), multi: true, optional: true } }, outputs: { out: audio() } })
  test('what is left out equals brute-force reachability on 1 000 graphs', () => {
    fc.assert(fc.property(
      fc.array(fc.tuple(fc.nat(6), fc.nat(6)), { maxLength: 10 }), fc.array(fc.nat(6), { maxLength: 2 }),
      fc.array(fc.nat(6), { maxLength: 1 }),
      (edges, wanted, kept) => {
        const names = [0, 1, 2, 3, 4, 5, 6].map((n) => `n${n}`)
        const links = edges.filter(([a, b]) => a !== b).map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)])
        const plain = graphOf(Object.fromEntries(names.map((name) => [name, free])), links.map(([a, b]) => `n${a}.out->n${b}.in`), {
          outputs: new Map(wanted.map((n) => [`y${n}`, [`n${n}`, 'out']])),
        })
        const graph = { ...plain, nodes: plain.nodes.map((node, n) => kept.includes(n) ? { ...node, output: true } : node) }
        const ends = wanted.length > 0 ? [...wanted, ...kept] : [0, 1, 2, 3, 4, 5, 6]
        const needed = (n: number): boolean => ends.includes(n) || links.some(([a, b]) => a === n && needed(b))
        const { graph: rest, pruned } = pruneGraph(graph)
        expect(pruned).toEqual(names.filter((_, n) => !needed(n)))
        expect(rest.nodes.map((node) => node.id)).toEqual(names.filter((_, n) => needed(n)))
        expect(rest.edges).toHaveLength(links.filter(([, b]) => needed(b)).length)
        if (pruned.length === 0) expect(rest).toBe(graph)
      }), { numRuns: 1_000, seed: 6 })
  })

  test('without declared outputs a sink without ports is an end, a lone node that needs input is not', () => {
    const sinkNode = nodeType('test::sink', { inputs: { in: audio() } })
    expect(pruneGraph(graphOf({ give, sinkNode, pass }, ['give.out->sinkNode.in'])).pruned).toEqual(['pass'])
    expect(pruneGraph(graphOf({ pass })).pruned).toEqual([])
  })
})
