/**
 * The commonest mistakes of a caller (GR-48, api feel): each is told as INVALID_ARGUMENT with what was given
 * and what to do, none as an error of the host.
 */
import { describe, expect, test } from 'vitest'
import { canConnect, diff, exportDocument, importDocument, merge3, pack, toDot, toMermaid, unpack } from '../../src/graph-tools.js'
import {
  createEngine, createGraph, createRegistry, fromDocument, graphFrom, hashGraph, parseDocument, toDocument, topologicalOrder, validate,
} from '../../src/index.js'
import * as nodes from '../../src/nodes/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'

const document = {
  millrace: 1,
  nodes: [{ id: 't', type: 'io::audio-buffer', params: { data: [[0, 0.1]], rate: 8_000 } }, { id: 'g', type: 'audio::gain' }],
  edges: [{ from: ['t', 'out'], to: ['g', 'in'] }],
} as const
const registry = createRegistry(audioBuffer, gain), graph = fromDocument(document, registry)
const none = undefined as never
const sound = audioBuffer({ data: [new Float32Array(2)] })
const mistake = (run: () => unknown): unknown => { try { run() } catch (error) { return error } return undefined }

describe.each<[string, unknown]>([
  ['a document', document], ['a document without edges', { millrace: 1, nodes: [] }], ['outputs', { out: gain(sound) }],
  ['nothing', undefined], ['null', null], ['a text', '{}'],
  ['a graph without its maps', { ...graph, inputs: {}, outputs: {} }],
])('%s in place of a graph', (_name, value) => {
  const given = value as never
  test.each<[string, () => unknown]>([
    ['hashGraph', () => hashGraph(given)], ['toDocument', () => toDocument(given)],
    ['exportDocument', () => exportDocument(given, 'graphdsl')], ['toDot', () => toDot(given)], ['toMermaid', () => toMermaid(given)],
    ['merge3', () => merge3(graph, graph, given)], ['merge3, base', () => merge3(given, graph, graph)], ['diff', () => diff(graph, given)],
    ['canConnect', () => canConnect(given, ['t', 'out'], ['g', 'in'])], ['pack', () => pack(given, ['g'], { id: 's', type: 'graph::s' })],
    ['unpack', () => unpack(given, 's', registry)],
  ])('%s', (name, run) => {
    expect(mistake(run)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(new RegExp(`^[^:]*${name.split(',')[0]!}[^:]*: expected a graph, got `)),
      hint: expect.stringContaining('fromDocument(document, registry)'),
    })
  })
})

test('the engine says what makes a graph of a document; outputs and graphs it takes', async () => {
  await using engine = await createEngine({ workers: 0, registry })
  for (const given of [document, { ...graph, outputs: {} }] as never[]) {
    await expect(engine.plan(given)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('engine.plan: expected a graph, got '),
      hint: expect.stringContaining('fromDocument(document, registry)'),
    })
    await expect(engine.run(given)).rejects
      .toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('engine.run: expected a graph, got ') })
  }
  expect((await engine.plan(graph)).nodes).toHaveLength(2)
  expect((await engine.plan({ nodes: gain(sound) })).nodes).toHaveLength(2)
})

test('types are given one by one; reading needs them', () => {
  for (const [given, got] of [
    [nodes, 'object with'], [[gain], 'array'], [undefined, 'nothing'], [gain.definition, 'object with'],
  ] as const) {
    expect(mistake(() => createRegistry(given as never)))
      .toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('createRegistry: expected node types one by one, got ') })
    expect(String((mistake(() => createRegistry(given as never)) as Error).message)).toContain(got === 'array' ? '[' : got)
  }
  for (const given of [undefined, null, nodes, [gain]] as never[]) {
    expect(mistake(() => fromDocument(document, given))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('fromDocument: expected a registry, got '),
      hint: expect.stringContaining('createRegistry('),
    })
    for (const what of [document, graph]) {
      expect(mistake(() => validate(what, given)))
        .toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('validate: expected a registry, got ') })
    }
  }
  const before = createRegistry(gain)
  expect(mistake(() => { before.add(audioBuffer, none) })).toMatchObject({ code: 'INVALID_ARGUMENT' })
  expect(before.list()).toHaveLength(1)
})

test('names of dialects, ports and nodes', () => {
  expect(mistake(() => importDocument(document, { dialect: 'x' as never }))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(/^importDocument: expected auto or one of millrace, .* as dialect, got "x"\.$/),
  })
  expect(mistake(() => canConnect(graph, 't.out' as never, 'g.in' as never)))
    .toMatchObject({ code: 'INVALID_ARGUMENT', message: 'canConnect: expected [node, port], got "t.out".' })
  expect(mistake(() => canConnect(graph, ['t', 'out'], none)))
    .toMatchObject({ code: 'INVALID_ARGUMENT', message: 'canConnect: expected [node, port], got nothing.' })
  expect(mistake(() => pack(graph, ['zz'], 'n' as never)))
    .toMatchObject({ code: 'INVALID_ARGUMENT', message: 'pack: expected a list of node ids and a node { id, type }, got ["zz"], "n".' })
  expect(mistake(() => pack(graph, 'g' as never, { id: 's', type: 'graph::s' }))).toMatchObject({ code: 'INVALID_ARGUMENT' })
})

test('what takes both takes both', () => {
  expect([validate(document, registry), validate(graph, registry)]).toEqual([[], []])
  expect(hashGraph(graph).graph).toBe(hashGraph(fromDocument(toDocument(graph), registry)).graph)
  expect(hashGraph(graphFrom({ out: gain(sound) })).graph).not.toBe(hashGraph(graph).graph)
  expect(topologicalOrder(createGraph()).order).toHaveLength(0)
  expect(parseDocument(JSON.stringify(document)).diagnostics).toEqual([])
})
