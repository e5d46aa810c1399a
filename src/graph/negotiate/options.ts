import type { Diagnostic } from '../../errors/diagnostic.js'
import type { Media } from '../../media/media-type.js'
import type { GraphEdgeList } from '../edge-list.js'
import type { Graph } from '../graph.js'
import type { ParamValues } from '../node-definition.js'

/** What negotiation may insert (GR-38): anything, only what loses nothing, or nothing. */
export type NegotiateMode = 'auto' | 'safe' | 'strict'

/** Options of `negotiate`. */
export interface NegotiateOptions {
  /** Default: the graph's `config.negotiate`, else `auto`. */
  readonly mode?: NegotiateMode
  /** Media of discovered ports (`node.port`), from a probe or the first packet; also of inputs bound to run-time values. */
  readonly known?: ReadonlyMap<string, Media>
  /** Most converters on one edge, 1–8. */
  readonly mostConverters?: number
  /** Nodes (document index) and edges (index) that an earlier check found broken: they are left out. */
  readonly brokenNodes?: ReadonlySet<number>
  readonly brokenEdges?: ReadonlySet<number>
  /** The graph's numbered edges, when the caller has them already. */
  readonly edges?: GraphEdgeList
  /** Resolved params by node index, when the caller has them already. */
  readonly params?: (node: number) => ParamValues
}

/** A converter put into the graph (GR-37). `edge` is written `from.port->to.port`. */
export interface InsertedNode {
  readonly id: string
  readonly type: string
  readonly params: ParamValues
  readonly edge: string
  readonly reason: string
  readonly lossless: boolean
}

/** Result of negotiation. */
export interface Negotiation {
  /** The graph with converters as nodes; the given one when none was needed. */
  readonly graph: Graph
  /** Agreed media by `node.port`; the links of a `multi` input are `node.port.0`, `node.port.1`, … */
  readonly media: ReadonlyMap<string, Media>
  readonly inserted: readonly InsertedNode[]
  /** Ports (`node.port`) whose media come with the first packet: solve again with `known` then (GR-35). */
  readonly open: readonly string[]
  readonly diagnostics: readonly Diagnostic[]
}
