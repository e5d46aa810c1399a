import { commonErrors } from '../errors/common-errors.js'
import { atNode } from '../errors/with-context.js'
import { isMillraceError } from '../errors/millrace-error.js'
import { createGraph, type Graph, type GraphNode, type PortRef } from '../graph/graph.js'
import type { InputDeclaration, NodeDefinition } from '../graph/node-definition.js'
import { perItemPorts } from '../graph/resolve/link-nodes.js'
import type { Packet, PacketStream } from '../media/packet.js'
import type { RunMetrics } from '../schedule/metrics.js'
import type { RunShare } from '../schedule/open-segment.js'
import type { RunResult } from '../schedule/run-types.js'
import { packetSource } from './literal-source.js'
import { isAudioBuffer, isPacket, packetOf } from '../schedule/packet-data.js'

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
    if (this.#budget.added > this.#limit) {
      throw commonErrors.LIMIT_EXCEEDED({ what: `Node ${node}: nodes added by ctx.expand`, limit: this.#limit, got: this.#budget.added })
    }
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
    const edges = this.#metrics.flatMap(({ node, metrics: inner }) =>
      inner.edges.map((one) => ({ ...one, from: `${node}/${one.from}`, to: `${node}/${one.to}` })))
    const sum = (of: (inner: RunMetrics) => number): number => this.#metrics.reduce((total, { metrics: inner }) => total + of(inner), 0)
    return {
      ...metrics, nodes: [...metrics.nodes, ...nodes], edges: [...metrics.edges, ...edges],
      nodesTotal: metrics.nodesTotal + sum((m) => m.nodesTotal),
      nodesExecuted: metrics.nodesExecuted + sum((m) => m.nodesExecuted), copyBytes: metrics.copyBytes + sum((m) => m.copyBytes),
    }
  }
}

/** Makes a source of a value for a port. */
type Literal = (id: string, given: unknown, port?: InputDeclaration) => GraphNode | undefined

/** A graph of one node with its inputs bound, several to a `multi` port; its outputs are the node's ports. */
export function callGraph(node: GraphNode, inputs: readonly (readonly [port: string, given: unknown])[], literal: Literal): Graph {
  const sources = inputs.map(([port, given], n) => {
    const id = `in.${inputs.findIndex(([one]) => one === port) === n ? port : `${port}.${n}`}`, data = dataOf(given)
    // What the port does not take is negotiation's to refuse.
    return {
      port,
      source: literal(id, isAudioBuffer(data) ? data : given, node.definition!.inputs[port] ?? { media: { kind: 'audio' } })
        ?? packetSource(id, isPacket(given) ? given : packetOf({ kind: 'json' }, given, 0, 1)),
    }
  })
  const outputs = new Map<string, PortRef>(portsFor(node, inputs).map((port) => [port, [node.id, port] as const]))
  return {
    ...createGraph(), nodes: [...sources.map(({ source }) => source), node], outputs,
    edges: sources.map(({ port, source }) => ({ from: [source.id, 'out'], to: [node.id, port] }) as Graph['edges'][number]),
  }
}

/** A node's outputs, but for views of channels that its first input does not have. */
function portsFor({ definition, params }: GraphNode, [first]: readonly (readonly [port: string, given: unknown])[]): string[] {
  const data = dataOf(first?.[1]), { outputs, main } = definition!
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
      for (const [port, found] of Object.entries(streams)) {
        for (const stream of found === undefined ? [] : [found].flat() as PacketStream[]) inputs.push([port, await stream.whole()])
      }
      // A param's edge carries a value, or, to a kernel, one per frame.
      for (const [name, value] of Object.entries(values)) if (isAudioBuffer(value)) inputs.push([name, value]); else params[name] = value
      const graph = callGraph({
        id: 'op', type: node.type, definition: node.definition!, params, ...(node.tier !== undefined && { tier: node.tier }),
      }, inputs, literal)
      wholes.add(graph)
      return ctx.expand(graph)
    },
  }
}

function dataOf(given: unknown): unknown { return isPacket(given) ? given.data : given }
