/**
 * Every field of `defineNode`, given values of other types than its own: `INVALID_ARGUMENT` that names the type, the field and what it may
 * be. A field that is added to the types without a row here does not compile.
 */
import { describe, expect, test } from 'vitest'
import { defineNode, json } from '../../src/index.js'
import type {
  InputDeclaration, KernelDeclaration, NodeDefinition, OutputDeclaration, ParamDeclaration,
} from '../../src/graph/node-definition.js'
import { gain } from '../../src/nodes/index.js'

const base = {
  type: 'my::a', version: '1.0.0', title: 'A', doc: '', family: 'f', params: { p: { type: 'number', doc: '' } },
  inputs: { in: { media: json() } }, outputs: { out: { media: json() } }, process: async () => ({}),
}
/** A value of each kind. */
const VALUES = {
  text: 'word', empty: '', number: 5, negative: -1, nan: Number.NaN, yes: true, nothing: null, list: [], texts: ['a'], numbers: [1],
  object: {}, call: () => 1, big: 5n, symbol: Symbol('s'),
} as const
type Kind = keyof typeof VALUES
const TEXT: readonly Kind[] = ['text', 'empty'], AMOUNT: readonly Kind[] = ['number'], NUMBER: readonly Kind[] = ['number', 'negative'],
  FLAG: readonly Kind[] = ['yes'], CALL: readonly Kind[] = ['call'], TEXTS: readonly Kind[] = ['texts', 'list'],
  OBJECT: readonly Kind[] = ['object'], NONE: readonly Kind[] = []
const ESTIMATE: readonly Kind[] = ['number', 'call']

/**
 * What of {@link VALUES} each field takes; the rest is refused. `undefined` is a field that is not there, which only required ones refuse.
 */
const NODE: Readonly<Record<keyof NodeDefinition, readonly Kind[]>> = {
  type: NONE, version: NONE, title: ['text'], doc: TEXT, family: TEXT, tags: TEXTS, aliases: TEXTS, status: NONE, replacedBy: TEXT,
  references: TEXTS, params: OBJECT, additionalParams: FLAG, inputs: OBJECT, outputs: OBJECT, main: NONE, kernel: NONE, reference: NONE,
  process: CALL, init: CALL, flush: CALL, reset: CALL, dispose: CALL, pull: CALL, thread: NONE, codeURL: NONE, whole: CALL, probe: CALL,
  validate: CALL, deterministic: NONE, parity: NONE, stateful: FLAG, idempotent: FLAG, effects: NONE, latencyFrames: ESTIMATE,
  tailFrames: ESTIMATE, holdFrames: ESTIMATE, summary: CALL, identity: CALL, planNote: CALL, costNs: AMOUNT, costUs: ESTIMATE,
  memoryBytes: ESTIMATE, requires: OBJECT, pin: NONE, limiters: TEXTS, hangMs: AMOUNT, batchable: FLAG,
  fingerprint: CALL, converter: NONE, migrations: ['list'], example: CALL,
}
const PARAM: Readonly<Record<keyof ParamDeclaration, readonly Kind[]>> = {
  type: NONE, unit: TEXT, min: NUMBER, max: NUMBER, exclusiveMin: NUMBER, exclusiveMax: NUMBER, step: AMOUNT, default: NUMBER,
  values: TEXTS, pattern: TEXT, minLength: AMOUNT, maxLength: AMOUNT, minItems: AMOUNT, maxItems: AMOUNT, items: NONE, required: FLAG,
  curve: NONE, label: TEXT, doc: TEXT, widget: TEXT, cosmetic: FLAG, secret: FLAG, size: NONE, alias: TEXTS, rate: NONE, input: FLAG,
  main: FLAG,
}
const INPUT: Readonly<Record<keyof InputDeclaration, readonly Kind[]>> = {
  media: NONE, optional: FLAG, multi: FLAG, lazy: FLAG, list: FLAG, changes: FLAG, doc: TEXT,
}
const OUTPUT: Readonly<Record<keyof OutputDeclaration, readonly Kind[]>> = {
  media: NONE, list: FLAG, doc: TEXT, frames: CALL, view: CALL, metadata: CALL,
}
const KERNEL: Readonly<Record<keyof KernelDeclaration, readonly Kind[]>> = {
  module: TEXT, export: TEXT, flush: FLAG, shared: FLAG, tiers: NONE, statuses: OBJECT, inPlace: ['list'], assets: CALL, slots: CALL,
  controls: CALL,
}

type Place = readonly [place: string, fields: Readonly<Record<string, readonly Kind[]>>, make: (field: object) => object]
const kernel = gain.definition
const places: readonly Place[] = [
  ['', NODE, (field) => field], ['params.p.', PARAM, (field) => ({ params: { p: { type: 'number', doc: '', ...field } } })],
  ['params.p.items.', PARAM, (field) => ({ params: { p: { type: 'array', doc: '', items: { type: 'number', doc: '', ...field } } } })],
  ['inputs.in.', INPUT, (field) => ({ inputs: { in: { media: json(), ...field } } })],
  ['outputs.out.', OUTPUT, (field) => ({ outputs: { out: { media: json(), ...field } } })],
  ['kernel.', KERNEL, (field) => ({ ...kernel, kernel: { ...kernel.kernel, ...field } })],
  ['reference.', { init: CALL, process: CALL, flush: CALL, reset: CALL },
    (field) => ({ ...kernel, reference: { ...kernel.reference, ...field } })],
  ['converter.', { lossless: ['yes', 'call'], cost: AMOUNT, params: CALL },
    (field) => ({ converter: { lossless: true, cost: 1, params: () => null, ...field } })],
  ['parity.', { peak: AMOUNT, rms: AMOUNT }, (field) => ({ parity: { peak: 1, rms: 1, ...field } })],
  ['migrations[0].', { from: NONE, renames: OBJECT, params: CALL },
    (field) => ({ version: '2.0.0', migrations: [{ from: '1.0.0', ...field }] })],
]
const codeOf = (parts: object): string => {
  try { defineNode({ ...base, ...parts } as never); return 'taken' } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

describe.each(places)('%s', (place, fields, make) => {
  test.each(Object.entries(fields))('%s', (field, takes) => {
    // The default of items is nobody's.
    const any = place.includes('items') && field === 'default'
    for (const kind of Object.keys(VALUES) as Kind[]) {
      expect([field, kind, codeOf(make({ [field]: VALUES[kind] }))])
        .toEqual([field, kind, any || takes.includes(kind) ? 'taken' : 'INVALID_ARGUMENT'])
    }
  })
})

test.each<[string, object, string]>([
  ['a number as text', { costUs: '5' }, 'defineNode(my::a): expected costUs as a number from 0 or a function, got "5".'],
  ['a bound', { params: { p: { type: 'number', min: '1', doc: '' } } }, 'defineNode(my::a): expected params.p.min as a number, got "1".'],
  ['a word', { effects: 'all' }, 'defineNode(my::a): expected effects as none or read or write, got "all".'],
  ['no title', { title: undefined }, 'defineNode(my::a): expected title as text, got nothing.'],
  ['no params', { params: undefined }, 'defineNode(my::a): expected params as an object, got nothing.'],
  ['media', { inputs: { in: { media: { kind: 'audoi' } } } },
    'defineNode(my::a): expected inputs.in.media.kind as audio or video or tensor or tokens or text or events or json or bytes or any or match or oneOf, got "audoi".'],
  ['a pattern', { params: { p: { type: 'string', pattern: '(', doc: '' } } },
    'defineNode(my::a): expected params.p.pattern as a regular expression, got (.'],
  ['a default', { params: { p: { type: 'enum', values: ['a'], default: 'b', doc: '' } } },
    'defineNode(my::a): expected a default of p among its values, got "b".'],
  ['renames', { version: '2.0.0', migrations: [{ from: '1.0.0', renames: { a: 1 } }] },
    'defineNode(my::a): expected migrations[0].names as a list of texts, got [1].'],
  ['a version', { version: '1.0.0-a..b' }, 'defineNode(my::a): expected a semantic version, got 1.0.0-a..b.'],
])('%s is told in words', (_name, parts, message) => {
  expect(() => defineNode({ ...base, ...parts } as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message }))
})

test('what is no definition, and items of items without end', () => {
  for (const one of [undefined, null, 5, 'x', [], {}, { type: 5 }]) {
    expect(() => defineNode(one as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  }
  const round: Record<string, unknown> = { type: 'array', doc: '' }
  round['items'] = round
  expect(codeOf({ params: { p: round } })).toBe('INVALID_ARGUMENT')
})
