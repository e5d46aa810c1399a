/** Suggestions of diagnostics as edits (GR-51): applying one removes what it was given for. */
import type { Suggestion } from '../../errors/diagnostic.js'
import { show } from '../../errors/show.js'
import type { Document } from '../document/document.js'
import { readDocument } from '../document/from-document.js'
import { toDocument } from '../document/to-document.js'
import { edgeName } from '../edge-list.js'
import { setParam } from '../edit.js'
import { graphErrors } from '../errors.js'
import type { Graph, GraphEdge, PortRef } from '../graph.js'
import { flattenGraph, SUBGRAPH } from '../subgraph/flatten.js'
import { originOf, withTypes, type TypeSource } from '../subgraph/origin.js'
import { insertOnEdge, relinkEdge, removeEdge, renameParam, setInputTarget, setOutput, setType, type NodeOnEdge } from './edits.js'

/** The edits that suggestions hold, plain data. Nodes and edges are named as in the diagnostic: inside a subgraph by `outer/inner`. */
export type SuggestedEdit =
  | { readonly op: 'rename-node'; readonly node: string; readonly to: string }
  | { readonly op: 'rename-edge'; readonly edge: string; readonly to: string }
  | { readonly op: 'rename-param'; readonly node: string; readonly param: string; readonly to: string }
  | { readonly op: 'set-type'; readonly node: string; readonly to: string }
  | { readonly op: 'set-param'; readonly node: string; readonly param: string; readonly value: unknown }
  | { readonly op: 'remove-param'; readonly node: string; readonly param: string }
  | { readonly op: 'set-default'; readonly input: string; readonly value?: unknown }
  | { readonly op: 'set-input'; readonly input: string; readonly index: number; readonly to: PortRef }
  | { readonly op: 'set-output'; readonly output: string; readonly to: PortRef }
  | { readonly op: 'remove-edge'; readonly edge: string }
  | { readonly op: 'relink-edge'; readonly edge: string; readonly from?: PortRef; readonly to?: PortRef }
  | { readonly op: 'insert-converters'; readonly edge: string; readonly nodes: readonly NodeOnEdge[] }

/**
 * The graph with a suggestion carried out; `types` finds the definitions of what it inserts. An edit inside a subgraph changes its
 * definition, for every node that stands for it. Throws `INVALID_ARGUMENT` for a suggestion without an edit (some can only be read) or for
 * another graph.
 */
export function applySuggestion(graph: Graph, suggestion: Suggestion, types: TypeSource): Graph {
  const edit = suggestion.edit as SuggestedEdit | undefined
  if (edit === undefined) {
    throw graphErrors.INVALID_ARGUMENT({ function: 'applySuggestion', expected: 'a suggestion with an edit', got: suggestion.title })
  }
  return apply(graph, edit, types)
}

function apply(graph: Graph, edit: SuggestedEdit, types: TypeSource): Graph {
  const inner = locate(graph, edit, types)
  if (inner !== undefined) return inside(graph, inner.path, inner.edit, types)
  switch (edit.op) {
    case 'rename-node': return { ...graph, nodes: lastRenamed(graph.nodes, edit.node, edit.to) }
    case 'rename-edge': return { ...graph, edges: lastRenamed(graph.edges, edit.edge, edit.to) }
    case 'rename-param': return renameParam(graph, edit.node, edit.param, edit.to)
    case 'set-type': return setType(graph, edit.node, edit.to, types)
    case 'set-param': return setParam(graph, edit.node, edit.param, edit.value)
    case 'remove-param': return setParam(graph, edit.node, edit.param, undefined)
    case 'set-default': return setDefault(graph, edit.input, edit.value)
    case 'set-input': return setInputTarget(graph, edit.input, edit.index, edit.to)
    case 'set-output': return setOutput(graph, edit.output, edit.to)
    case 'remove-edge': return removeEdge(graph, edit.edge)
    case 'relink-edge': return relinkEdge(graph, edit.edge, edit)
    case 'insert-converters': return insertOnEdge(graph, edit.edge, edit.nodes, types)
    default: throw graphErrors.INVALID_ARGUMENT({
      function: 'applySuggestion', expected: 'an edit of this version', got: show((edit as { readonly op: unknown }).op),
    })
  }
}

function lastRenamed<T extends { readonly id?: string }>(list: readonly T[], id: string, to: string): readonly T[] {
  const at = list.findLastIndex((one) => one.id === id)
  return at < 0 ? list : list.with(at, { ...list[at]!, id: to })
}

function setDefault(graph: Graph, name: string, value: unknown): Graph {
  const input = graph.inputs.get(name)
  if (input === undefined) throw graphErrors.INVALID_ARGUMENT({ function: 'applySuggestion', expected: 'a declared input', got: name })
  const { default: _default, ...rest } = input
  return { ...graph, inputs: new Map([...graph.inputs, [name, value === undefined ? rest : { ...rest, default: value }]]) }
}

/**
 * Where an edit belongs when what it names stands in a subgraph or on its border: the definitions on the
 * way, and the edit in the words of the last.
 */
function locate(
  graph: Graph, edit: SuggestedEdit, types: TypeSource,
): { readonly path: readonly string[]; readonly edit: SuggestedEdit } | undefined {
  const node = 'node' in edit ? edit.node : undefined, edge = 'edge' in edit ? edit.edge : undefined
  if (node === undefined
    ? edge === undefined || graph.edges.some((one) => edgeName(one) === edge)
    : graph.nodes.some((one) => one.id === node)) {
    return undefined
  }
  const flat = flattenGraph(graph, types).graph
  const found = node === undefined ? flat.edges.findLast((one) => edgeName(one) === edge) : flat.nodes.findLast((one) => one.id === node)
  const pointer = found === undefined ? undefined : originOf(found)
  const [, way = '', list, index] = /^(.*)\/(nodes|edges)\/(\d+)$/.exec(pointer ?? '') ?? []
  if (list === undefined) return undefined
  const path = way.split('/definitions/').slice(1).map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
  const document = documentAt(graph, path)
  if (node !== undefined) {
    const given = (edit.op === 'set-param' || edit.op === 'remove-param') ? byOuter(graph, node, edit) : undefined
    return given ?? { path, edit: { ...edit, node: document.nodes[Number(index)]!.id } as SuggestedEdit }
  }
  const own = document.edges![Number(index)]!, name = edgeName(own)
  /** The new end in the words of the definition: its node stands under the name that the old one's has. */
  const cut = (ref: PortRef | undefined, flatRef: PortRef, ownRef: PortRef): PortRef | undefined => {
    const prefix = flatRef[0].slice(0, flatRef[0].length - ownRef[0].length)
    return ref === undefined || path.length === 0 || !ref[0].startsWith(prefix) ? ref : [ref[0].slice(prefix.length), ref[1]]
  }
  if (edit.op !== 'relink-edge') return { path, edit: { ...edit, edge: name } as SuggestedEdit }
  const { from: start, to: end } = found as GraphEdge, from = cut(edit.from, start, own.from), to = cut(edit.to, end, own.to)
  return { path, edit: { op: 'relink-edge', edge: name, ...(from && { from }), ...(to && { to }) } }
}

/** A param inside that the outer node sets, or the default of an input of the definition, is mended there. */
function byOuter(
  graph: Graph, id: string, edit: SuggestedEdit & { readonly param: string },
): { readonly path: readonly string[]; readonly edit: SuggestedEdit } | undefined {
  for (const { id: outer, type, params } of graph.nodes) {
    if (!type.startsWith(SUBGRAPH) || !id.startsWith(`${outer}/`)) continue
    const document = graph.definitions?.[type.slice(SUBGRAPH.length)] as Document | undefined
    for (const [name, { to, default: value }] of Object.entries(document?.inputs ?? {})) {
      if (!to.some(([node, param]) => `${outer}/${node}` === id && param === edit.param)) continue
      if (Object.hasOwn(params, name)) return { path: [], edit: { ...edit, node: outer, param: name } as SuggestedEdit }
      if (value !== undefined) {
        return {
          path: [type.slice(SUBGRAPH.length)],
          edit: { op: 'set-default', input: name, ...(edit.op === 'set-param' && { value: edit.value }) },
        }
      }
    }
  }
  return undefined
}

function documentAt(graph: Graph, path: readonly string[]): Document {
  if (path.length === 0) return toDocument(graph)
  return path.reduce((document, name) => document.definitions![name] as Document, { definitions: graph.definitions } as unknown as Document)
}

/** Carries an edit out in a definition and puts the changed documents back. */
function inside(graph: Graph, [name, ...rest]: readonly string[], edit: SuggestedEdit, types: TypeSource): Graph {
  if (name === undefined) return apply(graph, edit, types)
  const definition = readDocument(graph.definitions![name], types).graph!
  return { ...graph, definitions: { ...graph.definitions, [name]: toDocument(inside(withTypes(definition, types), rest, edit, types)) } }
}
