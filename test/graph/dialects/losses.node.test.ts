import { describe, expect, test } from 'vitest'
import type { Document } from '../../../src/graph/document/document.js'
import { fromDocument } from '../../../src/graph/document/from-document.js'
import { toDocument } from '../../../src/graph/document/to-document.js'
import { DIALECTS, type Dialect } from '../../../src/graph/dialects/dialect.js'
import { exportDocument } from '../../../src/graph/dialects/export-document.js'
import { importDocument } from '../../../src/graph/dialects/import-document.js'
import type { ImportReport } from '../../../src/graph/dialects/report.js'
import { createRegistry } from '../../../src/graph/registry.js'
import { documentShape } from '../../../src/graph/schema/document-shape.js'
import type { Shape } from '../../../src/graph/schema/shape.js'
import { builtinNodes } from '../../../src/nodes/builtin-nodes.js'
import type { Loose } from '../../support/loose.js'

const registry = createRegistry(...builtinNodes)

/** A graph that every dialect can say; nodes and edges stand in the order that dialects with maps give them. */
const base = (): Loose => ({
  millrace: 1,
  nodes: [
    { id: '1', type: 'io::wav-file', params: { path: 'a' } },
    { id: '2', type: 'audio::mix' }, { id: '3', type: 'audio::gain' },
    { id: '4', type: 'io::wav-file', params: { path: 'b' } },
  ],
  edges: [{ from: ['1', 'out'], to: ['2', 'in'] }, { from: ['2', 'out'], to: ['3', 'in'] }],
})

const RETRY = { kind: ['none', 'fixed', 'exponential'], retries: [2], delayMs: [5], baseMs: [5], factor: [2], maxMs: [9], jitter: ['full'] }
const BREAKER = { key: ['k'], failures: [2], openMs: [7], successes: [3] }
const GPU = { type: ['metal'], minMemoryBytes: [999], required: [false] }
const wish = [true, 'preferred']
/** A constraint's field needs its kind. */
const KINDS: Readonly<Record<string, string>> = {
  rate: 'audio', channels: 'audio', layout: 'audio', format: 'audio', width: 'video', height: 'video', fps: 'video', still: 'video',
  matrix: 'video', range: 'video',
  dtype: 'tensor', shape: 'tensor', tag: 'tensor', schema: 'json', timebase: 'events', language: 'text', vocab: 'tokens',
  codebooks: 'tokens', mime: 'bytes', maxBytes: 'bytes', options: 'oneOf',
}
const numbers = (a: number, b: number): unknown[] =>
  [a, [a, b], { min: a }, { max: b }, { min: a, max: b }, { min: a, max: b, step: a }, { step: a }, { min: a, 'x-z': 1 }]
const MEDIA = {
  kind: ['audio', 'any', 'json'], rate: numbers(8_000, 16_000), channels: numbers(1, 2), format: ['f32', ['f32', 'i16'], 'u8'],
  layout: ['planar', ['planar', 'interleaved']], width: [2], height: [2], fps: [25], still: [true], matrix: ['bt709'],
  range: [['full', 'limited']],
  dtype: ['f32'], shape: [[2]], tag: ['t'], schema: ['s'], timebase: [10], language: ['en'], vocab: [9], codebooks: [2], mime: ['a/b'],
  maxBytes: [9], options: [[{ kind: 'audio', rate: 8_000 }]],
}

/** Values of every field of a document, at its place in {@link base}; a star stands for an entry. */
const SAMPLES: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>> = {
  '': {
    $schema: ['s'], id: ['x'], revision: [3], engines: [{ millrace: '*' }], meta: [], packs: [[{ name: 'a', version: '1' }]], inputs: [],
    outputs: [{ o: ['3', 'out'] }, { o: ['3', 'out'], p: ['4', 'out'] }], config: [],
    ui: [
      7, { a: 1 },
      { groups: [{ title: 'g', x: 0, y: 0, width: 1, height: 1 }], comments: [{ id: '9', text: 't' }] },
      { groups: [{ title: 'g', font: 3 }] },
      { comments: [{ id: 'c', text: 't', by: 'u' }, { id: 'd', text: 't' }] },
      { groups: 3 }, { comments: [7] },
    ],
    definitions: [
      {
        d: {
          millrace: 1, inputs: { in: { to: [['g', 'in']] } }, nodes: [{ id: 'g', type: 'audio::gain' }], outputs: { out: ['g', 'out'] },
        },
      },
      {
        d: { millrace: 1, meta: { name: 'q' }, config: { seed: 5 }, nodes: [{ id: 'g', type: 'audio::gain', output: true, ui: { z: 1 } }] },
      },
    ],
  },
  '/meta': {
    name: ['n', 'n'.repeat(255)], description: ['d', 'd'.repeat(10_000)], author: ['a'], tags: [['t']], license: ['l'], priority: [3],
    created: ['2024-01-01T00:00:00.000Z'], modified: ['2024-01-01T00:00:00.000Z'],
  },
  '/config': {
    metrics: [false], onError: ['continue'], negotiate: ['safe', 'strict'], timeoutMs: [5], cache: ['off'],
    seed: [3, '18446744073709551615'],
    retry: [{ kind: 'fixed', retries: 2, delayMs: 5 }, { kind: 'none', retries: 2 }, { kind: 'fixed' }],
    breaker: [{}],
  },
  '/config/retry': RETRY, '/config/breaker': BREAKER,
  '/inputs/i': { to: [[['3', 'gainDb']], [['2', 'in']]], media: [{ kind: 'audio', rate: 8_000 }], required: [false], default: [-9] },
  '/nodes/2': {
    version: ['^1.0.0'],
    params: [
      { gainDb: -3 }, { gain_db: -3 }, { q: ['1', 0] }, { q: null }, { q: { a: { __value__: 1 } } }, { q: '12345678901234567890' }, {},
    ],
    mode: ['bypass', 'mute'], output: [true], matrix: [{ a: [1] }], produces: [['a']], consumes: [['a']],
    tier: [
      'js', 'python', 'rust', 'wasm', 'wasm-threads', 'wasm-simd', ['js'], ['wasm'], ['wasm-threads'], ['wasm-threads', 'wasm'],
      ['wasm', 'wasm-threads'], ['wasm', 'js'], ['js', 'wasm'], ['wasm-threads', 'wasm', 'js'],
    ],
    place: ['local', 'remote', 'prefer-local', 'prefer-remote', 'main'],
    ui: [
      { x: 1, y: 2, title: 'T' }, { foo: 1 }, 7, { x: 'left' }, { title: 3 }, { width: 5 }, { collapsed: true, color: '#fff' },
      { collapsed: false },
    ],
    requires: [],
    media: [
      {}, { in: { kind: 'audio' } },
      { gainDb: { kind: 'audio', channels: 1 } },
      { zz: { kind: 'audio', rate: 8_000 } },
      { default: { kind: 'audio', rate: 8_000 } },
    ],
    policy: [],
  },
  '/nodes/2/requires': {
    webgpu: wish, simd: wish, threads: wish, relaxedSimd: wish, memory64: wish, cores: [2], memoryBytes: [12_345], arch: ['arm'], gpu: [{}],
    tags: [['a']],
  },
  '/nodes/2/requires/gpu': GPU,
  '/nodes/2/media/in': MEDIA,
  '/nodes/2/policy': {
    timeoutMs: [0, 5], retry: [], breaker: [{}], limiters: [['l']], exclusive: [true, ['l']], priority: ['high'], always: [true],
    skipIf: [1], cache: ['off'], pin: ['main'], hangMs: [5],
  },
  '/nodes/2/policy/retry': RETRY, '/nodes/2/policy/breaker': BREAKER,
  '/edges/0': { id: ['e', '17'], order: [0], whenFull: ['latest'], capacity: [4], delayFrames: [200] },
}
/** What every document has, and what {@link whole} changes. */
const ALWAYS = ['/millrace', '/nodes', '/edges', '/nodes/2/id', '/nodes/2/type', '/edges/0/from', '/edges/0/to']
const COPIED = /^\/(?:packs\/0|engines|inputs\/i\/media)\//

/** Pointers of all fields that a shape declares; documents within documents once. */
function fieldsOf(shape: Shape, at: string): string[] {
  switch (shape.kind) {
    case 'object': return Object.entries(shape.fields).flatMap(([name, field]) =>
      [`${at}/${name}`, ...name === 'options' || MEDIA_RANGE.test(`${at}/${name}`) ? [] : fieldsOf(field.shape, `${at}/${name}`)])
    case 'either': return shape.options.flatMap((one) => fieldsOf(one, at))
    case 'list': return fieldsOf(shape.items, `${at}/${at === '/nodes' ? 2 : 0}`)
    case 'map': return fieldsOf(shape.values, `${at}/${at.endsWith('/media') ? 'in' : 'i'}`)
    default: return []
  }
}
const MEDIA_RANGE = /\/media\/in\/[a-zA-Z]+$/

interface Cell { readonly name: string; readonly document: Loose }

/** The base with a value at a pointer, and what the value needs around it. */
function withField(pointer: string, value: unknown): Loose {
  const document = base(), keys = pointer.split('/').slice(1), name = keys.at(-1)!
  let at = document
  for (const key of keys.slice(0, -1)) {
    at[key] ??= {}
    at = at[key]
    if (key === 'i') at['to'] = [['3', 'gainDb']]
    if (key === 'retry') at['kind'] = 'fixed'
    if (key === 'gpu' && name !== 'type') at['type'] = 'any'
    if (key === 'in') at['kind'] = KINDS[name] ?? 'audio'
  }
  at[name] = value
  return document
}

/** Samples of every field, a field that nobody knows and an `x-` field of every object, and whole shapes of graphs. */
function cells(): Cell[] {
  const fields = Object.entries(SAMPLES).flatMap(([place, samples]) => Object.entries({ ...samples, 'x-z': [1], zz: [{ a: 1 }] })
    .flatMap(([name, values]) => values.map((value): Cell => ({
      name: `${place}/${name} ${JSON.stringify(value)?.slice(0, 80)}`, document: withField(`${place}/${name}`, value),
    }))))
  const whole = (
    name: string, change: (document: Loose) => void,
  ): Cell => { const document = base(); change(document); return { name, document } }
  return [
    ...fields,
    whole('two links at one input', (d) => d['edges'].splice(1, 0, { from: ['4', 'out'], to: ['2', 'in'] })),
    whole('two links at one input, in their own order', (d) => d['edges'].splice(0, 0, { from: ['4', 'out'], to: ['2', 'in'], order: -1 })),
    whole('twelve links at one input', (d) =>
      d['edges'].splice(1, 0, ...Array.from({ length: 11 }, () => ({ from: ['4', 'out'], to: ['2', 'in'] })))),
    whole('two links at an input of an unknown type', (d) => {
      d['nodes'][1].type = 'my::type'
      d['edges'].splice(1, 0, { from: ['4', 'out'], to: ['2', 'in'] })
    }),
    whole('a link at a param that has a value', (d) => {
      d['nodes'][2].params = { gainDb: -3 }
      d['edges'].splice(1, 0, { from: ['4', 'out'], to: ['3', 'gainDb'] })
    }),
    whole('a subgraph', (d) => {
      Object.assign(d, withField('/definitions', SAMPLES['']!['definitions']![0]))
      d['nodes'][2].type = 'graph::d'
    }),
    whole('all nodes muted', (d) => { for (const node of d['nodes']) node.mode = 'mute' }),
    whole('a muted source', (d) => { d['nodes'][0].mode = 'mute' }),
    whole('an id with a space', (d) => {
      d['nodes'][3].id = 'a b'
      d['edges'].splice(1, 0, { from: ['a b', 'out'], to: ['3', 'gainDb'] })
    }),
    whole('an id of 64 smileys', (d) => {
      d['nodes'][3].id = '\u{1f600}'.repeat(64)
      d['edges'].splice(1, 0, { from: [d['nodes'][3].id, 'out'], to: ['3', 'gainDb'] })
    }),
    whole('an unknown type', (d) => { d['nodes'][2].type = 'my::type' }),
    whole('an output node', (d) => { d['nodes'][2] = { id: '3', type: 'io::wav-writer', params: { path: 'o' } } }),
    whole('an alias', (d) => { d['nodes'][2].type = 'AudioGainNode' }),
    whole('a link from a node that is not there', (d) => d['edges'].push({ from: ['b/zz', 'out'], to: ['4', 'zz'] })),
    whole('a param named like a prototype', (d) => { d['nodes'][2].params = JSON.parse('{"__proto__":1,"constructor":2}') }),
  ]
}

/** Leaves by pointer, without what importers keep for their own exporters. */
function leaves(value: unknown, at = '', found = new Map<string, string>()): Map<string, string> {
  const entries = typeof value === 'object' && value !== null
    ? Object.entries(value).filter(([name]) => !/^x-(?:comfyui|graphdsl|remotemedia|type)$/.test(name))
    : []
  if (entries.length === 0 && (typeof value !== 'object' || value === null)) found.set(at, JSON.stringify(value))
  for (const [name, one] of entries) leaves(one, `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, found)
  return found
}

function trip(document: Loose, dialect: Dialect): {
  readonly before: Map<string, string>
  readonly after: Map<string, string>
  readonly told: readonly string[]
  readonly report: ImportReport
} {
  const graph = fromDocument(document as Document, registry), { text, report } = exportDocument(graph, dialect), told = pointers(report)
  let read: Document
  try { read = importDocument(text, { registry, dialect }).document } catch (error) {
    if (told.includes('/nodes')) return { before: new Map(), after: new Map(), told, report }
    throw error
  }
  return { before: leaves(toDocument(graph)), after: leaves(toDocument(fromDocument(read, registry))), told, report }
}
const pointers = ({ renamed, substituted, dropped }: ImportReport): string[] => [...renamed, ...substituted, ...dropped].map((one) =>
  one.pointer)
const within = (pointer: string, told: string): boolean =>
  pointer === told || pointer.startsWith(`${told}/`) || told.startsWith(`${pointer}/`)
/** Where two documents differ. */
const changed = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string[] =>
  [...new Set([...a.keys(), ...b.keys()])].filter((pointer) => a.get(pointer) !== b.get(pointer))

/**
 * What a dialect adds without a change of meaning: ids of links, places on a canvas, what a policy, a param or a GPU has anyway; and
 * defaults of inputs, listed with the input.
 */
function isAddition(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>, at: string, told: readonly string[]): boolean {
  const [, param] = /^\/nodes\/2\/params\/([^/]+)$/.exec(at) ?? [], type = JSON.parse(after.get('/nodes/2/type') ?? '""') as string
  return !before.has(at) && (/^\/edges\/\d+\/id$|^\/ui\/(?:groups|comments)\/\d+\/(?:x|y|width|height)$/.test(at)
    || SAME.includes(`${at} ${after.get(at)}`)
    || (param !== undefined
      && (told.includes('/inputs/i') || JSON.stringify(registry.get(type)?.params[param]?.default) === after.get(at))))
}
const SAME = ['/config/retry/retries 3', '/config/breaker/failures 5', '/nodes/2/requires/gpu/type "any"']

test('the table of samples has every field of a document', () => {
  const declared = new Set(fieldsOf(documentShape, '').map((one) => one.replace('/packs/i', '/packs/0')))
  const sampled = new Set(Object.entries(SAMPLES).flatMap(([place, fields]) => Object.keys(fields).map((name) => `${place}/${name}`)))
  expect([...declared].filter((one) => !sampled.has(one) && !ALWAYS.includes(one) && !COPIED.test(one))).toEqual([])
  expect([...sampled].filter((one) => !declared.has(one))).toEqual([])
})

describe.each(DIALECTS)('what %s cannot say is listed with its pointer', (dialect) => {
  const plain = trip(base(), dialect), usual = new Set(changed(plain.before, plain.after))
  test('a graph that it can say comes back', () => {
    expect([...plain.before].filter(([at, value]) => plain.after.get(at) !== value)).toEqual([])
  })
  test('every field', () => {
    const silent = cells().flatMap(({ name, document }) => {
      const { before, after, told, report: { renamed, dropped } } = trip(document, dialect)
      // Nodes and edges that are gone move those behind them; a definition of another name is another definition.
      const shifted = told.some((one) => /^\/nodes\/\d+(?:\/mode)?$/.test(one) || one === '/definitions')
      const edges = shifted || dropped.some((one) => /^\/edges\/\d+$/.test(one.pointer))
      const moved = [
        ...shifted ? ['/nodes/'] : [], ...edges ? ['/edges/'] : [], ...told.includes('/definitions/d') ? ['/definitions/'] : [],
      ]
      const isRenamed = (at: string): boolean =>
        renamed.some(({ pointer, to }) => at === `${pointer.slice(0, pointer.lastIndexOf('/'))}/${to}`)
          || /^\/edges\/\d+\/(?:from|to)\/0$/.test(at)
            && renamed.some(({ from, to }) => JSON.stringify(from) === before.get(at) && JSON.stringify(to) === after.get(at))
      const lost = changed(before, after).filter((at) => !usual.has(at) && !isAddition(before, after, at, told) && !isRenamed(at)
        && !moved.some((one) => at.startsWith(one)) && !told.some((one) => within(at, one)))
      return lost.length === 0
        ? []
        : [`${name}: ${lost.map((at) => `${at} ${before.get(at)?.slice(0, 60)} -> ${after.get(at)?.slice(0, 60)}`).join(', ')}`]
    })
    expect(silent).toEqual([])
  })
})

const exported = (
  change: (document: Loose) => void, dialect: Dialect,
): { readonly json: Loose; readonly report: ImportReport; readonly back: () => Document } => {
  const document = base()
  change(document)
  const { text, report } = exportDocument(fromDocument(document as Document, registry), dialect)
  return { json: JSON.parse(text), report, back: () => importDocument(text, { registry, dialect }).document }
}
const twoLinks = (document: Loose): void => { document['edges'].splice(1, 0, { from: ['4', 'out'], to: ['2', 'in'], order: -1 }) }

describe('what a dialect can carry', () => {
  test('the API form of ComfyUI: further links of an input have numbers, in the order of the document', () => {
    const { json, report, back } = exported(twoLinks, 'comfyui-api')
    expect(json[2].inputs).toEqual({ in: ['4', 0], 'in:2': ['1', 0] })
    expect(report.substituted).toContainEqual({ pointer: '/edges/0', what: 'link 2 to 2.in', by: 'input in:2' })
    expect(back().edges).toMatchObject([
      { from: ['4', 'out'], to: ['2', 'in'] }, { from: ['1', 'out'], to: ['2', 'in'] }, { from: ['2', 'out'], to: ['3', 'in'] },
    ])
    const many = exported((d) => {
      d['nodes'].push(...Array.from({ length: 12 }, (_, i) => ({ id: `s${i}`, type: 'io::wav-file', params: { path: 'c' } })))
      d['edges'] = Array.from({ length: 12 }, (_, i) => ({ from: [`s${i}`, 'out'], to: ['2', 'in'] }))
    }, 'comfyui-api')
    expect(many.back().edges!.map(({ from, to }) => `${from[0]} ${to[1]}`)).toEqual(Array.from({ length: 12 }, (_, i) => `s${i} in`))
    // A name with a number alone is a name.
    const own = importDocument(
      { 1: { class_type: 'A', inputs: {} }, 2: { class_type: 'B', inputs: { 'x:2': ['1', 0], 'y:3': ['1', 0], y: ['1', 0] } } },
      { dialect: 'comfyui-api' },
    ).document
    expect(own.edges!.map(({ to }) => to[1]).sort()).toEqual(['x:2', 'y', 'y:3'])
  })

  test('a workflow of ComfyUI has one link at an input: the first counts, the other is listed, and told again when the file is read', () => {
    const { json, report, back } = exported(twoLinks, 'comfyui-workflow')
    expect(report.dropped.map(({ pointer }) => pointer)).toContain('/edges/0')
    expect(back().edges!.map(({ from, to }) => [...from, ...to])).toEqual([['4', 'out', '2', 'in'], ['2', 'out', '3', 'in']])
    expect(importDocument(json, { registry }).report.dropped)
      .toEqual([{ pointer: '/links', what: expect.stringContaining('its input has another link') }])
  })

  test.each([
    ['js', 'python', 'js'], [['js'], 'python', 'js'], ['python', 'python', 'js'], ['wasm', 'rust', ['wasm-threads', 'wasm']],
    [['wasm-threads', 'wasm'], 'rust', ['wasm-threads', 'wasm']],
    [['wasm', 'js'], 'auto', undefined], [['wasm-threads', 'wasm', 'js'], 'auto', undefined], ['auto', undefined, undefined],
  ])('tier %j is runtime_hint %s, which is read as %j', (tier, hint, read) => {
    for (const dialect of ['remotemedia-seed', 'remotemedia-v1'] as const) {
      const { json, report, back } = exported((d) => { d['nodes'][2].tier = tier }, dialect)
      expect(json['nodes'][2].runtime_hint).toBe(hint)
      expect(back().nodes[2]!.tier).toEqual(read)
      expect(report.substituted.map(({ pointer }) => pointer))
        .toEqual(JSON.stringify(read) === JSON.stringify(tier) || tier === 'auto' ? [] : ['/nodes/2/tier'])
    }
  })

  test.each(['remotemedia-v1', 'comfyui-api'] as const)('%s without a node is no %s: listed', (dialect) => {
    const { report } = exported((d) => { for (const node of d['nodes']) node.mode = 'mute' }, dialect)
    expect(report.dropped).toContainEqual({ pointer: '/nodes', what: `no node is left, and ${dialect} has at least one` })
    expect(exported(() => {}, dialect).report.dropped).toEqual([])
  })

  test('ids of a manifest v1 are its own, those of nodes that are not there too', () => {
    const { json, report, back } = exported((d) => {
      d['nodes'][3].id = 'b zz'
      d['edges'].push({ from: ['b/zz', 'out'], to: ['4', 'in'] }, { from: ['b zz', 'out'], to: ['2', 'in'] })
    }, 'remotemedia-v1')
    expect(json['connections'].map((one: Loose) => one['from'])).toEqual(['1', '2', 'b_zz_2', 'b_zz'])
    expect(report.renamed).toEqual(expect.arrayContaining([
      { pointer: '/nodes/3/id', from: 'b zz', to: 'b_zz' },
      { pointer: '/edges/2/from/0', from: 'b/zz', to: 'b_zz_2' },
    ]))
    expect(back().edges).toHaveLength(4)
  })

  test('media_capabilities: names and values of the dialect only', () => {
    const told = JSON.parse('{"inputs":{"in":{"constructor":16000,"__proto__":1,"toString":2,"sample_rate":0,"channels":1.5,"layout":"round","format":"constructor"},"__proto__":{"sample_rate":8000}}}')
    const { document, report } = importDocument(
      { version: 'v1', metadata: { name: 'n' }, nodes: [{ id: 'a', node_type: 'audio::gain', media_capabilities: told }], connections: [] },
      { registry },
    )
    expect(Object.entries(document.nodes[0]!.media!)).toEqual([['in', { kind: 'audio' }], ['__proto__', { kind: 'audio', rate: 8_000 }]])
    expect(report.dropped.map(({ pointer }) => pointer.split('/').at(-1)).sort())
      .toEqual(['__proto__', 'channels', 'constructor', 'format', 'layout', 'sample_rate', 'toString'])
  })
})
