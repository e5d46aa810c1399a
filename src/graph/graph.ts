import type { MediaConstraint } from '../media/media-type.js'
import type { NodeDefinition, ParamValues } from './node-definition.js'
import type { GraphId, NodeId } from './ids.js'
import type { NodeMode } from './output-ref.js'

/** One end of an edge: node id and port (or, as a target, param) name. */
export type PortRef = readonly [node: NodeId, port: string]
/** Fields that this version does not know, kept for the round trip (GR-03). */
export type Extras = Readonly<Record<string, unknown>>

/**
 * A node of a graph. Without `definition` its type is not in the registry: it is kept as it stands and only planning refuses it (GR-04).
 */
export interface GraphNode {
  readonly id: NodeId
  /** Canonical type id, or the unknown type as written. */
  readonly type: string
  readonly definition?: NodeDefinition
  /** Semver range that the document asks for. */
  readonly version?: string
  /** As given: defaults are not filled in (see `resolveParams`). */
  readonly params: ParamValues
  readonly tier?: string | readonly string[]
  readonly place?: string
  readonly requires?: Readonly<Record<string, unknown>>
  /** Per port: what it carries here, within what the type allows. Negotiated, not hashed. */
  readonly media?: Readonly<Record<string, MediaConstraint>>
  readonly mode?: NodeMode
  readonly policy?: Readonly<Record<string, unknown>>
  readonly matrix?: unknown
  readonly produces?: unknown
  readonly consumes?: unknown
  readonly output?: boolean
  readonly ui?: unknown
  readonly extras?: Extras
}

/** A link. `to` may name a param: the param is then driven by the edge. */
export interface GraphEdge {
  readonly from: PortRef
  readonly to: PortRef
  readonly id?: string
  /** Sorts the links of a `multi` input; absent = position in `edges`. */
  readonly order?: number
  readonly whenFull?: 'block' | 'drop-oldest' | 'drop-newest' | 'latest' | 'error'
  readonly capacity?: number
  /** Makes a feedback edge (GR-12). */
  readonly delayFrames?: number
  readonly extras?: Extras
}

/** A value given at run time: goes to every port or param in `to`. */
export interface GraphInput {
  readonly to: readonly PortRef[]
  /** What will come: negotiated like a source's output; a value that does not fit is refused when the graph runs. Absent: anything. */
  readonly media?: MediaConstraint
  /** Absent = true. */
  readonly required?: boolean
  readonly default?: unknown
  readonly extras?: Extras
}

/** Run defaults of a document; options of the call override them. */
export interface GraphConfig {
  readonly metrics?: boolean
  readonly onError?: 'stop' | 'continue'
  readonly negotiate?: 'auto' | 'safe' | 'strict'
  readonly retry?: Readonly<Record<string, unknown>>
  readonly breaker?: Readonly<Record<string, unknown>>
  readonly timeoutMs?: number
  readonly cache?: 'on' | 'off'
  readonly seed?: number | string
  readonly extras?: Extras
}

/** A graph in memory: plain data, never changed in place. Node order is the tie-break everywhere. */
export interface Graph {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly inputs: ReadonlyMap<string, GraphInput>
  /** Empty = every unconnected output port of every node. */
  readonly outputs: ReadonlyMap<string, PortRef>
  readonly config: GraphConfig
  /** The JSON Schema that the document names. */
  readonly $schema?: string
  readonly id?: GraphId
  readonly revision?: number
  readonly meta?: Readonly<Record<string, unknown>>
  readonly engines?: Readonly<Record<string, unknown>>
  readonly packs?: readonly unknown[]
  readonly definitions?: Readonly<Record<string, unknown>>
  readonly ui?: unknown
  readonly extras?: Extras
}

/** A graph of the given parts; absent ones are empty. */
export function createGraph(parts: Partial<Graph> = {}): Graph {
  return { nodes: [], edges: [], inputs: new Map(), outputs: new Map(), config: {}, ...parts }
}
