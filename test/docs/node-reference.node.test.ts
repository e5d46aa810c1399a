/** The node reference and the shipped JSON Schemas: every type has a page, a schema and an example that runs (GR-05). */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fileName, schemaFiles } from '../../scripts/lib/definitions.mjs'
import { createEngine, createRegistry, validate, type Engine } from '../../src/index.js'
import * as nodes from '../../src/nodes/index.js'
import { CORPUS } from '../graph/document-corpus.js'
import { nodeExamples } from './node-examples.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const registry = createRegistry(...Object.values(nodes).filter((node) => typeof node === 'function' && 'definition' in node))
const types = registry.list().map(({ type }) => type)

test('every type has one example and one page, which names all ports and params', () => {
  expect(Object.keys(nodeExamples).sort()).toEqual(types)
  for (const { type, params, inputs, outputs } of registry.list()) {
    const page = readFileSync(join(root, 'docs/nodes', `${fileName(type)}.md`), 'utf8')
    for (const name of [
      ...Object.keys(params), ...Object.keys(inputs),
      ...[Object.keys(outputs)[0], Object.keys(outputs).at(-1)].filter((one) => one !== undefined),
    ]) expect(page).toContain(`\`${name}\``)
    expect(page).toContain('## Example')
    expect(existsSync(join(root, /\[source\]\(\.\.\/\.\.\/([^)]+)\)/.exec(page)![1]!))).toBe(true)
  }
})

describe('examples run', () => {
  let engine: Engine
  beforeAll(async () => { engine = await createEngine({ workers: 0, arenaBytes: 2 ** 26 }) })
  afterAll(() => engine.close())
  test.each(Object.entries(nodeExamples))('%s', async (_, example) => {
    using result = await engine.run(example())
    expect(result.status).toBe('success')
    expect(Object.keys(result.outputs)).toEqual(Object.keys(example()))
  })
})

describe('shipped schemas', async () => {
  const files = await schemaFiles()
  const compiled = (name: string): ((value: unknown) => boolean) => new Ajv2020({ strict: false })
    .compile(JSON.parse(files[name]!) as object)

  test('one per type, one of the format, one of the format with these types, one of metrics; all compile', () => {
    expect(Object.keys(files).sort())
      .toEqual([...types.map((type) => `${fileName(type)}.json`), 'document.json', 'document-with-types.json', 'metrics.json'].sort())
    for (const name of Object.keys(files)) expect(compiled(name)).toBeTypeOf('function')
  })

  test('document-with-types.json agrees with `validate` on stages 3 and 8: the corpus, and every param of every type at and beyond its bounds', () => {
    const accepts = compiled('document-with-types.json'), plain = compiled('document.json')
    const errors = (document: object): number => validate(document, registry)
      .filter((one) => one.severity === 'error' && (one.stage === 3 || (one.stage === 8 && one.constraint !== 'required'))).length
    for (const { name, text, diagnostics } of CORPUS) {
      if (diagnostics[0]?.['stage'] === 1 || diagnostics[0]?.['stage'] === 2) continue
      const value = JSON.parse((typeof text === 'string' ? text : new TextDecoder().decode(text)).replace(/^\ufeff/, '')) as object
      expect([name, plain(value)]).toEqual([name, diagnostics.every((one) => one['severity'] === 'warning')])
      expect([name, accepts(value)]).toEqual([name, errors(value) === 0])
    }
    let good = 0, bad = 0
    for (const { type, params } of registry.list()) {
      for (const [name, param] of [...Object.entries(params), ['nothing', { type: 'number' as const }] as const]) {
        const { min, max } = param as { min?: number; max?: number }
        for (const value of [
          min, max, (min ?? 0) - 1, (max ?? 0) + 1, (min ?? 0) + 0.5, 0, 1, -1, 30, 1e9, true, false, null, '', 'x', 'i16', 'f32', 'high',
          'talk.wav', '7', [], [0], [0, 1], {}, { a: 1 },
        ]) {
          if (value === undefined) continue
          const document = { millrace: 1, nodes: [{ id: 'a', type, params: { [name]: value } }] }, fits = errors(document) === 0
          expect([type, name, value, accepts(document)]).toEqual([type, name, value, fits])
          if (fits) good++; else bad++
        }
      }
    }
    expect(Math.min(good, bad)).toBeGreaterThan(150)
  })
})
