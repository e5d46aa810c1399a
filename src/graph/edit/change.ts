/** Changes of a graph as plain data (GR-11): what stood before, what stands after, each with its place. Swapping the two is the inverse. */
import { graphErrors } from '../errors.js'
import type { Graph, GraphEdge, GraphInput, GraphNode, PortRef } from '../graph.js'
import type { TypeSource } from '../subgraph/origin.js'

/** A node as a change holds it: without its definition, which is found by type. */
export type PlainNode = Omit<GraphNode, 'definition'>
/**
 * Parts of a graph with their places in it; JSON unless params hold what documents cannot. A map that
 * changed stands whole, because its order counts.
 */
export interface ChangeSlice {
  readonly nodes?: readonly { readonly at: number; readonly node: PlainNode }[]
  readonly edges?: readonly { readonly at: number; readonly edge: GraphEdge }[]
  readonly inputs?: readonly (readonly [string, GraphInput])[]
  readonly outputs?: readonly (readonly [string, PortRef])[]
  /** Other fields of the graph (config, meta, ui, definitions, …); one that is absent here is absent there. */
  readonly fields?: Readonly<Record<string, unknown>>
}
/** A change and how to take it back. */
export interface Change { readonly before: ChangeSlice; readonly after: ChangeSlice }

const PARTS = new Set(['nodes', 'edges', 'inputs', 'outputs', 'revision'])

/**
 * What changed between two graphs of which one was made from the other: parts that are the same object are taken as unchanged, so edits
 * that copy only what they change cost one pass over two arrays. Undefined when nothing changed. The revision is not part of a change.
 */
export function changeOf(a: Graph, b: Graph): Change | undefined {
  const before: Record<string, unknown> = {}, after: Record<string, unknown> = {}
  const list = (name: 'nodes' | 'edges', wrap: (item: never, at: number) => object): void => {
    if (a[name] === b[name]) return
    const { removed, added } = parts(a[name], b[name])
    if (removed.length + added.length === 0) return
    before[name] = removed.map((at) => wrap(a[name][at] as never, at))
    after[name] = added.map((at) => wrap(b[name][at] as never, at))
  }
  list('nodes', ({ definition: _definition, ...node }: GraphNode, at) => ({ at, node }))
  list('edges', (edge: GraphEdge, at) => ({ at, edge }))
  for (const name of ['inputs', 'outputs'] as const) {
    if (a[name] === b[name] || sameMap(a[name], b[name])) continue
    before[name] = [...a[name]]
    after[name] = [...b[name]]
  }
  const gone: Record<string, unknown> = {}, come: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof Graph>) {
    if (PARTS.has(key) || a[key] === b[key]) continue
    if (a[key] !== undefined) gone[key] = a[key]
    if (b[key] !== undefined) come[key] = b[key]
  }
  if (Object.keys(gone).length + Object.keys(come).length > 0) { before['fields'] = gone; after['fields'] = come }
  return Object.keys(before).length === 0 ? undefined : { before, after }
}

/** Carries a change out. Throws `INVALID_ARGUMENT` when the graph is not the one that it was made for. */
export function applyChange(graph: Graph, { before, after }: Change, types: TypeSource): Graph {
  const next: Record<string, unknown> = {
    ...graph,
    nodes: spliced(graph.nodes, before.nodes, after.nodes, (one) => one.node.id, ({ node }) => {
      const definition = types.get(node.type)
      return definition === undefined ? node : { ...node, definition }
    }),
    edges: spliced(graph.edges, before.edges, after.edges, () => undefined, ({ edge }) => edge),
    ...(after.inputs && { inputs: new Map(after.inputs) }), ...(after.outputs && { outputs: new Map(after.outputs) }),
  }
  for (const key of Object.keys(before.fields ?? {})) delete next[key]
  return Object.assign(next, after.fields) as unknown as Graph
}

/** The change that takes this one back. */
export function invertChange({ before, after }: Change): Change { return { before: after, after: before } }

/** Places that differ, walking both lists together: what is left over in the longer one was removed or added. */
function parts(a: readonly unknown[], b: readonly unknown[]): { readonly removed: readonly number[]; readonly added: readonly number[] } {
  const removed: number[] = [], added: number[] = []
  let i = 0, j = 0, endA = a.length, endB = b.length
  while (endA > 0 && endB > 0 && a[endA - 1] === b[endB - 1]) { endA--; endB-- }
  while (i < endA || j < endB) {
    if (i < endA && j < endB && a[i] === b[j]) { i++; j++; continue }
    const left = endA - i, right = endB - j
    if (left >= right) removed.push(i++)
    if (right >= left) added.push(j++)
  }
  return { removed, added }
}

function spliced<T, P extends { readonly at: number }>(
  list: readonly T[], removed: readonly P[] = [], added: readonly P[] = [], name: (part: P) => string | undefined, make: (part: P) => T,
): readonly T[] {
  if (removed.length + added.length === 0) return list
  for (const part of removed) {
    const found = list[part.at] as { readonly id?: string } | undefined
    if (found === undefined || (name(part) !== undefined && found.id !== name(part))) {
      throw graphErrors.INVALID_ARGUMENT({
        function: 'applyChange',
        expected: `the graph that it was made for (${name(part) ?? 'an edge'} at ${part.at})`,
        got: found?.id ?? 'none',
      })
    }
  }
  const out: T[] = []
  let from = 0, gone = 0, come = 0
  const length = list.length - removed.length + added.length
  while (out.length < length) {
    if (come < added.length && added[come]!.at === out.length) { out.push(make(added[come++]!)); continue }
    while (gone < removed.length && removed[gone]!.at === from) { gone++; from++ }
    out.push(list[from++]!)
  }
  return out
}

function sameMap(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  if (a.size !== b.size) return false
  const other = b[Symbol.iterator]()
  for (const [name, value] of a) {
    const next = other.next().value!
    if (next[0] !== name || next[1] !== value) return false
  }
  return true
}
