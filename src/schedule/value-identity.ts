import type { Graph, GraphNode } from '../graph/graph.js'

/** Bytes from which a value in memory is told by its identity, not its content: hashing would cost more than running. */
const LARGEST_HASHED_BYTES = 65_536

const identities = new WeakMap<object, string>()
let realm: string | undefined
let count = 0

/**
 * The graph with large values in memory (bytes of a file, audio buffers, blobs) replaced by a name of the object: for content hashes, such
 * a value equals only itself, within this realm. What is small is hashed by content. A value that is changed in place keeps its name, so do
 * not.
 */
export function withIdentities(graph: Graph): Graph {
  return { ...graph, nodes: graph.nodes.map(withoutLargeValues) }
}

function withoutLargeValues(node: GraphNode): GraphNode {
  const large = Object.entries(node.params).filter(([, value]) => isLarge(value))
  if (large.length === 0) return node
  return { ...node, params: { ...node.params, ...Object.fromEntries(large.map(([name, value]) => [name, identityOf(value as object)])) } }
}

/** Typed arrays above the limit, lists of them, and objects that have no bytes of their own. */
function isLarge(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (ArrayBuffer.isView(value)) return value.byteLength > LARGEST_HASHED_BYTES
  if (value instanceof ArrayBuffer) return value.byteLength > LARGEST_HASHED_BYTES
  if (Array.isArray(value)) return value.some(isLarge)
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype !== Object.prototype && prototype !== null && !(value instanceof URL)
}

function identityOf(value: object): string {
  let name = identities.get(value)
  if (name === undefined) identities.set(value, name = `memory ${realm ??= randomName()} ${++count}`)
  return name
}

/** 128 random bits: no other realm uses the same names. */
function randomName(): string { return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join('-') }
