import type { Suggestion } from '../../errors/diagnostic.js'
import { exceeded } from '../document/check-document.js'
import { excessOf } from '../document/scan-limits.js'
import { graphErrors } from '../errors.js'
import type { Graph, GraphEdge } from '../graph.js'
import { escapePointer } from '../pointer.js'
import { originOf, paramOriginOf } from '../subgraph/origin.js'
import type { Context, Section } from './context.js'

/**
 * Limits of a graph that came from no text, as of documents (stage 1), and stage 4: a graph without nodes. Every value is measured on its
 * own: params and `ui` by the limit of one param, the rest by that of a document. Bytes, and what else JSON has no form for, may be of any
 * size.
 */
export function checkSize(c: Context, graph: Graph): void {
  const { nodes, edges } = graph, { paramBytes, documentBytes, depth, stringLength: string } = c.limits
  for (const [what, limit, got] of [['Nodes', c.limits.nodes, nodes.length], ['Edges', c.limits.edges, edges.length]] as const) {
    if (got > limit) c.report('document', 0, exceeded(what, limit, got, `/${what.toLowerCase()}`))
  }
  const short = Math.min(string, paramBytes, documentBytes) / 6 - 2
  /** Values of a part, by name; `above`: levels of a document that they stand in; `free`: their names are anybody's. */
  const measure = (
    part: object, pointer: () => string, above: number, section: Section = 'document', n = 0, free?: 'extras' | 'params',
  ): void => {
    for (const name in part) {
      const value = (part as Readonly<Record<string, unknown>>)[name]
      const node = section === 'nodes' ? nodes[n] : undefined
      const param = free === 'params'
      if (free === undefined && APART.has(name)) {
        if (name === 'extras' && value !== undefined) measure(value as object, pointer, above, section, n, 'extras')
        continue
      }
      if (typeof value === 'object' ? value === null : typeof value !== 'string' || value.length <= short) continue
      try {
        const excess = excessOf(value, { bytes: param || name === 'ui' ? paramBytes : documentBytes, depth: depth - above, string })
        if (excess === undefined) continue
        const { what, limit, got } = excess, deeper = what === 'Nesting' ? above : 0, at = node && c.indexOf.get(node.id)
        // Nobody looks at what is too large.
        if (at !== undefined) c.brokenNodes.add(at)
        c.report(section, n, {
          ...exceeded(
            what === 'Bytes' ? `Bytes of ${param ? 'param ' : ''}${name}` : what,
            limit + deeper, got + deeper,
            (param && paramOriginOf(node!, name)) || `${pointer()}/${escapePointer(name)}`,
          ),
          ...(node && { node: node.id }),
        })
      } catch { /* What cannot be read stage 8 refuses. */ }
    }
  }
  measure(graph, () => '', 1)
  measure(graph.config, () => '/config', 2)
  nodes.forEach((node, n) => {
    if (typeof node !== 'object' || (node as unknown) === null) return
    const pointer = (): string => originOf(node) ?? `/nodes/${n}`
    measure(node, pointer, 3, 'nodes', n)
    measure(node.params, () => `${pointer()}/params`, 4, 'nodes', n, 'params')
  })
  edges.forEach((edge, e) => { if (edge?.extras !== undefined) measure(edge.extras, () => `/edges/${e}`, 3, 'edges', e, 'extras') })
  let index = 0
  for (const [name, input] of graph.inputs) measure(input, () => `/inputs/${escapePointer(name)}`, 3, 'inputs', index++)
  if (nodes.length === 0) {
    c.report('document', 0, graphErrors.GRAPH_EMPTY.diagnostic({}, { pointer: '/nodes', constraint: 'minItems', expected: 1, got: 0 }))
  }
}

/** Fields that are measured part by part, and those that no document has. */
const APART = /* @__PURE__ */ new Set(['nodes', 'edges', 'inputs', 'outputs', 'config', 'params', 'definition', 'extras'])

/** Stage 5: ids of nodes and edges given twice. The later one is broken. Names of inputs and outputs are unique by nature. */
export function checkIds(c: Context): void {
  c.graph.nodes.forEach(({ id }, n) => {
    const first = c.firstOf(n)
    if (first === n) return
    c.brokenNodes.add(n)
    c.report('nodes', n, graphErrors.DUPLICATE_ID.diagnostic(
      { thing: 'Node', id, first: c.nodePointer(first), second: c.nodePointer(n) }, {
        node: id, pointer: `${c.nodePointer(n)}/id`, expected: c.nodePointer(first), got: c.nodePointer(n),
        suggestions: [rename('node', id, (one) => c.indexOf.has(one))],
      }))
  })
  const seen = new Map<string, number>()
  c.graph.edges.forEach(({ id }, e) => {
    if (id === undefined) return
    const first = seen.get(id)
    if (first === undefined) { seen.set(id, e); return }
    c.report('edges', e, graphErrors.DUPLICATE_ID.diagnostic(
      { thing: 'Edge', id, first: c.edgePointer(first), second: c.edgePointer(e) }, {
        edge: id, pointer: `${c.edgePointer(e)}/id`, expected: c.edgePointer(first), got: c.edgePointer(e),
        suggestions: [rename('edge', id, (one) => seen.has(one))],
      }))
  })
}

/** Names tried for a hint. */
const MOST_TRIES = 100

/** The edit that gives the last of several of one id a free one. */
function rename(what: 'node' | 'edge', id: string, taken: (id: string) => boolean): Suggestion {
  const stem = id.slice(0, 56)
  let n = 2
  while (n < MOST_TRIES && taken(`${stem}-${n}`)) n++
  return { title: `Rename to ${stem}-${n}`, edit: { op: `rename-${what}`, [what]: id, to: `${stem}-${n}` } }
}

/** Stage 6: ends that name no node, links of a node to itself, links given twice. */
export function checkEndpoints(c: Context): void {
  const { fromAt, toAt } = c.edges
  /** Links by their two nodes: the only one, or all of them by ports. */
  const links = new Map<number, number | Map<string, number>>(), portsOf = ({ from, to }: GraphEdge): string => `${from[1]}\u0000${to[1]}`
  const twinOf = (edge: GraphEdge, e: number): number | undefined => {
    const pair = fromAt[e]! * c.graph.nodes.length + toAt[e]!, held = links.get(pair)
    if (held === undefined) { links.set(pair, e); return undefined }
    const several = typeof held === 'number' ? new Map([[portsOf(c.graph.edges[held]!), held]]) : held, first = several.get(portsOf(edge))
    if (first === undefined) links.set(pair, several.set(portsOf(edge), e))
    return first
  }
  c.graph.edges.forEach((edge, e) => {
    if (fromAt[e]! >= 0 && toAt[e]! >= 0 && (fromAt[e] !== toAt[e] || edge.delayFrames !== undefined) && twinOf(edge, e) === undefined) {
      return
    }
    const name = c.edgeName(e)
    for (const end of ['from', 'to'] as const) {
      if (c.indexOf.has(edge[end][0])) continue
      c.brokenEdges.add(e)
      missing(c, 'edges', e, { thing: 'Edge', id: name, given: edge[end][0], pointer: `${c.edgePointer(e)}/${end}/0`, edge: name,
        edit: (to) => ({ op: 'relink-edge', edge: name, [end]: [to, edge[end][1]] }) })
    }
    if (c.brokenEdges.has(e)) return
    const place = { edge: name, pointer: c.edgePointer(e), suggestions: [removeEdge(c, e)] }
    if (edge.from[0] === edge.to[0] && edge.delayFrames === undefined) {
      c.brokenEdges.add(e)
      c.report('edges', e, graphErrors.SELF_LINK.diagnostic({ node: edge.from[0] }, { ...place, node: edge.from[0], port: edge.to[1] }))
      return
    }
    const first = twinOf(edge, e)!
    c.brokenEdges.add(e)
    const input = edge.to.join('.'), from = edge.from.join('.')
    c.report('edges', e, graphErrors.EDGE_DUPLICATE.diagnostic(
      { input, first: from, got: from },
      { ...place, node: edge.to[0], port: edge.to[1], expected: c.edgePointer(first), got: c.edgePointer(e) }))
  })
  let index = 0
  for (const [name, [node, port]] of c.graph.outputs) {
    if (!c.indexOf.has(node)) {
      missing(c, 'outputs', index, {
        thing: 'Output', id: name, given: node, pointer: `/outputs/${escapePointer(name)}/0`,
        edit: (to) => ({ op: 'set-output', output: name, to: [to, port] }),
      })
    }
    index++
  }
  index = 0
  for (const [name, input] of c.graph.inputs) {
    input.to.forEach(([node, port], i) => {
      if (c.indexOf.has(node)) return
      missing(c, 'inputs', index, {
        thing: 'Input', id: name, given: node, pointer: `/inputs/${escapePointer(name)}/to/${i}/0`,
        edit: (to) => ({ op: 'set-input', input: name, index: i, to: [to, port] }),
      })
    })
    index++
  }
}

interface Missing {
  readonly thing: string; readonly id: string; readonly given: string; readonly pointer: string; readonly edge?: string
  readonly edit: (to: string) => Readonly<Record<string, unknown>>
}

function missing(
  c: Context, section: 'inputs' | 'edges' | 'outputs', index: number, { thing, id, given, pointer, edge, edit }: Missing,
): void {
  const near = c.near(given, () => [...c.indexOf.keys()])
  const suggestions = near.map((to): Suggestion => ({ title: `Use node ${to}`, edit: edit(to) }))
  c.report(section, index, graphErrors.NODE_NOT_FOUND.diagnostic({ thing, id, node: given, near }, {
    node: given, pointer, got: given, ...(edge !== undefined && { edge }), ...(near.length > 0 && { expected: near[0], suggestions }),
  }))
}

/** The edit that takes an edge out. */
export function removeEdge(c: Context, e: number): Suggestion {
  const { from, to } = c.graph.edges[e]!
  return { title: `Remove edge ${c.edgeName(e)}`, edit: { op: 'remove-edge', edge: c.edgeName(e), from, to } }
}
