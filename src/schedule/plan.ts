import type { Diagnostic } from '../errors/diagnostic.js'
import type { Media } from '../media/media-type.js'
import type { Tier } from '../graph/tiers.js'

/** What turns a plan. */
export type DriverName = 'batch' | 'stream' | 'realtime'

/** A node as it will run. `why` explains `tier`, `where` and its segment. */
export interface PlanNode {
  readonly id: string
  readonly type: string
  readonly version: string
  readonly tier: Tier | 'typescript'
  readonly where: 'engine' | 'worker'
  /** What the node type says about how it will run (a resampler's method). */
  readonly note?: string
  readonly why: string
  readonly hash: string
  readonly dirty: boolean
  readonly reason: string
  /** Index into `segments`, −1 for a TypeScript node and for nodes that the plan removed as identities. */
  readonly segment: number
  readonly estUs: number
  readonly estBytes: number
}

/** An edge as it will be carried. `capacity` in packets (queues) or frames (segment buffers); `copies`: bytes copied over the whole run. */
export interface PlanEdge {
  readonly from: readonly [string, string]
  readonly to: readonly [string, string]
  readonly media: Media | null
  readonly transport: 'address' | 'value' | 'queue' | 'transfer'
  readonly capacity: number
  readonly whenFull: 'block'
  readonly copies: number
  /** A feedback edge (GR-12). */
  readonly delayFrames?: number
}

/** A fused segment: node ids in order, block size, working memory. */
export interface PlanSegment {
  readonly index: number
  readonly nodes: readonly string[]
  readonly tier: Tier
  readonly where: 'engine' | 'worker'
  readonly feed: 'chunks' | 'values'
  readonly blockFrames: number
  readonly workBytes: number
  readonly estUs: number
}

/** A buffer of a segment: where it lies in the working area and the steps between which it is live. */
export interface PlanBuffer {
  readonly segment: number
  readonly value: string
  readonly bytes: number
  readonly offset: number
  readonly live: readonly [number, number]
}

/** A converter that negotiation inserted (GR-37). */
export interface InsertedNode {
  readonly id: string
  readonly type: string
  readonly params: Readonly<Record<string, unknown>>
  readonly edge: string
  readonly reason: string
  readonly lossless: boolean
}

/** The compiled graph (spec execution.md, EX-01): plain data, cloneable, printable; equal input gives equal bytes. */
export interface Plan {
  readonly runId?: string
  readonly graphHash: string
  readonly driver: DriverName
  readonly order: readonly string[]
  readonly levels: readonly number[]
  readonly nodes: readonly PlanNode[]
  readonly edges: readonly PlanEdge[]
  readonly segments: readonly PlanSegment[]
  /** Negotiated media by value (`node.port`); ports that stay open are absent. */
  readonly media: Readonly<Record<string, Media>>
  readonly inserted: readonly InsertedNode[]
  readonly buffers: readonly PlanBuffer[]
  readonly evictions: readonly { readonly before: string; readonly value: string; readonly then: string }[]
  /** Values kept after the run: which and why (EX-05). */
  readonly stored: readonly { readonly value: string; readonly reason: string }[]
  readonly estTimeMs: number
  readonly estPeakBytes: number
  /**
   * Bytes that the engine itself copies, at most: what crosses between memories, and outputs that leave in pieces and are joined (a single
   * piece is not). Lengths that nobody tells count as nothing, and so does what nodes ask for: `allocAudio`, `whole()`.
   */
  readonly estCopyBytes: number
  readonly diagnostics: readonly Diagnostic[]
}
