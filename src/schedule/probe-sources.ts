import type { Graph, GraphNode } from '../graph/graph.js'
import { resolveParams } from '../graph/params.js'
import type { Media } from '../media/media-type.js'
import { withPatience } from './batch/patience.js'
import { BlockWatch } from './block-watch.js'
import type { Clock } from './clock.js'
import { HANG_MS } from './policy/node-policy.js'
import { valueId } from './resolved-graph.js'
import type { ValueId } from './segment-plan.js'

/** What sources told before the run: media of their discovered ports, and their lengths in frames. */
export interface Discovered {
  readonly known: Map<ValueId, Media>
  readonly lengths: Map<string, number>
  readonly failures: Map<string, unknown>
  /** Fingerprints, by node. */
  readonly marks: Map<string, Uint8Array | null>
}

/** How a node's own code is called before its run: `hung` hears of it when it has blocked this thread (graph page, `thread`). */
export interface EarlyCalls {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** The engine's. */
  readonly hangMs?: number | undefined
  hung(node: GraphNode, ms: number): void
}

/** What measures the calls of one node. */
export function watchOf(node: GraphNode, { clock, hung, hangMs = HANG_MS }: EarlyCalls): BlockWatch {
  return new BlockWatch({
    clock,
    hangMs: (node.policy?.['hangMs'] ?? node.definition?.hangMs ?? hangMs) as number,
    blocked: (ms) => { hung(node, ms) },
  })
}

/**
 * Asks every source that can tell (`probe`), all at once. A probe that fails leaves its ports open: the
 * first packet, or the run itself, will tell.
 */
export async function probeSources(graph: Graph, calls: EarlyCalls): Promise<Discovered> {
  const { signal, clock } = calls
  const found: Discovered = { known: new Map(), lengths: new Map(), failures: new Map(), marks: new Map() }
  await Promise.all(graph.nodes.map(async (node) => {
    const probe = node.definition?.probe
    if (probe === undefined) return
    try {
      const { media, frames, fingerprint } = await withPatience(
        watchOf(node, calls).call(async () => probe(resolveParams(node.definition!, node.params).values, { signal })),
        signal, clock,
      )
      for (const [port, m] of Object.entries(media)) found.known.set(valueId(node.id, port), m)
      if (fingerprint !== undefined) found.marks.set(node.id, fingerprint)
      if (frames !== undefined) found.lengths.set(node.id, frames)
    } catch (error) { found.failures.set(node.id, error) }
  }))
  return found
}
