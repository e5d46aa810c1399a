import { describe, expect, test } from 'vitest'
import type { Diagnostic } from '../../src/errors/diagnostic.js'
import { fromDocument } from '../../src/graph/document/from-document.js'
import { parseDocument } from '../../src/graph/document/parse-document.js'
import { toDocument } from '../../src/graph/document/to-document.js'
import { writeDocument } from '../../src/graph/document/write-document.js'
import type { Graph } from '../../src/graph/graph.js'
import { graphFrom } from '../../src/graph/graph-from.js'
import type { AnyOutput } from '../../src/graph/output-ref.js'
import { validate } from '../../src/graph/validate/index.js'
import { resample, source, testRegistry, vad } from '../support/sample-nodes.js'

/** Calls that the compiler refuses, as JavaScript makes them. */
const loose = (node: unknown): ((...args: unknown[]) => { readonly out: AnyOutput }) => node as never
const registry = testRegistry()
/** What a diagnostic says, apart from where in a text it stands. */
const facts = ({ code, severity, stage, message, hint, node, port }: Diagnostic): unknown => ({
  code, severity, stage, message, hint, node, port,
})
const asText = (graph: Graph): Diagnostic[] => validate(parseDocument(writeDocument(toDocument(graph))).document!, registry)

describe('a graph written in JavaScript and the same graph as JSON get the same words (GR-21, GR-53)', () => {
  test.each<[string, () => Graph, string]>([
    ['param of the wrong type', () => graphFrom({ a: loose(resample)(source('a'), { rate: '16000' }).out }),
      'Param resample-1.rate: expected a finite number, got "16000".'],
    ['param out of range', () => graphFrom({ a: loose(resample)(source('a'), { rate: 0 }).out }),
      'Param resample-1.rate: expected at least 1, got 0.'],
    ['unknown param', () => graphFrom({ a: loose(resample)(source('a'), { rate: 1, qualty: 'low' }).out }),
      'Param resample-1.qualty: expected one of rate, quality, got "qualty".'],
    ['no value of the enum', () => graphFrom({ a: loose(resample)(source('a'), { rate: 1, quality: 'best' }).out }),
      'Param resample-1.quality: expected one of low, high, got "best".'],
    ['required param missing', () => graphFrom({ a: loose(resample)(source('a')).out }),
      'Param resample-1.rate: expected a value, got nothing.'],
    ['required input missing', () => graphFrom({ a: loose(resample)({ rate: 1 }).out }),
      'Input resample-1.in: expected audio, got nothing.'],
    ['wrong media', () => graphFrom({ a: loose(resample)(vad(source('a')).segments, { rate: 1 }).out }),
      'Edge vad-1.segments→resample-1.in: expected audio, got events'],
  ])('%s', (_name, make, message) => {
    const graph = make(), own = validate(graph, registry)
    expect(own.map((d) => d.message).join('\n')).toContain(message)
    expect(asText(graph).map(facts)).toEqual(own.map(facts))
  })

  test('faults within a definition name their place in the whole document', () => {
    const inner = { millrace: 1, zz: 1, nodes: [{ id: 'g', type: 'test::resample', params: { rate: 1 }, policy: { yy: 1 } }] }
    const document = { millrace: 1, nodes: [{ id: 'a', type: 'graph::d' }], definitions: { d: inner } }
    const said = [document, fromDocument(document, registry)].map((one) => validate(one as never, registry).map(facts))
    expect(said[0]!.map((one) => (one as Diagnostic).message)).toEqual(expect.arrayContaining([
      '/definitions/d/zz: unknown field.', '/definitions/d/nodes/0/policy/yy: unknown field.',
    ]))
    expect(said[1]).toEqual(said[0])
  })

  test('a good graph has nothing to say', () => {
    const graph = graphFrom({ a: resample(source('a'), { rate: 16_000 }) })
    expect(validate(graph, registry)).toEqual([])
    expect(asText(graph)).toEqual([])
  })
})
