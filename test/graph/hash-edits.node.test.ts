/**
 * Hashes after edits (GR-55): what changed and what reads it is hashed again, loops whole, and nothing else; the result is that of
 * a cold hash, in TypeScript and in the core.
 */
import { expect, test } from 'vitest'
import type { Graph, GraphEdge, GraphNode } from '../../src/graph/graph.js'
import { hashGraph, type GraphHashes } from '../../src/graph/hash.js'
import { compileModules } from '../../src/kernels/compile.js'
import { corePasses } from '../../src/kernels/graph-passes.js'
import { randomFrom, randomGraph } from '../support/random-graphs.js'

const EDITS = Number(process.env['MILLRACE_HASH_EDITS'] ?? 1_000)
const COUNT = 24

/** A graph with several loops, some behind others, and links with a written order. */
function start(seed: number): Graph {
  const graph = randomGraph(seed, COUNT, 1), random = randomFrom(seed), { nodes } = graph
  const back = Array.from({ length: 3 }, (): GraphEdge => {
    const to = random(COUNT - 4)
    return { from: [nodes[to + random(4)]!.id, 'x'], to: [nodes[to]!.id, 'many'], delayFrames: 128 + random(3) }
  })
  return { ...graph, edges: [...graph.edges, ...back] }
}

type Links = ReadonlyMap<string, readonly GraphEdge[]>
function linksOf({ nodes, edges }: Graph): Links {
  const links = new Map(nodes.map(({ id }): [string, [edge: GraphEdge, at: number][]] => [id, []]))
  edges.forEach((edge, at) => links.get(edge.to[0])?.push([edge, at]))
  return new Map([...links].map(([id, list]) => [
    id,
    list.sort(([a, i], [b, j]) => a.to[1] < b.to[1] ? -1 : a.to[1] > b.to[1] ? 1 : (a.order ?? i) - (b.order ?? j) || i - j)
      .map(([edge]) => edge),
  ]))
}

/** Nodes that an edit touched, by what they are and what they read in which order, and all that they reach over links of any kind. */
function touched(before: Graph, after: Graph): number {
  const old = new Map(before.nodes.map((node) => [node.id as string, node])), was = linksOf(before), is = linksOf(after)
  const seen = new Set(after.nodes.filter((node) => old.get(node.id) !== node || is.get(node.id)!.length !== was.get(node.id)!.length
    || is.get(node.id)!.some((edge, i) => edge !== was.get(node.id)![i])).map(({ id }) => id as string))
  for (const id of seen) for (const { from, to } of after.edges) if (from[0] === id) seen.add(to[0])
  return seen.size
}

function edit(graph: Graph, random: (below: number) => number, step: number): Graph {
  const node = graph.nodes[random(graph.nodes.length)]!, e = random(graph.edges.length), edges = graph.edges
  switch (random(8)) {
    case 0:
    case 1:
      return { ...graph, nodes: graph.nodes.map((one) => one === node ? { ...one, params: { ...one.params, hz: 1_000 + step } } : one) }
    case 2: return edges.length < COUNT ? graph : { ...graph, edges: edges.filter((_, i) => i !== e) }
    case 3: return {
      ...graph,
      edges: [...edges, { from: [node.id, 'x'], to: [graph.nodes[random(COUNT)]!.id, 'many'], delayFrames: 128 + random(3) }],
    }
    case 4: return {
      ...graph,
      edges: edges.map((edge, i) => i === e && edge.delayFrames !== undefined ? { ...edge, delayFrames: 128 + random(9) } : edge),
    }
    case 5: return {
      ...graph,
      edges: edges.map((edge, i) => i === e ? { ...edge, from: [edge.from[0], edge.from[1] === 'x' ? 'y' : 'x'] } : edge),
    }
    // Neither where nodes stand nor where edges of different readers stand is anybody's matter.
    case 6: return { ...graph, nodes: [...graph.nodes].reverse() }
    default: return { ...graph, edges: [...edges.filter(({ to }) => to[0] === node.id), ...edges.filter(({ to }) => to[0] !== node.id)] }
  }
}

const all = (graph: Graph, hashes: GraphHashes): string[] => [hashes.graph, ...graph.nodes.map(({ id }) => hashes.node(id))]

test(`${EDITS} random edits of graphs with loops: only what changed and what comes behind is hashed again, as by a cold hash`, async () => {
  const passes = corePasses(await compileModules({ shared: false }), 0), looped: number[] = []
  for (let round = 0; round < 10; round++) {
    const random = randomFrom(100 + round)
    let graph = start(round + 1), plain = hashGraph(graph), core = hashGraph(graph, { passes })
    for (let step = 0; step < EDITS / 10; step++) {
      const next = edit(graph, random, step), most = touched(graph, next), cold = hashGraph(next)
      plain = hashGraph(next, { previous: plain })
      core = hashGraph(next, { passes, previous: core })
      expect(all(next, plain)).toEqual(all(next, cold))
      expect(all(next, core)).toEqual(all(next, cold))
      expect([plain.hashed, core.hashed], `graph ${round}, step ${step}`).toEqual([most, most])
      if (most > 0 && most < COUNT) looped.push(most)
      graph = next
    }
  }
  expect(looped.length).toBeGreaterThan(EDITS / 5)
})

test('a loop and what stands behind it are left alone when something else is edited', () => {
  const { nodes: [first] } = randomGraph(1, 1), ids = ['source', 'a', 'b', 'behind', 'aside']
  const edge = (from: string, to: string, more: Partial<GraphEdge> = {}): GraphEdge => ({
    from: [from as never, 'x'], to: [to as never, 'many'], ...more,
  })
  const base: Graph = {
    inputs: new Map(), config: {}, outputs: new Map(), nodes: ids.map((id) => ({ ...first!, id: id as never, params: {} })),
    edges: [edge('source', 'a'), edge('a', 'b'), edge('b', 'a', { delayFrames: 200 }), edge('b', 'behind'), edge('source', 'aside')],
  }
  const hashes = hashGraph(base)
  const again = (id: string): number => hashGraph(
    { ...base, nodes: base.nodes.map((node) => node.id === id as never ? { ...node, params: { hz: 7 } } : node) },
    { previous: hashes },
  ).hashed
  expect(ids.map(again)).toEqual([5, 3, 3, 1, 1])
  expect(hashGraph({ ...base }, { previous: hashes }).hashed).toBe(0)
})

test('another seed is a matter of seeded nodes and what they feed', () => {
  const graph = randomGraph(3, 30), definition = { ...graph.nodes[0]!.definition!, deterministic: 'seeded' as const }
  const seeded: Graph = {
    ...graph,
    nodes: graph.nodes.map((node, n) =>
      n === 20 ? { ...node, definition } : { ...node, definition: { ...node.definition!, deterministic: 'yes' } }),
  }
  const before = hashGraph(seeded, { seed: 1n }), after = hashGraph(seeded, { seed: 2n, previous: before })
  expect(all(seeded, after)).toEqual(all(seeded, hashGraph(seeded, { seed: 2n })))
  expect(after.hashed).toBe(seeded.nodes.filter(({ id }) => before.node(id) !== after.node(id)).length)
  expect(after.hashed).toBeGreaterThan(0)
})

test('ends follow what is declared, which nodes are outputs, and the ports of replaced types, as by a cold hash', () => {
  const graph: Graph = { ...randomGraph(4, 40), outputs: new Map() }, [first, , third] = graph.nodes
  const wide = { ...third!.definition!, outputs: { ...third!.definition!.outputs, more: third!.definition!.outputs['x']! } }
  const swap = (graph: Graph, by: Partial<GraphNode>): Graph =>
    ({ ...graph, nodes: graph.nodes.map((one) => one.id === third!.id ? { ...one, ...by } : one) })
  const declared: Graph = { ...graph, outputs: new Map([['a', [first!.id, 'x']]]) }, sink = swap(declared, { output: true })
  const steps: readonly Graph[] = [
    graph, declared, sink, swap(sink, { definition: wide }),
    { ...declared, outputs: new Map([['b', [first!.id, 'x']], ['a', [first!.id, 'y']]]) }, graph, swap(graph, { definition: wide }),
    { ...graph, inputs: new Map([['in', { to: [[third!.id, 'many']], default: 7 }]]) }, graph,
  ]
  let previous: GraphHashes | undefined
  const found = steps.map((next) => (previous = hashGraph(next, previous && { previous })).graph)
  expect(found).toEqual(steps.map((next) => hashGraph(next).graph))
  expect(new Set(found).size).toBe(steps.length - 2)
})

test('nodes whose types only the registry knows are left alone, too', () => {
  const graph = randomGraph(5, 30)
  const types = new Map(graph.nodes.map(({ type, definition }) => [type, definition!]))
  const bare: Graph = { ...graph, nodes: graph.nodes.map(({ definition: _, ...node }) => node as GraphNode) }
  const before = hashGraph(bare, { registry: types }), { nodes: [, , third] } = bare
  expect(before.graph).toBe(hashGraph(graph).graph)
  expect(hashGraph({ ...bare }, { registry: types, previous: before }).hashed).toBe(0)
  const next = { ...bare, nodes: bare.nodes.map((node) => node === third ? { ...node, params: { hz: 77 } } : node) }
  const after = hashGraph(next, { registry: types, previous: before })
  expect(all(next, after)).toEqual(all(next, hashGraph(next, { registry: types })))
  expect(after.hashed).toBe(touched(bare, next))
})
