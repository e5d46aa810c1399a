import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Diagnostic } from '../../../src/errors/diagnostic.js'
import { createGraph, type Graph, type GraphEdge, type GraphNode } from '../../../src/graph/graph.js'
import { createRegistry } from '../../../src/graph/registry.js'
import { validate } from '../../../src/graph/validate/index.js'
import { anyMedia, audio, text } from '../../../src/media/media-type.js'
import { nodeType } from '../../support/graph-nodes.js'

const number = { type: 'number', min: 0, max: 1, default: 0, doc: '' } as const
const types = {
  'x::source': nodeType('x::source', { params: { level: number }, outputs: { out: anyMedia() } }),
  'x::pass': nodeType('x::pass', { params: { level: number }, inputs: { in: anyMedia() }, outputs: { out: anyMedia() } }),
  'x::many': nodeType(
    'x::many',
    { params: { level: number }, inputs: { in: { media: anyMedia(), multi: true, optional: true } }, outputs: { out: anyMedia() } },
  ),
  'x::old': {
    ...nodeType('x::old', { params: { level: number }, inputs: { in: anyMedia() }, outputs: { out: anyMedia() } }),
    status: 'deprecated' as const,
  },
  'x::words': nodeType('x::words', { outputs: { out: text() } }), 'x::ears': nodeType('x::ears', { inputs: { in: audio() } }),
  'x::sink': nodeType('x::sink', { params: { level: number }, inputs: { in: anyMedia() } }),
}
const registry = createRegistry(...Object.values(types).map((definition) => ({ definition })))
/** A plain host: nothing beyond WebAssembly, nobody else around. */
const HOST = { wasm: true, simd: true, sab: true }
const told = (found: readonly Diagnostic[]): string[] => found.map((one) =>
  `${one.code} ${one.code === 'GRAPH_CYCLE' ? 'somewhere' : one.pointer}`).sort()

/**
 * Oracle: the rules of spec section 5 as loops over loops. Nodes are looked up by searching, cycles by walking from everywhere. Places are
 * written as `validate` writes them.
 */
function naive({ nodes, edges, outputs }: Graph): string[] {
  const found: string[] = []
  const first = (id: string): number => nodes.findIndex((node) => node.id === id)
  const definition = (id: string) => registry.get(nodes[first(id)]!.type)
  nodes.forEach((node, n) => { if (first(node.id) !== n) found.push(`DUPLICATE_ID /nodes/${n}/id`) })
  const broken = new Set<number>()
  edges.forEach((edge, e) => {
    for (const end of ['from', 'to'] as const) {
      if (first(edge[end][0]) < 0) { found.push(`NODE_NOT_FOUND /edges/${e}/${end}/0`); broken.add(e) }
    }
    if (broken.has(e)) return
    const same = edges.findIndex((other, o) =>
      !broken.has(o) && other.from.join() === edge.from.join() && other.to.join() === edge.to.join())
    if (edge.from[0] === edge.to[0]) { found.push(`SELF_LINK /edges/${e}`); broken.add(e) }
    else if (same < e) { found.push(`EDGE_DUPLICATE /edges/${e}`); broken.add(e) }
  })
  for (const [name, [id]] of outputs) { if (first(id) < 0) found.push(`NODE_NOT_FOUND /outputs/${name}/0`) }
  const unknown = new Set<number>(), unsound = new Set<number>()
  nodes.forEach((node, n) => {
    if (first(node.id) !== n) { unsound.add(n); return }
    if (registry.get(node.type) === undefined) { found.push(`NODE_TYPE_UNKNOWN /nodes/${n}/type`); unknown.add(n); unsound.add(n) }
    else if (node.version === '^9.0.0') { found.push(`NODE_VERSION /nodes/${n}/version`); unsound.add(n) }
    else {
      if (node.type === 'x::old') found.push(`NODE_DEPRECATED /nodes/${n}/type`)
      if ((node.params['level'] as number ?? 0) > 1) { found.push(`PARAM_INVALID /nodes/${n}/params/level`); unsound.add(n) }
      if ('volume' in node.params) { found.push(`PARAM_UNKNOWN /nodes/${n}/params/volume`); unsound.add(n) }
    }
  })
  const reach = (from: string): string[] => {
    const seen: string[] = []
    for (let i = -1; i < seen.length; i++) {
      edges.forEach((edge, e) => {
        if (!broken.has(e) && edge.from[0] === (i < 0 ? from : seen[i]) && !seen.includes(edge.to[0])) seen.push(edge.to[0])
      })
    }
    return seen
  }
  const told = new Set<string>(), inside: number[] = []
  nodes.forEach((node, n) => {
    if (first(node.id) !== n || !reach(node.id).includes(node.id) || told.has(node.id)) return
    found.push('GRAPH_CYCLE somewhere') // which cycle of the part: tested with the algorithm
    const part = reach(node.id).filter((id) => reach(id).includes(node.id))
    part.forEach((id) => told.add(id))
    edges.forEach((edge, e) => { if (!broken.has(e) && part.includes(edge.from[0]) && part.includes(edge.to[0])) inside.push(e) })
  })
  inside.forEach((e) => broken.add(e))
  const sound = edges.filter((_, e) => !broken.has(e))
  const ends = new Set<string>(edges.filter((_, e) => broken.has(e)).flatMap((edge) => [edge.from[0], edge.to[0]]))
  if (outputs.size > 0) for (const [id] of outputs.values()) ends.add(id)
  else nodes.forEach((node, n) => {
    const type = registry.get(node.type)
    const alone = nodes.length > 1 && !(first(node.id) === n && sound.some((edge) => edge.from[0] === node.id || edge.to[0] === node.id))
    if (type !== undefined && alone && Object.values(type.inputs).some((input) => input.optional !== true)) return
    const open = Object.keys(type?.outputs ?? {})
      .some((port) => !sound.some((edge) => edge.from[0] === node.id && edge.from[1] === port && first(node.id) === n))
    const read = sound.some((edge) => edge.from[0] === node.id) && first(node.id) === n
    if (open || (Object.keys(type?.outputs ?? {}).length === 0 && !read)) ends.add(`${n}`)
  })
  const needed = (id: string, n: number): boolean => {
    if (ends.has(`${n}`) || ends.has(id)) return true
    const later: string[] = [id]
    for (let i = 0; i < later.length; i++) {
      for (const edge of sound) if (edge.from[0] === later[i] && !later.includes(edge.to[0])) later.push(edge.to[0])
    }
    return later.some((other) => ends.has(other) || ends.has(`${first(other)}`))
  }
  const planned = nodes.map((node, n) => first(node.id) === n && needed(node.id, n))
  nodes.forEach((node, n) => {
    if (first(node.id) !== n) return
    const linked = edges.some((edge) => edge.from[0] === node.id || edge.to[0] === node.id)
      || [...outputs.values()].some(([id]) => id === node.id)
    if (nodes.length > 1 && !linked) found.push(`ORPHAN_NODE /nodes/${n}`)
    if (!planned[n] && planned.includes(true)) found.push(`PRUNED_NODE /nodes/${n}`)
  })
  nodes.forEach((node, n) => {
    if (!planned[n] || unsound.has(n)) return
    if (node.place === 'remote') found.push(`PLACE_IMPOSSIBLE /nodes/${n}/place`)
    if (node.requires?.['webgpu'] === true) found.push(`CAPABILITY_MISSING /nodes/${n}/requires`)
    if (node.requires?.['webgpu'] === 'preferred') found.push(`CAPABILITY_PREFERRED /nodes/${n}/requires`)
  })
  const astray = new Set<string>()
  edges.forEach((edge, e) => {
    const known = first(edge.from[0]) >= 0 && first(edge.to[0]) >= 0
    const from = first(edge.from[0]) < 0 ? undefined : definition(edge.from[0])
    const to = first(edge.to[0]) < 0 ? undefined : definition(edge.to[0])
    if (known && from !== undefined && !(edge.from[1] in from.outputs)) { found.push(`PORT_NOT_FOUND /edges/${e}/from/1`); broken.add(e) }
    if (to !== undefined && !(edge.to[1] in to.inputs)) {
      found.push(`PORT_NOT_FOUND /edges/${e}/to/1`)
      broken.add(e)
      astray.add(edge.to[0])
    } else if (to !== undefined && !broken.has(e) && to.inputs[edge.to[1]]!.multi !== true
      && edges.some((other, o) => o < e && other.to.join() === edge.to.join())) {
      found.push(`INPUT_OCCUPIED /edges/${e}`)
    }
  })
  for (const [name, [id, port]] of outputs) {
    const type = first(id) < 0 ? undefined : definition(id)
    if (type !== undefined && !(port in type.outputs)) found.push(`PORT_NOT_FOUND /outputs/${name}/1`)
  }
  nodes.forEach((node, n) => {
    if (!planned[n] || unsound.has(n) || astray.has(node.id)) return
    for (const [port, input] of Object.entries(definition(node.id)!.inputs)) {
      if (input.optional !== true && !edges.some((edge) => edge.to[0] === node.id && edge.to[1] === port)) {
        found.push(`INPUT_MISSING /nodes/${n}`)
      }
    }
  })
  return found.sort()
}

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const common = { weight: 8, arbitrary: fc.constant({}) }
const anyNode: fc.Arbitrary<GraphNode> = fc.tuple(
  fc.record({
    id,
    type: fc.constantFrom('x::source', 'x::pass', 'x::pass', 'x::many', 'x::many', 'x::sink', 'x::old', 'x::gone'),
    params: fc.constantFrom({}, {}, {}, {}, { level: 0.5 }, { level: 7 }, { volume: 1 }, { volume: 1, level: 7 }),
  }),
  ...[
    { version: fc.constantFrom('^1.0.0', '^9.0.0') },
    { place: fc.constantFrom('remote', 'local') },
    { requires: fc.constantFrom({ webgpu: true }, { webgpu: 'preferred' }, { webgpu: false }) },
  ].map((more) => fc.oneof(common, { weight: 1, arbitrary: fc.record(more as unknown as Record<string, fc.Arbitrary<unknown>>) })),
).map((parts) => Object.assign({}, ...parts) as GraphNode)
const anyEdge: fc.Arbitrary<GraphEdge> = fc.record({
  from: fc.tuple(
    fc.oneof({ weight: 9, arbitrary: id }, { weight: 1, arbitrary: fc.constant('zz') }),
    fc.constantFrom('out', 'out', 'out', 'out', 'ouch'),
  ),
  to: fc.tuple(
    fc.oneof({ weight: 9, arbitrary: id }, { weight: 1, arbitrary: fc.constant('zz') }),
    fc.constantFrom('in', 'in', 'in', 'in', 'inch'),
  ),
})
const anyGraph: fc.Arbitrary<Graph> = fc.record({
  nodes: fc.array(anyNode, { minLength: 1, maxLength: 7 }), edges: fc.array(anyEdge, { maxLength: 9 }),
  outputs: fc.array(fc.tuple(fc.oneof(id, fc.constant('zz')), fc.constantFrom('out', 'out', 'ouch')), { maxLength: 2 }),
}).map(({ nodes, edges, outputs }) => createGraph({ nodes, edges, outputs: new Map(outputs.map((port, i) => [`y${i}`, port])) }))

/** The row's 10⁴ are a long run. */
const GRAPHS = Number(process.env['MILLRACE_ORACLE_GRAPHS'] ?? 3_000)

/** The graph with more nodes and edges. */
function beside(graph: Graph, nodes: readonly (readonly [id: string, type: string])[], edges: readonly string[]): Graph {
  const link = (edge: string): GraphEdge => {
    const [from, to] = edge.split('->').map((end) => end.split('.') as [string, string])
    return { from: from!, to: to! }
  }
  return {
    ...graph,
    nodes: [...graph.nodes, ...nodes.map(([id, type]): GraphNode => ({ id, type, params: {} }))],
    edges: [...graph.edges, ...edges.map(link)],
  }
}

describe('against a naive oracle (GR-49)', () => {
  test(`${GRAPHS} random graphs give the same set`, () => {
    const codes = new Set<string>()
    fc.assert(fc.property(anyGraph, (graph) => {
      // The one code whose rule looks at all others: tested by itself.
      const found = validate(graph, registry, HOST).filter((one) => one.code !== 'GRAPH_NO_END')
      for (const { code } of found) codes.add(code)
      const got = told(found), wanted = naive(graph)
      if (got.join() !== wanted.join()) expect(got).toEqual(wanted)
      if (found.some((one, i) => i > 0 && one.stage < found[i - 1]!.stage)) throw new Error('not in order of stages')
    }), { numRuns: GRAPHS, seed: 8 })
    expect([...codes].sort()).toEqual([
      'CAPABILITY_MISSING', 'CAPABILITY_PREFERRED', 'DUPLICATE_ID', 'EDGE_DUPLICATE', 'GRAPH_CYCLE', 'INPUT_MISSING', 'INPUT_OCCUPIED',
      'NODE_DEPRECATED', 'NODE_NOT_FOUND', 'NODE_TYPE_UNKNOWN', 'NODE_VERSION', 'ORPHAN_NODE', 'PARAM_INVALID', 'PARAM_UNKNOWN',
      'PLACE_IMPOSSIBLE', 'PORT_NOT_FOUND', 'PRUNED_NODE', 'SELF_LINK'])
  }, 3_600_000)

  test('200 sound graphs with planted faults give exactly those', () => {
    const faults: Readonly<Record<string, (graph: Graph, n: number) => Graph>> = {
      DUPLICATE_ID: (graph, n) => ({ ...graph, nodes: [...graph.nodes, { ...graph.nodes[n]! }] }),
      NODE_TYPE_UNKNOWN: (graph, n) => ({ ...graph, nodes: graph.nodes.map((node, i) => i === n ? { ...node, type: 'x::gone' } : node) }),
      PARAM_INVALID: (graph, n) => ({ ...graph, nodes: graph.nodes.map((node, i) => i === n ? { ...node, params: { level: -1 } } : node) }),
      PARAM_UNKNOWN: (graph, n) => ({ ...graph, nodes: graph.nodes.map((node, i) => i === n ? { ...node, params: { volume: 1 } } : node) }),
      NODE_VERSION: (graph, n) => ({ ...graph, nodes: graph.nodes.map((node, i) => i === n ? { ...node, version: '^9.0.0' } : node) }),
      NODE_NOT_FOUND: (graph, n) => ({ ...graph, edges: [...graph.edges, { from: ['nobody', 'out'], to: [graph.nodes[n]!.id, 'in'] }] }),
      SELF_LINK: (graph, n) =>
        ({ ...graph, edges: [...graph.edges, { from: [graph.nodes[n]!.id, 'out'], to: [graph.nodes[n]!.id, 'in'] }] }),
      EDGE_DUPLICATE: (graph, n) => ({ ...graph, edges: [...graph.edges, graph.edges[n]!] }),
      GRAPH_CYCLE: (graph, n) =>
        ({ ...graph, edges: [...graph.edges, { from: [graph.nodes[n + 1]!.id, 'out'], to: [graph.nodes[n]!.id, 'in'] }] }),
      PORT_NOT_FOUND: (graph, n) =>
        ({ ...graph, edges: [...graph.edges, { from: [graph.nodes[n]!.id, 'ouch'], to: [graph.nodes[n + 1]!.id, 'in'] }] }),
      CAPABILITY_MISSING: (graph, n) =>
        ({ ...graph, nodes: graph.nodes.map((node, i) => i === n ? { ...node, requires: { webgpu: true } } : node) }),
      CAPABILITY_PREFERRED: (graph, n) =>
        ({ ...graph, nodes: graph.nodes.map((node, i) => i === n ? { ...node, requires: { memory64: 'preferred' } } : node) }),
      PLACE_IMPOSSIBLE: (graph, n) => ({ ...graph, nodes: graph.nodes.map((node, i) => i === n ? { ...node, place: 'remote' } : node) }),
      NODE_DEPRECATED: (graph, n) => beside(graph, [['old', 'x::old']], [`n${n}.out->old.in`]),
      ORPHAN_NODE: (graph) => beside(graph, [['alone', 'x::many']], []),
      INPUT_MISSING: (graph, n) => beside(graph, [['hungry', 'x::pass']], [`hungry.out->n${n}.in`]),
      INPUT_OCCUPIED: (graph, n) => beside(graph, [['full', 'x::sink']], [`n${n}.out->full.in`, `n${n + 1}.out->full.in`]),
      TYPE_MISMATCH: (graph) => beside(graph, [['words', 'x::words'], ['ears', 'x::ears']], ['words.out->ears.in']),
    }
    const chain = createGraph({
      nodes: Array.from({ length: 60 }, (_, n): GraphNode => ({ id: `n${n}`, type: 'x::many', params: {} })),
      edges: Array.from({ length: 59 }, (_, n): GraphEdge => ({ from: [`n${n}`, 'out'], to: [`n${n + 1}`, 'in'] })),
    })
    expect(validate(chain, registry)).toEqual([])
    fc.assert(fc.property(fc.subarray(Object.keys(faults), { minLength: 1 }), fc.nat(2), (names, shift) => {
      // Each fault has three nodes of its own.
      const graph = names.reduce((planted, name, i) => faults[name]!(planted, 3 * i + shift + 1), chain)
      expect(validate(graph, registry, HOST).map((one) => one.code).sort()).toEqual([...names].sort())
    }), { numRuns: 200, seed: 9 })
  })
})
