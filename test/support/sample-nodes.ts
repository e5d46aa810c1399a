import { defineNode } from '../../src/graph/define-node.js'
import type { ParamTable } from '../../src/graph/node-definition.js'
import { createRegistry, type Registry } from '../../src/graph/registry.js'
import { audio, events, json, tensor } from '../../src/media/media-type.js'

const process = async (): Promise<Record<string, never>> => ({})
const base = { version: '1.2.0', doc: 'A node for tests.', family: 'test', process } as const

/** A param of every type with every constraint. */
export const everyParam = {
  number: { type: 'number', unit: 'Hz', min: 1, max: 768_000, alias: ['sampleRate'], doc: 'Number.' },
  open: { type: 'number', exclusiveMin: 0, exclusiveMax: 1, doc: 'Open range.' },
  free: { type: 'number', doc: 'Free.' },
  integer: { type: 'integer', min: -3, max: 3, doc: 'Integer.' },
  boolean: { type: 'boolean', default: true, doc: 'Boolean.' },
  string: { type: 'string', minLength: 1, maxLength: 4, pattern: '^[a-z\u{1f600}]*$', doc: 'String.' },
  enum: { type: 'enum', values: ['low', 'high'], default: 'high', doc: 'Enum.' },
  seed: { type: 'seed', default: 0, doc: 'Seed.' },
  vector: { type: 'vector', min: 0, max: 1, minItems: 1, maxItems: 3, doc: 'Vector.' },
  color: { type: 'color', doc: 'Color.' },
  file: { type: 'file', doc: 'File.' },
  json: { type: 'json', doc: 'JSON.' },
  array: { type: 'array', items: { type: 'integer', min: 0, doc: 'Item.' }, maxItems: 2, doc: 'Array.' },
  object: { type: 'object', doc: 'Object.' },
  gainDb: { type: 'number', min: -120, max: 48, default: 0, curve: 'db', unit: 'dB', input: true, rate: 'block', doc: 'Gain.' },
} as const satisfies ParamTable

export const source = defineNode({ ...base, type: 'test::source', title: 'Source', inputs: {}, outputs: { out: { media: audio() } },
  params: { path: { type: 'file', main: true, required: true, doc: 'Where.' } } })
export const resample = defineNode({ ...base, type: 'test::resample', title: 'Resample', aliases: ['AudioResampleNode'],
  inputs: { in: { media: audio() } }, outputs: { out: { media: audio() } },
  params: {
    rate: { type: 'number', min: 1, max: 768_000, required: true, alias: ['sampleRate'], unit: 'Hz', doc: 'Rate.' },
    quality: { type: 'enum', values: ['low', 'high'], default: 'high', doc: 'Quality.' },
  } })
export const vad = defineNode({ ...base, type: 'test::vad', title: 'VAD', inputs: { in: { media: audio() } },
  outputs: { audio: { media: audio() }, segments: { media: events({ schema: 'vad' }) }, frames: { media: tensor() } },
  params: { threshold: { type: 'number', min: 0, default: 0.02, input: true, doc: 'Threshold.' } } })
export const mix = defineNode({
  ...base, type: 'test::mix', title: 'Mix', inputs: { in: { media: audio(), multi: true } }, outputs: { out: { media: audio() } },
  params: {},
})
export const two = defineNode({ ...base, type: 'test::two', title: 'Two',
  inputs: { carrier: { media: audio() }, score: { media: events(), optional: true } }, outputs: { out: { media: audio() } },
  params: { depth: { type: 'number', default: 1, doc: 'Depth.' } } })
export const every = defineNode({
  ...base, type: 'test::every', title: 'Every', inputs: {}, outputs: { out: { media: json() } }, params: everyParam,
})
export const writer = defineNode({
  ...base, type: 'test::writer', title: 'Writer', inputs: { in: { media: audio() } }, outputs: {},
  params: { path: { type: 'file', main: true, doc: 'Where.' } },
})

/** A registry of all of them. */
export function testRegistry(): Registry { return createRegistry(source, resample, vad, mix, two, every, writer) }
