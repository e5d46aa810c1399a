/**
 * The schemas that editors get through `$schema`, as the tool prints them, against the examples and against the
 * mistakes that people make while they write.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { call, SPEECH } from './support.js'

interface Written {
  millrace: unknown
  nodes: { id: string; type: string; mode?: string; params?: Record<string, unknown> }[]
  edges: { from: unknown; to: unknown }[]
}

const print = async (name: string): Promise<object> => JSON.parse((await call(['inspect', '--schema', name])).out) as object
const plain = new Ajv2020({ strict: false, allErrors: true }).compile(await print('document'))
const typed = new Ajv2020({ strict: false, allErrors: true }).compile(await print('document-with-types'))
const pipelines = new URL('../../examples/pipelines/', import.meta.url)
const documents = [
  SPEECH,
  ...readdirSync(pipelines).filter((name) => !name.includes('.')).map((name) => new URL(`${name}/millrace.json`, pipelines)),
]

test.each(documents.map((file) => [String(file).split('/').slice(-2).join('/'), file] as const))('%s fits both', (_, file) => {
  const document: unknown = JSON.parse(readFileSync(file, 'utf8'))
  expect([plain(document), plain.errors, typed(document), typed.errors]).toEqual([true, null, true, null])
})

describe('mistakes', () => {
  test.each<[string, (d: Written) => void, 'both' | 'typed', string]>([
    ['a param out of range', (d) => { d.nodes[1]!.params!['rate'] = -4 }, 'typed', '/nodes/1/params/rate must be >= 100'],
    ['a param of another type', (d) => { d.nodes[1]!.params!['rate'] = 'x' }, 'typed', '/nodes/1/params/rate must be integer'],
    ['a word that is no choice', (d) => { d.nodes[1]!.params!['quality'] = 'ultra' }, 'typed',
      '/nodes/1/params/quality must be equal to one of the allowed values'],
    ['a misspelt param', (d) => { d.nodes[1]!.params!['rat'] = 1 }, 'typed', '/nodes/1/params must NOT have additional properties'],
    ['an edge without ports', (d) => { d.edges[0]!.from = 'read' }, 'both', '/edges/0/from must be array'],
    ['no such mode', (d) => { d.nodes[0]!.mode = 'off' }, 'both', '/nodes/0/mode must be equal to one of the allowed values'],
    ['another version', (d) => { d.millrace = 2 }, 'both', '/millrace must be <= 1'],
    ['no nodes', (d) => { delete (d as Partial<Written>).nodes }, 'both', " must have required property 'nodes'"],
  ])('%s', (_, spoil, by, said) => {
    const document = JSON.parse(readFileSync(SPEECH, 'utf8')) as Written
    spoil(document)
    expect([plain(document), typed(document)]).toEqual([by === 'typed', false])
    expect(typed.errors!.map(({ instancePath, message }: ErrorObject) => `${instancePath} ${message}`)).toContain(said)
  })
})

test('an editor is offered the types, and may write another', async () => {
  const { $defs } = await print('document-with-types') as {
    $defs: { document: { properties: { nodes: { items: { properties: { type: { anyOf: [{ enum: string[] }] } } } } } } }
  }
  const listed = JSON.parse((await call(['nodes', '--json'])).out) as { type: string }[]
  expect($defs.document.properties.nodes.items.properties.type.anyOf[0].enum).toEqual(listed.map(({ type }) => type))
  const mine = JSON.parse(readFileSync(SPEECH, 'utf8')) as Written
  mine.nodes[2]!.type = 'mine::vad'
  expect(typed(mine)).toBe(true)
})
