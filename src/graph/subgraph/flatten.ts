/**
 * Subgraphs (GR-07): a node of type `graph::<name>` stands for the document `definitions[name]` of the nearest document around it that has
 * one. Flattening puts the inner nodes in its place, with ids `outer/inner`, before anything is validated, negotiated, hashed or planned.
 * Iterative but for the depth of nesting, which is limited; counts are checked before nodes are made.
 */
import { portKey } from '../port-key.js'
import type { Diagnostic } from '../../errors/diagnostic.js'
import { errorOf } from '../../errors/error-of.js'
import { exceeded } from '../document/check-document.js'
import { readDocument } from '../document/from-document.js'
import { edgeListOf, edgeName } from '../edge-list.js'
import { endsOf } from '../ends.js'
import { graphErrors } from '../errors.js'
import type { Graph, GraphEdge, GraphInput, GraphNode, PortRef } from '../graph.js'
import { DEFAULT_LIMITS, type Limits } from '../limits.js'
import { nearest } from '../nearest.js'
import { paramNames, unknownParam } from '../params.js'
import { escapePointer } from '../pointer.js'
import { isObject } from '../schema/fit-shape.js'
import { satisfies } from '../semver.js'
import { interfaceOf, isParam, SUBGRAPH_VERSION } from './interface.js'
import { originOf, paramOriginOf, typesOf, withOrigin, withParamOrigin, type TypeSource } from './origin.js'

/** What types of subgraphs begin with. */
export const SUBGRAPH = 'graph::'

/** How a graph is flattened. */
export interface FlattenOptions {
  readonly limits?: Limits
  /** The definitions were checked with the document around them: only what that could not see is reported. */
  readonly checked?: boolean
  /** Ids of nodes with schema errors: they stay as they are. */
  readonly broken?: ReadonlySet<string>
  /** Pointer of a node and edge of the given graph. */
  readonly node?: (index: number) => string
  readonly edge?: (index: number) => string
  /** Opens the one node of this id, one level deep. */
  readonly only?: string
}

/** A graph without subgraphs. */
export interface Flattened {
  readonly graph: Graph
  /** Recursion (`GRAPH_CYCLE`), limits, wrong ports and params at the border of a subgraph, schema errors of definitions. */
  readonly diagnostics: readonly Diagnostic[]
  /** Ids of nodes that are not to be looked at: those given, those of inner documents, subgraphs that could not be opened. */
  readonly broken: ReadonlySet<string>
}

/** A flattened definition. */
export interface SubgraphPart {
  readonly graph: Graph
  /** Run-time inputs of the inner document: its input ports and chosen params. */
  readonly exposed: ReadonlyMap<string, GraphInput>
  readonly outputs: ReadonlyMap<string, PortRef>
  /** Outputs that name no node inside, and edges with such an end. */
  readonly lost: ReadonlySet<string>
  readonly loose: ReadonlySet<GraphEdge>
  readonly broken: ReadonlySet<string>
  /** Levels of subgraphs, itself included. */
  readonly depth: number
}
interface Loose { readonly edge: GraphEdge; readonly inner: GraphEdge; readonly part: SubgraphPart }
interface Instance { readonly node: GraphNode; readonly part: SubgraphPart }
interface Scope { readonly definitions: Readonly<Record<string, unknown>>; readonly pointer: string; readonly around?: Scope }
/** Where a document stands: pointers of itself and its parts, the definitions around it, those on the way to it. */
interface Place {
  readonly scope: Scope; readonly path: readonly string[]; readonly pointer: string; readonly broken: ReadonlySet<string>
  readonly node: (index: number) => string; readonly edge: (index: number) => string
}

/** True when some node may stand for a document. */
export function hasSubgraphs(graph: Graph): boolean {
  return graph.definitions !== undefined && graph.nodes.some((node) => node.type.startsWith(SUBGRAPH))
}

/**
 * The graph with every subgraph opened; the same graph when there is none. Types are looked up in `types`,
 * then where the graph was read. Never throws.
 */
export function flattenGraph(graph: Graph, types: TypeSource, o: FlattenOptions = {}): Flattened {
  if (!hasSubgraphs(graph)) return { graph, diagnostics: [], broken: o.broken ?? new Set() }
  const own = typesOf(graph), pass = new Flattener(own === undefined ? types : { get: (type) => types.get(type) ?? own.get(type) }, o)
  const part = pass.open(graph, {
    scope: { definitions: graph.definitions!, pointer: '' }, path: [], broken: o.broken ?? new Set(), pointer: '',
    node: o.node ?? ((n) => originOf(graph.nodes[n]!) ?? `/nodes/${n}`),
    edge: o.edge ?? ((e) => originOf(graph.edges[e]!) ?? `/edges/${e}`),
  })
  return { graph: part?.graph ?? graph, diagnostics: pass.diagnostics, broken: part?.broken ?? new Set(graph.nodes.map(({ id }) => id)) }
}

/** {@link flattenGraph} for who wants a graph or nothing: throws the first problem as an error. */
export function flatGraph(graph: Graph, types: TypeSource, limits?: Limits): Graph {
  const flat = flattenGraph(graph, types, limits === undefined ? {} : { limits })
  const first = flat.diagnostics.find((one) => one.severity === 'error')
  if (first !== undefined) throw errorOf(first, flat.diagnostics.filter((one) => one.severity === 'error'))
  return flat.graph
}

class Flattener {
  readonly diagnostics: Diagnostic[] = []
  readonly #types: TypeSource
  readonly #o: FlattenOptions
  readonly #limits: Limits
  readonly #parts = new Map<unknown, SubgraphPart | undefined>()

  constructor(types: TypeSource, o: FlattenOptions) {
    this.#types = types
    this.#o = o
    this.#limits = o.limits ?? DEFAULT_LIMITS
  }

  /** Opens the subgraphs of one document; undefined when it cannot be done. */
  open(graph: Graph, place: Place): SubgraphPart | undefined {
    const nodes: GraphNode[] = [], edges: GraphEdge[] = [], broken = new Set(place.broken)
    const instances = new Map<string, Instance>(), hidden = new Map<string, GraphInput>()
    const seen = new Map<string, string>(), loose: Loose[] = [], lost = new Set<string>()
    let size = graph.nodes.length, depth = 0
    for (const [n, given] of graph.nodes.entries()) {
      const node = withOrigin(given, place.node(n)), part = broken.has(given.id) ? undefined : this.#partOf(node, place)
      const first = seen.get(node.id), pointer = place.node(n)
      if (first !== undefined && (part !== undefined || instances.has(node.id))) {
        this.diagnostics.push(graphErrors.DUPLICATE_ID.diagnostic(
          { thing: 'Node', id: node.id, first, second: pointer },
          { node: node.id, pointer: `${pointer}/id`, expected: first, got: pointer }))
        continue
      }
      seen.set(node.id, pointer)
      if (part === undefined) { nodes.push(node); continue }
      if (part === null) { broken.add(node.id); nodes.push(node); continue }
      depth = Math.max(depth, part.depth)
      if (node.version !== undefined && !satisfies(SUBGRAPH_VERSION, node.version)) {
        const { id, version: range } = node
        this.diagnostics.push(graphErrors.NODE_VERSION.diagnostic({ node: id, range, version: SUBGRAPH_VERSION }, {
          node: id, pointer: `${pointer}/version`, expected: range, got: SUBGRAPH_VERSION,
        }))
        broken.add(id)
        nodes.push(node)
        continue
      }
      if (node.mode === 'mute' || node.mode === 'bypass') { nodes.push({ ...node, definition: interfaceOf(node.type, part) }); continue }
      size += part.graph.nodes.length - 1
      if (size > this.#limits.expandedNodes) return this.#exceeded('Expanded nodes', this.#limits.expandedNodes, size, pointer)
      if (edges.length + part.graph.edges.length > this.#limits.edges) {
        return this.#exceeded('Expanded edges', this.#limits.edges, edges.length + part.graph.edges.length, pointer)
      }
      instances.set(node.id, { node, part })
      this.#instantiate(node, part, nodes, edges, loose, broken)
    }
    const index = new Map(nodes.map((node, n) => [node.id, n])), linked = new Set<string>()
    // An edge inside a subgraph that names no node there must find none out here.
    const idsOf = new Map<SubgraphPart, ReadonlySet<string>>()
    for (const { edge, inner, part } of loose) {
      let ids = idsOf.get(part)
      if (ids === undefined) idsOf.set(part, ids = new Set(part.graph.nodes.map(({ id }) => id)))
      const found = (['from', 'to'] as const).filter((end) => !ids.has(inner[end][0]) && index.has(edge[end][0]))
      for (const end of found) this.#noNode(inner[end][0], 'Edge', edgeName(edge), `${originOf(inner)!}/${end}/0`, [...ids])
      if (found.length === 0) edges.push(edge)
    }
    /**
     * Refuses an end that names a node inside a subgraph: this document has no such node. Ids that nothing has are left to stage 6,
     * unless that sees only where they lead to.
     */
    const reaches = ([node]: PortRef, thing: string, name: string, pointer: string): boolean => seen.has(node)
      || (!index.has(node) && (thing === 'Edge' || place.path.length === 0)) || this.#noNode(node, thing, name, pointer, [...seen.keys()])
    for (const [e, given] of graph.edges.entries()) {
      const edge = withOrigin(given, place.edge(e)), pointer = place.edge(e), name = edgeName(given)
      if (![reaches(edge.from, 'Edge', name, `${pointer}/from/0`), reaches(edge.to, 'Edge', name, `${pointer}/to/0`)].every(Boolean)) {
        continue
      }
      const from = this.#outputOf(edge.from, instances, `${pointer}/from/1`)
      const targets = this.#targetsOf(edge.to, instances, `${pointer}/to/1`)
      linked.add(portKey(edge.to))
      if (from === undefined || targets === undefined) continue
      if (edges.length + targets.length > this.#limits.edges) {
        return this.#exceeded('Expanded edges', this.#limits.edges, edges.length + targets.length, pointer)
      }
      targets.forEach((to, k) => {
        edges.push({ ...edge, from, to, ...(edge.id !== undefined && k > 0 && { id: `${edge.id}~${k + 1}` }) })
      })
    }
    const exposed = new Map<string, GraphInput>(), outputs = new Map<string, PortRef>()
    for (const [name, input] of graph.inputs) {
      const pointer = `${place.pointer}/inputs/${escapePointer(name)}/to`
      for (const to of input.to) linked.add(portKey(to))
      // An optional input that nobody gives leaves the subgraph to its own default.
      const inner = input.required === false
        ? input.to.map(([id, port]) => instances.get(id)?.part.exposed.get(port)?.default).find((value) => value !== undefined)
        : undefined
      exposed.set(name, {
        ...input, ...(input.default === undefined && inner !== undefined && { default: inner }),
        to: input.to.flatMap((to, i) =>
          !reaches(to, 'Input', name, `${pointer}/${i}/0`) ? [] : this.#targetsOf(to, instances, `${pointer}/${i}/1`) ?? []),
      })
    }
    for (const [name, ref] of graph.outputs) {
      const pointer = `${place.pointer}/outputs/${escapePointer(name)}`
      const from = reaches(ref, 'Output', name, `${pointer}/0`) ? this.#outputOf(ref, instances, `${pointer}/1`) : undefined
      if (from !== undefined) outputs.set(name, from); else lost.add(name)
    }
    for (const instance of instances.values()) this.#bind(instance, linked, nodes, index, hidden)
    const { definitions: _definitions, ...rest } = graph
    const flat = { ...rest, nodes, edges, inputs: new Map([...exposed, ...hidden]), outputs }
    return {
      graph: flat, exposed, outputs, lost,
      loose: new Set(edges.filter(({ from, to }) => !index.has(from[0]) || !index.has(to[0]))),
      broken, depth: depth + 1,
    }
  }

  /** The part that a node stands for; undefined for any other node, null for one that cannot be opened. */
  #partOf(node: GraphNode, { scope, path }: Place): SubgraphPart | undefined | null {
    if (!node.type.startsWith(SUBGRAPH) || (this.#o.only !== undefined && (path.length > 0 || node.id !== this.#o.only))) return undefined
    const name = node.type.slice(SUBGRAPH.length)
    let found: Scope | undefined = scope
    while (found !== undefined && !Object.hasOwn(found.definitions, name)) found = found.around
    if (found === undefined) return undefined
    const document = found.definitions[name], pointer = `${found.pointer}/definitions/${escapePointer(name)}`, at = path.indexOf(pointer)
    if (at >= 0) {
      const names = [...path.slice(at), pointer].map((one) =>
        SUBGRAPH + one.slice(one.lastIndexOf('/') + 1).replaceAll('~1', '/').replaceAll('~0', '~'))
      this.diagnostics.push(graphErrors.GRAPH_CYCLE.diagnostic({ nodes: names, edges: [] }, {
        node: node.id, pointer, constraint: 'acyclic', got: names.join(' -> '),
      }))
      return null
    }
    if (path.length >= this.#limits.subgraphDepth) {
      this.#exceeded('Subgraph depth', this.#limits.subgraphDepth, path.length + 1, pointer)
      return null
    }
    if (!this.#parts.has(document)) this.#parts.set(document, this.#read(document, pointer, found, [...path, pointer]))
    const part = this.#parts.get(document)
    const depth = path.length + (part?.depth ?? 0)
    if (depth > this.#limits.subgraphDepth) { this.#exceeded('Subgraph depth', this.#limits.subgraphDepth, depth, pointer); return null }
    return part ?? null
  }

  #read(document: unknown, pointer: string, around: Scope, path: readonly string[]): SubgraphPart | undefined {
    const reading = readDocument(document, this.#types, { limits: this.#limits })
    for (const one of reading.diagnostics) {
      if (this.#o.checked === true && one.stage !== 1 && one.pointer !== '/engines/millrace') continue
      // Texts that begin with the place say the whole of it, as of a document.
      const place = one.pointer === '' ? 'Document' : one.pointer ?? '', named = place !== '' && one.message.startsWith(`${place}: `)
      this.diagnostics.push({
        ...one, pointer: pointer + (one.pointer ?? ''),
        ...(named && { message: pointer + (one.pointer ?? '') + one.message.slice(place.length) }),
      })
    }
    if (reading.graph === undefined) return undefined
    const part = this.open(reading.graph, {
      scope: isObject(reading.graph.definitions) ? { definitions: reading.graph.definitions, pointer, around } : around, path,
      broken: reading.broken, pointer,
      node: (n) => `${pointer}/nodes/${reading.nodeIndex[n]!}`, edge: (e) => `${pointer}/edges/${reading.edgeIndex[e]!}`,
    })
    return part === undefined || reading.graph.outputs.size > 0 ? part : { ...part, outputs: openOutputs(part.graph) }
  }

  /** Copies of the inner nodes and edges under the outer node's name; its settings hold where they have none of their own. */
  #instantiate(outer: GraphNode, part: SubgraphPart, nodes: GraphNode[], edges: GraphEdge[], loose: Loose[], broken: Set<string>): void {
    const { tier, place, requires, policy } = outer, id = (inner: string): string => `${outer.id}/${inner}`
    const media = innerMedia(outer, part)
    const ends = outer.output === true ? new Set([...part.outputs.values()].map(([node]) => node)) : undefined
    for (const node of part.graph.nodes) {
      nodes.push({
        ...node, id: id(node.id), ...(tier !== undefined && node.tier === undefined && { tier }),
        ...(place !== undefined && node.place === undefined && { place }),
        ...(requires !== undefined && { requires: { ...requires, ...node.requires } }),
        ...(policy !== undefined && { policy: { ...policy, ...node.policy } }),
        ...(media.has(node.id) && { media: { ...media.get(node.id), ...node.media } }),
        ...(ends?.has(node.id) === true && { output: true }),
      })
    }
    for (const edge of part.graph.edges) {
      const copy = {
        ...edge, from: [id(edge.from[0]), edge.from[1]], to: [id(edge.to[0]), edge.to[1]],
        ...(edge.id !== undefined && { id: id(edge.id) }),
      } as const
      if (part.loose.has(edge)) loose.push({ edge: copy, inner: edge, part }); else edges.push(copy)
    }
    for (const inner of part.broken) broken.add(id(inner))
  }

  /** Puts the outer node's params, and defaults of inner inputs, where they go: inner params, or run-time inputs that nobody sees. */
  #bind(
    { node: outer, part }: Instance, linked: ReadonlySet<string>, nodes: GraphNode[], index: ReadonlyMap<string, number>,
    hidden: Map<string, GraphInput>,
  ): void {
    const prefixed = ([node, port]: PortRef): PortRef => [`${outer.id}/${node}`, port]
    for (const key of Object.keys(outer.params)) if (!part.exposed.has(key)) this.#unknownParam(outer, key, [...part.exposed.keys()])
    for (const [name, input] of part.graph.inputs) {
      const given = part.exposed.has(name) && Object.hasOwn(outer.params, name) ? outer.params[name] : undefined
      const value = given ?? input.default
      if (value === undefined) continue
      const open: PortRef[] = []
      for (const to of input.to.map(prefixed)) {
        const at = index.get(to[0]), node = at === undefined ? undefined : nodes[at]!
        if (node === undefined || !(isParam(node.definition, to[1]) || node.type.startsWith(SUBGRAPH))) open.push(to)
        else {
          const set = { ...node, params: withValue(node, to[1], value) }
          nodes[at!] = given === undefined ? set : withParamOrigin(set, to[1], paramPointer(outer, name))
        }
      }
      if (open.length > 0 && (given !== undefined || !linked.has(`${outer.id}\u0000${name}`))) {
        hidden.set(`${outer.id}/${name}`, { to: open, default: value })
      }
    }
  }

  #outputOf(ref: PortRef, instances: ReadonlyMap<string, Instance>, pointer: string): PortRef | undefined {
    const part = instances.get(ref[0])?.part
    if (part === undefined) return ref
    const inner = part.outputs.get(ref[1])
    if (inner !== undefined) return [`${ref[0]}/${inner[0]}`, inner[1]]
    return part.lost.has(ref[1]) ? undefined : this.#noPort(ref, [...part.outputs.keys()], pointer)
  }

  #targetsOf(ref: PortRef, instances: ReadonlyMap<string, Instance>, pointer: string): readonly PortRef[] | undefined {
    const part = instances.get(ref[0])?.part
    if (part === undefined) return [ref]
    const input = part.exposed.get(ref[1])
    return input === undefined
      ? this.#noPort(ref, [...part.exposed.keys()], pointer)
      : input.to.map(([node, port]) => [`${ref[0]}/${node}`, port])
  }

  #noPort([node, port]: PortRef, ports: readonly string[], pointer: string): undefined {
    this.diagnostics.push(graphErrors.PORT_NOT_FOUND.diagnostic({ node, port, ports, near: nearest(port, ports) }, {
      node, port, pointer, expected: ports, got: port,
    }))
  }

  #noNode(node: string, thing: string, name: string, pointer: string, ids: readonly string[]): false {
    const near = nearest(node, ids)
    this.diagnostics.push(graphErrors.NODE_NOT_FOUND.diagnostic({ thing, id: name, node, near }, {
      node, pointer, got: node, ...(thing === 'Edge' && { edge: name }), ...(near.length > 0 && { expected: near[0]! }) }))
    return false
  }

  #unknownParam(outer: GraphNode, param: string, names: readonly string[]): void {
    this.diagnostics.push(unknownParam(outer.id, param, names, new Map(names.map((name) => [name, name])), {
      pointer: paramPointer(outer, param),
    }))
  }

  #exceeded(what: string, limit: number, got: number, pointer: string): undefined {
    this.diagnostics.push(exceeded(what, limit, got, pointer))
  }
}

/** What a node says of its ports, by the inner nodes that have them. */
function innerMedia({ media = {} }: GraphNode, part: SubgraphPart): ReadonlyMap<string, NonNullable<GraphNode['media']>> {
  const inner = new Map<string, NonNullable<GraphNode['media']>>()
  for (const [name, constraint] of Object.entries(media)) {
    const output = part.outputs.get(name)
    for (const [node, port] of part.exposed.get(name)?.to ?? (output === undefined ? [] : [output])) {
      inner.set(node, { ...inner.get(node), [port]: constraint })
    }
  }
  return inner
}

/** Where a node's param stands, or was given by the node around it. */
function paramPointer(node: GraphNode, param: string): string {
  return paramOriginOf(node, param) ?? `${originOf(node)!}/params/${escapePointer(param)}`
}

/** Params with one of them set; other spellings of it give way. */
export function withValue({ params, definition }: GraphNode, name: string, value: unknown): Readonly<Record<string, unknown>> {
  const names = paramNames(definition?.params ?? {})
  return Object.fromEntries([...Object.entries(params).filter(([key]) => key === name || names.get(key) !== name), [name, value]])
}

/** Outputs of a document that declares none: every unconnected one, as `node.port`. */
function openOutputs(graph: Graph): ReadonlyMap<string, PortRef> {
  return new Map(endsOf(graph, edgeListOf(graph)).outputs.map(({ node, port }): [string, PortRef] => {
    const { id } = graph.nodes[node]!
    return [`${id}.${port}`, [id, port]]
  }))
}
