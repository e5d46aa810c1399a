/** Edits beyond those of `graph/edit.ts`: each takes a graph and gives a new one; whether the result fits is `validate`'s to say. */
import { defined } from '../defined.js'
import { edgeName } from '../edge-list.js'
import { graphErrors } from '../errors.js'
import type { Graph, GraphEdge, GraphNode, PortRef } from '../graph.js'
import type { TypeSource } from '../subgraph/origin.js'
import { migrateGraph } from '../migrate-node.js'
import { isRecord } from './same-value.js'

/** Gives a node another id, wherever it is named: edges, inputs, outputs, groups. Throws `NODE_NOT_FOUND`, `DUPLICATE_ID`. */
export function renameNode(graph: Graph, id: string, to: string): Graph {
  const at = place(graph, id), taken = graph.nodes.findIndex((node) => node.id === to)
  if (id === to) return graph
  if (taken >= 0) throw graphErrors.DUPLICATE_ID({ thing: 'Node', id: to, first: `/nodes/${taken}`, second: `/nodes/${at}` })
  const ref = (one: PortRef): PortRef => one[0] === id ? [to, one[1]] : one
  const names = (list: readonly unknown[]): readonly unknown[] => list.includes(id) ? list.map((one) => one === id ? to : one) : list
  return {
    ...graph, nodes: graph.nodes.with(at, { ...graph.nodes[at]!, id: to }),
    edges: graph.edges.map((edge) => edge.from[0] === id || edge.to[0] === id ? { ...edge, from: ref(edge.from), to: ref(edge.to) } : edge),
    inputs: new Map([...graph.inputs].map(([name, input]) =>
      [name, input.to.some(([node]) => node === id) ? { ...input, to: input.to.map(ref) } : input])),
    outputs: new Map([...graph.outputs].map(([name, one]) => [name, ref(one)])),
    ...changedGroups(graph, (group) => Array.isArray(group['nodes']) ? { ...group, nodes: names(group['nodes']) } : group),
  }
}

/** Sets fields of a node; `undefined` takes one away, so that its default holds. Throws `NODE_NOT_FOUND`. */
export function setNode(graph: Graph, id: string, fields: Partial<Omit<GraphNode, 'id'>>): Graph {
  const at = place(graph, id), node = defined({ ...graph.nodes[at]!, ...fields })
  return { ...graph, nodes: graph.nodes.with(at, node as unknown as GraphNode) }
}

/** Gives a node another type; `types` finds its definition. Throws `NODE_NOT_FOUND`. */
export function setType(graph: Graph, id: string, type: string, types?: TypeSource): Graph {
  const definition = types?.get(type)
  return setNode(graph, id, { type: definition?.type ?? type, definition } as Partial<GraphNode>)
}

/**
 * The graph with the definitions that `types` has now (GR-31), nodes migrated where they name an older version: after a type was replaced,
 * exactly its nodes are new, so that only they and what follows them hash anew.
 */
export function refreshTypes(graph: Graph, types: TypeSource): Graph {
  const nodes = graph.nodes.map((node) => {
    const definition = types.get(node.type)
    return definition === undefined || definition === node.definition ? node : { ...node, definition }
  })
  return nodes.every((node, n) => node === graph.nodes[n]) ? graph : migrateGraph({ ...graph, nodes }, graph.nodes)
}

/** Moves nodes: `x` and `y` of their `ui`, in the editor's units. Throws `NODE_NOT_FOUND`. */
export function moveNodes(graph: Graph, to: Readonly<Record<string, { readonly x: number; readonly y: number }>>): Graph {
  const left = new Set(Object.keys(to))
  const nodes = graph.nodes.map((node) =>
    left.delete(node.id) ? { ...node, ui: { ...(isRecord(node.ui) && node.ui), x: to[node.id]!.x, y: to[node.id]!.y } } : node)
  for (const id of left) place(graph, id)
  return { ...graph, nodes }
}

/** A group of nodes in an editor: kept in `ui.groups` of the graph, never hashed. */
export interface NodeGroup { readonly id: string; readonly title?: string; readonly color?: string; readonly nodes: readonly string[] }

/** Sets a group, replacing one of its id; without nodes the group goes. Throws `NODE_NOT_FOUND`. */
export function groupNodes(graph: Graph, group: NodeGroup): Graph {
  for (const id of group.nodes) place(graph, id)
  const groups = groupsOf(graph)
  const at = groups.findIndex((one) => isRecord(one) && one['id'] === group.id)
  const rest = groups.filter((_, i) => i !== at)
  const next = group.nodes.length === 0 ? rest : at < 0 ? [...groups, group] : groups.with(at, group)
  return { ...graph, ui: { ...(isRecord(graph.ui) && graph.ui), groups: next } }
}

/** Gives a param another name, its value unchanged. Throws `NODE_NOT_FOUND`. */
export function renameParam(graph: Graph, id: string, param: string, to: string): Graph {
  const { params } = graph.nodes[place(graph, id)]!
  return setNode(graph, id, {
    params: Object.fromEntries(Object.entries(params).map(([name, value]) => [name === param ? to : name, value])),
  })
}

/** Takes away one edge by its name (id, or `from.port->to.port`): the last of that name, so that of equal edges the first stays. */
export function removeEdge(graph: Graph, name: string): Graph {
  return { ...graph, edges: graph.edges.toSpliced(edgePlace(graph, name), 1) }
}

/** Leads an edge elsewhere. */
export function relinkEdge(graph: Graph, name: string, ends: { readonly from?: PortRef; readonly to?: PortRef }): Graph {
  const at = edgePlace(graph, name)
  return {
    ...graph,
    edges: graph.edges.with(at, { ...graph.edges[at]!, ...(ends.from && { from: ends.from }), ...(ends.to && { to: ends.to }) }),
  }
}

/** Leads a run output elsewhere, or declares it. */
export function setOutput(graph: Graph, name: string, ref: PortRef): Graph {
  return { ...graph, outputs: new Map([...graph.outputs, [name, ref]]) }
}

/** Leads one target of a run input elsewhere. */
export function setInputTarget(graph: Graph, name: string, index: number, ref: PortRef): Graph {
  const input = graph.inputs.get(name)
  if (input === undefined || index < 0 || index >= input.to.length) {
    throw graphErrors.INVALID_ARGUMENT({
      function: 'setInputTarget', expected: 'a declared input and one of its targets', got: `${name}, ${index}`,
    })
  }
  return { ...graph, inputs: new Map([...graph.inputs, [name, { ...input, to: input.to.with(index, ref) }]]) }
}

/** A node to stand on an edge: audio, or what it is, goes in at `input` and out at `output`; the first port of each by default. */
export interface NodeOnEdge {
  readonly type: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly input?: string
  readonly output?: string
  readonly id?: string
}

/**
 * Puts a chain of nodes on an edge, in order. Ids are `<name>-<n>` unless given. Throws `NODE_TYPE_UNKNOWN` for a type without known ports.
 */
export function insertOnEdge(graph: Graph, name: string, chain: readonly NodeOnEdge[], types: TypeSource): Graph {
  const at = edgePlace(graph, name), edge = graph.edges[at]!, nodes = [...graph.nodes]
  const added: GraphEdge[] = []
  const taken = new Set(nodes.map(({ id }) => id))
  let { from } = edge
  for (const { type, params = {}, input, output, id: wanted } of chain) {
    const definition = types.get(type)
    const into = input ?? Object.keys(definition?.inputs ?? {})[0]
    const out = output ?? Object.keys(definition?.outputs ?? {})[0]
    if (definition === undefined || into === undefined || out === undefined) {
      throw graphErrors.NODE_TYPE_UNKNOWN({ node: `on ${name}`, type })
    }
    const word = definition.type.slice(definition.type.indexOf('::') + 2)
    let id = wanted ?? `${word}-1`
    for (let n = 2; taken.has(id); n++) id = `${word}-${n}`
    taken.add(id)
    nodes.push({ id, type: definition.type, definition, params })
    added.push({ from, to: [id, into] })
    from = [id, out]
  }
  return { ...graph, nodes, edges: [...graph.edges.with(at, { ...edge, from }), ...added] }
}

function place(graph: Graph, id: string): number {
  const at = graph.nodes.findIndex((node) => node.id === id)
  if (at < 0) throw graphErrors.NODE_NOT_FOUND({ thing: 'Edit', id: 'node', node: id })
  return at
}

function edgePlace(graph: Graph, name: string): number {
  const at = graph.edges.findLastIndex((edge) => edgeName(edge) === name)
  if (at < 0) throw graphErrors.INVALID_ARGUMENT({ function: 'edit', expected: 'the name of an edge', got: name })
  return at
}

function groupsOf(graph: Graph): readonly unknown[] {
  const groups = isRecord(graph.ui) ? graph.ui['groups'] : undefined
  return Array.isArray(groups) ? groups : []
}

function changedGroups(graph: Graph, change: (group: Readonly<Record<string, unknown>>) => unknown): { readonly ui?: unknown } {
  const groups = groupsOf(graph)
  return groups.length === 0
    ? {}
    : { ui: { ...(graph.ui as object), groups: groups.map((group) => isRecord(group) ? change(group) : group) } }
}
