import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import { cyclePath, strongParts } from '../cycles.js'
import { adjacencyOf, edgeListOf, type GraphEdgeList } from '../edge-list.js'
import { endsOf, keepNodes, needsInput } from '../ends.js'
import { graphErrors } from '../errors.js'
import type { Graph, GraphInput } from '../graph.js'
import { applyModes, type ModesApplied } from '../modes.js'
import { portKey } from '../port-key.js'
import { prunedNode } from '../pruned-node.js'
import { reaching } from '../reach.js'
import { scriptText } from '../resolve/feedback-loops.js'
import { SKIP_FORMS, skipReason } from '../skip-if.js'
import type { Context } from './context.js'
import { removeEdge } from './links.js'

/** Edges that no stage has broken, with their positions in the graph. */
function soundEdges(c: Context): GraphEdgeList {
  const all = c.edges
  if (c.brokenEdges.size === 0) return all
  const keep = [...all.source].flatMap((e, i) => c.brokenEdges.has(e) ? [] : [i])
  const pick = (list: Uint32Array): Uint32Array => Uint32Array.from(keep, (i) => list[i]!)
  return { ...all, from: pick(all.from), to: pick(all.to), source: pick(all.source) }
}

/**
 * Stage 9: one diagnostic per strongly connected part. The edges inside such a part are broken; its
 * nodes, and what comes after, are still checked.
 */
export function checkAcyclic(c: Context): void {
  const edges = soundEdges(c)
  if (c.passes.order(edges).order.length === edges.count) return
  for (const cycle of c.passes.cycles(edges)) {
    const path = cyclePath(c.graph, edges, cycle)
    const last = edges.source[edges.from.findIndex((from, i) => from === cycle[cycle.length - 1] && edges.to[i] === cycle[0])]!
    c.report('nodes', cycle[0]!, graphErrors.GRAPH_CYCLE.diagnostic(path, {
      node: path.nodes[0]!, edge: path.edges.at(-1)!, pointer: c.edgePointer(last), constraint: 'acyclic', got: path.nodes.join(' -> '),
      suggestions: [removeEdge(c, last)],
    }))
  }
  const part = strongParts(edges.count, adjacencyOf(edges.count, edges.from, edges.to))
  edges.source.forEach((e, i) => { if (part[edges.from[i]!] === part[edges.to[i]!]) c.brokenEdges.add(e) })
}

/** What is left of a graph once modes are carried out and what reaches no end is left out. */
export interface Flow extends Pick<ModesApplied, 'graph' | 'nodeIndex' | 'edgeIndex'> {
  /** Numbered edges of the graph that is left. */
  readonly edges: GraphEdgeList
  /** 1 = will be part of the plan, by document index of the whole graph. */
  readonly planned: Uint8Array
}

/** Stage 10: modes, ends, nodes that no end needs, nodes that stand alone. */
export function checkEnds(c: Context): Flow {
  const { nodes, inputs, outputs } = c.graph
  const modes = withoutBrokenEdges(c)
  for (const { node, ports } of modes.impossible) {
    const n = c.indexOf.get(node)!
    c.report('nodes', n, graphErrors.BYPASS_IMPOSSIBLE.diagnostic(
      {
        node,
        what: `no input can stand for ${ports.join(', ')}; who reads it is skipped`,
        todo: 'Link an input of the same media type, or mute the node.',
      },
      { node, port: ports[0]!, pointer: `${c.nodePointer(n)}/mode` }))
  }
  const kept = modes.graph === c.graph ? c.edges : edgeListOf(modes.graph)
  const ends = endsOf(modes.graph, kept, (n) => c.definitions[modes.nodeIndex[n]!])
  const reached = reaching(kept, [...ends.outputs.map((output) => output.node), ...ends.sinks, ...besideBroken(c, kept.indexOf)])
  const planned = new Uint8Array(nodes.length), present = new Uint8Array(nodes.length)
  let left = 0
  for (let i = 0; i < modes.nodeIndex.length; i++) {
    const n = modes.nodeIndex[i]!
    if (c.firstOf(n) !== n) continue // of equal ids only the first is linked
    planned[n] = reached[i]!
    present[n] = 1
    left += reached[i]!
  }
  for (const { edge, input } of modes.late ?? []) {
    const name = c.edgeName(edge), n = c.edges.toAt[edge]!
    // Converters may come between when nobody says what will be given: they would be late in its place.
    if (planned[n] === 1 && c.graph.inputs.get(input)?.media !== undefined) {
      c.report(
        'edges', edge,
        commonErrors.UNSUPPORTED.diagnostic({ feature: `Feedback edge ${name}`, ...scriptText(`input ${input}`, 'behind') }, {
          stage: 12, edge: name, node: nodes[n]!.id, pointer: `${c.edgePointer(edge)}/delayFrames`, got: c.graph.edges[edge]!.delayFrames,
          suggestions: [removeEdge(c, edge)],
        }),
      )
    }
  }
  const linked = new Uint8Array(nodes.length), link = (n: number | undefined): void => { if (n !== undefined && n >= 0) linked[n] = 1 }
  for (let e = 0; e < c.graph.edges.length; e++) { link(c.edges.fromAt[e]); link(c.edges.toAt[e]) }
  for (const input of inputs.values()) for (const [id] of input.to) link(c.indexOf.get(id))
  for (const [id] of outputs.values()) link(c.indexOf.get(id))
  nodes.forEach((node, n) => {
    const alone = nodes.length > 1 && linked[n] === 0 && node.output !== true, pruned = present[n] === 1 && planned[n] === 0 && left > 0
    if (!(alone || pruned) || c.firstOf(n) !== n) return
    const place = { node: node.id, pointer: c.nodePointer(n) }
    if (alone) {
      c.report(
        'nodes', n,
        graphErrors.ORPHAN_NODE.diagnostic({ node: node.id, what: 'linked to nothing', todo: 'Link it or remove it.' }, place),
      )
    }
    if (pruned) c.report('nodes', n, prunedNode(node.id, place.pointer))
  })
  if (nodes.length > 0 && c.brokenNodes.size === 0 && c.brokenEdges.size === 0) checkLeft(c, modes, planned)
  return { ...(left === modes.nodeIndex.length ? { ...modes, edges: kept } : pruned(modes, planned)), planned }
}

/** What will be planned of a graph. */
function pruned({ graph, nodeIndex, edgeIndex }: ModesApplied, planned: Uint8Array): Omit<Flow, 'planned'> {
  const needed = keepNodes(graph, (i) => planned[nodeIndex[i]!] === 1), kept = new Set(needed.edges)
  return {
    graph: needed, edges: edgeListOf(needed), nodeIndex: nodeIndex.filter((n) => planned[n] === 1),
    edgeIndex: edgeIndex.filter((_, i) => kept.has(graph.edges[i]!)),
  }
}

/**
 * Modes carried out on the graph of sound edges: a broken edge reads nothing and starves nobody.
 * Edge positions stay those of the whole graph.
 */
function withoutBrokenEdges(c: Context): ModesApplied {
  const { brokenEdges } = c, graph = withoutSkipped(c)
  if (brokenEdges.size === 0) return applyModes(graph, (n) => c.definitions[n])
  const sound = graph.edges.flatMap((_, e) => brokenEdges.has(e) ? [] : [e])
  const modes = applyModes({ ...graph, edges: sound.map((e) => graph.edges[e]!) }, (n) => c.definitions[n])
  return {
    ...modes, edgeIndex: modes.edgeIndex.map((i) => sound[i]!),
    ...(modes.late && { late: modes.late.map(({ edge, input }) => ({ edge: sound[edge]!, input })) }),
  }
}

/**
 * Nodes that `policy.skipIf` leaves out of a run that is given no more than it must do as if they were muted (EX-58). Where it hangs on
 * what must be given, the node is taken to run.
 */
function withoutSkipped(c: Context): Graph {
  if (!c.graph.nodes.some(({ policy }) => policy?.['skipIf'] !== undefined)) return c.graph
  const linked = new Set(c.graph.edges.map(({ to }) => portKey(to))), inputs = new Map<string, GraphInput[]>()
  for (const input of c.graph.inputs.values()) {
    for (const ref of input.to) inputs.set(portKey(ref), [...inputs.get(portKey(ref)) ?? [], input])
  }
  return { ...c.graph, nodes: c.graph.nodes.map((node, n) => {
    const when = node.policy?.['skipIf'], definition = c.sound(n), { id } = node
    if (when === undefined || definition === undefined) return node
    const bound = (port: string): readonly GraphInput[] => inputs.get(portKey([id, port])) ?? []
    const reason = skipReason(when, definition, {
      value: (param) =>
        bound(param).some((input) => input.required !== false && input.default === undefined) ? undefined : { is: c.params[n]?.[param] },
      linked: (port) =>
        linked.has(portKey([id, port])) || bound(port).some((input) => input.required !== false || input.default !== undefined),
    })
    if (reason === null) {
      const got = show(when)
      c.report('nodes', n, commonErrors.INVALID_ARGUMENT.diagnostic({ function: `Node ${id} policy.skipIf`, expected: SKIP_FORMS, got }, {
        stage: 8, node: id, pointer: `${c.nodePointer(n)}/policy/skipIf`, expected: SKIP_FORMS, got,
      }))
    }
    return typeof reason === 'string' ? { ...node, mode: 'mute' } : node
  }) }
}

/** Nodes at the ends of broken edges: what they would feed is not known, so they are not called superfluous. */
function besideBroken({ graph, brokenEdges }: Context, indexOf: ReadonlyMap<string, number>): number[] {
  return [...brokenEdges].flatMap((e) => [graph.edges[e]!.from[0], graph.edges[e]!.to[0]]).flatMap((id) => indexOf.get(id) ?? [])
}

/** Nothing left to run, though nothing was wrong so far: everything is muted, or no output stands on a node that runs. */
function checkLeft(c: Context, modes: ModesApplied, planned: Uint8Array): void {
  if (planned.includes(1) || modes.handsOn === true) return
  if ([...c.graph.outputs.values()].some(([id]) => !c.indexOf.has(id))) return
  const sources = modes.nodeIndex.some((n) => c.definitions[n] !== undefined && !needsInput(c.definitions[n]!))
  const missing = sources ? 'sink' : 'source'
  c.report('document', 0, graphErrors.GRAPH_NO_END.diagnostic({ missing }, {
    pointer: missing === 'sink' ? '/outputs' : '/nodes', constraint: 'minItems', expected: 1, got: 0,
  }))
}
