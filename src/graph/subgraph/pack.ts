/**
 * Subgraphs in an editor: {@link unpack} puts the nodes of a subgraph into the graph around it, {@link pack} makes some nodes a subgraph.
 * Packing what was unpacked gives the first graph back: the definition that stays in the graph tells names, order and own values of what is
 * in it.
 */
import { errorOf } from '../../errors/error-of.js'
import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import { demandGraph } from '../as-graph.js'
import type { Document } from '../document/document.js'
import { readDocument } from '../document/from-document.js'
import { toDocument } from '../document/to-document.js'
import { writeDocument } from '../document/write-document.js'
import { sameValue } from '../edit/same-value.js'
import { graphErrors } from '../errors.js'
import { createGraph, type Graph, type GraphEdge, type GraphInput, type GraphNode, type PortRef } from '../graph.js'
import { flattenGraph, SUBGRAPH } from './flatten.js'
import { typesOf, withoutOrigin, withTypes, type TypeSource } from './origin.js'

/** A graph with one subgraph opened, and the node that stood for it, to be given to {@link pack}. */
export interface Unpacked { readonly graph: Graph; readonly node: GraphNode }

/**
 * Opens one subgraph, one level deep: its nodes stand in the graph as `id/inner`. The definition stays. Throws `NODE_NOT_FOUND`,
 * `NODE_TYPE_UNKNOWN` for a node that is no subgraph, and what {@link flattenGraph} finds.
 */
export function unpack(graph: Graph, id: string, types: TypeSource): Unpacked {
  demandGraph(graph, 'unpack')
  const node = graph.nodes.find((one) => one.id === id)
  if (node === undefined) throw graphErrors.NODE_NOT_FOUND({ thing: 'Unpack', id: 'node', node: id })
  const document = node.type.startsWith(SUBGRAPH)
    ? graph.definitions?.[node.type.slice(SUBGRAPH.length)] as Document | undefined
    : undefined
  if (document === undefined) throw graphErrors.NODE_TYPE_UNKNOWN({ node: id, type: node.type })
  const { mode: _mode, ...running } = node
  const flat = flattenGraph({ ...graph, nodes: graph.nodes.map((one) => one === node ? running : one) }, types, { only: id })
  const first = flat.diagnostics.find((one) => one.severity === 'error')
  if (first !== undefined) throw errorOf(first, flat.diagnostics)
  return {
    node,
    graph: {
      ...flat.graph, nodes: flat.graph.nodes.map(withoutOrigin), edges: flat.graph.edges.map(withoutOrigin),
      definitions: joined(graph.definitions!, document.definitions ?? {}),
    },
  }
}

/** The definitions of both documents; a name that means something else in each is refused, because inner nodes go by it. */
function joined(outer: Readonly<Record<string, unknown>>, inner: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const clash = Object.keys(inner).find((name) => Object.hasOwn(outer, name) && !sameValue(outer[name], inner[name]))
  if (clash !== undefined) {
    throw graphErrors.DUPLICATE_ID({ thing: 'Definition', id: clash, first: `/definitions/${clash}`, second: 'the subgraph' })
  }
  return { ...outer, ...inner }
}

/**
 * Makes nodes of a graph into one node of type `graph::<name>` (`node.type`; its settings hold for the whole) and their document into
 * `definitions[name]`. With a definition of that name its inputs, outputs and own values are kept where they still fit; when it has to
 * change while other nodes stand for it, the new one gets the next free name. Without one, every link across the border becomes an input or
 * output named like its port. The graph remembers the types of the nodes that it packs: it hashes and runs as before, whoever opens it.
 * Linear in the size of the graph. Throws `INVALID_ARGUMENT` for no nodes or a type that is no `graph::`, `NODE_NOT_FOUND`, `DUPLICATE_ID`.
 */
export function pack(graph: Graph, ids: readonly string[], node: Pick<GraphNode, 'id' | 'type'> & Partial<GraphNode>): Graph {
  demandGraph(graph, 'pack')
  if (!Array.isArray(ids) || typeof (node as GraphNode | undefined)?.type !== 'string') {
    throw commonErrors.INVALID_ARGUMENT({
      function: 'pack', expected: 'a list of node ids and a node { id, type }', got: `${show(ids)}, ${show(node)}`,
    })
  }
  const inside = new Set(ids), known = new Set(graph.nodes.map(({ id }) => id)), unknown = ids.find((id) => !known.has(id))
  if (ids.length === 0 || !node.type.startsWith(SUBGRAPH)) {
    throw commonErrors.INVALID_ARGUMENT({
      function: 'pack', expected: 'node ids and a type graph::<name>', got: `${ids.length} ids, ${node.type}`,
    })
  }
  if (unknown !== undefined) throw graphErrors.NODE_NOT_FOUND({ thing: 'Pack', id: 'node', node: unknown })
  if (known.has(node.id) && !inside.has(node.id)) {
    throw graphErrors.DUPLICATE_ID({ thing: 'Node', id: node.id, first: 'the graph', second: 'the subgraph' })
  }
  return remember(new Packer(graph, inside, node).run(), graph.nodes.filter(({ id }) => inside.has(id)))
}

/**
 * The graph with the types of nodes that its definitions now hold, where it would not find them: they are looked up when it is flattened.
 */
function remember(graph: Graph, nodes: readonly GraphNode[]): Graph {
  const before = typesOf(graph)
  const own = new Map(nodes.flatMap(({ type, definition }) =>
    definition === undefined || before?.get(type) === definition ? [] : [[type, definition] as const]))
  return own.size === 0 ? graph : withTypes(graph, { get: (type) => own.get(type) ?? before?.get(type) })
}

class Packer {
  readonly #graph: Graph
  readonly #inside: ReadonlySet<string>
  readonly #outer: Pick<GraphNode, 'id' | 'type'> & Partial<GraphNode>
  readonly #name: string
  readonly #like: Graph | undefined
  readonly #inputs: Map<string, GraphInput>
  readonly #outputs: Map<string, PortRef>
  /** Ids in the graph by ids in the definition. */
  readonly #long: ReadonlyMap<string, string>
  /**
   * What would take a search each: nodes of the definition, inputs by the nodes and by the first port they
   * lead to, outputs by port, links, free names.
   */
  readonly #likeNodes: ReadonlyMap<string, GraphNode>
  readonly #bound: ReadonlyMap<string, readonly (readonly [name: string, param: string])[]>
  readonly #inputsAt = new Map<string, string[]>()
  readonly #outputAt = new Map<string, string>()
  readonly #links: ReadonlyMap<string, readonly GraphEdge[]>
  readonly #tries = { in: new Map<string, number>(), out: new Map<string, number>() }

  constructor(graph: Graph, inside: ReadonlySet<string>, outer: Pick<GraphNode, 'id' | 'type'> & Partial<GraphNode>) {
    this.#graph = graph
    this.#inside = inside
    this.#outer = outer
    this.#name = outer.type.slice(SUBGRAPH.length)
    const document = graph.definitions !== undefined && Object.hasOwn(graph.definitions, this.#name)
      ? graph.definitions[this.#name]
      : undefined
    this.#like = document === undefined ? undefined : readDocument(document, typesOf(graph) ?? { get: () => undefined }).graph
    this.#long = new Map([...inside].map((id) => [this.#short(id), id]))
    const kept = this.#long
    this.#inputs = new Map([...this.#like?.inputs ?? []].map(([name, input]): [string, GraphInput] =>
      [name, { ...input, to: input.to.filter(([id]) => kept.has(id)) }]))
    this.#outputs = new Map([...this.#like?.outputs ?? []].filter(([, [id]]) => kept.has(id)))
    this.#likeNodes = new Map(this.#like?.nodes.toReversed().map((one) => [one.id, one]))
    this.#bound = grouped([...this.#inputs].flatMap(([name, { to }]) => to.map(([id, param]) => [id, [name, param] as const] as const)))
    for (const [name, ref] of [...this.#outputs].toReversed()) this.#outputAt.set(keyOf(ref), name)
    this.#links = grouped(graph.edges.map((edge) => [linkKey(edge, edge.to), edge]))
  }

  run(): Graph {
    const graph = this.#graph, edges: GraphEdge[] = [], own: GraphEdge[] = [], params = new Map<string, unknown>()
    const nodes = graph.nodes.filter(({ id }) => this.#inside.has(id)).map((node) => this.#inner(node, params))
    for (const [name, { to: [first] }] of this.#inputs) if (first !== undefined) push(this.#inputsAt, keyOf(first), name)
    const used = new Set<GraphEdge>()
    for (const edge of graph.edges) {
      if (used.has(edge)) continue
      const from = this.#inside.has(edge.from[0]), to = this.#inside.has(edge.to[0])
      if (from && to) own.push(this.#innerEdge(edge))
      else if (to) {
        const { name, rest } = this.#inputFor(edge.to, (target) => this.#links.get(linkKey(edge, target))
          ?.find((one) => !used.has(one) && one !== edge))
        for (const one of rest) used.add(one)
        edges.push({ ...edge, to: [this.#outer.id, name] })
      } else edges.push(from ? { ...edge, from: this.#outputFor(edge.from) } : edge)
    }
    const inputs = this.#runInputs(params)
    const outputs =
      new Map([...graph.outputs].map(([name, ref]): [string, PortRef] => [name, this.#inside.has(ref[0]) ? this.#outputFor(ref) : ref]))
    const document = toDocument({ ...(this.#like ?? createGraph()), nodes, edges: own, inputs: this.#inputs, outputs: this.#outputs })
    const definitions = new Map(Object.entries(this.#withoutMoved())), name = this.#place(definitions, document)
    const node: GraphNode = { ...this.#outer, type: SUBGRAPH + name, params: Object.fromEntries(params) }
    return { ...graph, nodes: this.#nodesWith(node), edges, inputs, outputs, definitions: Object.fromEntries(definitions) }
  }

  #short(id: string): string { return id.startsWith(`${this.#outer.id}/`) ? id.slice(this.#outer.id.length + 1) : id }
  #ref([id, port]: PortRef): PortRef { return [this.#short(id), port] }

  #nodesWith(node: GraphNode): GraphNode[] {
    const first = this.#graph.nodes.findIndex(({ id }) => this.#inside.has(id))
    return this.#graph.nodes.flatMap((one, n) => n === first ? [node] : this.#inside.has(one.id) ? [] : [one])
  }

  #innerEdge(edge: GraphEdge): GraphEdge {
    return { ...edge, from: this.#ref(edge.from), to: this.#ref(edge.to), ...(edge.id !== undefined && { id: this.#short(edge.id) }) }
  }

  /** The node as it stands in the definition: what the outer node gave it (settings, values of chosen params) is taken back. */
  #inner(node: GraphNode, params: Map<string, unknown>): GraphNode {
    const id = this.#short(node.id), like = this.#likeNodes.get(id), outer = this.#outer
    const fields: Record<string, unknown> = { ...node, id }
    const restore = (field: 'tier' | 'place' | 'requires' | 'policy', given: unknown): void => {
      if (given === undefined || !sameValue(node[field], given)) return
      if (like?.[field] === undefined) delete fields[field]
      else fields[field] = like[field]
    }
    restore('tier', like?.tier ?? outer.tier)
    restore('place', like?.place ?? outer.place)
    restore('requires', outer.requires && { ...outer.requires, ...like?.requires })
    restore('policy', outer.policy && { ...outer.policy, ...like?.policy })
    if (outer.output === true && like !== undefined && like.output === undefined) delete fields['output']
    const values = new Map(Object.entries(node.params))
    for (const [name, param] of this.#bound.get(id) ?? []) {
      if (!values.has(param)) continue
      const value = values.get(param), preset = this.#inputs.get(name)!.default
      if (params.has(name) && !sameValue(params.get(name), value)) { this.#drop(name, id, param); continue }
      if ((outer.params !== undefined && Object.hasOwn(outer.params, name)) || !sameValue(value, preset ?? like?.params[param])) {
        params.set(name, value)
      }
      if (like !== undefined && Object.hasOwn(like.params, param)) values.set(param, like.params[param])
      else values.delete(param)
    }
    return { ...fields, params: Object.fromEntries(values) } as unknown as GraphNode
  }

  /** Two params under one name that no longer hold one value: the second keeps its own. */
  #drop(name: string, node: string, param: string): void {
    const input = this.#inputs.get(name)!
    this.#inputs.set(name, { ...input, to: input.to.filter((to) => !same(to, [node, param])) })
  }

  /** Name of the input that leads to a port, with the other links that it stands for; a new one when there is none. */
  #inputFor(
    to: PortRef, linkTo: (target: PortRef) => GraphEdge | undefined,
  ): { readonly name: string; readonly rest: readonly GraphEdge[] } {
    const inner = this.#ref(to)
    for (const name of this.#inputsAt.get(keyOf(inner)) ?? []) {
      const rest = this.#inputs.get(name)!.to.slice(1).map(([id, port]) => linkTo([this.#long.get(id)!, port]))
      if (!rest.includes(undefined)) return { name, rest: rest as GraphEdge[] }
    }
    const name = freeName(to[1], this.#inputs, this.#tries.in)
    this.#inputs.set(name, { to: [inner] })
    push(this.#inputsAt, keyOf(inner), name)
    return { name, rest: [] }
  }

  #outputFor(from: PortRef): PortRef {
    const inner = this.#ref(from), found = this.#outputAt.get(keyOf(inner))
    if (found !== undefined) return [this.#outer.id, found]
    if (this.#like !== undefined && this.#like.outputs.size === 0) return [this.#outer.id, inner.join('.')]
    const name = freeName(from[1], this.#outputs, this.#tries.out)
    this.#outputs.set(name, inner)
    this.#outputAt.set(keyOf(inner), name)
    return [this.#outer.id, name]
  }

  /** Run-time inputs of the outer graph; those that unpacking made for defaults of ports go back into the definition. */
  #runInputs(params: Map<string, unknown>): Map<string, GraphInput> {
    const inputs = new Map<string, GraphInput>()
    for (const [name, input] of this.#graph.inputs) {
      const hidden = name.startsWith(`${this.#outer.id}/`) ? this.#inputs.get(this.#short(name)) : undefined
      const port = this.#short(name)
      if (hidden !== undefined && this.#outer.params !== undefined && Object.hasOwn(this.#outer.params, port)) {
        params.set(port, input.default)
        continue
      }
      if (hidden !== undefined && sameValue(hidden.default, input.default)) continue
      const to: PortRef[] = [], taken = new Set<number>(), places = grouped(input.to.map((one, i) => [keyOf(one), i]))
      input.to.forEach((target, i) => {
        if (taken.has(i)) return
        if (!this.#inside.has(target[0])) { to.push(target); return }
        const found: number[] = []
        const { name: port, rest } = this.#inputFor(target, (other) => {
          const at = places.get(keyOf(other))?.find((j) => j !== i && !taken.has(j) && !found.includes(j))
          if (at === undefined) return undefined
          found.push(at)
          return { from: other, to: other }
        })
        if (rest.length > 0) for (const at of found) taken.add(at)
        to.push([this.#outer.id, port])
      })
      inputs.set(name, { ...input, to })
    }
    return inputs
  }

  /** The graph's definitions without those that unpacking moved up and nobody else goes by. */
  #withoutMoved(): Readonly<Record<string, unknown>> {
    const own = this.#like?.definitions ?? {}
    const outside = new Set(this.#graph.nodes.filter(({ id }) => !this.#inside.has(id)).map(({ type }) => type))
    const moved = (name: string, document: unknown): boolean =>
      Object.hasOwn(own, name) && !outside.has(SUBGRAPH + name) && sameValue(own[name], document)
    return Object.fromEntries(Object.entries(this.#graph.definitions ?? {}).filter(([name, document]) => !moved(name, document)))
  }

  /**
   * Puts the document among the definitions: unchanged under its name, changed under it when nobody else
   * stands for it, else under the next free one.
   */
  #place(definitions: Map<string, unknown>, document: Document): string {
    const before = definitions.get(this.#name) as Document | undefined
    if (before !== undefined && writeDocument(before) === writeDocument(document)) return this.#name
    const shared = before !== undefined
      && this.#graph.nodes.some((node) => node.type === SUBGRAPH + this.#name && !this.#inside.has(node.id))
    const name = shared ? freeName(this.#name, definitions) : this.#name
    definitions.set(name, document)
    return name
  }
}

function same(a: PortRef, b: PortRef): boolean { return a[0] === b[0] && a[1] === b[1] }

function keyOf([node, port]: PortRef): string { return `${node}\u0000${port}` }
function linkKey({ from, delayFrames }: GraphEdge, to: PortRef): string { return `${keyOf(from)}\u0000${keyOf(to)}\u0000${delayFrames}` }

function push<V>(lists: Map<string, V[]>, key: string, value: V): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

function grouped<V>(entries: readonly (readonly [string, V])[]): Map<string, V[]> {
  const lists = new Map<string, V[]>()
  for (const [key, value] of entries) push(lists, key, value)
  return lists
}

/** The name, or the first free one numbered from 2; `tries` spares trying again what was taken before. */
function freeName(name: string, taken: ReadonlyMap<string, unknown>, tries?: Map<string, number>): string {
  if (!taken.has(name)) return name
  let n = tries?.get(name) ?? 2
  while (taken.has(`${name}-${n}`)) n++
  tries?.set(name, n)
  return `${name}-${n}`
}
