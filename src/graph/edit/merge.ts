/**
 * Merge of two graphs that come from one (GR-13). What both changed differently is a conflict: data, with the side of `ours` in the result.
 */
import { demandGraph } from '../as-graph.js'
import { portKey } from '../port-key.js'
import { edgeName } from '../edge-list.js'
import type { Graph, GraphEdge, GraphInput, GraphNode, PortRef } from '../graph.js'
import { isRecord, sameValue } from './same-value.js'

/** One thing that both sides changed in different ways. Absent values: the side does not have it. */
export interface MergeConflict {
  /**
   * `field`: two values. `removed`: one side took away what the other changed; it is kept. `occupied`: each side linked the same single
   * input; ours stays. `dangling`: a link, input or output leads to a node that the other side took away; it is dropped.
   */
  readonly kind: 'field' | 'removed' | 'occupied' | 'dangling'
  /** Path: `nodes`, id, `params`, name; `edges`, name; `outputs`, name; `config`, name; … */
  readonly path: readonly string[]
  readonly base?: unknown
  readonly ours?: unknown
  readonly theirs?: unknown
}
/** The merged graph, and what a person should look at. */
export interface Merged { readonly graph: Graph; readonly conflicts: readonly MergeConflict[] }

type Fields = Readonly<Record<string, unknown>>
/** Fields whose parts are merged one by one. */
const DEEP = new Set(['params', 'config', 'meta', 'definitions', 'extras', 'policy', 'requires', 'media', 'ui', 'engines'])
const LISTED = new Set(['nodes', 'edges', 'inputs', 'outputs', 'revision'])

/** Merges per node, param, edge and field. Order is ours, theirs where only they changed it. The revision is the higher one. */
export function merge3(base: Graph, ours: Graph, theirs: Graph): Merged {
  for (const graph of [base, ours, theirs]) demandGraph(graph, 'merge3')
  const conflicts: MergeConflict[] = []
  const nodes = mergeList(base.nodes, ours.nodes, theirs.nodes, (node) => node.id, ['nodes'], conflicts) as GraphNode[]
  const known = new Set(nodes.map(({ id }) => id))
  const stands = (path: readonly string[], value: unknown, ...refs: readonly PortRef[]): boolean => {
    const was = refs.every(([id]) => known.has(id) || !(isIn(base, id) || isIn(ours, id) || isIn(theirs, id)))
    if (!was) conflicts.push({ kind: 'dangling', path, ours: value })
    return was
  }
  const merged = mergeList(base.edges, ours.edges, theirs.edges, edgeName, ['edges'], conflicts) as GraphEdge[]
  const linked = merged.filter((edge) =>
    (known.has(edge.from[0]) && known.has(edge.to[0])) || stands(['edges', edgeName(edge)], edge, edge.from, edge.to))
  const edges = withoutOccupied(linked, nodes, ours, theirs, conflicts)
  const inputs = mergeMap(base.inputs, ours.inputs, theirs.inputs, 'inputs', conflicts)
  const outputs = mergeMap(base.outputs, ours.outputs, theirs.outputs, 'outputs', conflicts)
  const rest = mergeFields(plain(base), plain(ours), plain(theirs), [], conflicts, LISTED)
  const revision = Math.max(ours.revision ?? 0, theirs.revision ?? 0)
  return {
    conflicts,
    graph: {
      ...rest as unknown as Graph, ...symbolsOf(ours),
      ...(ours.revision !== undefined || theirs.revision !== undefined ? { revision } : {}), nodes, edges,
      inputs: new Map([...inputs].flatMap(([name, input]): [string, GraphInput][] => {
        const to = input.to.filter((ref) => stands(['inputs', name], ref, ref))
        return to.length === 0 && input.to.length > 0 ? [] : [[name, to.length === input.to.length ? input : { ...input, to }]]
      })),
      outputs: new Map([...outputs].filter(([name, ref]) => stands(['outputs', name], ref, ref))),
    },
  }
}

function isIn(graph: Graph, id: string): boolean {
  let ids = idsOf.get(graph)
  if (ids === undefined) idsOf.set(graph, ids = new Set(graph.nodes.map((node) => node.id)))
  return ids.has(id)
}
const idsOf = new WeakMap<Graph, ReadonlySet<string>>()

function plain(value: object): Fields { return value as Fields }
function symbolsOf(graph: Graph): object {
  return Object.fromEntries(Object.getOwnPropertySymbols(graph).map((key) => [key, (graph as unknown as Record<symbol, unknown>)[key]]))
}

/** Undefined stands for "not there". */
function mergeValue(base: unknown, ours: unknown, theirs: unknown, path: readonly string[], conflicts: MergeConflict[]): unknown {
  if (sameValue(ours, theirs) || sameValue(base, theirs)) return ours
  if (sameValue(base, ours)) return theirs
  const [was, mine, other] = [base ?? {}, ours ?? {}, theirs ?? {}]
  if (DEEP.has(path.at(-1)!) && isRecord(was) && isRecord(mine) && isRecord(other)) return mergeFields(was, mine, other, path, conflicts)
  conflicts.push({
    kind: 'field', path, ...(base !== undefined && { base }), ...(ours !== undefined && { ours }), ...(theirs !== undefined && { theirs }),
  })
  return ours
}

function mergeFields(
  base: Fields, ours: Fields, theirs: Fields, path: readonly string[], conflicts: MergeConflict[], skip?: ReadonlySet<string>,
): Fields {
  const fields: [string, unknown][] = [], own = (from: Fields, key: string): unknown => Object.hasOwn(from, key) ? from[key] : undefined
  for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    if (skip?.has(key) === true) continue
    const value = mergeValue(own(base, key), own(ours, key), own(theirs, key), [...path, key], conflicts)
    if (value !== undefined) fields.push([key, value])
  }
  return Object.fromEntries(fields)
}

const DEFINITION = new Set(['definition'])
function mergeItem(base: object | undefined, ours: object, theirs: object, path: readonly string[], conflicts: MergeConflict[]): object {
  if (ours === theirs || (base !== undefined && alike(theirs, base))) return ours
  if (base !== undefined && alike(ours, base)) return theirs
  const merged = mergeFields(plain(base ?? {}), plain(ours), plain(theirs), path, conflicts, DEFINITION)
  const definition = [ours as GraphNode, theirs as GraphNode].find((one) => one.type === merged['type'])?.definition
  return { ...merged, ...(definition !== undefined && { definition }), ...symbolsOf(ours as Graph) }
}

/** Edges with equal names are told apart by how many of them stood before. */
function numbered<T>(list: readonly T[], key: (item: T) => string): Map<string, T> {
  const map = new Map<string, T>()
  for (const item of list) {
    const name = key(item)
    let n = 1, one = name
    while (map.has(one)) one = `${name}\u0000${++n}`
    map.set(one, item)
  }
  return map
}

/** Ends of the lists that all sides share are merged in place; what is between goes by name. */
function mergeList<T extends object>(
  base: readonly T[], ours: readonly T[], theirs: readonly T[], key: (item: T) => string, path: readonly string[],
  conflicts: MergeConflict[],
): object[] {
  if (theirs === base || ours === theirs) return [...ours]
  if (ours === base) return [...theirs]
  const one = (i: number, j: number, k: number): object | undefined => {
    const was = base[i]!, mine = ours[j]!, other = theirs[k]!
    if (was === mine && was === other) return was
    const name = key(was)
    return name === key(mine) && name === key(other) ? mergeItem(was, mine, other, [...path, name], conflicts) : undefined
  }
  const head: object[] = [], tail: object[] = []
  const least = Math.min(base.length, ours.length, theirs.length)
  const last = (list: readonly T[]): number => list.length - 1 - tail.length
  for (let item: object | undefined; head.length < least && (item = one(head.length, head.length, head.length)) !== undefined;) {
    head.push(item)
  }
  for (
    let item: object | undefined;
    head.length + tail.length < least && (item = one(last(base), last(ours), last(theirs))) !== undefined;
  ) tail.push(item)
  const middle = (list: readonly T[]): readonly T[] => list.slice(head.length, list.length - tail.length)
  return [...head, ...mergeNamed(middle(base), middle(ours), middle(theirs), key, path, conflicts), ...tail.reverse()]
}

function mergeNamed<T extends object>(
  base: readonly T[], ours: readonly T[], theirs: readonly T[], key: (item: T) => string, path: readonly string[],
  conflicts: MergeConflict[],
): object[] {
  const a = numbered(base, key), b = numbered(ours, key), c = numbered(theirs, key), merged = new Map<string, object>()
  for (const name of new Set([...b.keys(), ...c.keys()])) {
    const was = a.get(name), mine = b.get(name), other = c.get(name), at = [...path, name]
    if (mine !== undefined && other !== undefined) merged.set(name, mergeItem(was, mine, other, at, conflicts))
    else if (was === undefined) merged.set(name, (mine ?? other)!)
    else if (!alike(was, (mine ?? other)!)) {
      conflicts.push({
        kind: 'removed', path: at, base: stripped(was), ...(mine !== undefined && { ours: stripped(mine) }),
        ...(other !== undefined && { theirs: stripped(other) }),
      })
      merged.set(name, (mine ?? other)!)
    }
  }
  return orderOf([...a.keys()], [...b.keys()], [...c.keys()], merged).map((name) => merged.get(name)!)
}

/** Equal but for the definition, which follows from the type. */
function alike(a: object, b: object): boolean {
  if (a === b) return true
  const x = a as Fields, y = b as Fields
  let count = 0
  for (const key in x) {
    if (key === 'definition') continue
    count++
    if (!Object.hasOwn(y, key) || !sameValue(x[key], y[key])) return false
  }
  for (const key in y) if (key !== 'definition') count--
  return count === 0
}
function stripped(item: object): object { const { definition: _definition, ...rest } = item as GraphNode; return rest }

/** Our order, or theirs where only they changed it; what the other side added stands behind what it stands behind there. */
function orderOf(
  base: readonly string[], ours: readonly string[], theirs: readonly string[], kept: ReadonlyMap<string, unknown>,
): string[] {
  const a = new Set(base), b = new Set(ours), c = new Set(theirs)
  const first = !moved(base, b, ours, a) && moved(base, c, theirs, a) ? theirs : ours
  const other = first === ours ? theirs : ours, own = first === ours ? b : c, behind = new Map<string | undefined, string[]>()
  let before: string | undefined
  for (const name of other) {
    if (own.has(name)) { before = name; continue }
    const list = behind.get(before)
    if (list === undefined) behind.set(before, [name]); else list.push(name)
  }
  return [...behind.get(undefined) ?? [], ...first.flatMap((name) => [name, ...behind.get(name) ?? []])].filter((name) => kept.has(name))
}

/** True when what two lists share stands in another order. */
function moved(a: readonly string[], inB: ReadonlySet<string>, b: readonly string[], inA: ReadonlySet<string>): boolean {
  let j = 0
  for (const name of a) {
    if (!inB.has(name)) continue
    while (j < b.length && !inA.has(b[j]!)) j++
    if (b[j++] !== name) return true
  }
  return false
}

function mergeMap<V>(
  base: ReadonlyMap<string, V>, ours: ReadonlyMap<string, V>, theirs: ReadonlyMap<string, V>, part: string, conflicts: MergeConflict[],
): ReadonlyMap<string, V> {
  const merged = new Map<string, V>()
  for (const name of new Set([...ours.keys(), ...theirs.keys()])) {
    const value = mergeValue(base.get(name), ours.get(name), theirs.get(name), [part, name], conflicts) as V | undefined
    if (value !== undefined) merged.set(name, value)
  }
  return merged
}

/** Of several links into a single input that no side had together, ours stays. Inputs of unknown types may take several. */
function withoutOccupied(
  edges: readonly GraphEdge[], nodes: readonly GraphNode[], ours: Graph, theirs: Graph, conflicts: MergeConflict[],
): GraphEdge[] {
  const first = new Set(ours.edges), portOf = ({ to }: GraphEdge): string => portKey(to), ports = new Set<string>()
  for (const edge of edges) if (!first.has(edge)) ports.add(portOf(edge))
  if (ports.size === 0) return [...edges]
  const definitions = new Map(nodes.map(({ id, definition }) => [id, definition])), links = new Map<string, GraphEdge[]>()
  const mine = new Set(ours.edges.map(edgeName)), other = new Set(theirs.edges.map(edgeName))
  for (const edge of edges) {
    const port = portOf(edge), list = links.get(port)
    if (!ports.has(port)) continue
    if (list === undefined) links.set(port, [edge]); else list.push(edge)
  }
  const dropped = new Set<GraphEdge>()
  for (const list of links.values()) {
    const { to } = list[0]!, input = definitions.get(to[0])?.inputs[to[1]]
    if (list.length < 2 || input === undefined || input.multi === true) continue
    const own = list.filter((edge) => mine.has(edgeName(edge))), others = list.filter((edge) => !mine.has(edgeName(edge)))
    if (own.length === 0 || others.length === 0 || list.every((edge) => other.has(edgeName(edge)))) continue
    conflicts.push({ kind: 'occupied', path: ['edges', edgeName(others[0]!)], ours: own[0], theirs: others[0] })
    for (const edge of others) dropped.add(edge)
  }
  return edges.filter((edge) => !dropped.has(edge))
}
