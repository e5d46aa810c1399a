/** Stage 3 of graphs in memory: what a document of the graph would be told, in the same words (GR-53). */
import { describe, expect, test } from 'vitest'
import { createGraph, type Graph, type GraphNode } from '../../../src/graph/graph.js'
import { createRegistry } from '../../../src/graph/registry.js'
import { toDocument } from '../../../src/graph/document/to-document.js'
import { validate } from '../../../src/graph/validate/index.js'
import { gain } from '../../../src/nodes/audio/gain.js'
import { pass } from '../../../src/nodes/core/pass.js'
import { numbers } from '../../../src/nodes/core/numbers.js'

const registry = createRegistry(numbers, pass, gain)
const source = { id: 'a', type: 'core::numbers', definition: numbers.definition, params: { values: [1] } } as unknown as GraphNode
const sink = { id: 'b', type: 'core::pass', definition: pass.definition, params: {} } as unknown as GraphNode
const edge = { from: ['a', 'out'], to: ['b', 'in'] }
const long = 'x'.repeat(65)
/** The graph as JSON: what a careless writer would make of it. */
const asJson = ({ nodes, edges, inputs, outputs, ...rest }: Graph): object => JSON.parse(JSON.stringify({
  millrace: 1, ...rest, nodes: nodes.map(({ definition: _, ...node }) => node), edges, inputs: Object.fromEntries(inputs),
  outputs: Object.fromEntries(outputs),
})) as object

const FAULTS: Readonly<Record<string, Record<string, unknown>>> = {
  'an id of 65 characters': { nodes: [{ ...source, id: long }, sink], edges: [] }, 'an empty id': { nodes: [{ ...source, id: '' }] },
  'a type without colons': { nodes: [{ ...source, type: 'no colon!' }] },
  ...Object.fromEntries(Object.entries({
    mode: 'zzz', tier: 'zzz', place: 'zzz', version: 5, policy: { timeoutMs: -1 }, requires: { cores: 'x' }, output: 'yes',
    media: { out: { kind: 'smell' } }, params: 7,
  }).map(([field, value]) => [`${field} of a node`, { nodes: [{ ...source, [field]: value }, sink], edges: [edge] }])),
  ...Object.fromEntries(Object.entries({ order: 0.5, capacity: 0, whenFull: 'zz', delayFrames: 64, id: '', from: ['a'], to: 'b' })
    .map(([field, value]) => [`${field} of an edge`, { nodes: [source, sink], edges: [{ ...edge, [field]: value }] }])),
  ...Object.fromEntries(Object.entries({ seed: -5, negotiate: 'zz', onError: 1, timeoutMs: NaN, metrics: 'x', retry: { kind: 'often' } })
    .map(([field, value]) => [`config.${field}`, { nodes: [source, sink], edges: [edge], config: { [field]: value } }])),
  'a name of an output': { nodes: [source], outputs: new Map([[long, ['a', 'out']]]) },
  'the port of an output': { nodes: [source], outputs: new Map([['o', ['a']]]) },
  'a name of an input': { nodes: [source], inputs: new Map([[long, { to: [['a', 'values']] }]]) },
  'targets of an input': { nodes: [source], inputs: new Map([['i', { to: 'a' }]]) },
  'meta': { nodes: [source], meta: { priority: 1_000 } }, 'revision': { nodes: [source], revision: -1 },
  'id of the graph': { nodes: [source], id: long },
  'unknown fields': { nodes: [{ ...source, extras: { colour: 'red', 'x-own': 1 } }], extras: { smell: 1 } }, 'five at once': {
    nodes: [{ ...source, mode: 1, tier: 1 }, { ...sink, id: 5 }], edges: [{ ...edge, order: 'a' }], config: { seed: {} }, revision: 0.5,
  },
}

describe('what breaks the format', () => {
  test.each(Object.entries(FAULTS))('%s', (_, parts) => {
    const graph = createGraph(parts as never), found = validate(graph, registry)
    const json = { ...asJson(graph), ...(parts['extras'] as object) } as { nodes: Record<string, unknown>[]; extras?: unknown }
    delete json.extras
    for (const node of json.nodes) { Object.assign(node, node['extras']); delete node['extras'] }
    if (Number.isNaN((parts['config'] as { timeoutMs?: number } | undefined)?.timeoutMs)) {
      expect(found).toMatchObject([{ code: 'SCHEMA_INVALID', pointer: '/config/timeoutMs' }])
    } else {
      expect(found).toEqual(validate(json, registry))
    }
    expect(found.some((one) => one.stage === 3)).toBe(true)
  })
})

test('nothing is said of sound graphs, whatever their params hold', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  const graph = createGraph({
    nodes: [{ ...source, params: { values: [1], data: new Float32Array(4), call: () => 1 } as never, policy: undefined as never }, sink],
    edges: [edge as never], ui: cyclic,
  })
  expect(validate(graph, registry).filter((one) => one.stage === 3)).toEqual([])
  const plain = createGraph({ nodes: [source, sink], edges: [edge as never] })
  expect(validate(plain, registry)).toEqual(validate(toDocument(plain), registry))
})
