/**
 * GR-54, GR-31: whatever decides what a node gives enters its code hash (record 04); what only shows, places or estimates it does not. A
 * field that is added to the types without a row here does not compile.
 */
import { describe, expect, test } from 'vitest'
import { codeDigest } from '../../src/graph/hash-type.js'
import type {
  InputDeclaration, KernelDeclaration, NodeDefinition, OutputDeclaration, ParamDeclaration,
} from '../../src/graph/node-definition.js'
import { audio, json, type MediaConstraint } from '../../src/index.js'
import { gain } from '../../src/nodes/index.js'

type Pair<T> = readonly [a: T, b: T]
/** Two values of every field. */
type Pairs<T> = { readonly [K in keyof Required<T>]: Pair<unknown> }
const base: NodeDefinition = {
  type: 'my::a', version: '1.0.0', title: 'A', doc: 'A.', family: 'f', params: {}, inputs: {}, outputs: {}, process: async () => ({}),
}
const hex = (definition: object): string => Buffer.from(codeDigest(definition as NodeDefinition)).toString('hex')
const one = (): number => 1, two = (): number => 2

const DEFINITION: Pairs<NodeDefinition> = {
  type: ['my::a', 'my::b'], version: ['1.0.0', '1.0.1'], title: ['A', 'B'], doc: ['A', 'B'], family: ['f', 'g'], tags: [['a'], ['b']],
  aliases: [['a'], ['b']], status: ['stable', 'deprecated'], replacedBy: ['my::c', 'my::d'],
  references: [['a'], ['b']], params: [{ p: { type: 'number', doc: '' } }, { p: { type: 'integer', doc: '' } }],
  additionalParams: [true, false], inputs: [{ in: { media: json() } }, { in: { media: audio() } }],
  outputs: [{ out: { media: json() } }, { out: { media: audio() } }], main: ['a', 'b'],
  kernel: [{ module: 'core', export: 'gain' }, { module: 'core', export: 'mix' }], reference: [{ process: one }, { process: two }],
  process: [one, two],
  init: [one, two], flush: [one, two], reset: [one, two], dispose: [one, two], pull: [one, two], thread: ['engine', 'worker'],
  codeURL: ['https://a/1.js', new URL('https://a/2.js')], whole: [one, two], probe: [one, two], validate: [one, two],
  deterministic: ['yes', 'seeded'], parity: ['exact', { peak: 1, rms: 1 }], stateful: [true, false], idempotent: [true, false],
  effects: ['read', 'write'], latencyFrames: [1, 2], tailFrames: [one, two], holdFrames: [1, 2], summary: [one, two],
  identity: [one, two], planNote: [one, two], costNs: [1, 2], costUs: [1, 2], memoryBytes: [1, 2], requires: [{ threads: true }, {}],
  pin: ['main', 'master'], limiters: [['cpu'], []], hangMs: [1, 2], batchable: [true, false], fingerprint: [one, two],
  converter: [{ lossless: true, cost: 1, params: one }, { lossless: true, cost: 2, params: two }], migrations: [[{ from: '0.1.0' }], []],
  example: [one, two],
}
const INPUT: Pairs<InputDeclaration> = {
  media: [audio({ rate: 8_000 }), audio({ rate: 16_000 })], optional: [true, false], multi: [true, false], lazy: [true, false],
  list: [true, false], changes: [true, false], doc: ['a', 'b'],
}
const OUTPUT: Pairs<OutputDeclaration> = {
  media: [audio({ rate: () => 8_000 }), audio({ rate: () => 16_000 })],
  list: [true, false], frames: ['same', 'passThrough'], view: [() => ({ first: 0 }), () => ({ first: 1 })],
  metadata: [() => ({ a: 1 }), () => ({ a: 2 })], doc: ['a', 'b'],
}
const PARAM: Pairs<ParamDeclaration> = {
  type: ['number', 'integer'], unit: ['Hz', 'dB'], min: [0, 1], max: [2, 3], exclusiveMin: [0, 1], exclusiveMax: [2, 3], step: [1, 2],
  default: [1, 2], values: [['a', 'b'], ['b', 'a']], pattern: ['a', 'b'], minLength: [1, 2], maxLength: [3, 4],
  minItems: [1, 2], maxItems: [3, 4], items: [{ type: 'number', doc: '' }, { type: 'integer', doc: '' }], required: [true, false],
  curve: ['lin', 'log'], label: ['a', 'b'], doc: ['a', 'b'], widget: ['a', 'b'], cosmetic: [true, false], secret: [true, false],
  size: ['cores', 'memoryBytes'], alias: [['a'], ['b']], rate: ['init', 'block'], input: [true, false], main: [true, false],
}
const KERNEL: Pairs<KernelDeclaration> = {
  module: ['core', 'more'], export: ['a', 'b'], flush: [true, false], shared: [true, false], tiers: [['wasm'], ['wasm-threads']],
  statuses: [{ 1: 'a' }, { 1: 'b' }], inPlace: [[[0, 0]], [[0, 1]]], assets: [one, two], slots: [one, two], controls: [one, two],
}
const TABLES: readonly (readonly [
  name: string, pairs: Readonly<Record<string, Pair<unknown>>>, aside: string, around: (fields: object) => object,
])[] = [
  ['definition', DEFINITION, 'type fingerprint title doc family tags aliases status replacedBy references planNote costNs costUs memoryBytes requires pin limiters hangMs batchable thread converter migrations example', (fields) => ({ ...base, ...fields })],
  ['input', INPUT, 'doc', (fields) => ({ ...base, inputs: { in: { media: json(), ...fields } } })],
  ['output', OUTPUT, 'doc', (fields) => ({ ...base, outputs: { out: { media: json(), ...fields } } })],
  ['param', PARAM, 'unit curve label doc widget size alias',
    (fields) => ({ ...base, params: { p: { type: 'number', doc: '', ...fields } } })],
  ['kernel', KERNEL, '', (fields) => ({ ...gain.definition, kernel: { module: 'x', export: 'y', ...fields } })],
]

describe('GR-54: fields', () => {
  test.each(TABLES)('of a %s: each decides, or is known not to', (_name, pairs, aside, around) => {
    const same = Object.entries(pairs).filter(([field, [a, b]]) =>
      hex(around({ [field]: a })) === hex(around({ [field]: b }))).map(([field]) => field)
    expect(same.sort()).toEqual(aside.split(' ').filter((word) => word !== '').sort())
  })

  test('names of ports are no fields, their order counts, a default that is not hashed does not', () => {
    const port = { media: json() }
    const param = (name: string, fields: object = {}): object => ({ [name]: { type: 'number', doc: '', ...fields } })
    expect(hex({ ...base, inputs: { doc: port } })).not.toBe(hex({ ...base, inputs: {} }))
    expect(hex({ ...base, inputs: { a: port, b: port } })).not.toBe(hex({ ...base, inputs: { b: port, a: port } }))
    expect(hex({ ...base, params: { ...param('a'), ...param('b') } })).not.toBe(hex({ ...base, params: { ...param('b'), ...param('a') } }))
    expect(hex({ ...base, params: param('a', { cosmetic: true, default: 1 }) }))
      .toBe(hex({ ...base, params: param('a', { cosmetic: true, default: 2 }) }))
    expect(hex({ ...base, main: undefined })).toBe(hex(base))
  })

  test('media: constants, sets, ranges, functions, links, wherever they stand', () => {
    const media: readonly MediaConstraint[] = [audio(), audio({ rate: 8_000 }), audio({ rate: [8_000] }), audio({ rate: { min: 8_000 } }),
      audio({ rate: { max: 8_000 } }), audio({ rate: () => 8_000 }), audio({ rate: { sameAs: 'in' } }), audio({ like: 'in' }),
      audio({ discovered: true }),
      { kind: 'any' }, { kind: 'match', name: 'T' }, { kind: 'oneOf', options: [audio(), json()] },
      { kind: 'oneOf', options: [json(), audio()] }, { kind: 'tensor', shape: [null] }, { kind: 'tensor', shape: ['n'] },
      { kind: 'tensor', shape: [1] }]
    expect(new Set(media.map((one) => hex({ ...base, outputs: { out: { media: one } } }))).size).toBe(media.length)
  })
})

test('GR-54: what has no text equals itself only: bound and built-in functions, instances, what holds itself', () => {
  const bound = (n: number): unknown => (async function (this: number) { return this }).bind(n), loop: Record<string, unknown> = {}
  loop['self'] = loop
  for (const process of [bound(1), Math.max, class { readonly model = 1 }.bind?.(null) ?? Math.min]) {
    const definition = { ...base, process }
    expect(hex(definition)).toBe(hex(definition))
    expect(hex(definition)).not.toBe(hex({ ...definition }))
  }
  for (const extra of [new Map([[1, 2]]), Symbol('x'), loop]) expect(hex({ ...base, extra })).not.toBe(hex({ ...base, extra }))
  expect(hex({ ...base, extra: { a: [1, new Date(5), new Uint8Array(2), null] } }))
    .toBe(hex({ ...base, extra: { a: [1, new Date(5), new Uint8Array(2), null] } }))
  expect(hex({ ...base })).toBe(hex({ ...base }))
})
