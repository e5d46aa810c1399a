import { commonErrors } from '../errors/common-errors.js'
import { atNode } from '../errors/with-context.js'
import { isMillraceError } from '../errors/millrace-error.js'
import { defineNode } from '../graph/define-node.js'
import { createGraph, type Graph, type GraphNode, type PortRef } from '../graph/graph.js'
import type { InputDeclaration, NodeContext, NodeDefinition, ParamValues } from '../graph/node-definition.js'
import { perItemPorts } from '../graph/resolve/link-nodes.js'
import { anyMedia } from '../media/media-type.js'
import type { Packet, PacketStream } from '../media/packet.js'
import type { RunMetrics } from '../schedule/metrics.js'
import type { RunShare } from '../schedule/open-segment.js'
import type { RunResult } from '../schedule/run-types.js'
import { isAudioBuffer, packetOf } from '../schedule/packet-data.js'

/** Calls of kernels for the items of a list: no node asked for them, and the list bounds them. */
const wholes = /* @__PURE__ */ new WeakSet<Graph>()

/** What all that run within a run have in common with it: nodes added so far, its place on workers. */
export interface Budget { added: number; share?: RunShare }

/** Graphs that the nodes of one run run in their place (GR-30): counted against one limit, reported as part of the run. */
export class NestedRuns {
  readonly #budget: Budget
  readonly #limit: number
  readonly #run: (graph: Graph, node: string, signal: AbortSignal, budget: Budget) => Promise<RunResult>
  readonly #metrics: { readonly node: string; readonly metrics: RunMetrics }[] = []

  constructor(budget: Budget, limit: number, run: (graph: Graph, node: string, signal: AbortSignal, budget: Budget) => Promise<RunResult>) {
    this.#budget = budget
    this.#limit = limit
    this.#run = run
  }

  /** Runs a graph for a node; an error names the inner node as `outer/inner`. */
  async run(graph: Graph, node: string, signal: AbortSignal): Promise<Readonly<Record<string, Packet>>> {
    if (!wholes.has(graph)) this.#budget.added += graph.nodes.length
    if (this.#budget.added > this.#limit) throw commonErrors.LIMIT_EXCEEDED({ what: `Node ${node}: nodes added by ctx.expand`, limit: this.#limit, got: this.#budget.added })
    try {
      const { outputs, metrics } = await this.#run(graph, node, signal, this.#budget)
      this.#metrics.push({ node, metrics })
      return outputs as Readonly<Record<string, Packet>>
    } catch (error) {
      if (!isMillraceError(error) || error.nodeId === undefined) throw error
      const { result } = error as { result?: { metrics: RunMetrics; close(): void } }
      if (result !== undefined) { this.#metrics.push({ node, metrics: result.metrics }); result.close() }
      throw atNode(error, `${node}/${error.nodeId}`)
    }
  }

  /** The run's metrics with those of what ran within it. */
  report(metrics: RunMetrics): RunMetrics {
    if (this.#metrics.length === 0) return metrics
    const nodes = this.#metrics.flatMap(({ node, metrics: inner }) => inner.nodes.map((one) => ({ ...one, id: `${node}/${one.id}` })))
    const edges = this.#metrics.flatMap(({ node, metrics: inner }) => inner.edges.map((one) => ({ ...one, from: `${node}/${one.from}`, to: `${node}/${one.to}` })))
    const sum = (of: (inner: RunMetrics) => number): number => this.#metrics.reduce((total, { metrics: inner }) => total + of(inner), 0)
    return {
      ...metrics, nodes: [...metrics.nodes, ...nodes], edges: [...metrics.edges, ...edges], nodesTotal: metrics.nodesTotal + sum((m) => m.nodesTotal),
      nodesExecuted: metrics.nodesExecuted + sum((m) => m.nodesExecuted), copyBytes: metrics.copyBytes + sum((m) => m.copyBytes),
    }
  }
}

/** A packet, or a plain value as json, as a source. */
const value = /* @__PURE__ */ defineNode({
  type: 'engine::value', version: '1.0.0', title: 'Value', doc: 'Gives one packet.', family: 'engine', deterministic: 'no', costUs: 1,
  params: { packet: { type: 'json', required: true, doc: 'The packet.' } }, inputs: {}, outputs: { out: { media: anyMedia() } },
  probe: ({ packet }) => Promise.resolve({ media: { out: (packet as Packet).media } }),
  async *pull({ packet }: ParamValues, _ctx: NodeContext) { yield { out: packet as Packet } },
})

/** Makes a source of a value for a port. */
type Literal = (id: string, given: unknown, port?: InputDeclaration) => GraphNode | undefined

/** A graph of one node with its inputs bound, several to a `multi` port; its outputs are the node's ports. */
export function callGraph(node: GraphNode, inputs: readonly (readonly [port: string, given: unknown])[], literal: Literal): Graph {
  const sources = inputs.map(([port, given], n) => {
    const id = `in.${inputs.findIndex(([one]) => one === port) === n ? port : `${port}.${n}`}`, packet = typeof given === 'object' && given !== null && 'media' in given && 'data' in given ? given as Packet : undefined
    const data = packet === undefined ? given : packet.data
    const source = isAudioBuffer(data) || packet === undefined ? literal(id, data, node.definition!.inputs[port] ?? { media: { kind: 'audio' } }) : undefined
    return { port, source: source ?? { id, type: value.definition.type, definition: value.definition, params: { packet: packet ?? jsonPacket(given) } } }
  })
  const outputs = new Map<string, PortRef>(portsFor(node, inputs).map((port) => [port, [node.id, port] as const]))
  return {
    ...createGraph(), nodes: [...sources.map(({ source }) => source as GraphNode), node], outputs,
    edges: sources.map(({ port, source }) => ({ from: [source.id, 'out'], to: [node.id, port] }) as Graph['edges'][number]),
  }
}

/** A node's outputs, but for views of channels that its first input does not have. */
function portsFor({ definition, params }: GraphNode, [first]: readonly (readonly [port: string, given: unknown])[]): string[] {
  const given = first?.[1], data = typeof given === 'object' && given !== null && 'data' in given ? given.data : given, { outputs, main } = definition!
  if (!isAudioBuffer(data)) return Object.keys(outputs)
  const { channels, rate, format, layout } = data, media = { [first![0]]: { kind: 'audio', channels, rate, format, layout } as const }
  return Object.keys(outputs).filter((port) => port === main || (outputs[port]!.view?.(params, media)?.first ?? 0) < channels)
}

/** A kernel node as one that is called for a whole value: a run of its own per call. What stands for a list's items (GR-29). */
export function wholeCalls(node: GraphNode, literal: Literal): NodeDefinition {
  return {
    ...perItemPorts(node.definition!),
    async process(streams, values, ctx) {
      const inputs: (readonly [string, unknown])[] = [], params: Record<string, unknown> = {}
      for (const [port, found] of Object.entries(streams)) for (const stream of found === undefined ? [] : [found].flat() as PacketStream[]) inputs.push([port, await stream.whole()])
      // A param's edge carries a value, or, to a kernel, one per frame.
      for (const [name, value] of Object.entries(values)) if (isAudioBuffer(value)) inputs.push([name, value]); else params[name] = value
      const graph = callGraph({ id: 'op', type: node.type, definition: node.definition!, params, ...(node.tier !== undefined && { tier: node.tier }) }, inputs, literal)
      wholes.add(graph)
      return ctx.expand(graph)
    },
  }
}

function jsonPacket(data: unknown): Packet { return packetOf({ kind: 'json' }, data, 0, 1) }
