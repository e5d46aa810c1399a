import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { embedGraph } from '../../src/graph/embed/index.js'
import { call, folder, GAIN, SPEECH, TALK } from './support.js'

const files = folder()
const gain = files.file('gain.json', GAIN)
const bad = files.file('bad.json', { ...GAIN, nodes: [GAIN.nodes[0], { id: 'gain', type: 'audio::gian' }], colour: 'red' })
const broken = files.file('broken.json', '{ "millrace": 1,\n  "nodes": [,] }')
const seed = files.file('seed.json', {
  version: '1.0.0',
  nodes: [{ id: 'read', type: 'io::wav-file', params: { path: 'a.wav' } }, { id: 'loud', type: 'audio::gain', params: { gain_db: -3 } }],
  edges: [{ from: 'read', to: 'loud' }],
})

describe('validate', () => {
  test('keys written twice, which JSON would hide', async () => {
    const twice = files.file('twice.json', `{ "millrace": 1, "inputs": {},\n "nodes": [{ "id": "g", "type": "audio::gain", "params": { "gainDb": 1, "gainDb": 2 } }],\n "outputs": { "a": ["g", "out"],\n "a": ["g", "out"] } }`)
    const { code, err } = await call(['validate', twice])
    expect(code).toBe(3)
    expect(err).toMatch(/DUPLICATE_ID.*gainDb.*line 2[^]*DUPLICATE_ID.*Key a.*line 3.*line 4/)
    expect(await call(['inspect', twice])).toMatchObject({ code: 3, err: expect.stringContaining('DUPLICATE_ID') as string })
  })
  test('a text beyond the limit is refused by its size, unread', async () => {
    const huge = files.file('huge.json', '')
    truncateSync(huge, 3 * 2 ** 30)
    expect(await call(['validate', huge])).toMatchObject({ code: 3, err: expect.stringContaining('LIMIT_EXCEEDED') as string })
    expect(JSON.parse((await call(['validate', huge, '--json'])).out))
      .toMatchObject({ valid: false, diagnostics: [{ code: 'LIMIT_EXCEEDED' }] })
  })
  test('--limit raises and lowers what is read, checked and planned', async () => {
    const long = files.file('long.json', `${' '.repeat(11 * 2 ** 20)}${JSON.stringify(GAIN)}`), more = ['--limit', 'documentBytes=20000000']
    for (const words of [['validate', long], ['inspect', long, '-i', `file=${TALK}`]]) {
      expect([words[0], (await call(words)).code, (await call([...words, ...more])).code]).toEqual([words[0], 3, 0])
    }
    for (const words of [
      ['convert', gain, '--to', 'millrace'], ['graph', gain, '--dot'], ['diff', gain, gain], ['run', gain, '-q', '-i', `file=${TALK}`],
    ]) {
      expect(await call([...words, '--limit', 'documentBytes=9']))
        .toMatchObject({ code: 3, err: expect.stringContaining('LIMIT_EXCEEDED') as string })
    }
    for (const words of [
      ['validate', gain], ['convert', gain, '--to', 'millrace'], ['graph', gain, '--dot', '--plan', '-i', `file=${TALK}`],
      ['inspect', seed],
    ]) {
      expect(await call([...words, '--limit', 'nodes=1']))
        .toMatchObject({ code: words[1] === seed ? 1 : 3, err: expect.stringContaining('LIMIT_EXCEEDED') as string })
    }
    for (const [word, said] of [
      ['knots=1', 'expected one of nodes, edges,'], ['nodes=0', 'expected a whole number from 1 to 100000'],
      ['nodes=', 'expected a whole number'], ['nodes', 'expected NAME=VALUE'], ['nodes=100001', 'from 1 to 100000'],
    ]) {
      expect(await call(['validate', gain, '--limit', word!])).toMatchObject({ code: 2, err: expect.stringContaining(said!) as string })
    }
  })
  test('a sound document', async () => {
    expect(await call(['validate', SPEECH]))
      .toEqual({ code: 0, out: 'valid: millrace, 4 nodes, 3 edges; 0 errors, 0 warnings, 0 info\n', err: '' })
    expect(await call(['validate', SPEECH, '--host'])).toMatchObject({ code: 0 })
  })
  test('all problems with their places, and exit code 3', async () => {
    const { code, out, err } = await call(['validate', bad])
    expect([code, out]).toEqual([3, 'invalid: millrace, 2 nodes, 1 edge; 1 error, 1 warning, 0 info\n'])
    expect(err.replace(/ or audio::\w+/g, '')).toBe([
      'warning UNKNOWN_FIELD (/colour): /colour: unknown field.', '  Prefix own fields with `x-`.',
      'error NODE_TYPE_UNKNOWN (/nodes/1/type): Node gain: type audio::gian is not registered.', '  Did you mean audio::gain?',
      ''].join('\n'))
    expect((await call(['validate', bad, '--strict'])).out).toContain('2 errors, 0 warnings')
    const json = await call(['validate', bad, '--json'])
    expect(json).toMatchObject({ code: 3, err: '' })
    expect(JSON.parse(json.out)).toMatchObject({
      valid: false, dialect: 'millrace', nodes: 2, edges: 1,
      diagnostics: [{ code: 'UNKNOWN_FIELD' }, { code: 'NODE_TYPE_UNKNOWN', stage: 7 }],
    })
  })
  test('no JSON, other dialects, files that hold no graph', async () => {
    expect(await call(['validate', broken])).toMatchObject({ code: 3, err: expect.stringContaining('at line 2, column 13.') as string })
    expect(await call(['validate', seed]))
      .toMatchObject({ code: 0, out: 'valid: remotemedia-seed, 2 nodes, 1 edge; 0 errors, 0 warnings, 0 info\n' })
    expect(await call(['validate', files.file('other.json', { hello: 1 })]))
      .toMatchObject({ code: 1, err: expect.stringContaining('IMPORT_UNSUPPORTED') as string })
    expect(await call(['validate', join(files.path, 'none.json')]))
      .toMatchObject({ code: 1, err: expect.stringContaining('NOT_FOUND') as string })
    if (process.platform !== 'win32') {
      expect(await call(['validate', '/dev/zero'])).toMatchObject({ code: 1, err: expect.stringContaining('it is a device') as string })
    }
    expect(await call(['validate', '-'], { stdin: JSON.stringify(GAIN) })).toMatchObject({ code: 0 })
  })
  test('a graph inside a WAV file', async () => {
    const wav = embedGraph(readFileSync(TALK), JSON.stringify(GAIN))
    writeFileSync(join(files.path, 'with-graph.wav'), wav)
    expect(await call(['validate', join(files.path, 'with-graph.wav')]))
      .toMatchObject({ code: 0, out: expect.stringContaining('valid: millrace, 2 nodes') as string })
  })
})

describe('convert', () => {
  test('there and back, what is lost on standard error', async () => {
    const there = await call(['convert', seed, '--to', 'millrace'])
    expect(there).toMatchObject({ code: 0 })
    expect(JSON.parse(there.out)).toMatchObject({
      millrace: 1, nodes: [{ id: 'read' }, { id: 'loud', type: 'audio::gain' }], edges: [{ from: ['read', 'out'], to: ['loud', 'in'] }],
    })
    const own = files.file('own.json', there.out)
    const back = await call(['convert', own, '--to', 'remotemedia-seed', '-o', join(files.path, 'back.json')])
    expect(back).toMatchObject({ code: 0, out: `written to ${join(files.path, 'back.json')}\n` })
    expect(files.json('back.json')).toMatchObject({ nodes: [{ id: 'read' }, { id: 'loud' }], edges: [{ from: 'read', to: 'loud' }] })
    const lossy = await call(['convert', gain, '--to', 'remotemedia-v1'])
    expect(lossy.code).toBe(0)
    expect(lossy.err).toMatch(/^dropped \/inputs/m)
  })
  test('--json holds the text and both reports', async () => {
    const { code, out, err } = await call(['convert', seed, '--to', 'graphdsl', '--json'])
    expect([code, err]).toEqual([0, ''])
    expect(JSON.parse(out)).toMatchObject({
      from: 'remotemedia-seed', to: 'graphdsl', text: expect.stringContaining('"3.0.0"') as string,
      import: { dialect: 'remotemedia-seed', nodes: 2 }, export: { dialect: 'graphdsl' },
    })
  })
  test('usage and problems', async () => {
    expect(await call(['convert', seed]))
      .toMatchObject({ code: 2, err: expect.stringMatching(/^millrace convert: --to: expected one of millrace, /) as string })
    expect(await call(['convert', seed, '--to', 'xml']))
      .toMatchObject({ code: 2, err: expect.stringMatching(/--to xml: expected one of/) as string })
    expect(await call(['convert', '--to', 'millrace'])).toMatchObject({ code: 2 })
    expect(await call(['convert', broken, '--to', 'millrace'])).toMatchObject({ code: 3 })
  })
})

test('diff names nodes, params and edges; a document and what it was converted to are equal', async () => {
  const other = files.file('other-gain.json', {
    ...GAIN,
    nodes: [GAIN.nodes[0], { id: 'gain', type: 'audio::gain', mode: 'bypass', params: { gainDb: -2 } }, { id: 'end', type: 'audio::gain' }],
    edges: [GAIN.edges[0], { from: ['gain', 'out'], to: ['end', 'in'] }], outputs: { out: ['end', 'out'] }, meta: { name: 'Other' },
  })
  expect(await call(['diff', gain, other])).toEqual({
    code: 0, err: '',
    out: [
      '+ node end (audio::gain)', '+ node gain param gainDb: -2', '+ node gain mode: "bypass"', '+ edge gain.out->end.in',
      '~ output out: ["gain","out"] → ["end","out"]', '+ meta: {"name":"Other"}', ''].join('\n'),
  })
  expect(JSON.parse((await call(['diff', other, gain, '--json'])).out))
    .toMatchObject({ nodes: { removed: [{ at: 2, item: { id: 'end' } }], changed: [{ id: 'gain', params: { gainDb: { before: -2 } } }] } })
  const own = files.file('seed-own.json', (await call(['convert', seed, '--to', 'millrace'])).out)
  expect(await call(['diff', seed, own])).toMatchObject({ code: 0, out: 'equal\n' })
  expect(await call(['diff', gain]))
    .toMatchObject({ code: 2, err: expect.stringContaining('expected two graph documents, got 1') as string })
  expect(await call(['diff', gain, broken])).toMatchObject({ code: 3 })
  expect(await call(['diff', '-', '-'], { stdin: JSON.stringify(GAIN) }))
    .toMatchObject({ code: 2, err: expect.stringContaining('it can be read once') as string })
  expect([await call(['diff', gain, other, '--exit-code']), await call(['diff', gain, gain, '--exit-code', '--json'])])
    .toMatchObject([{ code: 1 }, { code: 0 }])
})

describe('graph', () => {
  test('draws the document, or its plan', async () => {
    expect((await call(['graph', gain, '--mermaid'])).out).toMatchInlineSnapshot(`
      "flowchart LR
        n0["read<br/>io::wav-file"]
        n1["gain<br/>audio::gain"]
        n2(["file"])
        n3(["gainDb"])
        n4(["out"])
        n0 --> n1
        n2 -.->|"path"| n0
        n3 -.->|"gainDb"| n1
        n1 -->|"out"| n4
      "
    `)
    const plan = await call(['graph', gain, '--dot', '--plan', '-i', `file=${TALK}`])
    expect(plan).toMatchObject({ code: 0, err: '' })
    expect(plan.out).toMatch(/subgraph cluster_0 \{\n {4}label="segment 0: wasm-threads on engine"/)
    expect(plan.out).toContain('"~read.out~1" -> "gain" [label="audio 22050 Hz, 1 channel, f32, planar"]')
    expect(JSON.parse((await call(['graph', gain, '--dot', '--json'])).out))
      .toMatchObject({ format: 'dot', text: expect.stringMatching(/^digraph/) as string })
  })
  test('usage and problems', async () => {
    for (const words of [['graph', gain], ['graph', gain, '--dot', '--mermaid'], ['graph', '--dot']]) {
      expect(await call(words)).toMatchObject({ code: 2 })
    }
    expect(await call(['graph', gain, '--dot', '--plan']))
      .toMatchObject({ code: 2, err: expect.stringContaining('input file has no value') as string })
    expect(await call(['graph', broken, '--dot'])).toMatchObject({ code: 3 })
  })
})

test('inspect --schema prints the JSON Schema of the format or of a node type; a document that names one keeps it', async () => {
  const format = JSON.parse((await call(['inspect', '--schema', 'document'])).out) as object
  const node = JSON.parse((await call(['inspect', '--schema', 'audio::gain'])).out) as { properties: { params: { properties: object } } }
  expect(format).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Millrace document' })
  expect(Object.keys(node.properties.params.properties)).toContain('gainDb')
  expect(await call(['inspect', '--schema', 'audio::gian']))
    .toMatchObject({ code: 2, err: expect.stringContaining('audio::gian: no such node type') as string })
  expect(await call(['inspect', '--schema', 'Gain']))
    .toMatchObject({ code: 2, err: expect.stringContaining('Did you mean audio::gain?') as string })
  expect(await call(['inspect', gain, '--schema', 'document'])).toMatchObject({ code: 2 })
  const named = files.file('named.json', { $schema: 'https://example.com/document.json', ...GAIN })
  expect(await call(['validate', named, '--strict'])).toMatchObject({ code: 0, err: '' })
  expect((await call(['convert', named, '--to', 'millrace'])).out)
    .toMatch(/^\{\n {2}"\$schema": "https:\/\/example\.com\/document\.json",\n {2}"millrace": 1,/)
})
