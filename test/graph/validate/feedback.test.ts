import { describe, expect, test } from 'vitest'
import {
  createRegistry, defineNode, feedback, fromDocument, graphFrom, toDocument, validate, type Graph, type GraphEdge, type OutputRef,
  type PortRef,
} from '../../../src/index.js'
import { canConnect } from '../../../src/graph/connect/can-connect.js'
import { hashGraph } from '../../../src/graph/hash.js'
import { applyModes } from '../../../src/graph/modes.js'
import { pack } from '../../../src/graph/subgraph/pack.js'
import { negotiate } from '../../../src/graph/negotiate/index.js'
import type { ValidateOptions } from '../../../src/graph/validate/index.js'
import { audio, type Media } from '../../../src/media/media-type.js'
import * as nodes from '../../../src/nodes/index.js'

const passing = defineNode({
  type: 'test::script', version: '1.0.0', title: 'Script', doc: 'Hands on.', family: 'test', params: {}, inputs: { in: { media: audio() } },
  outputs: { out: { media: audio({ like: 'in' }) } },
  process: () => Promise.resolve({}),
})
const { audioBuffer, gain, mix, resample, vad, wavFile, convert } = nodes
const registry = createRegistry(audioBuffer, gain, mix, resample, vad, wavFile, convert, passing)
type Link = readonly [from: string, to: string, delayFrames?: number]

/** `source`: sound in memory; the rest as given; every output `name.port` of `outputs` leaves. */
function graph(
  types: Readonly<Record<string, string | { readonly type: string; readonly params?: object; readonly place?: string }>>,
  links: readonly Link[], outputs: readonly string[],
): Graph {
  const ref = (text: string): PortRef => text.split('.') as unknown as PortRef
  return fromDocument({
    millrace: 1, nodes: Object.entries(types).map(([id, type]) => typeof type === 'string' ? { id, type } : { id, ...type }),
    edges: links.map(([from, to, delayFrames]): GraphEdge => ({
      from: ref(from), to: ref(to), ...(delayFrames !== undefined && { delayFrames }),
    })),
    outputs: Object.fromEntries(outputs.map((name) => [name.replace('.', '-'), ref(name)])),
  }, registry)
}
const SOURCE = { source: { type: 'io::wav-file', params: { path: 'a.wav' } } }
const media = (rate: number, channels = 1): ReadonlyMap<string, Media> =>
  new Map([['source.out', { kind: 'audio', rate, channels, format: 'f32', layout: 'planar' }]])
const found = (one: Graph, o: ValidateOptions = { known: media(48_000) }): string[] =>
  validate(one, registry, undefined, o).filter(({ severity }) => severity === 'error').map(({ code, stage, edge, message, hint }) =>
    `${code} ${stage} ${edge}: ${message} ${hint}`)
const M = { ...SOURCE, m: 'audio::mix', g: 'audio::gain' }
const COMB: readonly Link[] = [['source.out', 'm.in'], ['m.out', 'g.in'], ['g.out', 'm.in', 480]]

describe('which feedback edges are refused', () => {
  test('none of a comb, a node linked to itself, two loops in each other, a delay in no loop, a driven param', () => {
    expect(found(graph(M, COMB, ['m.out']))).toEqual([])
    expect(found(graph({ ...SOURCE, m: 'audio::mix' }, [['source.out', 'm.in'], ['m.out', 'm.in', 128]], ['m.out']))).toEqual([])
    expect(found(graph({ ...M, n: 'audio::mix' }, [
      ['source.out', 'm.in'], ['m.out', 'n.in'], ['n.out', 'g.in'], ['g.out', 'n.in', 128], ['g.out', 'm.in', 999],
    ], ['g.out'])))
      .toEqual([])
    expect(found(graph(M, [['source.out', 'g.in'], ['g.out', 'm.in'], ['g.out', 'm.in', 200]], ['m.out'])))
      .toEqual(['EDGE_DUPLICATE 6 g.out->m.in: Input m.in: already linked from g.out, got g.out. Remove one link.'])
    expect(found(graph({ ...M, h: 'audio::gain' }, [['source.out', 'g.in'], ['g.out', 'm.in'], ['g.out', 'h.in', 200], ['h.out', 'm.in']], [
      'm.out',
    ])))
      .toEqual([])
    expect(found(graph({ ...SOURCE, g: 'audio::gain' }, [['source.out', 'g.in'], ['g.out', 'g.gainDb', 128]], ['g.out']))).toEqual([])
  })

  test('GRAPH_CYCLE names cycles of plain edges only', () => {
    const cycle = graph({ ...M, h: 'audio::gain' }, [...COMB, ['g.out', 'h.in'], ['h.out', 'm.in']], ['m.out'])
    expect(found(cycle)).toEqual(['GRAPH_CYCLE 9 h.out->m.in: Graph: cycle m -> g -> h -> m. Remove edge h.out->m.in or set delayFrames.'])
    expect(found({ ...cycle, edges: cycle.edges.map((edge) => edge.from[0] === 'h' ? { ...edge, delayFrames: 128 } : edge) })).toEqual([])
  })

  test('UNSUPPORTED: through a node written in TypeScript, a pinned one, a loop that nothing feeds', () => {
    expect(found(graph(
      { ...M, s: 'test::script' },
      [['source.out', 'm.in'], ['m.out', 's.in'], ['s.out', 'g.in'], ['g.out', 'm.in', 480]],
      ['m.out'],
    )))
      .toEqual(['UNSUPPORTED 12 g.out->m.in: Feedback edge g.out->m.in: not available in a loop through s, which is written in TypeScript. Take s out of the loop: only kernels run there.'])
    expect(found(graph({ ...M, g: { type: 'audio::gain', place: 'main' } }, COMB, ['m.out'])))
      .toEqual(['UNSUPPORTED 12 g.out->m.in: Feedback edge g.out->m.in: not available in a loop through g, which is pinned, and m, which is not. Pin all of its nodes or none.'])
    expect(found(graph({ g: 'audio::gain', m: 'audio::mix' }, [['m.out', 'g.in'], ['g.out', 'm.in', 480]], ['m.out'])))
      .toEqual(['UNSUPPORTED 12 g.out->m.in: Feedback edge g.out->m.in: not available in a loop that nothing outside feeds: it would never end. Link something into the loop.'])
    // A run-time input feeds it.
    const open = graph({ h: 'audio::gain', g: 'audio::gain', m: 'audio::mix' }, [
      ['h.out', 'm.in'], ['m.out', 'g.in'], ['g.out', 'm.in', 480],
    ], ['m.out'])
    expect(found({ ...open, inputs: new Map([['x', { to: [['h', 'in']] }]]) })).toEqual([])
  })

  test('TYPE_MISMATCH: what is no audio, and samples whose zero is no silence', () => {
    const events = graph({ ...SOURCE, v: 'voice::vad', g: 'audio::gain', m: 'audio::mix' }, [
      ['source.out', 'm.in'], ['m.out', 'v.in'], ['v.segments', 'm.in', 480],
    ], ['m.out'])
    expect(found(events, { known: media(16_000) })[0]).toMatch(/^TYPE_MISMATCH 12 v.segments->m.in: /)
    const bytes = graph({ ...SOURCE, c: { type: 'audio::convert', params: { format: 'u8' } }, d: 'audio::convert', m: 'audio::mix' }, [
      ['source.out', 'm.in'], ['m.out', 'c.in'], ['c.out', 'd.in', 480], ['d.out', 'm.in'],
    ], ['m.out'])
    expect(found(bytes)[0]).toMatch(/^TYPE_MISMATCH 12 c.out->d.in: .*expected audio of signed samples/)
  })
})

describe('media round a loop', () => {
  test('a loop takes the media of what feeds it, stereo as mono', () => {
    const { media: agreed, inserted } = negotiate(graph(M, COMB, ['m.out']), registry, { known: media(44_100, 2) })
    expect(inserted).toEqual([])
    expect(agreed.get('g.out')).toMatchObject({ rate: 44_100, channels: 2 })
  })

  test('converters stand before a feedback edge, whose frames are those of its reader', () => {
    const one = graph({ ...M, r: { type: 'audio::resample', params: { rate: 16_000 } } }, [
      ['source.out', 'm.in'], ['m.out', 'r.in'], ['r.out', 'm.in', 9_600],
    ], ['m.out'])
    const { graph: solved, inserted, diagnostics } = negotiate(one, registry, { known: media(48_000) })
    expect(inserted.map(({ type, edge }) => `${type} ${edge}`)).toEqual(['audio::resample r.out->m.in'])
    expect(solved.edges.map(({ from, to, delayFrames }) => [from[0], to[0], delayFrames]))
      .toEqual([['source', 'm', undefined], ['m', 'r', undefined], ['~r.out~1', 'm', 9_600], ['r', '~r.out~1', undefined]])
    expect(diagnostics.map(({ code }) => code)).toEqual(['CONVERTER_INSERTED'])
  })
})

describe('modes round a loop', () => {
  const run = (links: readonly Link[], changed: Readonly<Record<string, 'mute' | 'bypass'>>, outputs = ['m.out']): unknown => {
    const one = graph(M, links, outputs)
    const { graph: left, skipped, impossible } =
      applyModes({ ...one, nodes: one.nodes.map((node) => ({ ...node, ...(changed[node.id] && { mode: changed[node.id]! }) })) })
    return [
      left.nodes.map(({ id }) => id).join(),
      left.edges.map(({ from, to, delayFrames = 0 }) => `${from[0]}->${to[0]} ${delayFrames}`).join(),
      skipped.join(), impossible.map(({ node }) => node).join(),
    ]
  }
  const FORM_B: readonly Link[] = [['source.out', 'm.in'], ['m.out', 'g.in', 480], ['g.out', 'm.in']]

  test('mute opens a loop, bypass keeps it and its delay', () => {
    expect(run(COMB, { g: 'mute' })).toEqual(['source,m', 'source->m 0', '', ''])
    expect(run(COMB, { g: 'bypass' })).toEqual(['source,m', 'source->m 0,m->m 480', '', ''])
    expect(run(FORM_B, { g: 'bypass' })).toEqual(['source,m', 'source->m 0,m->m 480', '', ''])
    expect(run(FORM_B, { m: 'bypass' }, ['g.out'])).toEqual(['source,g', 'source->g 480', '', ''])
    expect(run(FORM_B, { m: 'mute' }, ['g.out'])).toEqual(['', '', 'g', ''])
    expect(run(FORM_B, { g: 'bypass' }, ['m.out', 'g.out'])).toEqual(['source,m', 'source->m 0', '', 'g'])
  })
})

test('feedback() makes the document that says delayFrames, and takes no other loop', () => {
  const dry = wavFile('a.wav'), wet = feedback({ delayFrames: 480 }, (late) => mix([dry, gain(late, { gainDb: -6 })]))
  const document = toDocument(graphFrom({ wet }))
  expect(document.edges).toEqual([
    { from: ['wav-file-1', 'out'], to: ['mix-1', 'in'], order: 0 }, { from: ['gain-1', 'out'], to: ['mix-1', 'in'], order: 1 },
    { from: ['mix-1', 'out'], to: ['gain-1', 'in'], delayFrames: 480 },
  ].sort((a, b) => Number(b.from[0] === 'mix-1') - Number(a.from[0] === 'mix-1') || 0).map((edge) =>
    expect.objectContaining({ from: edge.from, to: edge.to })))
  expect(fromDocument(document, registry).edges.find(({ delayFrames }) => delayFrames !== undefined))
    .toMatchObject({ from: ['mix-1', 'out'], to: ['gain-1', 'in'], delayFrames: 480 })
  const nested = graphFrom({ out: feedback({ delayFrames: 128 }, (a) => feedback({ delayFrames: 256 }, (b) => mix([dry, a, gain(b)]))) })
  expect(nested.edges.filter(({ delayFrames }) => delayFrames !== undefined)
    .map(({ from, to, delayFrames }) => `${from.join('.')} ${to.join('.')} ${delayFrames}`))
    .toEqual(['mix-1.out gain-1.in 256', 'mix-1.out mix-1.in 128'])
  for (const wrong of [
    () => feedback({ delayFrames: 127 }, (late) => gain(late)),
    () => feedback({ delayFrames: 128 }, (late) => late),
    () => feedback({ delayFrames: 200 }, (late) => { graphFrom({ y: gain(late) }); return gain(late) }),
  ]) {
    expect(wrong).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  }
  let tap!: OutputRef<'audio'>
  feedback({ delayFrames: 128 }, (late) => gain(tap = late))
  expect(() => graphFrom({ tap })).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  // @ts-expect-error only audio goes round
  expect(() => feedback({ delayFrames: 128 }, (late) => vad(late).segments)).not.toThrow()
})

test('canConnect: a feedback edge may close a loop; what validate would refuse at its ends is told', () => {
  const open = graph({ ...M, s: 'test::script' }, COMB.slice(0, 2), ['m.out'])
  const ask = (from: PortRef, to: PortRef, delayFrames?: number): string | undefined =>
    canConnect(open, from, to, { registry, ...(delayFrames !== undefined && { delayFrames }) })?.code
  expect([ask(['g', 'out'] as never, ['m', 'in'] as never), ask(['g', 'out'] as never, ['m', 'in'] as never, 480)])
    .toEqual(['GRAPH_CYCLE', undefined])
  expect([ask(['m', 'out'] as never, ['m', 'in'] as never), ask(['m', 'out'] as never, ['m', 'in'] as never, 128)])
    .toEqual(['SELF_LINK', undefined])
  expect(ask(['s', 'out'] as never, ['m', 'in'] as never, 128)).toBe('UNSUPPORTED')
})

test('a loop in and out of a subgraph, packed and flattened, is the same loop', () => {
  const flat = graph(M, COMB, ['m.out']), packed = pack(flat, ['g'], { id: 'sub' as never, type: 'graph::wet' })
  expect(packed.edges.filter(({ delayFrames }) => delayFrames === 480)).toHaveLength(1)
  expect(found(packed)).toEqual([])
  expect(hashGraph(packed, { registry }).graph).toBe(hashGraph(flat, { registry }).graph)
})
