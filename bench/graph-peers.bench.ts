/**
 * Question: is the graph core faster than what a user would pick instead (PF-08, PF-09)? Hypothesis: a DAG of 10 000 nodes and 30 000
 * edges, from string ids, is built, sorted and checked for cycles twice as fast as by toposort, sorted again in ≤ 1 ms, and hashed by
 * content in ≤ 25 ms.
 */
import { Graph as Graphlib, alg } from '@dagrejs/graphlib'
import { DirectedGraph } from 'graphology'
import { topologicalSort } from 'graphology-dag'
import toposort from 'toposort'
import xxhash from 'xxhash-wasm'
import { edgeListOf } from '../src/graph/edge-list.js'
import { createGraph, type Graph, type GraphEdge, type GraphNode } from '../src/graph/graph.js'
import { hashGraph } from '../src/graph/hash.js'
import type { NodeDefinition } from '../src/graph/node-definition.js'
import { topologicalOrder } from '../src/graph/order.js'
import { plainPasses } from '../src/graph/passes.js'
import { compileModules } from '../src/kernels/compile.js'
import { corePasses } from '../src/kernels/graph-passes.js'
import { gain } from '../src/nodes/audio/gain.js'
import { mix } from '../src/nodes/audio/mix.js'
import { bench } from './support/bench.js'

const NODES = 10_000, EDGES = 30_000
const source = { ...gain.definition, type: 'bench::source', inputs: {} } as NodeDefinition

/** Every node but the first few reads about three earlier ones; ids say nothing about the order, and the document lists nodes at random. */
export function dag(): Graph {
  let state = 1
  const random = (below: number): number => {
    state = Math.imul(state, 1_664_525) + 1_013_904_223 >>> 0
    return Math.floor(state / 2 ** 32 * below)
  }
  const parents = Array.from({ length: NODES }, () => new Set<number>())
  for (let left = EDGES; left > 0;) {
    const to = 1 + random(NODES - 1), set = parents[to]!, from = random(to)
    if (!set.has(from)) { set.add(from); left-- }
  }
  const id = (n: number): string => `node-${(n * 7_919) % NODES}`
  const nodes: GraphNode[] = parents.map((set, n) => {
    const definition = (set.size === 0 ? source : set.size === 1 ? gain.definition : mix.definition) as NodeDefinition
    return { id: id(n) as GraphNode['id'], type: definition.type, definition, params: set.size > 1 ? {} : { gainDb: -n / 1_000 } }
  })
  const edges = parents.flatMap((set, n) =>
    [...set].map((from): GraphEdge => ({ from: [id(from) as GraphNode['id'], 'out'], to: [id(n) as GraphNode['id'], 'in'] })))
  for (let i = nodes.length - 1; i > 0; i--) { const j = random(i + 1), swap = nodes[i]!; nodes[i] = nodes[j]!; nodes[j] = swap }
  return createGraph({ nodes, edges })
}

export const order = bench('graph/dag', async (b) => {
  const graph = dag(), passes = corePasses(await compileModules({ shared: false })), list = edgeListOf(graph)
  const ids = graph.nodes.map((node) => node.id as string), pairs = graph.edges.map(({ from, to }): [string, string] => [from[0], to[0]])
  const row = await b.compare(`build, sort and check ${NODES} nodes, ${EDGES} edges from ids`, {
    topologicalOrder: () => topologicalOrder(graph), 'with the core': () => passes.order(edgeListOf(graph)),
    toposort: () => toposort.array(ids, pairs),
    graphology: () => {
      const peer = new DirectedGraph()
      for (const id of ids) peer.addNode(id)
      for (const [from, to] of pairs) peer.addEdge(from, to)
      return topologicalSort(peer)
    },
    graphlib: () => {
      const peer = new Graphlib()
      for (const id of ids) peer.setNode(id)
      for (const [from, to] of pairs) peer.setEdge(from, to)
      return alg.topsort(peer)
    },
  }, { unit: { name: 'nodes', count: NODES }, rounds: 9, roundMs: 60 })
  b.note(`toposort by us: ${row.variants[2]!.ratio.toFixed(1)} by the medians, ${(row.variants[2]!.minMs / row.variants[0]!.minMs).toFixed(1)} by the least times (bar 2)`)
  const again = await b.compare('sort again what is numbered', {
    core: () => passes.order(list), TypeScript: () => plainPasses.order(list),
  }, { unit: { name: 'nodes', count: NODES } })
  b.note(`sort again: least ${again.variants[0]!.minMs.toFixed(2)} and ${again.variants[1]!.minMs.toFixed(2)} ms (bar 1)`)
}, ['node'])

export const hash = bench('graph/content-hash', async (b) => {
  const graph = dag(), passes = corePasses(await compileModules({ shared: false })), { h64ToString } = await xxhash()
  const { createHash, hash: oneShot } = process.getBuiltinModule('node:crypto')
  const sorted = topologicalOrder(graph).order, { indexOf } = edgeListOf(graph)
  const into = graph.nodes.map((): number[] => [])
  for (const { from, to } of graph.edges) into[indexOf.get(to[0])!]!.push(indexOf.get(from[0])!)
  /**
   * What one writes by hand: each node's JSON and its parents' hashes through a digest function. The order and the links are given to it.
   */
  const merkle = (digest: (text: string) => string) => (): string => {
    const found: string[] = []
    for (const n of sorted) {
      const { type, definition, params } = graph.nodes[n]!
      found[n] = digest(JSON.stringify({ type, version: definition!.version, params, from: into[n]!.map((parent) => found[parent]) }))
    }
    return digest(found.join())
  }
  const row = await b.compare(`content hash of ${NODES} nodes, ${EDGES} edges`, {
    'hashGraph, core': () => hashGraph(graph, { passes }).graph, 'hashGraph, TypeScript': () => hashGraph(graph).graph,
    'createHash Merkle': merkle((text) => createHash('sha256').update(text).digest('hex')),
    'crypto.hash': merkle((text) => oneShot('sha256', text, 'hex')),
    'xxhash-wasm': merkle((text) => h64ToString(text)), 'JSON.stringify alone': () =>
      JSON.stringify({ nodes: graph.nodes.map(({ id, type, params }) => ({ id, type, params })), edges: graph.edges }),
  }, {
    unit: { name: 'nodes', count: NODES }, rounds: 9, roundMs: 100,
    quality: {
      'hashGraph, core': '256 bit, from ids, code and defaults covered',
      'hashGraph, TypeScript': 'the same', 'createHash Merkle': '256 bit, order given', 'crypto.hash': '256 bit, order given',
      'xxhash-wasm': '64 bit: collisions can be made', 'JSON.stringify alone': 'no hash',
    },
  })
  const CALLS = 20, before = process.cpuUsage()
  for (let i = 0; i < CALLS; i++) hashGraph(graph, { passes })
  const { user, system } = process.cpuUsage(before)
  b.note(`core: least ${row.variants[0]!.minMs.toFixed(1)} ms, p50 ${row.variants[0]!.p50Ms.toFixed(1)} ms, processor time of all threads ${((user + system) / 1_000 / CALLS).toFixed(1)} ms a call (bar 25)`)
}, ['node'])
