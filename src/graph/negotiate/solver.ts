import type { Media } from '../../media/media-type.js'
import { edgeListOf, type GraphEdgeList } from '../edge-list.js'
import type { Graph } from '../graph.js'
import type { NodeDefinition, ParamValues } from '../node-definition.js'
import { orderOf } from '../order.js'
import { constrainPorts } from './constraints.js'
import { FIELDS, fieldName, kindsOf, type Domain } from './domain.js'
import type { FieldDomain } from './field-domain.js'
import { inputLinks, type InputLinks } from './links.js'
import { addNode, portsOf, runFunctions, type FixedFields, type NodeFaults, type NodePorts, type PortClash } from './node-ports.js'
import { pickPort } from './pick.js'
import { PortNetwork } from './port-network.js'

/** What the solver works on. Nodes without definition, and broken ones, are left out with their edges. */
export interface Problem {
  readonly graph: Graph
  /** Document indices in topological order; nodes on cycles are missing. */
  readonly order: Uint32Array
  readonly edges: GraphEdgeList
  readonly links: InputLinks
  readonly definitionOf: (node: number) => NodeDefinition | undefined
  readonly paramsOf: (node: number) => ParamValues
  readonly known: ReadonlyMap<string, Media>
  /** Ports that get a value at run time, as `node.port`. */
  readonly bound: ReadonlySet<string>
}

/**
 * An edge whose ends do not agree: the fields in conflict (`kind`: different media altogether) and what each end said when it was found.
 */
export interface BrokenEdge {
  readonly edge: number
  readonly producer: number
  readonly consumer: number
  readonly fields: readonly string[]
  readonly gives: Domain
  readonly takes: Domain
}

/** Every port with what it carries. */
export interface Solution {
  readonly network: PortNetwork
  /** By document index; undefined for nodes left out. */
  readonly nodes: readonly (NodePorts | undefined)[]
  readonly broken: readonly BrokenEdge[]
  readonly clashes: readonly { readonly node: number; readonly clash: PortClash }[]
  readonly failures: readonly { readonly node: number; readonly port: string; readonly message: string }[]
}

/** Passes over the graph after which values that functions give late are taken as conflicts. */
const MOST_PASSES = 16

/** Puts together what {@link solve} needs. */
export function prepare(
  graph: Graph, o: {
    readonly definitionOf: (node: number) => NodeDefinition | undefined; readonly paramsOf: (node: number) => ParamValues
    readonly known: ReadonlyMap<string, Media>
    readonly brokenEdges?: ReadonlySet<number> | undefined
    readonly edges?: GraphEdgeList | undefined
  },
): Problem {
  const edges = o.edges ?? edgeListOf(graph)
  const bound = new Set([...graph.inputs.values()].flatMap((input) => input.to.map(([node, port]) => `${node}.${port}`)))
  return {
    graph, order: orderOf(edges).order, edges, links: inputLinks(graph, edges, o.definitionOf, o.brokenEdges),
    definitionOf: o.definitionOf, paramsOf: o.paramsOf, known: o.known, bound,
  }
}

/**
 * Agrees media along all edges (GR-34). Forward in topological order (feedback edges last): each edge makes its ends equal, which narrows
 * both, and everything tied to them (so adaptive ports take what consumers want); an edge that cannot hold as a whole holds in the fields
 * that can and is reported as broken. Forward again: values are picked. A function of inputs that are decided only then may contradict what
 * consumers asked for; then the graph is solved once more with its value known from the start. Deterministic; iterative.
 */
export function solve(problem: Problem): Solution {
  let fixed: FixedFields = new Map()
  for (let pass = 1; ; pass++) {
    const late = new Map<string, FieldDomain>()
    const solution = solveOnce(problem, fixed, pass < MOST_PASSES ? late : undefined)
    if (late.size === 0) return solution
    fixed = new Map([...fixed, ...late])
  }
}

function solveOnce(problem: Problem, fixed: FixedFields, late: Map<string, FieldDomain> | undefined): Solution {
  const { graph, order, links } = problem
  const network = new PortNetwork()
  const nodes: (NodePorts | undefined)[] = new Array<undefined>(graph.nodes.length)
  const broken: BrokenEdge[] = [], clashes: { node: number; clash: PortClash }[] = [], failures: Solution['failures'][number][] = []
  const faults: NodeFaults = { clashes: [], failures: [] }, { bound, known } = problem, given = bound.size + known.size > 0
  const linksOf = (index: number, id: string, port: string): number =>
    links.edges(index, port).length || (given && (bound.has(`${id}.${port}`) || known.has(`${id}.${port}`)) ? 1 : 0)
  const later: number[] = [], join = (edge: number): void => {
    const fault = connect(network, problem, nodes, edge)
    if (fault !== undefined) broken.push(fault)
  }
  const collect = (node: number): void => {
    if (faults.clashes.length === 0 && faults.failures.length === 0) return
    for (const clash of faults.clashes.splice(0)) clashes.push({ node, clash })
    for (const { link, message } of faults.failures.splice(0)) failures.push({ node, port: link.name, message })
  }
  for (const index of order) {
    const definition = problem.definitionOf(index)
    if (definition === undefined) continue
    const { id, media } = graph.nodes[index]!
    const node = nodes[index] = addNode(network, {
      id, ports: media === undefined ? portsOf(definition) : constrainPorts(portsOf(definition), media), params: problem.paramsOf(index),
      fixed, linkCount: (port) => linksOf(index, id, port),
      known: known.size === 0 ? nothing : (link) => known.get(`${id}.${link}`),
    }, faults)
    for (const edge of links.all(index)) {
      if (nodes[problem.edges.fromAt[edge]!] === undefined) later.push(edge)
      else join(edge)
    }
    runFunctions(network, node, faults)
    collect(index)
  }
  // Feedback edges whose source stands behind them.
  later.forEach(join)
  const producers = new Map(broken.map((edge) => [edge.consumer, edge.producer]))
  for (const index of order) {
    const node = nodes[index]
    if (node === undefined) continue
    for (const link of node.links) {
      if (!link.port.input) continue
      const producer = producers.get(link.variable)
      pickPort(network, link.variable, producer === undefined ? null : network.domain(producer))
    }
    runFunctions(network, node, faults, late)
    collect(index)
    for (const link of node.links) if (!link.port.input) pickPort(network, link.variable)
  }
  return { network, nodes, broken, clashes, failures }
}

function nothing(): undefined { return undefined }

/** Ties the two ends of an edge; what could not be tied comes back. */
function connect(network: PortNetwork, problem: Problem, nodes: readonly (NodePorts | undefined)[], edge: number): BrokenEdge | undefined {
  const { from, to } = problem.graph.edges[edge]!, source = nodes[problem.edges.fromAt[edge]!], target = problem.edges.toAt[edge]!
  const producer = source === undefined ? undefined : outputLink(source, from[1])?.variable
  if (producer === undefined) return undefined
  const { links } = nodes[target]!
  const first = links.findIndex(({ port }) => port.input && port.name === to[1])
  const { dimensions } = links[first]!.port
  const consumer = links[links[first]!.port.multi ? first + problem.links.edges(target, to[1]).indexOf(edge) : first]!.variable
  if (network.tie(producer, consumer)) return undefined
  const gives = network.domain(producer), takes = network.domain(consumer)
  const kinds = kindsOf(takes)
  const shared = gives?.find((one) => kinds === null || kinds.includes(one.kind))?.kind
  if (shared === undefined) return { edge, producer, consumer, fields: ['kind'], gives, takes }
  const one = takes?.find((other) => other.kind === shared)
  if (takes !== null && takes.length > 1) network.assign(consumer, [one!])
  const length = Math.max(FIELDS[shared].length, one?.fields.length ?? 0, ...gives!.map((other) => other.fields.length))
  const fields: string[] = []
  for (let at = 0; at < length; at++) {
    const field = fieldName(shared, at)
    if (!network.tie(producer, consumer, field)) fields.push(field)
  }
  // A name's number is known once another dimension has it.
  return { edge, producer, consumer, fields, gives, takes: dimensions.length > 0 ? network.domain(consumer) : takes }
}

function outputLink({ links }: NodePorts, port: string): NodePorts['links'][number] | undefined {
  for (const link of links) if (!link.port.input && link.name === port) return link
  return undefined
}
