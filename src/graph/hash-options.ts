import type { PortRef } from './graph.js'
import type { NodeDefinition } from './node-definition.js'
import type { GraphPasses } from './passes.js'

/** SHA-256 as 64 lower-case hex digits. */
export type Hash = string

/** What a content hash depends on beside the graph itself. Digests are 32 bytes of SHA-256. */
export interface HashOptions {
  /** Types of nodes that carry no definition. */
  readonly registry?: { get(type: string): NodeDefinition | undefined }
  /** Seed of the run: part of the hash of nodes declared `seeded`. Default: the graph's own, else 0. */
  readonly seed?: bigint
  /** Digest of a node type's code. Default: of version, functions, kernel name and {@link moduleHash}. */
  readonly codeHash?: (definition: NodeDefinition) => Uint8Array | undefined
  /**
   * Digest of the bytes of what a type runs beside its functions: the kernel's module, or what stands at `codeURL`.
   * Default: of modules that ship with the package.
   */
  readonly moduleHash?: (definition: NodeDefinition) => Uint8Array | undefined
  /**
   * Digest of the bytes behind a `file` param (of a list's items as `name[0]`…), or of a value that
   * has no bytes of its own (a Blob, a buffer).
   */
  readonly referenced?: (node: string, param: string) => Uint8Array | undefined
  /** Run-time values by input name; absent ones take the graph's default. */
  readonly inputs?: Readonly<Record<string, unknown>>
  /** Digests of run-time values that cannot be hashed here, by input name. */
  readonly inputDigests?: Readonly<Record<string, Uint8Array>>
  /** Awaited `fingerprint` of a node; null = never equal. Default: the definition's, when it answers at once. */
  readonly fingerprint?: (node: string) => Uint8Array | null | undefined
  /** Tier of a node whose tiers may differ in their numbers. */
  readonly tier?: (node: string) => string | undefined
  /** 16 fresh bytes for what is never equal to anything. Default: the platform's random source. */
  readonly nonce?: () => Uint8Array
  /** Who orders and hashes; default TypeScript. An engine gives its core's: one call into WebAssembly for all nodes (GR-55). */
  readonly passes?: GraphPasses
  /** Hashes of an earlier version of the graph, made with the same options: only changed nodes and their descendants are hashed again. */
  readonly previous?: GraphHashes
}

/** Content hashes of a graph. Throw `NODE_NOT_FOUND` for an unknown node. */
export interface GraphHashes {
  readonly graph: Hash
  /** Nodes whose hashes were worked out, not taken from an earlier version. */
  readonly hashed: number
  node(id: string): Hash
  output(ref: PortRef): Hash
}
