import type { Diagnostic } from '../../errors/diagnostic.js'
import { commonErrors } from '../../errors/common-errors.js'
import type { Media } from '../../media/media-type.js'
import { graphErrors } from '../errors.js'
import type { Graph } from '../graph.js'
import type { NodeDefinition, ParamValues } from '../node-definition.js'
import { resolveParams } from '../params.js'
import { remembering } from '../remembering.js'
import { mediaOf } from './constraints.js'
import { converterSearch } from './converters.js'
import { describeFields } from './describe.js'
import type { Domain } from './domain.js'
import { insertConverters, mendEdges } from './insert.js'
import type { PortLink } from './node-ports.js'
import type { InsertedNode, NegotiateOptions, Negotiation } from './options.js'
import { prepare, solve, type Problem, type Solution } from './solver.js'

export type { InsertedNode, NegotiateMode, NegotiateOptions, Negotiation } from './options.js'

/** The part of a registry that negotiation uses: node types that may be inserted are those with `converter`. */
export interface ConverterSource {
  get(type: string): NodeDefinition | undefined
  list(): readonly NodeDefinition[]
}

/**
 * Agrees the media of every port and inserts converters where two ends cannot agree (GR-33 to GR-38). Nothing is read or run: ports of
 * files and devices stay open until `known` tells their media. Never throws; deterministic; iterative.
 */
export function negotiate(graph: Graph, registry: ConverterSource, o: NegotiateOptions = {}): Negotiation {
  return negotiatePorts(graph, registry, o).negotiation
}

/** {@link negotiate}, with the links of every node and what each carries: nobody then has to find them by name again. */
export interface NegotiatedPorts {
  readonly negotiation: Negotiation
  /** Links of a node (document index) in order of declaration; none of one that was left out. */
  links(node: number): readonly PortLink[]
  /** Agreed media of a link; undefined while it is open. */
  mediaOf(link: PortLink): Media | undefined
}

/** See {@link NegotiatedPorts}. */
export function negotiatePorts(graph: Graph, registry: ConverterSource, o: NegotiateOptions = {}): NegotiatedPorts {
  const definitionOf = definitions(graph, registry, o)
  const problem = prepare(graph, {
    definitionOf, paramsOf: o.params ?? paramsOf(graph, definitionOf), known: o.known ?? new Map(), brokenEdges: o.brokenEdges,
    edges: o.edges,
  })
  const solution = solve(problem), { network, nodes } = solution
  const media = new Map<string, Media>(), open: string[] = []
  const shared = remembering((domain: Domain) => mediaOf(domain)) // equal ports share their domain
  const mediaAt = ({ port: { dimensions }, variable }: PortLink): Media | undefined =>
    dimensions.length > 0 ? mediaOf(network.domain(variable), dimensions) : shared(network.domain(variable))
  for (const node of nodes) {
    for (const link of node?.links ?? []) {
      const agreed = mediaAt(link), name = `${node!.id}.${link.name}`
      if (agreed === undefined) open.push(name)
      else media.set(name, agreed)
    }
  }
  const search = converterSearch(solution.broken.length === 0 ? [] : registry.list().filter((one) => one.converter !== undefined))
  const mended = mendEdges(problem, solution, shared, {
    mode: o.mode ?? graph.config.negotiate ?? 'auto', most: o.mostConverters ?? 4, search,
  })
  const diagnostics = [...faultsOf(problem, solution), ...search.faults.values(), ...mended.diagnostics]
  const inserted: InsertedNode[] = []
  const result = insertConverters(problem, mended.chains, media, inserted, diagnostics)
  return { negotiation: { graph: result, media, inserted, open, diagnostics }, links: (node) => nodes[node]?.links ?? [], mediaOf: mediaAt }
}

function definitions(graph: Graph, registry: ConverterSource, o: NegotiateOptions): (node: number) => NodeDefinition | undefined {
  return (node) => o.brokenNodes?.has(node) === true ? undefined : graph.nodes[node]!.definition ?? registry.get(graph.nodes[node]!.type)
}

function paramsOf(graph: Graph, definitionOf: (node: number) => NodeDefinition | undefined): (node: number) => ParamValues {
  return remembering((node) => resolveParams(definitionOf(node)!, graph.nodes[node]!.params).values)
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
      { what: `Node ${graph.nodes[node]!.id}: the media function of port ${port} failed: ${message}` },
      { node: graph.nodes[node]!.id, port, stage: 12 })),
  ]
}
