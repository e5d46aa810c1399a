import type { Graph } from '../graph/graph.js'
import { resolveParams } from '../graph/params.js'
import type { Media } from '../media/media-type.js'
import { valueId } from './resolved-graph.js'
import type { ValueId } from './segment-plan.js'

/** What sources told before the run: media of their discovered ports, and their lengths in frames. */
export interface Discovered { readonly known: Map<ValueId, Media>; readonly lengths: Map<string, number>; readonly failures: Map<string, unknown> }

/** Asks every source that can tell (`probe`), all at once. A probe that fails leaves its ports open: the first packet, or the run itself, will tell. */
export async function probeSources(graph: Graph, signal: AbortSignal): Promise<Discovered> {
  const found: Discovered = { known: new Map(), lengths: new Map(), failures: new Map() }
  await Promise.all(graph.nodes.map(async (node) => {
    const probe = node.definition?.probe
    if (probe === undefined) return
    try {
      const { media, frames } = await probe(resolveParams(node.definition!, node.params).values, { signal })
      for (const [port, m] of Object.entries(media)) found.known.set(valueId(node.id, port), m)
      if (frames !== undefined) found.lengths.set(node.id, frames)
    } catch (error) { found.failures.set(node.id, error) }
  }))
  return found
}
