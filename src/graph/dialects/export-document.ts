import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import { demandGraph } from '../as-graph.js'
import type { Document } from '../document/document.js'
import { toDocument } from '../document/to-document.js'
import { writeDocument, writeJson } from '../document/write-document.js'
import type { Graph } from '../graph.js'
import { applyModes } from '../modes.js'
import type { NodeDefinition } from '../node-definition.js'
import { escapePointer } from '../pointer.js'
import { any } from '../schema/shape.js'
import { flatGraph, hasSubgraphs, withValue } from '../subgraph/flatten.js'
import { isParam } from '../subgraph/interface.js'
import { originOf, typesOf, withOrigin } from '../subgraph/origin.js'
import { exportApi } from './comfyui/api.js'
import { exportWorkflow } from './comfyui/export-workflow.js'
import { DIALECTS, type Dialect } from './dialect.js'
import { exportGraphdsl, graphdslShape, graphdslType } from './graphdsl.js'
import { exportSeed } from './remotemedia-seed.js'
import { exportV1 } from './remotemedia-v1.js'
import { Report, type ImportReport } from './report.js'

/**
 * Writes a graph in any dialect, with a report of everything that the dialect has no place for; pointers go into `toDocument(graph)`. A
 * graph that was imported from the same dialect and not changed comes out as it went in, up to the order of keys. Canonical: equal graphs
 * give equal text.
 *
 * Dialects other than Millrace's and ComfyUI's workflow know neither subgraphs nor modes: they get the graph with both carried out. No
 * other knows run-time inputs: defaults of those that lead to params stay, as params.
 *
 * Throws `INVALID_ARGUMENT` for a name that is no dialect and for values that JSON cannot hold, for a subgraph
 * that cannot be opened what `flatGraph` throws.
 * @example
 * const { text, report } = exportDocument(graph, 'comfyui-workflow')
 */
export function exportDocument(graph: Graph, dialect: Dialect): { readonly text: string; readonly report: ImportReport } {
  demandGraph(graph, 'exportDocument')
  const report = new Report(dialect)
  const text = write(graph, dialect, report)
  return { text, report }
}

function write(graph: Graph, dialect: Dialect, report: Report): string {
  const definitions = new Map<string, NodeDefinition | undefined>()
  const prepare = (given: Graph): Document => {
    for (const node of given.nodes) if (!definitions.has(node.id)) definitions.set(node.id, node.definition)
    const document = toDocument(given)
    report.nodes = document.nodes.length
    if (report.nodes === 0 && (dialect === 'remotemedia-v1' || dialect === 'comfyui-api')) {
      report.drop('/nodes', `no node is left, and ${dialect} has at least one`)
    }
    return document
  }
  const definitionOf = (id: string): NodeDefinition | undefined => definitions.get(id)
  switch (dialect) {
    case 'millrace': return writeDocument(prepare(graph))
    case 'remotemedia-seed': return writeJson(any, exportSeed(prepare(plain(graph, report)), definitionOf, report))
    case 'remotemedia-v1': return writeJson(any, exportV1(prepare(plain(graph, report)), definitionOf, report))
    case 'graphdsl': return writeJson(graphdslShape, exportGraphdsl(prepare(plain(graph, report)), graphdslType, report))
    case 'comfyui-api': return writeJson(any, exportApi(prepare(plain(graph, report)), definitionOf, report))
    case 'comfyui-workflow':
      return writeJson(any, exportWorkflow(prepare(withDefaults(graph, report)), definitionOf, report, typesOf(graph)))
    default:
      throw commonErrors.INVALID_ARGUMENT({ function: 'exportDocument', expected: `one of ${DIALECTS.join(', ')}`, got: show(dialect) })
  }
}

/**
 * The graph for dialects without subgraphs and modes: the ones opened, the others carried out.
 * Places keep pointing into the whole document.
 */
function plain(graph: Graph, report: Report): Graph {
  const modes = graph.nodes.flatMap(({ mode }, i) => mode === undefined || mode === 'run' ? [] : [i])
  if (modes.length === 0 && !hasSubgraphs(graph)) return withDefaults(graph, report)
  for (const i of modes) report.substitute(`/nodes/${i}/mode`, graph.nodes[i]!.mode!, 'a graph without the node')
  if (hasSubgraphs(graph)) report.substitute('/definitions', 'subgraphs', 'their nodes')
  else if (graph.definitions !== undefined) report.drop('/definitions', `definitions have no place in ${report.dialect}`)
  const placed = {
    ...graph,
    nodes: graph.nodes.map((node, i) => withOrigin(node, `/nodes/${i}`)),
    edges: graph.edges.map((edge, i) => withOrigin(edge, `/edges/${i}`)),
  }
  const { definitions: _definitions, ...flat } = flatGraph(placed, { get: () => undefined })
  const { graph: left, skipped } = applyModes(flat), gone = new Set(skipped)
  for (const node of flat.nodes) if (gone.has(node.id)) report.drop(originOf(node) ?? '/nodes', `${node.id} reads a node that is muted`)
  report.node = (index) => originOf(left.nodes[index]!) ?? `/nodes/${index}`
  report.edge = (index) => originOf(left.edges[index]!) ?? `/edges/${index}`
  return withDefaults(left, report)
}

/** Params with the defaults of the run-time inputs that lead to them. */
function withDefaults(graph: Graph, report: Report): Graph {
  const values = new Map<string, [param: string, value: unknown][]>(), nodes = new Map(graph.nodes.map((node) => [node.id, node]))
  for (const [name, { to, default: value }] of graph.inputs) {
    if (value === undefined) continue
    for (const [node, port] of to) {
      if (!isParam(nodes.get(node)?.definition, port)) continue
      values.set(node, [...values.get(node) ?? [], [port, value]])
      report.substitute(`/inputs/${escapePointer(name)}`, `input ${name}`, `its default at ${node}.${port}`)
    }
  }
  if (values.size === 0) return graph
  return { ...graph, nodes: graph.nodes.map((node) => {
    const own = values.get(node.id)
    return own === undefined
      ? node
      : { ...node, params: own.reduce((params, [param, value]) => withValue({ ...node, params }, param, value), node.params) }
  }) }
}
