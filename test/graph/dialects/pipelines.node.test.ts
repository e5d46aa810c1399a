import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createRegistry } from '../../../src/index.js'
import { fromDocument } from '../../../src/graph/document/from-document.js'
import { writeDocument } from '../../../src/graph/document/write-document.js'
import { DIALECTS } from '../../../src/graph/dialects/dialect.js'
import { exportDocument } from '../../../src/graph/dialects/export-document.js'
import { importDocument } from '../../../src/graph/dialects/import-document.js'
import { hashGraph } from '../../../src/graph/hash.js'
import { validate } from '../../../src/graph/validate/index.js'
import { anyMedia, json, match, tensor, audio, type MediaConstraint } from '../../../src/media/media-type.js'
import * as nodes from '../../../src/nodes/index.js'
import type { NodeDefinition, ParamTable } from '../../../src/graph/node-definition.js'
import type { Loose } from '../../support/loose.js'

const folder = fileURLToPath(new URL('../../../examples/pipelines', import.meta.url))
const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort()
const read = (name: string, form: 'seed' | 'v1' | 'millrace'): string => readFileSync(`${folder}/${name}/${form}.json`, 'utf8')
const builtin = createRegistry(...Object.values(nodes).filter((node) => typeof node === 'function' && 'definition' in node))

/** Signatures from the table in examples/pipelines/README.md, for types that the library does not have yet. */
const signature = (
  type: string, alias: string, inputs: Readonly<Record<string, MediaConstraint>>, outputs: Readonly<Record<string, MediaConstraint>>,
  params: ParamTable = {},
): NodeDefinition => {
  const ports = (of: Readonly<Record<string, MediaConstraint>>): Loose =>
    Object.fromEntries(Object.entries(of).map(([port, media]) => [port, { media }]))
  return {
    type, version: '1.0.0', title: type, doc: 'Signature.', family: 'test', aliases: [alias], inputs: ports(inputs),
    outputs: ports(outputs), params, process: async () => ({}),
  }
}
const number = { type: 'number', required: true, doc: 'Number.' } as const, list = { type: 'json', default: [], doc: 'List.' } as const
const SIGNATURES = [
  signature('core::list-source', 'ListSourceNode', {}, { out: json() }, {
    items: list, delayMs: { type: 'number', default: 0, doc: 'Delay.' },
  }),
  signature('core::numbers', 'NumberSourceNode', {}, { out: json() }, { values: list }),
  signature('core::pass', 'PassThroughNode', { in: match('T') }, { out: match('T') }),
  signature('core::buffer', 'BufferNode', { in: match('T') }, { out: match('T') }, { size: number }),
  signature('core::map', 'MapNode', { in: json() }, { out: json() }, { op: { type: 'string', required: true, doc: 'What.' } }),
  signature('core::list-sink', 'ListSinkNode', { in: anyMedia() }, { items: json() }),
  ...(['multiply', 'factor', 'add', 'addend', 'divide', 'divisor'] as const).flatMap((word, i, all) => i % 2 === 0 ? [signature(
    `math::${word}`, `${word[0]!.toUpperCase()}${word.slice(1)}Node`, { in: json() }, { out: json() }, { [all[i + 1]!]: number },
  )] : []),
  signature('audio::difference', 'DifferenceNode', { a: audio(), b: audio() }, { out: json() }),
  signature('text::sink', 'TextSinkNode', { in: anyMedia() }, { text: json() }),
  signature('audio::mel', 'MelSpectrogramNode', { in: audio() }, { mel: tensor() }, {
    bands: { type: 'integer', default: 80, doc: 'Bands.' }, log: { type: 'string', default: 'ln', doc: 'Log.' },
  }),
]
const whole = builtin.extend(...SIGNATURES.filter(({ type }) => !builtin.has(type)).map((definition) => ({ definition })))

describe('the eleven pipelines', () => {
  test('11 of them', () => { expect(names.map((name) => Number(name.slice(0, 2)))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) })

  test.each(names)('%s: both RemoteMedia dialects and the document have one hash (GR-15)', (name) => {
    const hashes = (['seed', 'v1', 'millrace'] as const).map((form) => {
      const { document, report } = importDocument(read(name, form), { registry: whole })
      expect(report).toMatchObject({ dialect: form === 'millrace' ? form : `remotemedia-${form}`, missing: [], dropped: [], warnings: [] })
      const graph = fromDocument(document, whole)
      expect(validate(graph, whole).filter((one) => one.severity === 'error')).toEqual([])
      return hashGraph(graph).graph
    })
    expect(new Set(hashes).size).toBe(1)
  })

  test.each(names)('%s: with the library’s own types, exactly the missing ones are reported', (name) => {
    const types = (JSON.parse(read(name, 'millrace')) as { readonly nodes: readonly { readonly type: string }[] }).nodes
      .map((node) => node.type)
    const missing = types.flatMap((type, i) => builtin.has(type) ? [] : [i])
    for (const form of ['seed', 'v1', 'millrace'] as const) {
      const { document, report } = importDocument(read(name, form), { registry: builtin })
      expect(report.missing.map((one) => one.pointer)).toEqual(missing.map((i) => `/nodes/${i}/${form === 'v1' ? 'node_type' : 'type'}`))
      expect(validate(document, builtin).filter((one) => one.code === 'NODE_TYPE_UNKNOWN').map((one) => one.pointer))
        .toEqual(missing.map((i) => `/nodes/${i}/type`))
    }
  })

  test.each(names)('%s: the three forms come out of each other', (name) => {
    const graph = fromDocument(importDocument(read(name, 'seed'), { registry: whole }).document, whole)
    expect(JSON.parse(exportDocument(graph, 'remotemedia-seed').text)).toEqual(JSON.parse(read(name, 'seed')))
    const v1 = fromDocument(importDocument(read(name, 'v1'), { registry: whole }).document, whole)
    expect(JSON.parse(exportDocument(v1, 'remotemedia-v1').text)).toEqual(JSON.parse(read(name, 'v1')))
    const own = importDocument(read(name, 'millrace')).document
    expect(writeDocument(importDocument(exportDocument(fromDocument(own, whole), 'millrace').text).document)).toBe(writeDocument(own))
  })

  test.each(names)('%s: each form in every dialect and back has the same hash', (name) => {
    for (const form of ['seed', 'v1', 'millrace'] as const) {
      const graph = fromDocument(importDocument(read(name, form), { registry: whole }).document, whole)
      for (const dialect of DIALECTS) {
        const back = importDocument(exportDocument(graph, dialect).text, { registry: whole })
        expect([form, back.report.dialect, hashGraph(fromDocument(back.document, whole)).graph])
          .toEqual([form, dialect, hashGraph(graph).graph])
      }
    }
  })
})
