/**
 * Content hashes against an oracle that follows spec graph.md section 6 sentence by sentence on
 * `node:crypto`, and against their own earlier versions.
 */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { setParam } from '../../src/graph/edit.js'
import type { Graph, GraphEdge } from '../../src/graph/graph.js'
import { hashGraph, type GraphHashes } from '../../src/graph/hash.js'
import { codeDigest } from '../../src/graph/hash-type.js'
import { compileModules } from '../../src/kernels/compile.js'
import { corePasses } from '../../src/kernels/graph-passes.js'
import { knot, randomFrom, randomGraph } from '../support/random-graphs.js'

const GRAPHS = Number(process.env['MILLRACE_HASH_GRAPHS'] ?? 40)
const sha = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
const u32 = (value: number): Buffer => { const bytes = Buffer.alloc(4); bytes.writeUInt32LE(value); return bytes }
const record = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts)
  return Buffer.concat([Uint8Array.of(tag), u32(content.length), content])
}
const text = (value: string): Buffer => Buffer.from(value, 'utf8')
const byBytes = (a: string, b: string): number => Buffer.compare(text(a), text(b))

function bytesOf(value: unknown, type: string | undefined): Buffer {
  if (type === 'seed' || typeof value === 'bigint') {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(value as string))
    return Buffer.concat([Uint8Array.of(4), bytes])
  }
  if (value === null) return Buffer.of(0)
  if (typeof value === 'boolean') return Buffer.of(value ? 2 : 1)
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value === 0 ? 0 : value)
    return Buffer.concat([Uint8Array.of(3), bytes])
  }
  if (typeof value === 'string') return record(5, text(value))
  if (value instanceof Uint8Array) return record(6, value)
  if (Array.isArray(value)) return Buffer.concat([Uint8Array.of(7), u32(value.length), ...value.map((item) => bytesOf(item, undefined))])
  const entries = Object.entries(value as object).sort(([a], [b]) => byBytes(a, b))
  return Buffer.concat([
    Uint8Array.of(8), u32(entries.length),
    ...entries.flatMap(([key, item]) => [u32(text(key).length), text(key), bytesOf(item, undefined)]),
  ])
}

function naive(graph: Graph, seed: bigint): { readonly node: (id: string) => string; readonly graph: string } {
  const found = new Map<string, Buffer>()
  const hash = (id: string): Buffer => {
    const known = found.get(id)
    if (known !== undefined) return known
    const { definition, params } = graph.nodes.find((node) => node.id === id)!, table = definition!.params, seeded = Buffer.alloc(8)
    seeded.writeBigUInt64LE(seed)
    const parts = [
      record(1, text('millrace-node-hash/1')), record(2, text(definition!.type)), record(3, text(definition!.version)),
      record(4, codeDigest(definition!)),
      definition!.deterministic === 'seeded' ? record(5, Uint8Array.of(1), seeded) : record(5, Uint8Array.of(0)),
    ]
    for (const name of Object.keys(table).sort(byBytes)) {
      const { type, cosmetic, secret, default: usual } = table[name]!, value = params[name] === undefined ? usual : params[name]
      if (cosmetic === true || value === undefined) continue
      const bytes = bytesOf(value, type)
      parts.push(record(6, record(0x10, text(name)), record(0x11, secret === true ? sha(bytes) : bytes)))
    }
    const links = graph.edges.map((edge, at) => ({ edge, at })).filter(({ edge }) => edge.to[0] === id)
      .sort((a, b) => byBytes(a.edge.to[1], b.edge.to[1]) || (a.edge.order ?? a.at) - (b.edge.order ?? b.at) || a.at - b.at)
    links.forEach(({ edge: { from, to, delayFrames } }, i) => {
      const rank = links.slice(0, i).filter(({ edge }) => edge.to[1] === to[1]).length
      parts.push(record(
        7, record(0x20, text(to[1])), record(0x21, u32(rank)),
        ...delayFrames === undefined ? [] : [record(0x25, u32(delayFrames))],
        record(0x22, hash(from[0])), record(0x23, text(from[1])),
      ))
    })
    const digest = sha(...parts)
    found.set(id, digest)
    return digest
  }
  const unread = graph.nodes.flatMap(({ id }) => ['x', 'y'].filter((port) => !graph.edges.some(({ from }) =>
    from[0] === id && from[1] === port)).map((port): [string, string, string] => ['', id, port]))
  const ends = graph.outputs.size > 0 ? [...graph.outputs].map(([name, [id, port]]): [string, string, string] => [name, id, port])
    : unread
  const entries = ends.map(([name, id, port]) => ({ name, digest: sha(hash(id), record(0x23, text(port))) }))
    .sort((a, b) => byBytes(a.name, b.name) || Buffer.compare(a.digest, b.digest))
  return {
    node: (id) => hash(id).toString('hex'),
    graph: sha(...entries.flatMap(({ name, digest }) => [record(0x23, text(name)), digest])).toString('hex'),
  }
}

const same = (graph: Graph, a: GraphHashes | ReturnType<typeof naive>, b: GraphHashes): void => {
  for (const { id } of graph.nodes) expect(b.node(id)).toBe(a.node(id))
  expect(b.graph).toBe(a.graph)
}

test(`${GRAPHS} random graphs hash as by hand`, () => {
  for (let seed = 1; seed <= GRAPHS; seed++) {
    const graph = randomGraph(seed, 1 + seed % 40)
    same(graph, naive(graph, 5n), hashGraph(graph, { seed: 5n }))
  }
})

test.each([[300, 2], [600, 1], [500, 8]])('%i nodes, about %i links each: core and TypeScript agree', async (count, density) => {
  const passes = corePasses(await compileModules({ shared: false }))
  for (let seed = 1; seed <= 3; seed++) {
    const graph = randomGraph(seed, count, density)
    same(graph, hashGraph(graph, { seed: 5n }), hashGraph(graph, { seed: 5n, passes }))
  }
})

test('a graph larger than one call hashes the same, whole nodes larger than a call too', async () => {
  const passes = corePasses(await compileModules({ shared: false })), graph = randomGraph(9, 400)
  const large = {
    ...graph,
    nodes: graph.nodes.map((node, n) => ({ ...node, params: { name: 'x'.repeat(n === 7 ? 9_000_000 : 25_000 + n) } })),
  }
  const given = hashGraph(large)
  same(large, given, hashGraph(large, { passes }))
  const alone = { ...large, nodes: [large.nodes[7]!], edges: [], outputs: new Map() }
  expect(hashGraph(alone, { seed: 0n }).node(alone.nodes[0]!.id)).toBe(naive(alone, 0n).node(alone.nodes[0]!.id))
})

test('only changed nodes and their descendants are hashed again (GR-55)', () => {
  let graph = randomGraph(3, 200), hashes = hashGraph(graph)
  expect(hashes.hashed).toBe(200)
  expect(hashGraph(graph, { previous: hashes }).hashed).toBe(0)
  const random = randomFrom(4)
  for (let i = 0; i < 60; i++) {
    const changed = graph.nodes[random(200)]!.id, edit = random(4)
    const next: Graph = edit === 0 ? setParam(graph, changed, 'hz', i + 1000)
      : edit === 1 ? { ...graph, edges: graph.edges.filter((_, e) => e !== i) }
      : edit === 2 ? { ...graph, nodes: [...graph.nodes].reverse() }
      : {
        ...graph,
        nodes: graph.nodes.map((node) => node.id === changed ? { ...node, definition: { ...knot, version: `1.0.${i}` } } : node),
      }
    const again = hashGraph(next, { previous: hashes }), whole = hashGraph(next)
    same(next, whole, again)
    const dirty = edit === 0 || edit === 3 ? descendants(next.edges, changed).size
      : edit === 1 ? descendants(graph.edges, graph.edges[i]!.to[0]).size
      : 0
    // Links with a written order are worked out again when edges have moved.
    if (edit !== 2) expect(again.hashed).toBeLessThanOrEqual(dirty + ordered(next))
    if (edit !== 2) expect(again.hashed).toBeGreaterThanOrEqual(next.edges.length === graph.edges.length ? dirty : 1)
    graph = next
    hashes = again
  }
})

test('nothing is taken over from hashes that covered files or fingerprints', () => {
  const graph = randomGraph(3, 20), whole = hashGraph(graph)
  for (const o of [{ referenced: (): Uint8Array => new Uint8Array(32) }, { fingerprint: (): Uint8Array => Uint8Array.of(1) }]) {
    const first = hashGraph(graph, o)
    expect(first.graph).not.toBe(whole.graph)
    same(graph, whole, hashGraph(graph, { previous: first }))
  }
})

test('what equals nothing is never taken over', () => {
  const graph = {
    ...randomGraph(3, 20),
    nodes: randomGraph(3, 20).nodes.map((node, n) => n === 4 ? { ...node, params: { any: new Blob(['x']) } } : node),
  }
  const first = hashGraph(graph), id = graph.nodes[4]!.id
  expect(hashGraph(graph, { previous: first }).node(id)).not.toBe(first.node(id))
})

function descendants(edges: readonly GraphEdge[], id: string): Set<string> {
  const seen = new Set([id])
  for (let before = 0; before !== seen.size;) {
    before = seen.size
    for (const { from, to } of edges) if (seen.has(from[0])) seen.add(to[0])
  }
  return seen
}

function ordered({ nodes, edges }: Graph): number {
  const seen = new Set<string>()
  for (const { id } of nodes) {
    const links = edges.filter(({ to }) => to[0] === id)
    if (links.length > 1 && links.some(({ order }) => order !== undefined)) for (const one of descendants(edges, id)) seen.add(one)
  }
  return seen.size
}
