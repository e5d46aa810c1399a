import { describe, expect, test } from 'vitest'
import type { Diagnostic } from '../../src/errors/diagnostic.js'
import { canConnect } from '../../src/graph/connect/can-connect.js'
import { IncrementalOrder } from '../../src/graph/connect/incremental-order.js'
import { addNode, connect, disconnect, removeNode, setParam } from '../../src/graph/edit.js'
import { createGraph, type Graph, type GraphEdge, type GraphNode, type PortRef } from '../../src/graph/graph.js'
import type { NodeDefinition } from '../../src/graph/node-definition.js'
import { createRegistry } from '../../src/graph/registry.js'
import { validate } from '../../src/graph/validate/index.js'
import { anyMedia, audio, events } from '../../src/media/media-type.js'
import { convert, graphOf, mix, nodeType, pass, registryOf, resample, sink, source } from '../support/graph-nodes.js'
import { randomFrom } from '../support/random-graphs.js'

const EDITS =
  Number((globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env['MILLRACE_CONNECT_EDITS'] ?? 400)
const types: readonly NodeDefinition[] = [
  nodeType('x::source', { outputs: { out: anyMedia(), more: anyMedia() } }),
  nodeType('x::pass', {
    params: { level: { type: 'number', default: 0, input: true, doc: '' } },
    inputs: { in: { media: anyMedia(), optional: true } }, outputs: { out: anyMedia() },
  }),
  nodeType('x::many', { inputs: { in: { media: anyMedia(), multi: true, optional: true } }, outputs: { out: anyMedia() } }),
]
const registry = createRegistry(...types.map((definition) => ({ definition })))
const errors = (found: readonly Diagnostic[]): string[] => found.filter((one) => one.severity === 'error').map((one) => one.code)

/** The codes that a new edge adds to what `validate` says. */
function added(graph: Graph, from: PortRef, to: PortRef): string[] {
  const before = errors(validate(graph, registry, undefined, { limits: { linksPerInput: 2 } }))
  const after = errors(validate(connect(graph, from, to), registry, undefined, { limits: { linksPerInput: 2 } }))
  for (const code of before) { const at = after.indexOf(code); if (at >= 0) after.splice(at, 1) }
  return after
}

describe('canConnect (GR-52)', () => {
  test(`says what full validation says, over ${EDITS} random edits`, () => {
    const random = randomFrom(52), seen = new Map<string, number>()
    const node = (n: number): GraphNode => ({
      id: `n${n}` as GraphNode['id'], type: types[n % 3]!.type, definition: types[n % 3]!, params: {},
    })
    let graph = createGraph({
      nodes: Array.from({ length: 6 }, (_, n) => node(n)),
      inputs: new Map([['level', { to: [['n1' as GraphNode['id'], 'in']], required: false }]]),
    })
    let count = 6
    for (let i = 0; i < EDITS; i++) {
      const any = (): string => random(30) === 0 ? 'nobody' : `n${random(count)}`
      const from = [any(), ['out', 'out', 'out', 'more', 'ouch'][random(5)]!] as unknown as PortRef
      const to = [any(), ['in', 'in', 'in', 'level', 'inch'][random(5)]!] as unknown as PortRef
      const answer = canConnect(graph, from, to, { limits: { linksPerInput: 2 } }), expected = added(graph, from, to)
      const code = answer?.code ?? 'none'
      seen.set(code, (seen.get(code) ?? 0) + 1)
      if (answer === null ? expected.length > 0 : !expected.includes(code)) expect({ from, to, code }).toEqual({ from, to, expected })
      if (answer?.code === 'GRAPH_CYCLE') {
        for (const edge of (answer.got as string).split(' -> ').slice(0, -2).map((id, n, ids) => [id, ids[n + 1] ?? from[0]])) {
          expect(graph.edges.some((one) => one.from[0] === edge[0] && one.to[0] === edge[1])).toBe(true)
        }
      }
      if (answer === null) graph = connect(graph, from, to)
      switch (random(8)) {
        case 0: graph = addNode(graph, node(count++)); break
        case 1: {
          const gone = graph.edges[random(graph.edges.length || 1)]
          if (gone !== undefined) graph = disconnect(graph, gone.from, gone.to)
          break
        }
        case 2: {
          const gone = graph.nodes[random(graph.nodes.length)]!
          if (random(3) === 0 && graph.nodes.length > 4) graph = removeNode(graph, gone.id)
          break
        }
        case 3: {
          const one = graph.nodes.find(({ type }) => type === 'x::pass')
          if (one !== undefined) graph = setParam(graph, one.id, 'level', i)
          break
        }
        case 4: {
          const e = random(graph.edges.length || 1)
          if (random(4) === 0) graph = { ...graph, edges: graph.edges.map((edge, at) => at === e ? { ...edge, delayFrames: 128 } : edge) }
        }
      }
    }
    for (const code of [
      'none', 'NODE_NOT_FOUND', 'SELF_LINK', 'EDGE_DUPLICATE', 'GRAPH_CYCLE', 'PORT_NOT_FOUND', 'INPUT_OCCUPIED', 'LIMIT_EXCEEDED',
    ]) expect([code, (seen.get(code) ?? 0) > 0]).toEqual([code, true])
  }, 60_000)

  test('an older version, another graph, and a graph with cycles are answered for what they are', () => {
    const first = graphOf({ a: pass, b: pass, c: pass }, ['a.out->b.in'])
    const second = connect(first, ['b', 'out'] as unknown as PortRef, ['c', 'in'] as unknown as PortRef)
    const ask = (graph: Graph, from: string, to: string): string | undefined =>
      canConnect(graph, [from, 'out'] as unknown as PortRef, [to, 'in'] as unknown as PortRef)?.code
    expect(ask(second, 'c', 'a')).toBe('GRAPH_CYCLE')
    expect(ask(first, 'c', 'a')).toBeUndefined()
    expect(ask(graphOf({ a: pass, c: pass }), 'c', 'a')).toBeUndefined()
    const ring = graphOf({ a: mix, b: mix, c: mix, d: mix }, ['a.out->b.in', 'b.out->a.in', 'b.out->c.in'])
    expect(ask(ring, 'c', 'a')).toBe('GRAPH_CYCLE')
    expect(ask(ring, 'c', 'd')).toBeUndefined()
    expect(ask(disconnect(ring, ['b', 'out'] as unknown as PortRef, ['a', 'in'] as unknown as PortRef), 'c', 'd')).toBeUndefined()
    expect(canConnect(second, ['c', 'out'] as unknown as PortRef, ['a', 'in'] as unknown as PortRef))
      .toMatchObject({ got: 'a -> b -> c -> a', message: 'Graph: cycle a -> b -> c -> a.', hint: expect.stringContaining('c.out->a.in') })
  })

  test('media: kinds always, fields when the registry tells what converts them', () => {
    const stereo = source('test::stereo', { rate: 48_000, channels: 2 })
    const mono = sink('test::mono', { rate: 48_000, channels: 1 })
    const notes = nodeType('test::notes', { inputs: { in: events({ schema: 'note' }) } })
    const graph = graphOf({ stereo, mono, notes, resample, pass })
    const ask = (to: string, o?: Parameters<typeof canConnect>[3]): string | undefined =>
      canConnect(graph, ['stereo', 'out'] as unknown as PortRef, [to, 'in'] as unknown as PortRef, o)?.code
    expect(ask('notes')).toBe('TYPE_MISMATCH')
    expect(ask('mono')).toBeUndefined()
    expect(ask('mono', { registry: registryOf() })).toBeUndefined()
    expect(ask('mono', { registry: createRegistry({ definition: convert }) })).toBe('NEGOTIATION_CONFLICT')
    expect(ask('pass', { registry: registryOf() })).toBeUndefined()
  })

  test('a refusal for media is one of full validation too', () => {
    const random = randomFrom(5)
    const kinds = [
      source('test::a', { rate: [8_000, 16_000], channels: 1 }), source('test::b', { rate: 16_000, channels: 2 }), pass, resample, mix,
      sink('test::c', { rate: 8_000, channels: [1, 2] }),
      nodeType('test::d', {
        inputs: { in: { media: events({ schema: 'note' }), optional: true } },
        outputs: { out: audio({ rate: 8_000, channels: 1 }) },
      }),
    ]
    const poor = createRegistry({ definition: convert })
    let refused = 0
    for (let i = 0; i < 200; i++) {
      let graph = graphOf(Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`n${n}`, kinds[random(kinds.length)]!])))
      for (let n = 0; n < 4; n++) {
        const from = [`n${random(5)}`, 'out'] as unknown as PortRef
        const to = [`n${random(5)}`, 'in'] as unknown as PortRef
        const answer = canConnect(graph, from, to, { registry: poor })
        if (answer === null) graph = connect(graph, from, to)
        if (answer?.stage !== 12 || !['TYPE_MISMATCH', 'NEGOTIATION_CONFLICT'].includes(answer.code)) continue
        refused++
        expect(errors(validate(connect(graph, from, to), poor))).toContain(answer.code)
      }
    }
    expect(refused).toBeGreaterThan(20)
  })
})

test('the incremental order equals reachability over random insertions and removals', () => {
  const random = randomFrom(11), order = new IncrementalOrder(), count = 12, edges: [number, number][] = []
  for (let n = 0; n < count; n++) order.add()
  for (let i = 0; i < 3_000; i++) {
    if (edges.length > 0 && random(3) === 0) order.unlink(...edges.splice(random(edges.length), 1)[0]!)
    else { const edge: [number, number] = [random(count), random(count)]; edges.push(edge); order.link(...edge) }
    const from = random(count), to = random(count), seen = new Set([from])
    for (let before = 0; before !== seen.size;) { before = seen.size; for (const [a, b] of edges) if (seen.has(a)) seen.add(b) }
    const path = order.path(from, to)
    expect(path !== undefined).toBe(seen.has(to))
    path?.forEach((node, n) => { if (n > 0) expect(edges.some(([a, b]) => a === path[n - 1] && b === node)).toBe(true) })
    if (edges.length > 18) order.unlink(...edges.splice(random(edges.length), 1)[0]!)
  }
})

test('10 000 nodes: edits are followed, not started anew', () => {
  const nodes = Array.from({ length: 10_000 }, (_, n): GraphNode => ({
    id: `n${n}` as GraphNode['id'], type: pass.type, definition: pass, params: {},
  }))
  const edges = Array.from({ length: 9_998 }, (_, n): GraphEdge => ({
    from: [`n${n}` as GraphNode['id'], 'out'], to: [`n${n + 1}` as GraphNode['id'], 'in'],
  }))
  let graph = createGraph({ nodes, edges })
  const ref = (id: string, port: string): PortRef => [id, port] as unknown as PortRef
  expect(canConnect(graph, ref('n9998', 'out'), ref('n0', 'in'))?.code).toBe('GRAPH_CYCLE')
  expect(canConnect(graph, ref('n9998', 'out'), ref('n9999', 'in'))).toBeNull()
  graph = removeNode(graph, 'n5000')
  expect(canConnect(graph, ref('n9998', 'out'), ref('n0', 'in'))).toBeNull()
  graph = connect(graph, ref('n9998', 'out'), ref('n0', 'in'))
  expect(canConnect(graph, ref('n4999', 'out'), ref('n5001', 'in'))?.code).toBe('GRAPH_CYCLE')
})
