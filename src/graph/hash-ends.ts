import { endsOf, type DefinitionOf } from './ends.js'
import type { Graph } from './graph.js'
import type { GraphLinks } from './hash-links.js'
import { TAG } from './hash-type.js'
import { HashWriter } from './hash-writer.js'
import { DIGEST_BYTES } from './sha256.js'
import { compareUtf8 } from './utf8.js'

/** An output that the graph's hash covers; a sink without ports stands for its (nameless) effect. */
export interface End { readonly name: string; readonly node: number; readonly port: string }

/** What a graph's hash covers; what was not declared has an empty name. */
export function endsToHash(graph: Graph, { edges, linkOf, records }: GraphLinks, definitionOf: DefinitionOf): End[] {
  const { outputs, sinks } = endsOf(graph, edges, definitionOf, (e) => records[linkOf[e]!]?.parentPort ?? graph.edges[e]!.from[1])
  const ends = outputs.map(({ name, node, port }): End => ({ name: name ?? '', node, port })), read = new Set(outputs.map((output) => output.node))
  for (const node of sinks) {
    const ports = Object.keys(definitionOf(node)?.outputs ?? {})
    if (ports.length === 0) ends.push({ name: '', node, port: '' })
    else if (!read.has(node)) for (const port of ports) ends.push({ name: '', node, port })
  }
  return ends
}

/** Digest of the whole: ends by declared name, then by digest; that of end `i` is number `first + i`. `order`: of all ends, as far as it is known; sorted then. */
export function digestOfEnds(ends: readonly End[], digests: Uint8Array, first: number, order: number[]): Uint8Array {
  const view = new DataView(digests.buffer), keys = ends.map((_, i) => view.getUint32((first + i) * DIGEST_BYTES)), writer = new HashWriter(48 * ends.length)
  order.sort((a, b) => {
    let differ = compareUtf8(ends[a]!.name, ends[b]!.name) || keys[a]! - keys[b]!
    for (let i = 4; differ === 0 && i < DIGEST_BYTES; i++) differ = digests[(first + a) * DIGEST_BYTES + i]! - digests[(first + b) * DIGEST_BYTES + i]!
    return differ
  })
  for (const i of order) writer.text(TAG.parentPort, ends[i]!.name).raw(digests, (first + i) * DIGEST_BYTES, (first + i + 1) * DIGEST_BYTES)
  return writer.takeDigest(0)
}
