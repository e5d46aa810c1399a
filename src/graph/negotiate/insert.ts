import type { Diagnostic, Suggestion } from '../../errors/diagnostic.js'
import type { Media } from '../../media/media-type.js'
import { edgeName } from '../edge-list.js'
import { graphErrors } from '../errors.js'
import type { Graph, GraphEdge, GraphNode } from '../graph.js'
import { remembering } from '../remembering.js'
import type { ConverterSearch, ConverterStep } from './converters.js'
import { describeConstraint, describeDomain, describeFields, describeMedia } from './describe.js'
import { kindsOf, type Domain } from './domain.js'
import type { InsertedNode, NegotiateMode } from './options.js'
import type { BrokenEdge, Problem, Solution } from './solver.js'

/** A chain of converters for one edge. */
export interface EdgeChain { readonly edge: number; readonly steps: readonly ConverterStep[]; readonly reason: string }

interface MendOptions { readonly mode: NegotiateMode; readonly most: number; readonly search: ConverterSearch }

/**
 * Finds a converter chain for every broken edge, or says why there is none. Edges whose media come with the first packet wait for it.
 * `mediaOf`: of a domain, one object for each.
 */
export function mendEdges(
  problem: Problem, { broken, network }: Solution, mediaOf: (domain: Domain) => Media | undefined, o: MendOptions,
): { readonly chains: EdgeChain[]; readonly diagnostics: Diagnostic[] } {
  const chains: EdgeChain[] = [], diagnostics: Diagnostic[] = []
  const bridge = remembering((from: Media) => remembering((to: Media) => {
    const find = (losslessOnly: boolean): readonly ConverterStep[] | null => o.search.find(from, to, { losslessOnly, most: o.most })
    const free = find(false)
    return {
      free,
      allowed: o.mode === 'strict' ? null : o.mode === 'auto' ? free : find(true),
      reason: `${describeMedia(from)} → ${describeMedia(to)}`,
    }
  }))
  for (const edge of broken) {
    const from = mediaOf(network.domain(edge.producer)), to = mediaOf(network.domain(edge.consumer)), found = from && to && bridge(from)(to)
    if (found?.allowed) {
      if (found.allowed.length > 0) chains.push({ edge: edge.edge, steps: found.allowed, reason: found.reason })
      continue
    }
    if (found === undefined && o.mode !== 'strict' && (edge.fields[0] !== 'kind' || bridges(edge, o.search))) continue
    diagnostics.push(conflict(edge, problem, found?.free ?? null, from, o.search))
  }
  return { chains, diagnostics }
}

/** Some single converter takes the one kind and gives the other, so the first packet may settle it. */
function bridges({ gives, takes }: BrokenEdge, search: ConverterSearch): boolean {
  return search.mayBridge(kindsOf(gives) ?? [], kindsOf(takes) ?? [])
}

function conflict(
  broken: BrokenEdge, { graph }: Problem, free: readonly ConverterStep[] | null, media: Media | undefined, search: ConverterSearch,
): Diagnostic {
  const edge = graph.edges[broken.edge]!
  const from = edge.from.join('.'), to = edge.to.join('.'), name = edgeName(edge)
  const chain = free === null || free.length === 0 ? undefined : free
  const converter = chain?.map((step) => step.definition.type).join(', then ')
  const suggestions: Suggestion[] = chain === undefined ? suggestMore(broken, search) : [{
    title: `Insert ${converter}`,
    edit: {
      op: 'insert-converters', edge: name, from: edge.from, to: edge.to,
      nodes: chain.map((step) => ({ type: step.definition.type, params: step.params })),
    },
  }]
  suggestions.push({ title: `Remove edge ${name}`, edit: { op: 'remove-edge', edge: name, from: edge.from, to: edge.to } })
  const place = { node: edge.to[0], port: edge.to[1], edge: name, pointer: `/edges/${broken.edge}`, suggestions }
  if (broken.fields[0] === 'kind') {
    const expected = describeDomain(broken.takes), got = media === undefined ? describeDomain(broken.gives) : describeMedia(media)
    return graphErrors.TYPE_MISMATCH.diagnostic(
      { from, to, expected, got, ...(converter !== undefined && { converter }) }, { ...place, constraint: 'kind', expected, got })
  }
  const gives = describeFields(broken.gives, broken.fields)
  const takes = describeFields(broken.takes, broken.fields)
  const field = broken.fields.join(', ')
  return graphErrors.NEGOTIATION_CONFLICT.diagnostic(
    { from, to, field, gives, takes, ...(converter !== undefined && { converter }) },
    { ...place, constraint: field, expected: takes, got: gives })
}

/** Converters that want more than the one input can only be proposed (GR-32). */
function suggestMore({ gives, takes }: BrokenEdge, search: ConverterSearch): Suggestion[] {
  const from = kindsOf(gives), to = kindsOf(takes)
  return search.needingMore.flatMap((definition): Suggestion[] => {
    const outputs = Object.values(definition.outputs).map((output) => output.media.kind)
    const inputs = Object.entries(definition.inputs)
    const fits = inputs.find(([, input]) => from === null || from.some((kind) => kind === input.media.kind))
    if (fits === undefined || !(to === null || outputs.some((kind) => to.some((other) => other === kind)))) return []
    const others = inputs.filter(([name, input]) => name !== fits[0] && input.optional !== true)
    const wants = others.map(([name, input]) => `${name} (${describeConstraint(input.media)})`).join(' and ')
    return [{ title: `Insert ${definition.type} at ${fits[0]} and link its ${wants}` }]
  })
}

/**
 * Puts the chains into a copy of the graph, notes their media, and reports each node. Converter ids:
 * `~<from>.<port>~<n>`, n counting per port from 1.
 */
export function insertConverters(
  { graph, edges: { indexOf } }: Problem, chains: readonly EdgeChain[], media: Map<string, Media>, inserted: InsertedNode[],
  diagnostics: Diagnostic[],
): Graph {
  if (chains.length === 0) return graph
  const nodes: GraphNode[] = [...graph.nodes], edges: GraphEdge[] = [...graph.edges]
  const changeOf = remembering((step: ConverterStep) => `${describeMedia(step.from)} → ${describeMedia(step.to)}`)
  const counts = new Map<string, number>()
  for (const { edge: at, steps, reason } of chains) {
    const edge = graph.edges[at]!
    const producer = edge.from.join('.'), name = `${producer}->${edge.to.join('.')}`
    let from = edge.from
    for (const step of steps) {
      let n = counts.get(producer) ?? 0, id: string
      do id = `~${producer}~${++n}`; while (indexOf.has(id))
      counts.set(producer, n)
      nodes.push({ id, type: step.definition.type, definition: step.definition, params: step.params })
      edges.push({ from, to: [id, step.input] })
      media.set(`${id}.${step.input}`, step.from)
      media.set(`${id}.${step.output}`, step.to)
      inserted.push({ id, type: step.definition.type, params: step.params, edge: name, reason, lossless: step.lossless })
      diagnostics.push(graphErrors.CONVERTER_INSERTED.diagnostic(
        { node: id, what: `${step.definition.type} inserted on ${name}: ${changeOf(step)}`,
          todo: 'Insert it by hand to set its params, or set `negotiate: strict` to refuse it.' },
        { node: id, edge: edge.id ?? name, pointer: `/edges/${at}` }))
      from = [id, step.output]
    }
    edges[at] = { ...edge, from }
  }
  return { ...graph, nodes, edges }
}
