import type { GraphEdgeList } from './edge-list.js'
import { endsOf, type DefinitionOf } from './ends.js'
import type { Graph } from './graph.js'
import { TAG } from './hash-type.js'
import { HashWriter } from './hash-writer.js'
import { DIGEST_BYTES } from './sha256.js'
import { compareUtf8 } from './utf8.js'

/** An output that the graph's hash covers; a sink without ports stands for its (nameless) effect. */
export interface End { readonly name: string; readonly node: number; readonly port: string }

/** What a graph's hash covers; what was not declared has an empty name. */
export function endsToHash(graph: Graph, edges: GraphEdgeList, definitionOf: DefinitionOf): End[] {
  const { outputs, sinks } = endsOf(graph, edges, definitionOf)
  const ends = outputs.map(({ name, node, port }): End => ({ name: name ?? '', node, port })), read = new Set(outputs.map((output) => output.node))
  for (const node of sinks) {
    const ports = Object.keys(definitionOf(node)?.outputs ?? {})
    if (ports.length === 0) ends.push({ name: '', node, port: '' })
    else if (!read.has(node)) for (const port of ports) ends.push({ name: '', node, port })
  }
  return ends
}

/** Digest of the whole: ends by declared name, then by digest; that of end `i` is number `first + i`. */
export function digestOfEnds(ends: readonly End[], digests: Uint8Array, first: number): Uint8Array {
  const entries = ends.map(({ name }, i) => ({ name, at: (first + i) * DIGEST_BYTES })).sort((a, b) => {
    let order = compareUtf8(a.name, b.name)
    for (let i = 0; order === 0 && i < DIGEST_BYTES; i++) order = digests[a.at + i]! - digests[b.at + i]!
    return order
  })
  const writer = new HashWriter()
  for (const { name, at } of entries) writer.text(TAG.parentPort, name).raw(digests, at, at + DIGEST_BYTES)
  return writer.takeDigest(0)
}
