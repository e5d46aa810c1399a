import type { Diagnostic } from '../../errors/diagnostic.js'
import { commonErrors } from '../../errors/common-errors.js'
import type { Media } from '../../media/media-type.js'
import { graphErrors } from '../errors.js'
import type { Graph } from '../graph.js'
import type { NodeDefinition, ParamValues } from '../node-definition.js'
import { resolveParams } from '../params.js'
import { converterSearch } from './converters.js'
import { describeFields } from './describe.js'
import type { Domain } from './domain.js'
import { insertConverters, mendEdges } from './insert.js'
import type { NodePorts } from './node-ports.js'
import type { InsertedNode, NegotiateOptions, Negotiation } from './options.js'
import { mediaAt, prepare, solve, type Problem, type Solution } from './solver.js'

export type { InsertedNode, NegotiateMode, NegotiateOptions, Negotiation } from './options.js'

/** The part of a registry that negotiation uses: node types that may be inserted are those with `converter`. */
export interface ConverterSource {
  get(type: string): NodeDefinition | undefined
  list(): readonly NodeDefinition[]
}

/**
 * Agrees the media of every port and inserts converters where two ends cannot agree (GR-33 to GR-38). Nothing is read or run: ports of files and
 * devices stay open until `known` tells their media. Never throws; deterministic; iterative.
 */
export function negotiate(graph: Graph, registry: ConverterSource, o: NegotiateOptions = {}): Negotiation {
  const definitionOf = definitions(graph, registry, o)
  const problem = prepare(graph, { definitionOf, paramsOf: o.params ?? paramsOf(graph, definitionOf), known: o.known ?? new Map(), brokenEdges: o.brokenEdges, edges: o.edges })
  const solution = solve(problem)
  const media = new Map<string, Media>(), open: string[] = []
  const shared = new Map<Domain, Media | undefined>() // equal ports share their domain
  solution.nodes.forEach((node) => {
    for (const link of node?.links ?? []) {
      const agreed = link.port.dimensions.length > 0 ? mediaAt(solution, link) : sharedMedia(solution, link, shared)
      if (agreed === undefined) open.push(`${node!.id}.${link.name}`)
      else media.set(`${node!.id}.${link.name}`, agreed)
    }
  })
  const mended = mendEdges(problem, solution, {
    mode: o.mode ?? graph.config.negotiate ?? 'auto', most: o.mostConverters ?? 4, search: converterSearch(registry.list().filter((one) => one.converter !== undefined)),
  })
  const diagnostics = [...faultsOf(problem, solution), ...mended.diagnostics]
  const inserted: InsertedNode[] = []
  const result = insertConverters(graph, mended.chains, media, inserted, diagnostics)
  return { graph: result, media, inserted, open, diagnostics }
}

function sharedMedia(solution: Solution, link: NodePorts['links'][number], shared: Map<Domain, Media | undefined>): Media | undefined {
  const domain = solution.network.domain(link.variable)
  let media = shared.get(domain)
  if (media === undefined) shared.set(domain, media = mediaAt(solution, link))
  return media
}

function definitions(graph: Graph, registry: ConverterSource, o: NegotiateOptions): (node: number) => NodeDefinition | undefined {
  return (node) => o.brokenNodes?.has(node) === true ? undefined : graph.nodes[node]!.definition ?? registry.get(graph.nodes[node]!.type)
}

function paramsOf(graph: Graph, definitionOf: (node: number) => NodeDefinition | undefined): (node: number) => ParamValues {
  const cache: ParamValues[] = []
  return (node) => cache[node] ??= resolveParams(definitionOf(node)!, graph.nodes[node]!.params).values
}

/** Nodes whose definitions contradict themselves for their params and media. */
function faultsOf({ graph }: Problem, { clashes, failures, network }: Solution): Diagnostic[] {
  return [
    ...clashes.map(({ node, clash: { a, b, field } }) => {
      const { id } = graph.nodes[node]!
      const names = field === undefined ? ['kind'] : [field]
      const gives = describeFields(network.domain(a.variable), names), takes = describeFields(network.domain(b.variable), names)
      return graphErrors.NEGOTIATION_CONFLICT.diagnostic(
        { from: `${id}.${a.name}`, to: `${id}.${b.name}`, field: field ?? 'media', gives, takes },
        { node: id, port: a.name, constraint: field ?? 'media', expected: takes, got: gives })
    }),
    ...failures.map(({ node, port, message }) => commonErrors.INTERNAL.diagnostic(
      { what: `Node ${graph.nodes[node]!.id}: the media function of port ${port} failed: ${message}` }, { node: graph.nodes[node]!.id, port, stage: 12 })),
  ]
}
