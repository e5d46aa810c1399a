import { commonErrors } from '../../errors/common-errors.js'
import type { Media } from '../../media/media-type.js'
import { graphErrors } from '../errors.js'
import type { Graph } from '../graph.js'
import { resolveAliases, type Aliases } from './aliases.js'
import { feedbackOf, type Feedback } from './feedback-loops.js'
import { lazyBranches, type LazyBranches } from './lazy-branches.js'
import { linkNodes, runOutputs, type LinkOptions } from './link-nodes.js'
import { needsNoCode, nodeOf, portOf, type LinkedInput, type LinkedNode, type LinkFault, type ValueId } from './linked-node.js'

/**
 * What a graph comes to once its media are agreed: where every value really comes from, what waits, what goes
 * round; and what of it no plan can be made of.
 */
export interface ResolvedLinks extends Aliases {
  readonly nodes: readonly LinkedNode[]
  /** Ids of nodes that no code runs for. */
  readonly removed: ReadonlySet<string>
  readonly lazy: LazyBranches | undefined
  readonly feedback: Feedback | undefined
  /** Run outputs by name, as they are named in the graph. */
  readonly shown: ReadonlyMap<string, ValueId>
  readonly faults: readonly LinkFault[]
}

/** How nodes run, and what is known beside the graph. */
export interface ResolveLinksOptions extends LinkOptions {
  /** Name of an edge in messages, by position. */
  readonly edgeName: (edge: number) => string
  /** Ids of nodes that get something beside what the graph says. */
  readonly fed?: ReadonlySet<string>
}

/**
 * Resolves the links of a graph of known types without cycles, `order` its topological order, `media` as agreed. The one place where
 * planning and `validate` find out what feedback edges, views and branches on demand do not allow (GR-12, GR-29, GR-48). O((nodes + edges)
 * · delays in a row).
 */
export function resolveLinks(graph: Graph, order: Uint32Array, media: ReadonlyMap<ValueId, Media>, o: ResolveLinksOptions): ResolvedLinks {
  const linked = linkNodes(graph, order, media, o)
  const removed = new Set(linked.filter(needsNoCode).map((node) => node.id))
  const aliases = resolveAliases(linked, removed)
  const nodes = withDelays(linked, aliases), shown = runOutputs(graph, nodes), found = { ...aliases, nodes, removed, shown }
  if (aliases.endless !== undefined) {
    return { ...found, lazy: undefined, feedback: undefined, faults: [endlessFault(aliases.endless, aliases.late, o)] }
  }
  const kept = new Set(graph.nodes.flatMap((node) => node.output === true ? [node.id] : []))
  const lazy = lazyBranches(nodes, shown.values(), (id) => kept.has(id))
  const feedback = feedbackOf(nodes, {
    origin: aliases.origin, removed, edgeName: o.edgeName, ...(lazy && { lazyKeys: lazy.keys }), ...(o.fed && { fed: o.fed }),
  })
  return {
    ...found, lazy, feedback,
    faults: [...channelFaults(found, media), ...promptFaults(shown, aliases.delays), ...feedback?.faults ?? []],
  }
}

/** Aliases of what comes late come late. */
function withDelays(nodes: readonly LinkedNode[], { delays, late }: Aliases): readonly LinkedNode[] {
  if (delays.size === 0) return nodes
  const delayed = (input: LinkedInput): LinkedInput => {
    const more = input.from === null ? undefined : delays.get(input.from)
    return more === undefined ? input : { ...input, delay: more + (input.delay ?? 0), late: input.late ?? late.get(input.from!)! }
  }
  return nodes.map((node) => ({ ...node, inputs: node.inputs.map(delayed) }))
}

function endlessFault({ id, inputs: [first] }: LinkedNode, late: ReadonlyMap<ValueId, number>, o: ResolveLinksOptions): LinkFault {
  const edge = first!.late ?? late.get(first!.from!) ?? first!.edge!, name = o.edgeName(edge)
  return {
    edge,
    diagnostic: commonErrors.UNSUPPORTED.diagnostic({
      feature: `Feedback edge ${name}`, runtime: 'a loop of nodes that change nothing', alternative: 'Remove it.',
    }, { stage: 12, edge: name, node: id }),
  }
}

/** A run output that is an alias of something later than it stands nowhere. */
function promptFaults(shown: ReadonlyMap<string, ValueId>, delays: ReadonlyMap<ValueId, number>): LinkFault[] {
  return [...shown].flatMap(([output, value]) => !delays.has(value) ? [] : [{
    output,
    diagnostic: commonErrors.UNSUPPORTED.diagnostic(
      { feature: `Output ${output}, which hands on a feedback edge as it is`, runtime: 'a run', alternative: 'Put a gain node before it.' },
      { stage: 12, node: nodeOf(value), port: portOf(value) }),
  }])
}

/** A view may name channels that its input does not have: told once both are known. */
function channelFaults(
  { nodes, shown, origin, views }: Pick<ResolvedLinks, 'nodes' | 'shown' | 'origin' | 'views'>,
  media: ReadonlyMap<ValueId, Media>,
): LinkFault[] {
  if (views.size === 0) return []
  const places = new Map<ValueId, Pick<LinkFault, 'edge' | 'output'>>()
  for (const { inputs } of nodes) {
    for (const { from, edge } of inputs) if (from !== null && edge !== undefined && !places.has(from)) places.set(from, { edge })
  }
  for (const [output, value] of shown) if (!places.has(value)) places.set(value, { output })
  return [...places].flatMap(([value, place]): LinkFault[] => {
    const view = views.get(value), from = media.get(origin.get(value) ?? value), to = media.get(value)
    if (view === undefined || from?.kind !== 'audio' || to?.kind !== 'audio') return []
    const last = view.first + (view.downwards === true ? 1 - to.channels : to.channels - 1)
    if (Math.min(view.first, last) >= 0 && Math.max(view.first, last) < from.channels) return []
    const node = nodeOf(value), port = portOf(value), ports = Array.from({ length: from.channels }, (_, c) => `c${c}`)
    return [{
      ...place,
      diagnostic: graphErrors.PORT_NOT_FOUND.diagnostic({ node, port, ports }, { node, port, expected: ports, got: port }),
    }]
  })
}
