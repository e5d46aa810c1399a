/**
 * Hashes of loops (GR-12, GR-54): equal exactly where two nodes cannot be told apart by anything that is wired
 * around them, in TypeScript and in the core.
 */
import { expect, test } from 'vitest'
import type { Graph, GraphEdge } from '../../src/graph/graph.js'
import { hashGraph, type GraphHashes } from '../../src/graph/hash.js'
import { plainPasses as plain } from '../../src/graph/passes.js'
import { compileModules } from '../../src/kernels/compile.js'
import { corePasses } from '../../src/kernels/graph-passes.js'
import { randomFrom, randomGraph } from '../support/random-graphs.js'

const GRAPHS = Number(process.env['MILLRACE_LOOP_GRAPHS'] ?? 60)

/** A random graph whose nodes differ little, with feedback edges backwards: loops in loops, loops behind loops, twins. */
function loopy(seed: number, count: number): Graph {
  const graph = randomGraph(seed, count, 1), random = randomFrom(seed + 1_000), { nodes } = graph
  const plain = nodes.map((node) => ({
    ...node, definition: nodes[0]!.definition!, type: nodes[0]!.type, params: random(5) === 0 ? { hz: 1 } : {},
  }))
  const back = Array.from({ length: 1 + random(count) }, (): GraphEdge => ({
    from: [nodes[random(count)]!.id, random(3) === 0 ? 'y' : 'x'], to: [nodes[random(count)]!.id, 'many'], delayFrames: 128 + random(2),
  }))
  return { ...graph, nodes: plain, edges: [...graph.edges.filter(({ to }) => random(3) > 0 || to[1] !== 'many'), ...back] }
}

/**
 * Classes of nodes by the coarsest partition that what they are and what they read respects, found by splitting: no hash of one node is
 * part of that of another. Nodes are numbered over both graphs.
 */
function classes(graphs: readonly Graph[]): Map<string, number> {
  const all = graphs.flatMap((graph, g) => graph.nodes.map((node) => ({
    key: `${g}.${node.id}`, own: JSON.stringify([node.type, { hz: 440, ...node.params }]),
    links: graph.edges.map((edge, at) => ({ edge, at }))
      .filter(({ edge }) => edge.to[0] === node.id).sort((a, b) =>
        a.edge.to[1] < b.edge.to[1] ? -1 : a.edge.to[1] > b.edge.to[1] ? 1 : (a.edge.order ?? a.at) - (b.edge.order ?? b.at) || a.at - b.at)
      .map(({ edge }) => ({ from: `${g}.${edge.from[0]}`, say: `${edge.to[1]} ${edge.from[1]} ${edge.delayFrames ?? 0}` })),
  })))
  let found = new Map(all.map(({ key }) => [key, 0])), kinds = 1
  for (;;) {
    const names = new Map<string, number>(), next = new Map<string, number>()
    for (const { key, own, links } of all) {
      const name = JSON.stringify([own, links.map(({ from, say }) => [say, found.get(from)])])
      if (!names.has(name)) names.set(name, names.size)
      next.set(key, names.get(name)!)
    }
    found = next
    if (names.size === kinds) return found
    kinds = names.size
  }
}

const digests = (graph: Graph, hashes: GraphHashes): string[] => graph.nodes.map(({ id }) => hashes.node(id))

test(`${GRAPHS} pairs of random graphs with loops: equal hashes are exactly equal behaviour; core and TypeScript agree`, async () => {
  const passes = corePasses(await compileModules({ shared: false }), 0)
  let twins = 0
  for (let seed = 1; seed <= GRAPHS; seed++) {
    const graphs = [loopy(seed, 2 + seed % 12), loopy(seed % 7 === 0 ? seed : seed + 500, 2 + (seed * 5) % 12)], kind = classes(graphs)
    const hashes = graphs.map((graph) => hashGraph(graph)), byClass = new Map<number, string>(), byHash = new Map<string, number>()
    graphs.forEach((graph, g) => {
      const core = hashGraph(graph, { passes })
      expect(digests(graph, core)).toEqual(digests(graph, hashes[g]!))
      expect(core.graph).toBe(hashes[g]!.graph)
      for (const { id } of graph.nodes) {
        const own = kind.get(`${g}.${id}`)!, hash = hashes[g]!.node(id)
        if (byHash.has(hash)) expect(byHash.get(hash), `seed ${seed}: ${g}.${id}`).toBe(own)
        byHash.set(hash, own)
        if (byClass.get(own) === hash) twins++
        byClass.set(own, hash)
      }
    })
  }
  expect(twins).toBeGreaterThan(GRAPHS)
})

test('names, order of nodes and where edges stand never enter', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const graph = loopy(seed, 8), before = hashGraph(graph), names = new Map(graph.nodes.map(({ id }, n) => [id as string, `other ${n}`]))
    const renamed = { ...graph, outputs: new Map([...graph.outputs].map(([name, [id, port]]) => [name, [names.get(id)!, port] as const])),
      nodes: graph.nodes.map((node) => ({ ...node, id: names.get(node.id)! })).reverse(),
      edges: graph.edges.map((edge) => ({
        ...edge, from: [names.get(edge.from[0])!, edge.from[1]] as const, to: [names.get(edge.to[0])!, edge.to[1]] as const,
      })) } as unknown as Graph
    const after = hashGraph(renamed)
    expect(after.graph).toBe(before.graph)
    for (const { id } of graph.nodes) expect(after.node(names.get(id)!)).toBe(before.node(id))
  }
})

test('a delay, a port, a param anywhere in a loop, and what feeds it, change every node of it and what comes behind; nothing else', () => {
  const { nodes: [first] } = randomGraph(1, 1)
  const node = (id: string, params = {}): Graph['nodes'][number] => ({ ...first!, id: id as never, params })
  const edge = (from: string, to: string, more: Partial<GraphEdge> = {}): GraphEdge => ({
    from: [from as never, 'x'], to: [to as never, 'many'], ...more,
  })
  const base: Graph = {
    inputs: new Map(), config: {}, outputs: new Map(), nodes: ['source', 'a', 'b', 'behind', 'aside'].map((id) => node(id)),
    edges: [edge('source', 'a'), edge('a', 'b'), edge('b', 'a', { delayFrames: 200 }), edge('b', 'behind'), edge('source', 'aside')],
  }
  const changed = (next: Graph): string => {
    const before = hashGraph(base), after = hashGraph(next)
    return next.nodes.filter(({ id }) => after.node(id) !== before.node(id)).map(({ id }) => id).join()
  }
  const edges = (e: number, more: Partial<GraphEdge>): Graph =>
    ({ ...base, edges: base.edges.map((one, i) => i === e ? { ...one, ...more } : one) })
  expect(changed(edges(2, { delayFrames: 201 }))).toBe('a,b,behind')
  expect(changed(edges(2, { from: ['b' as never, 'y'] }))).toBe('a,b,behind')
  expect(changed(edges(2, { from: ['a' as never, 'x'] }))).toBe('a,b,behind')
  expect(changed({ ...base, nodes: base.nodes.map((one) => one.id === 'b' as never ? node('b', { hz: 1 }) : one) })).toBe('a,b,behind')
  expect(changed({ ...base, nodes: base.nodes.map((one) => one.id === 'source' as never ? node('source', { hz: 1 }) : one) }))
    .toBe('source,a,b,behind,aside')
  expect(changed({ ...base, nodes: base.nodes.map((one) => one.id === 'aside' as never ? node('aside', { hz: 1 }) : one) })).toBe('aside')
  // Another loop elsewhere is no matter of theirs.
  expect(changed({ ...base, edges: [...base.edges, edge('aside', 'aside', { delayFrames: 128 })] })).toBe('aside')
})

test('hashes of an earlier version are taken over round loops', () => {
  const graph = loopy(3, 40), hashes = hashGraph(graph), random = randomFrom(8)
  expect(hashGraph(graph, { previous: hashes }).graph).toBe(hashes.graph)
  for (let i = 0; i < 30; i++) {
    const id = graph.nodes[random(40)]!.id, e = random(graph.edges.length)
    const next = random(2) === 0
      ? { ...graph, nodes: graph.nodes.map((node) => node.id === id ? { ...node, params: { hz: 2 + i } } : node) }
      : { ...graph, edges: graph.edges.filter((_, at) => at !== e) }
    expect(digests(next, hashGraph(next, { previous: hashes }))).toEqual(digests(next, hashGraph(next)))
  }
})

test('a loop of many nodes costs rounds over its feedback edges, not over its nodes', () => {
  const count = 20_000, { nodes: [first] } = randomGraph(1, 1)
  const graph: Graph = {
    inputs: new Map(), config: {}, outputs: new Map(),
    nodes: Array.from({ length: count }, (_, n) => ({ ...first!, id: `n${n}` as never, params: {} })),
    edges: Array.from({ length: count }, (_, n) => ({
      from: [`n${n}` as never, 'x'], to: [`n${(n + 1) % count}` as never, 'many'], ...(n === count - 1 && { delayFrames: 128 }),
    })),
  }
  let messages = 0
  const passes = {
    order: plain.order, cycles: plain.cycles,
    hash: (batch: Parameters<typeof plain.hash>[0]) => { messages += batch.count; return plain.hash(batch) },
  }
  hashGraph(graph, { passes })
  expect(messages).toBeLessThanOrEqual(4 * count)
})
