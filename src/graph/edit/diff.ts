/** Differences of two graphs as plain data (GR-13): what to do to the first to have the second, node by node and param by param. */
import { demandGraph } from '../as-graph.js'
import { graphErrors } from '../errors.js'
import { edgeName } from '../edge-list.js'
import type { Graph, GraphEdge, GraphNode } from '../graph.js'
import type { TypeSource } from '../subgraph/origin.js'
import type { PlainNode } from './change.js'
import { sameValue } from './same-value.js'

/** Values by name that differ; without `before` the name is new, without `after` it is gone. */
export type FieldChanges = Readonly<Record<string, { readonly before?: unknown; readonly after?: unknown }>>
/** Nodes or edges. Places: `removed` and `changed` in the first graph, `added` in the second. */
export interface ListDiff<T, C> {
  readonly added: readonly { readonly at: number; readonly item: T }[]
  readonly removed: readonly { readonly at: number; readonly item: T }[]
  readonly changed: readonly ({ readonly at: number } & C)[]
  /** For each place in the second graph the place in the first, −1 for what is added; only when what both have stands in another order. */
  readonly order?: readonly number[]
}
/** What differs in a node of one id. */
export interface NodeChange { readonly id: string; readonly params?: FieldChanges; readonly fields?: FieldChanges }
/** What differs in an edge of one id, or between the same two ports. */
export interface EdgeChange { readonly edge: string; readonly fields: FieldChanges }
/** Everything that differs. Absent parts are equal; an empty object: equal graphs. */
export interface GraphDiff {
  readonly nodes?: ListDiff<PlainNode, NodeChange>
  readonly edges?: ListDiff<GraphEdge, EdgeChange>
  readonly inputs?: FieldChanges
  readonly outputs?: FieldChanges
  /** Other fields of the graph. */
  readonly fields?: FieldChanges
}

const LISTED = new Set(['nodes', 'edges', 'inputs', 'outputs'])
const OF_NODE = new Set(['id', 'params', 'definition'])
const NONE = new Set<string>()

/**
 * What has to be done to `a` to have `b`. Nodes are the same by id, edges by id or, without one, by their ports;
 * order of inputs and outputs does not count.
 */
export function diff(a: Graph, b: Graph): GraphDiff {
  demandGraph(a, 'diff')
  demandGraph(b, 'diff')
  const nodes = diffLists(a.nodes, b.nodes, (node) => node.id, (x, y, at): ({ at: number } & NodeChange) | undefined => {
    const params = x.params === y.params ? undefined : diffFields(x.params, y.params, NONE), fields = diffFields(x, y, OF_NODE)
    return params === undefined && fields === undefined ? undefined : { at, id: x.id, ...(params && { params }), ...(fields && { fields }) }
  }, plain)
  const edges = diffLists(a.edges, b.edges, edgeName, (x, y, at): ({ at: number } & EdgeChange) | undefined => {
    const fields = diffFields(x, y, NONE)
    return fields === undefined ? undefined : { at, edge: edgeName(x), fields }
  }, (edge) => edge)
  const inputs = diffMaps(a.inputs, b.inputs), outputs = diffMaps(a.outputs, b.outputs), fields = diffFields(a, b, LISTED)
  return {
    ...(nodes && { nodes }), ...(edges && { edges }), ...(inputs && { inputs }), ...(outputs && { outputs }), ...(fields && { fields }),
  }
}

/**
 * Carries a diff out; `types` finds the definitions of nodes that it adds or retypes. Throws
 * `INVALID_ARGUMENT` for a graph that it was not made from.
 */
export function applyDiff(graph: Graph, d: GraphDiff, types: TypeSource): Graph {
  const define = ({ definition: _before, ...node }: GraphNode): GraphNode => {
    const definition = types.get(node.type)
    return definition === undefined ? node : { ...node, definition }
  }
  const nodes = patched(graph.nodes, d.nodes, (node) => node.id, (node, change) => {
    if (node.id !== change.id) throw notMadeFor(change.id, node.id)
    const params = change.params ? applyFields(node.params, change.params) : node.params
    const next = { ...applyFields(node, change.fields ?? {}), params } as GraphNode
    return change.fields?.['type'] === undefined ? next : define(next)
  }, define)
  const edges = patched(graph.edges, d.edges, edgeName, (edge, change) => {
    if (edgeName(edge) !== change.edge) throw notMadeFor(change.edge, edgeName(edge))
    return applyFields(edge, change.fields) as GraphEdge
  }, (edge) => edge)
  return {
    ...applyFields(graph, d.fields ?? {}) as Graph, nodes, edges,
    inputs: applyMap(graph.inputs, d.inputs), outputs: applyMap(graph.outputs, d.outputs),
  }
}

function plain({ definition: _definition, ...node }: GraphNode): PlainNode { return node }

/** Names whose values differ, or undefined. */
export function diffFields(a: object, b: object, skip: ReadonlySet<string>): FieldChanges | undefined {
  if (a === b) return undefined
  const x = a as Readonly<Record<string, unknown>>, y = b as Readonly<Record<string, unknown>>
  let found: [string, { before?: unknown; after?: unknown }][] | undefined
  for (const key in x) {
    if (skip.has(key) || x[key] === undefined) continue
    const after = Object.hasOwn(y, key) ? y[key] : undefined
    if (!sameValue(x[key], after)) (found ??= []).push([key, { before: x[key], ...(after !== undefined && { after }) }])
  }
  for (const key in y) if (!skip.has(key) && y[key] !== undefined && (!Object.hasOwn(x, key) || x[key] === undefined)) {
    (found ??= []).push([key, { after: y[key] }])
  }
  return found === undefined ? undefined : Object.fromEntries(found)
}

function diffMaps(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): FieldChanges | undefined {
  return a === b ? undefined : diffFields(Object.fromEntries(a), Object.fromEntries(b), NONE)
}

function applyFields(value: object, changes: FieldChanges): object {
  const gone = new Set(Object.keys(changes).filter((key) => changes[key]!.after === undefined))
  const kept = Object.entries(value).filter(([key]) => !gone.has(key) && !Object.hasOwn(changes, key))
  const next = Object.fromEntries([
    ...kept,
    ...Object.keys(changes).filter((key) => !gone.has(key)).map((key): [string, unknown] => [key, changes[key]!.after]),
  ])
  for (const key of Object.getOwnPropertySymbols(value)) {
    Object.defineProperty(next, key, { value: (value as Record<symbol, unknown>)[key], enumerable: true })
  }
  return next
}

function applyMap<V>(map: ReadonlyMap<string, V>, changes: FieldChanges | undefined): ReadonlyMap<string, V> {
  if (changes === undefined) return map
  const next = new Map(map)
  for (const [name, { after }] of Object.entries(changes)) { if (after === undefined) next.delete(name); else next.set(name, after as V) }
  return next
}

/** Matches by key (the n-th of equal keys with the n-th); equal ends of both lists are passed over. */
function diffLists<T extends object, P, C extends { readonly at: number }>(
  a: readonly T[], b: readonly T[], key: (item: T) => string, compare: (x: T, y: T, at: number) => C | undefined, strip: (item: T) => P,
): { added: { at: number; item: P }[]; removed: { at: number; item: P }[]; changed: C[]; order?: number[] } | undefined {
  if (a === b) return undefined
  const changed: C[] = []
  const note = (x: T, y: T, at: number): void => {
    const change = x === y ? undefined : compare(x, y, at)
    if (change !== undefined) changed.push(change)
  }
  const alike = (x: T, y: T, at: number): boolean => {
    if (x !== y && key(x) !== key(y)) return false
    note(x, y, at)
    return true
  }
  let from = 0, endA = a.length, endB = b.length
  while (from < endA && from < endB && alike(a[from]!, b[from]!, from)) from++
  while (endA > from && endB > from && alike(a[endA - 1]!, b[endB - 1]!, endA - 1)) { endA--; endB-- }
  // First place of each key, the next place of the same key by place (−1: none), and places that have found their like.
  const places = new Map<string, number>(), next = new Int32Array(endA).fill(-1), taken = new Uint8Array(endA)
  for (let at = endA - 1; at >= from; at--) {
    const name = key(a[at]!), behind = places.get(name)
    if (behind !== undefined) next[at] = behind
    places.set(name, at)
  }
  const added: { at: number; item: P }[] = [], order = new Array<number>(b.length)
  let last = -1, moved = false
  for (let at = 0; at < b.length; at++) {
    if (at < from || at >= endB) { order[at] = at < from ? at : at - endB + endA; continue }
    const name = key(b[at]!), place = places.get(name) ?? -1
    if (place < 0 || taken[place] === 1) { order[at] = -1; added.push({ at, item: strip(b[at]!) }); continue }
    order[at] = place
    taken[place] = 1
    if (next[place]! >= 0) places.set(name, next[place]!)
    note(a[place]!, b[at]!, place)
    if (place < last) moved = true
    last = place
  }
  const removed: { at: number; item: P }[] = []
  for (let at = from; at < endA; at++) if (taken[at] === 0) removed.push({ at, item: strip(a[at]!) })
  if (added.length + removed.length + changed.length === 0 && !moved) return undefined
  changed.sort((x, y) => x.at - y.at)
  return { added, removed, changed, ...(moved && { order }) }
}

function patched<T, P extends object, C extends object>(
  list: readonly T[], d: ListDiff<P, C> | undefined, name: (item: T) => string, change: (item: T, change: { readonly at: number } & C) => T,
  make: (item: T) => T,
): readonly T[] {
  if (d === undefined) return list
  const next = [...list], gone = new Set<number>()
  for (const one of d.changed) next[one.at] = change(at(next, one.at), one)
  for (const { at: place, item } of d.removed) {
    const found = name(at(next, place)), wanted = name(item as unknown as T)
    if (found !== wanted) throw notMadeFor(wanted, found)
    gone.add(place)
  }
  const added = new Map(d.added.map(({ at: place, item }) => [place, make(item as unknown as T)]))
  if (d.order !== undefined) return d.order.map((place, to) => added.get(to) ?? at(next, place))
  const out: T[] = [], kept = next.filter((_, place) => !gone.has(place)), length = kept.length + added.size
  let from = 0
  while (out.length < length) out.push(added.get(out.length) ?? at(kept, from++))
  return out
}

function at<T>(list: readonly T[], place: number): T {
  if (place < 0 || place >= list.length) throw notMadeFor(`an entry at ${place}`, `${list.length} entries`)
  return list[place]!
}

function notMadeFor(wanted: string, got: string): Error {
  return graphErrors.INVALID_ARGUMENT({ function: 'applyDiff', expected: `the graph that it was made from (${wanted})`, got })
}
