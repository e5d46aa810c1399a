import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import type { Diagnostic } from '../../errors/diagnostic.js'
import { demandGraph } from '../as-graph.js'
import { edgeName } from '../edge-list.js'
import { linkableInput, linkableInputs } from '../driven-params.js'
import { graphErrors } from '../errors.js'
import { createGraph, type Graph, type GraphNode, type PortRef } from '../graph.js'
import { resolveLimits, type Limits } from '../limits.js'
import { nearest } from '../nearest.js'
import { negotiate, type ConverterSource } from '../negotiate/index.js'
import type { NodeDefinition } from '../node-definition.js'
import { scriptText } from '../resolve/feedback-loops.js'
import { LiveGraph } from './live-graph.js'

/** What a link is judged by beside the graph. */
export interface ConnectOptions {
  /**
   * Types of nodes that carry no definition, and the converters that a plan may insert. Without it a
   * link is refused for its kind of media only.
   */
  readonly registry?: ConverterSource
  readonly limits?: Partial<Limits>
  /** The link is to be a feedback edge (GR-12): it may close a loop. */
  readonly delayFrames?: number
}

/** States by the version that they are at; the newest follows edits. */
const states = new WeakMap<Graph, LiveGraph>()
let newest: WeakRef<LiveGraph> | undefined

/**
 * What a new edge between two ports would be refused for, or null (GR-52): the codes of `validate`, without going over the whole graph, so
 * that an editor can ask at every move of a pointer. Ends, ports, occupied inputs and cycles are told exactly. Media are agreed between the
 * two nodes alone: what depends on others further away is for `validate` to say. Versions of one graph that share nodes and edges are
 * followed at the cost of what changed.
 * @example
 * const problem = canConnect(graph, ['read', 'out'], ['vad', 'in'], { registry })
 */
export function canConnect(graph: Graph, from: PortRef, to: PortRef, o: ConnectOptions = {}): Diagnostic | null {
  demandGraph(graph, 'canConnect')
  for (const ref of [from, to]) {
    if (!Array.isArray(ref)) throw commonErrors.INVALID_ARGUMENT({ function: 'canConnect', expected: '[node, port]', got: show(ref) })
  }
  const live = liveGraph(graph), edge = `${from.join('.')}->${to.join('.')}`
  const place = { edge, node: to[0], port: to[1] }, input = to.join('.')
  for (const [id] of [from, to]) {
    if (live.node(id) !== undefined) continue
    const near = nearest(id, graph.nodes.map((node) => node.id as string))
    return graphErrors.NODE_NOT_FOUND.diagnostic({ thing: 'Edge', id: edge, node: id, near }, {
      edge, node: id, got: id, ...(near.length > 0 && { expected: near[0] }),
    })
  }
  if (from[0] === to[0] && o.delayFrames === undefined) return graphErrors.SELF_LINK.diagnostic({ node: from[0] }, place)
  const links = live.into(to[0]).filter((link) => link.to[1] === to[1]), limits = resolveLimits(o.limits)
  if (links.some((link) => link.from[0] === from[0] && link.from[1] === from[1])) {
    return graphErrors.EDGE_DUPLICATE.diagnostic({ input, first: from.join('.'), got: from.join('.') }, place)
  }
  if (graph.edges.length >= limits.edges) return exceeded('Edges', limits.edges, graph.edges.length + 1, edge)
  const way = o.delayFrames === undefined ? live.path(to[0], from[0]) : undefined
  if (way !== undefined) {
    const back = way.slice(1).map((id, i) =>
      edgeName(live.into(id).find((link) => link.from[0] === way[i] && link.delayFrames === undefined)!))
    const nodes = [...way, to[0]]
    return graphErrors.GRAPH_CYCLE.diagnostic({ nodes, edges: [...back, edge] }, {
      ...place, constraint: 'acyclic', got: nodes.join(' -> '),
    })
  }
  const source = live.node(from[0])!, target = live.node(to[0])!, gives = definitionOf(source, o), takes = definitionOf(target, o)
  if (gives !== undefined && !Object.hasOwn(gives.outputs, from[1])) return noPort(from, Object.keys(gives.outputs), edge)
  const port = takes && linkableInput(takes, to[1])
  if (takes !== undefined && port === undefined) return noPort(to, Object.keys(linkableInputs(takes)), edge)
  const bound = boundTo(graph, to), first = port?.multi === true ? undefined : links[0]?.from.join('.') ?? bound[0]
  if (port !== undefined && first !== undefined) {
    return graphErrors.INPUT_OCCUPIED.diagnostic({ input, first, got: from.join('.') }, { ...place, expected: first, got: from.join('.') })
  }
  if (links.length + bound.length >= limits.linksPerInput) {
    return exceeded(`Links into ${input}`, limits.linksPerInput, links.length + bound.length + 1, edge)
  }
  if (o.delayFrames !== undefined && gives !== undefined && takes !== undefined) {
    const script = [source, target].find((node) => isScript(definitionOf(node, o)!))
    if (script !== undefined) {
      const where = from[0] === to[0] || live.path(to[0], from[0]) !== undefined ? 'loop' : script === source ? 'behind' : 'before'
      return commonErrors.UNSUPPORTED.diagnostic({ feature: `Feedback edge ${edge}`, ...scriptText(script.id, where) }, {
        ...place, stage: 12, node: script.id,
      })
    }
    // Its two ends may be one node.
    if (from[0] === to[0]) return null
  }
  return gives === undefined || takes === undefined
    ? null
    : misfit(graph, { ...source, definition: gives }, { ...target, definition: takes }, from, to, o)
}

function liveGraph(graph: Graph): LiveGraph {
  let live = states.get(graph)
  if (live === undefined) {
    live = newest?.deref()
    if (live === undefined) newest = new WeakRef(live = new LiveGraph(graph))
    states.set(graph, live)
  }
  live.follow(graph)
  return live
}

function definitionOf({ definition, type }: GraphNode, { registry }: ConnectOptions): NodeDefinition | undefined {
  return definition ?? registry?.get(type)
}

/** True for a type that runs in TypeScript: no kernel, and not all of its outputs are views of its input, for which no code runs. */
function isScript({ kernel, outputs }: NodeDefinition): boolean {
  return kernel === undefined && Object.values(outputs).some(({ view }) => view === undefined)
}

/** The run-time inputs that go there already, in words. */
function boundTo({ inputs }: Graph, [node, port]: PortRef): string[] {
  return [...inputs].flatMap(([name, { to }]) => to.some((ref) => ref[0] === node && ref[1] === port) ? [`input ${name}`] : [])
}

function noPort([node, port]: PortRef, ports: readonly string[], edge: string): Diagnostic {
  return graphErrors.PORT_NOT_FOUND.diagnostic({ node, port, ports, near: nearest(port, ports) }, {
    node, port, edge, expected: ports, got: port,
  })
}

function exceeded(what: string, limit: number, got: number, edge: string): Diagnostic {
  return commonErrors.LIMIT_EXCEEDED.diagnostic({ what, limit, got }, { edge, constraint: 'max', expected: limit, got })
}

/** Media that cannot be agreed, not even with converters in between. */
function misfit(
  { config }: Graph, source: GraphNode, target: GraphNode, from: PortRef, to: PortRef, { registry, limits }: ConnectOptions,
): Diagnostic | null {
  const pair = createGraph({ nodes: [source, target], edges: [{ from, to }], config })
  const { diagnostics } = negotiate(pair, registry ?? NO_TYPES, { mostConverters: resolveLimits(limits).convertersPerEdge })
  return diagnostics.find((one) =>
    one.edge !== undefined && one.severity === 'error' && (registry !== undefined || one.code === 'TYPE_MISMATCH')) ?? null
}
const NO_TYPES: ConverterSource = { get: () => undefined, list: () => [] }
