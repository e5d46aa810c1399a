import type { Media } from '../../media/media-type.js'
import { edgeListOf } from '../edge-list.js'
import { graphErrors } from '../errors.js'
import type { Graph, GraphNode } from '../graph.js'
import { inputSource, LastEdges } from '../input-source.js'
import { describeMedia } from '../negotiate/describe.js'
import type { Negotiation } from '../negotiate/index.js'
import { escapePointer } from '../pointer.js'
import type { LinkFault } from '../resolve/linked-node.js'
import { internal } from '../ask.js'
import { resolveLinks } from '../resolve/resolve-graph.js'
import { parseTier, tierWithin, TIERS, wantedTier, type HostFacts, type Tier } from '../tiers.js'
import type { Context } from './context.js'
import type { Flow } from './flow.js'
import { engineTierOf, type ValidationHost } from './host.js'
import { removeEdge } from './links.js'

/** Stage 12: only audio goes round, of samples whose zero is silence. `solved`: with converters in. */
export function checkFeedbackMedia(c: Context, { graph, media }: Negotiation, edgeIndex: readonly number[]): void {
  graph.edges.forEach(({ from, to, delayFrames }, i) => {
    const e = edgeIndex[i], got = delayFrames === undefined ? undefined : media.get(from.join('.'))
    if (got === undefined || e === undefined || c.brokenEdges.has(e) || delays(got)) return
    const edge = c.edgeName(e), expected = got.kind === 'audio' ? 'audio of signed samples' : 'audio', shown = describeMedia(got)
    c.brokenEdges.add(e)
    c.report('edges', e, graphErrors.TYPE_MISMATCH.diagnostic({ from: from.join('.'), to: to.join('.'), expected, got: shown }, {
      node: to[0], port: to[1], edge, pointer: c.edgePointer(e), constraint: 'kind', expected, got: shown, suggestions: [removeEdge(c, e)],
    }))
  })
}

function delays(media: Media): boolean { return media.kind === 'audio' && media.format !== 'u8' }

/**
 * Stage 12, last: what planning makes of feedback edges and of views of channels (GR-12), on the part of the graph that is sound, run-time
 * inputs in place. Without a host a loop of unequal tiers is refused when no engine on any host has one for all of them.
 */
export function checkLinks(
  c: Context, { nodeIndex, edgeIndex }: Pick<Flow, 'nodeIndex' | 'edgeIndex'>, { graph, media }: Negotiation,
  host: ValidationHost | undefined,
): void {
  const definitionOf = (i: number): GraphNode['definition'] => i < nodeIndex.length ? c.sound(nodeIndex[i]!) : graph.nodes[i]!.definition
  if (!graph.edges.some(({ delayFrames }) => delayFrames !== undefined)
    && !graph.nodes.some((_, i) => Object.values(definitionOf(i)?.outputs ?? {}).some(({ view }) => view !== undefined))) {
    return
  }
  const { part, edges, fed } = soundPart(c, graph, definitionOf, nodeIndex, edgeIndex), { order } = c.passes.order(edgeListOf(part))
  const nameOf = (e: number): string => { const own = edgeIndex[edges[e]!]; return own === undefined ? '' : c.edgeName(own) }
  let faults: readonly LinkFault[] = []
  try {
    for (const [tier, facts] of enginesOn(host)) {
      ({ faults } = resolveLinks(part, order, media, { edgeName: nameOf, fed, tierOf: (node) => tierOf(node, tier, facts) }))
      if (faults.length === 0) return
      if (part.nodes.every((node) => node.tier === undefined)) break
    }
  } catch (error) {
    c.report('document', 0, internal(error))
  }
  // of these nobody knows what converters they bring
  const open = [...c.graph.inputs].flatMap(([name, { media: declared }]) => declared === undefined ? [name] : [])
  const inputs = part.nodes.flatMap(({ id, type }): [string, string][] =>
    type === 'millrace::input' ? [[id, `input ${[...c.graph.inputs.keys()].find((name) => id.startsWith(`~${name}.`)) ?? id}`]] : [])
  const say = (text: string): string => inputs.reduce((said, [id, name]) =>
    said.replaceAll(`${id}, which is written in TypeScript`, () => `${name}, which is no kernel`).replaceAll(id, () => name), text)
  const near = open.length === 0 ? undefined : joinedTo(part, (id) => open.some((name) => id.startsWith(`~${name}.`)))
  const doubtful = ({ sure, edge, diagnostic: { node = '' } }: LinkFault): boolean =>
    near?.has(edge === undefined ? node : part.edges[edge]!.to[0]) === true
      && (sure !== true || open.some((name) => node.startsWith(`~${name}.`)))
  for (const { diagnostic, ...fault } of faults) if (!doubtful({ ...fault, diagnostic })) {
    reportFault(c, {
      ...fault,
      diagnostic: {
        ...diagnostic, message: say(diagnostic.message), hint: say(diagnostic.hint),
        ...(diagnostic.node?.startsWith('~') && { node: part.edges[fault.edge ?? -1]?.to[0] ?? diagnostic.node }),
      },
    }, fault.edge === undefined ? undefined : edgeIndex[edges[fault.edge]!])
  }
}

/** Ids of nodes that edges, either way, join to the nodes asked for: media are agreed among them. */
function joinedTo({ nodes, edges }: Graph, from: (id: string) => boolean): ReadonlySet<string> {
  const beside = new Map<string, string[]>(nodes.map(({ id }) => [id, []]))
  const work = nodes.flatMap(({ id }) => from(id) ? [id] : [])
  const found = new Set<string>(work)
  for (const { from: [a], to: [b] } of edges) { beside.get(a)!.push(b); beside.get(b)!.push(a) }
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    for (const next of beside.get(id)!) if (!found.has(next)) { found.add(next); work.push(next) }
  }
  return found
}

interface SoundPart {
  readonly part: Graph
  /** Position in the solved graph of each edge; none for run-time inputs. */
  readonly edges: readonly number[]
  /** Nodes that lost a link to another fault. */
  readonly fed: ReadonlySet<string>
}

function soundPart(
  c: Context, graph: Graph, definitionOf: (node: number) => GraphNode['definition'], nodeIndex: readonly number[],
  edgeIndex: readonly number[],
): SoundPart {
  const nodes = graph.nodes.flatMap((node, i): GraphNode[] => {
    const definition = definitionOf(i), params = c.params[nodeIndex[i] ?? -1]
    return definition === undefined ? [] : [{ ...node, definition, ...(params !== undefined && { params }) }]
  })
  const known = new Map(nodes.map((node) => [node.id, node]))
  const edges = graph.edges.flatMap(({ from, to }, i) =>
    known.has(from[0]) && known.has(to[0]) && !c.brokenEdges.has(edgeIndex[i] ?? -1) ? [i] : [])
  const kept = new Set(edges), fed = new Set(graph.edges.flatMap(({ to }, i) => kept.has(i) ? [] : [to[0]]))
  const links = new LastEdges(edges.map((i) => graph.edges[i]!))
  for (const [name, { to }] of graph.inputs) for (const ref of to) {
    if (!Object.hasOwn(known.get(ref[0])?.definition?.inputs ?? {}, ref[1])) continue
    const source = inputSource(`~${name}.${ref.join('.')}`)
    nodes.push(source)
    links.add([source.id, 'out'], ref)
  }
  return {
    part: { ...graph, nodes, edges: links.edges, outputs: new Map([...graph.outputs].filter(([, [id]]) => known.has(id))) },
    edges, fed,
  }
}

/** The engine that is known, or all that there may be: on hosts that have every tier, all but the first, the last. */
function enginesOn(host: ValidationHost | undefined): readonly (readonly [tier: Tier, host: HostFacts])[] {
  if (host !== undefined) return [[engineTierOf(host), host]]
  return TIERS.flatMap((best, n) => TIERS.slice(n).map((tier) =>
    [tier, { wasm: best !== 'js', simd: best !== 'js', sab: n === 0 }] as const))
}

/** A node's tier in an engine; one that the host does not have is told by its stage. */
function tierOf({ tier, definition }: GraphNode, engine: Tier, host: HostFacts): Tier {
  return tierWithin(engine, wantedTier(tier, definition?.kernel, engine), host) ?? [parseTier(tier) as Tier | Tier[]].flat()[0]!
}

function reportFault(c: Context, { diagnostic, output }: LinkFault, e: number | undefined): void {
  if (e !== undefined) {
    const { delayFrames } = c.graph.edges[e]!, late = diagnostic.code === 'UNSUPPORTED' && delayFrames !== undefined
    c.report('edges', e, {
      ...diagnostic, edge: c.edgeName(e),
      pointer: `${c.edgePointer(e)}${late ? '/delayFrames' : '/from/1'}`,
      ...(late && { got: delayFrames }), suggestions: [removeEdge(c, e)],
    })
    return
  }
  const index = output === undefined ? -1 : [...c.graph.outputs.keys()].indexOf(output)
  if (index >= 0) { c.report('outputs', index, { ...diagnostic, pointer: `/outputs/${escapePointer(output!)}` }); return }
  const node = c.indexOf.get(diagnostic.node ?? '') ?? 0
  c.report('nodes', node, { ...diagnostic, pointer: c.nodePointer(node) })
}
