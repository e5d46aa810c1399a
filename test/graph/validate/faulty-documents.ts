/**
 * Documents that parse and that `validate` refuses or remarks on (stages 1 and 4 to 12 of spec graph.md
 * section 5), with everything that it must say.
 */
import type { ValidateOptions, ValidationHost } from '../../../src/graph/validate/index.js'
import { audio, text } from '../../../src/media/media-type.js'
import { detect, kernel, mix, nodeType, pass, registryOf, sink, source } from '../../support/graph-nodes.js'

/** A document and its diagnostics, each as `CODE severity stage pointer`. */
export interface FaultyDocument {
  readonly name: string
  readonly document: Readonly<Record<string, unknown>>
  readonly host?: ValidationHost
  readonly options?: ValidateOptions
  readonly expected: readonly string[]
}

const script = nodeType('test::script', { inputs: { in: audio() }, outputs: { out: audio({ like: 'in' }) } })
const big = nodeType('test::big', { inputs: { in: audio() }, outputs: { out: text() } })
const old = nodeType('test::old', { status: 'deprecated', replacedBy: 'test::give', outputs: { out: audio() } })
const driven = nodeType('test::driven', {
  kernel,
  params: {
    gain: { type: 'number', default: 1, min: 0, max: 4, input: true, rate: 'sample', doc: '' },
    word: { type: 'enum', values: ['low', 'high'], default: 'low', doc: '' },
    name: { type: 'string', default: '', doc: '' },
  },
  inputs: { in: audio() }, outputs: { out: audio({ like: 'in' }) },
})

/** What the documents are made of. */
export const faultyRegistry = registryOf(
  source('test::give', { rate: 48_000, channels: 1, format: 'f32', layout: 'planar' }), sink('test::take', {}),
  sink('test::take16', { rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }),
  nodeType('test::read', { inputs: { in: text() } }), pass, mix, detect, script, big, old, driven,
)

type Node = string | Readonly<Record<string, unknown>>
const HOST: ValidationHost = { wasm: true, simd: true, sab: true }

/** `id: type or fields`; edges `a.out->b.in`, with fields behind. */
function doc(
  nodes: Readonly<Record<string, Node>>, edges: readonly (string | readonly [string, object])[] = [], more: object = {},
): Readonly<Record<string, unknown>> {
  const ref = (text: string): readonly string[] => text.split('.')
  return {
    millrace: 1, nodes: Object.entries(nodes).map(([id, node]) => typeof node === 'string' ? { id, type: node } : { id, ...node }),
    edges: edges.map((edge) => {
      const [ends, fields] = typeof edge === 'string' ? [edge, {}] : edge, [from, to] = ends.split('->')
      return { from: ref(from!), to: ref(to!), ...fields }
    }),
    ...more,
  }
}
const GOOD = { give: 'test::give', pass: 'test::pass', take: 'test::take' } as const
const LINKS = ['give.out->pass.in', 'pass.out->take.in'] as const
const good = (more: object = {}): ReturnType<typeof doc> => doc(GOOD, LINKS, more)
const withPass = (fields: object): ReturnType<typeof doc> => doc({ ...GOOD, pass: { type: 'test::pass', ...fields } }, LINKS)
const withDriven = (params: object): ReturnType<typeof doc> =>
  doc({ give: 'test::give', d: { type: 'test::driven', params }, take: 'test::take' }, ['give.out->d.in', 'd.out->take.in'])
const RING = { give: 'test::give', m: 'test::mix', p: 'test::pass', take: 'test::take' } as const
const ring = (late: object, more: Readonly<Record<string, Node>> = {}): ReturnType<typeof doc> =>
  doc({ ...RING, ...more }, ['give.out->m.in', 'm.out->p.in', ['p.out->m.in', late], 'm.out->take.in'])

/** All of them. */
export const FAULTY: readonly FaultyDocument[] = [
  { name: 'nodes over the limit', document: good(), options: { limits: { nodes: 2 } }, expected: ['LIMIT_EXCEEDED error 1 /nodes'] },
  { name: 'edges over the limit', document: good(), options: { limits: { edges: 1 } }, expected: ['LIMIT_EXCEEDED error 1 /edges'] },
  {
    name: 'links of one input over the limit',
    document: doc({ a: 'test::give', b: 'test::give', m: 'test::mix', take: 'test::take' }, [
      'a.out->m.in', 'b.out->m.in', 'm.out->take.in',
    ]),
    options: { limits: { linksPerInput: 1 } }, expected: ['LIMIT_EXCEEDED error 1 /edges/1'],
  },
  { name: 'another major', document: good({ millrace: 2 }), expected: ['VERSION_MISMATCH error 2 /millrace'] },
  { name: 'engines of the future', document: good({ engines: { millrace: '>=99' } }),
    expected: ['VERSION_MISMATCH error 2 /engines/millrace'] },
  {
    name: 'a fault of schema beside a fault of stage 7',
    document: doc({ a: { type: 'test::nothing' }, b: { type: 'test::give', output: 'yes' } }),
    expected: [
      'SCHEMA_INVALID error 3 /nodes/1/output', 'NODE_TYPE_UNKNOWN error 7 /nodes/0/type', 'ORPHAN_NODE warning 10 /nodes/0',
      'ORPHAN_NODE warning 10 /nodes/1',
    ],
  },
  { name: 'an unknown field', document: good({ colour: 'red' }), expected: ['UNKNOWN_FIELD warning 3 /colour'] },
  { name: 'no node', document: doc({}), expected: ['GRAPH_EMPTY error 4 /nodes'] },
  { name: 'a node id twice', document: { ...good(), nodes: [...(good()['nodes'] as object[]), { id: 'give', type: 'test::give' }] },
    expected: ['DUPLICATE_ID error 5 /nodes/3/id'] },
  { name: 'an edge id twice', document: doc(GOOD, LINKS.map((link) => [link, { id: 'e' }] as const)),
    expected: ['DUPLICATE_ID error 5 /edges/1/id'] },
  { name: 'an edge from nobody', document: doc(GOOD, [...LINKS, 'gave.out->take.in']),
    expected: ['NODE_NOT_FOUND error 6 /edges/2/from/0'] },
  { name: 'an output of nobody', document: good({ outputs: { y: ['pass', 'out'], z: ['past', 'out'] } }),
    expected: ['NODE_NOT_FOUND error 6 /outputs/z/0', 'PRUNED_NODE info 10 /nodes/2'] },
  { name: 'an input to nobody', document: good({ inputs: { x: { to: [['nobody', 'in']] } } }),
    expected: ['NODE_NOT_FOUND error 6 /inputs/x/to/0/0'] },
  { name: 'a node linked to itself', document: doc(RING, ['give.out->m.in', 'm.out->m.in', 'm.out->p.in', 'p.out->take.in']),
    expected: ['SELF_LINK error 6 /edges/1'] },
  { name: 'a link twice', document: doc(GOOD, [...LINKS, 'give.out->pass.in']), expected: ['EDGE_DUPLICATE error 6 /edges/2'] },
  { name: 'an unknown type', document: withPass({ type: 'test::pasd' }), expected: ['NODE_TYPE_UNKNOWN error 7 /nodes/1/type'] },
  { name: 'a version that nobody has', document: withPass({ version: '^3.0.0' }), expected: ['NODE_VERSION error 7 /nodes/1/version'] },
  { name: 'a deprecated type', document: doc({ old: 'test::old', take: 'test::take' }, ['old.out->take.in']),
    expected: ['NODE_DEPRECATED warning 7 /nodes/0/type'] },
  { name: 'a param below its range', document: withDriven({ gain: -1 }), expected: ['PARAM_INVALID error 8 /nodes/1/params/gain'] },
  { name: 'a param of another type', document: withDriven({ gain: 'loud' }), expected: ['PARAM_INVALID error 8 /nodes/1/params/gain'] },
  { name: 'a word that is no choice', document: withDriven({ word: 'mid' }), expected: ['PARAM_INVALID error 8 /nodes/1/params/word'] },
  { name: 'a lone surrogate in a param', document: withDriven({ name: 'a\ud800' }),
    expected: ['PARAM_INVALID error 8 /nodes/1/params/name'] },
  {
    name: 'the default of a run-time input out of range',
    document: { ...withDriven({}), inputs: { g: { to: [['d', 'gain']], default: 9 } } },
    expected: ['PARAM_INVALID error 8 /inputs/g/default'],
  },
  { name: 'a param of no such name', document: withDriven({ gian: 1 }), expected: ['PARAM_UNKNOWN error 8 /nodes/1/params/gian'] },
  { name: 'two faults in params of one node', document: withDriven({ gain: 9, what: 1 }),
    expected: ['PARAM_INVALID error 8 /nodes/1/params/gain', 'PARAM_UNKNOWN error 8 /nodes/1/params/what'] },
  { name: 'a cycle', document: ring({}), expected: ['GRAPH_CYCLE error 9 /edges/2'] },
  {
    name: 'two cycles apart',
    document: doc({ a: 'test::pass', b: 'test::pass', c: 'test::pass', d: 'test::pass' }, [
      'a.out->b.in', 'b.out->a.in', 'c.out->d.in', 'd.out->c.in',
    ]),
    expected: ['GRAPH_CYCLE error 9 /edges/1', 'GRAPH_CYCLE error 9 /edges/3'],
  },
  {
    name: 'a cycle beside a feedback edge',
    document: doc({ ...RING, q: 'test::pass' }, [
      'give.out->m.in', 'm.out->p.in', ['p.out->m.in', { delayFrames: 480 }], 'm.out->q.in', 'q.out->m.in', 'm.out->take.in',
    ]),
    expected: ['GRAPH_CYCLE error 9 /edges/4'],
  },
  {
    name: 'everything muted',
    document: doc({ give: { type: 'test::give', mode: 'mute' }, take: { type: 'test::take', mode: 'mute' } }, ['give.out->take.in']),
    expected: ['GRAPH_NO_END error 10 /nodes'],
  },
  { name: 'a lone node', document: doc({ ...GOOD, lone: 'test::pass' }, LINKS, { outputs: { y: ['pass', 'out'] } }),
    expected: ['PRUNED_NODE info 10 /nodes/2', 'ORPHAN_NODE warning 10 /nodes/3', 'PRUNED_NODE info 10 /nodes/3'] },
  {
    name: 'a branch that nobody wants',
    document: doc({ ...GOOD, side: 'test::script' }, [...LINKS, 'pass.out->side.in'], { outputs: { y: ['pass', 'out'] } }),
    expected: ['PRUNED_NODE info 10 /nodes/2', 'PRUNED_NODE info 10 /nodes/3'],
  },
  {
    name: 'a bypass that nothing can stand for',
    document: doc({ give: 'test::give', b: { type: 'test::big', mode: 'bypass' }, read: 'test::read', take: 'test::take' }, [
      'give.out->b.in', 'b.out->read.in', 'give.out->take.in',
    ]),
    expected: ['BYPASS_IMPOSSIBLE warning 10 /nodes/1/mode'],
  },
  { name: 'a named tier that the host lacks', document: withPass({ tier: 'wasm-threads' }), host: { ...HOST, sab: false },
    expected: ['TIER_UNAVAILABLE error 11 /nodes/1/tier'] },
  { name: 'a list of tiers, none there', document: withPass({ tier: ['wasm-threads', 'wasm'] }), host: { ...HOST, wasm: false },
    expected: ['TIER_UNAVAILABLE error 11 /nodes/1/tier'] },
  { name: 'a fall back', document: good(), host: { wasm: false, simd: false, sab: false },
    expected: ['TIER_FALLBACK warning 11 /nodes/1/tier'] },
  { name: 'a fall back that is not allowed', document: good(), host: { ...HOST, sab: false, fallback: false },
    expected: ['TIER_UNAVAILABLE error 11 /nodes/1/tier'] },
  { name: 'WebGPU on a host without', document: withPass({ requires: { webgpu: true } }), host: HOST,
    expected: ['CAPABILITY_MISSING error 11 /nodes/1/requires'] },
  {
    name: 'two facts that the host lacks', document: withPass({ requires: { cores: 64, arch: 'arm' } }),
    host: { ...HOST, cores: 2, arch: 'x86_64' } as ValidationHost,
    expected: ['CAPABILITY_MISSING error 11 /nodes/1/requires', 'CAPABILITY_MISSING error 11 /nodes/1/requires'],
  },
  { name: 'memory64 preferred', document: withPass({ requires: { memory64: 'preferred' } }), host: HOST,
    expected: ['CAPABILITY_PREFERRED info 11 /nodes/1/requires'] },
  { name: 'another machine where there is none', document: withPass({ place: 'remote' }), host: HOST,
    expected: ['PLACE_IMPOSSIBLE error 11 /nodes/1/place'] },
  { name: 'a port of no such name', document: doc(GOOD, ['give.out->pass.inn', 'pass.out->take.in']),
    expected: ['PORT_NOT_FOUND error 12 /edges/0/to/1'] },
  { name: 'an output port of no such name', document: good({ outputs: { y: ['pass', 'out'], z: ['pass', 'ou'] } }),
    expected: ['PRUNED_NODE info 10 /nodes/2', 'PORT_NOT_FOUND error 12 /outputs/z/1'] },
  {
    name: 'a link to a param that no edge drives',
    document: doc({ give: 'test::give', d: 'test::driven', take: 'test::take' }, ['give.out->d.in', 'give.out->d.word', 'd.out->take.in']),
    expected: ['PORT_NOT_FOUND error 12 /edges/1/to/1'],
  },
  { name: 'two links into a single input', document: doc({ ...GOOD, more: 'test::give' }, [...LINKS, 'more.out->take.in']),
    expected: ['INPUT_OCCUPIED error 12 /edges/2'] },
  { name: 'a run-time input at a linked port', document: good({ inputs: { x: { to: [['take', 'in']] } } }),
    expected: ['INPUT_OCCUPIED error 12 /inputs/x/to/0'] },
  {
    name: 'an input without a link',
    document: doc({ give: 'test::give', take: 'test::take', p: 'test::pass' }, ['give.out->take.in', 'p.out->take.in']),
    expected: ['INPUT_MISSING error 12 /nodes/2', 'INPUT_OCCUPIED error 12 /edges/1'],
  },
  { name: 'audio where text is read', document: doc({ give: 'test::give', read: 'test::read' }, ['give.out->read.in']),
    expected: ['TYPE_MISMATCH error 12 /edges/0'] },
  { name: 'a converter', document: doc({ give: 'test::give', take: 'test::take16' }, ['give.out->take.in']),
    expected: ['CONVERTER_INSERTED info 12 /edges/0'] },
  {
    name: 'a converter that strict does not allow',
    document: doc({ give: 'test::give', take: 'test::take16' }, ['give.out->take.in'], { config: { negotiate: 'strict' } }),
    expected: ['NEGOTIATION_CONFLICT error 12 /edges/0'],
  },
  {
    name: 'a lossy converter where only lossless ones may stand',
    document: doc({ give: 'test::give', take: 'test::take16' }, ['give.out->take.in'], { config: { negotiate: 'safe' } }),
    expected: ['NEGOTIATION_CONFLICT error 12 /edges/0'],
  },
  {
    name: 'media of a run-time input that its port does not take',
    document: doc({ p: 'test::pass', take: 'test::take' }, ['p.out->take.in'], {
      inputs: { talk: { to: [['p', 'in']], media: { kind: 'text' } } },
    }),
    expected: ['TYPE_MISMATCH error 12 /inputs/talk/media'],
  },
  {
    name: 'media of a run-time input that needs a converter',
    document: doc({ take: 'test::take16' }, [], {
      inputs: { talk: { to: [['take', 'in']], media: { kind: 'audio', rate: 44_100, channels: 1 } } },
    }),
    expected: ['CONVERTER_INSERTED info 12 /inputs/talk/media'],
  },
  {
    name: 'media of a run-time input that is no media',
    document: doc({ take: 'test::take16' }, [], { inputs: { talk: { to: [['take', 'in']], media: { kind: 'audio', rate: 'fast' } } } }),
    expected: ['SCHEMA_INVALID error 3 /inputs/talk/media/rate'],
  },
  { name: 'media of a port that the type lacks', document: withPass({ media: { inn: { kind: 'audio' } } }),
    expected: ['PORT_NOT_FOUND error 12 /nodes/1/media/inn'] },
  { name: 'media of a port that its type does not carry', document: withPass({ media: { in: { kind: 'text' } } }),
    expected: ['NEGOTIATION_CONFLICT error 12 /nodes/1/media/in'] },
  { name: 'media of a port that bring a converter', document: withPass({ media: { in: { kind: 'audio', rate: 16_000 } } }),
    expected: ['CONVERTER_INSERTED info 12 /edges/0'] },
  { name: 'media of a port that are no media', document: withPass({ media: { in: { kind: 'audio', rate: 'fast' } } }),
    expected: ['SCHEMA_INVALID error 3 /nodes/1/media/in/rate'] },
  { name: 'feedback through a node written in TypeScript', document: ring({ delayFrames: 480 }, { p: 'test::script' }),
    expected: ['UNSUPPORTED error 12 /edges/2/delayFrames'] },
  {
    name: 'feedback through nodes of which one is pinned',
    document: ring({ delayFrames: 480 }, { p: { type: 'test::pass', place: 'main' } }),
    expected: ['UNSUPPORTED error 12 /edges/2/delayFrames'],
  },
  {
    name: 'feedback that nothing feeds',
    document: doc({ m: 'test::mix', p: 'test::pass', take: 'test::take' }, [
      'm.out->p.in', ['p.out->m.in', { delayFrames: 480 }], 'm.out->take.in',
    ]),
    expected: ['UNSUPPORTED error 12 /edges/1/delayFrames'],
  },
  {
    name: 'feedback of events',
    document: doc({ give: 'test::give', m: 'test::mix', d: 'test::detect', take: 'test::take' }, [
      'give.out->m.in', 'm.out->d.in', ['d.segments->m.in', { delayFrames: 480 }], 'm.out->take.in',
    ]),
    expected: ['TYPE_MISMATCH error 12 /edges/2'],
  },
  { name: 'feedback with a delay under 128', document: ring({ delayFrames: 100 }),
    expected: ['SCHEMA_INVALID error 3 /edges/2/delayFrames'] },
  {
    name: 'five unrelated faults',
    document: doc({
      give: 'test::give', d: { type: 'test::driven', params: { gain: 9 } }, what: 'test::what', m: 'test::mix', p: 'test::pass',
      read: 'test::read', take: 'test::take',
    },
      ['give.out->d.in', 'give.out->what.in', 'give.out->m.in', 'm.out->p.in', 'p.out->m.in', 'nobody.out->take.in', 'give.out->read.in']),
    expected: [
      'NODE_NOT_FOUND error 6 /edges/5/from/0', 'NODE_TYPE_UNKNOWN error 7 /nodes/2/type', 'PARAM_INVALID error 8 /nodes/1/params/gain',
      'GRAPH_CYCLE error 9 /edges/4', 'TYPE_MISMATCH error 12 /edges/6',
    ],
  },
]
