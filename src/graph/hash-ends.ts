import { endsOf, type DefinitionOf, type RunOutput } from './ends.js'
import type { Graph } from './graph.js'
import type { GraphLinks } from './hash-links.js'
import { TAG } from './hash-type.js'
import { HashWriter } from './hash-writer.js'
import { DIGEST_BYTES } from './sha256.js'
import { compareUtf8 } from './utf8.js'

/** What a graph's hash covers; a sink without ports stands for its (nameless) effect. */
export function endsToHash(graph: Graph, { edges, linkOf, records }: GraphLinks, definitionOf: DefinitionOf): readonly RunOutput[] {
  const { outputs, sinks } = endsOf(graph, edges, definitionOf, (e) => records[linkOf[e]!]?.parentPort ?? graph.edges[e]!.from[1])
  if (sinks.length === 0) return outputs
  const ends = [...outputs], read = new Set(outputs.map(({ node }) => node))
  for (const node of sinks) {
    const ports = Object.keys(definitionOf(node)?.outputs ?? {})
    if (ports.length === 0) ends.push({ name: undefined, node, port: '' })
    else if (!read.has(node)) for (const port of ports) ends.push({ name: undefined, node, port })
  }
  return ends
}

/**
 * Ends by declared name (what was not declared has an empty one), then by digest; that of end `i` is number `first + i`. `known`: an
 * order that is nearly so, which becomes it.
 */
export function sortedEnds(ends: readonly RunOutput[], digests: Uint8Array, first: number, known?: number[]): number[] {
  const view = new DataView(digests.buffer), keys = new Float64Array(ends.length)
  const byte = (end: number, i: number): number => digests[(first + end) * DIGEST_BYTES + i]!
  // Numbers sort ten times as fast as what has to be compared by a function; of equal names little is left to do then.
  for (let i = 0; i < keys.length; i++) keys[i] = (view.getUint32((first + i) * DIGEST_BYTES) >>> 8) * 2 ** 29 + i
  return (known ?? [...keys.sort()].map((key) => key % 2 ** 29)).sort((a, b) => {
    let differ = compareUtf8(ends[a]!.name ?? '', ends[b]!.name ?? '')
    for (let i = 0; differ === 0 && i < DIGEST_BYTES; i++) differ = byte(a, i) - byte(b, i)
    return differ
  })
}

/** Digest of the whole: of ends in their order. */
export function digestOfEnds(ends: readonly RunOutput[], digests: Uint8Array, first: number, order: readonly number[]): Uint8Array {
  const writer = new HashWriter(48 * ends.length)
  for (const i of order) {
    writer.text(TAG.parentPort, ends[i]!.name ?? '').skip(DIGEST_BYTES).setDigest(writer.mark - DIGEST_BYTES, digests, first + i)
  }
  return writer.takeDigest(0)
}
