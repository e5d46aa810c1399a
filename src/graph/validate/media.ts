import type { Diagnostic } from '../../errors/diagnostic.js'
import type { Media } from '../../media/media-type.js'
import type { Graph, GraphNode } from '../graph.js'
import { ask, internal } from '../ask.js'
import { negotiatePorts, type NegotiatedPorts, type NegotiateMode, type Negotiation } from '../negotiate/index.js'
import type { NodeDefinition, ParamValues, PortMedia } from '../node-definition.js'
import { rangeText } from '../param-range.js'
import { paramNames } from '../params.js'
import { escapePointer } from '../pointer.js'
import type { Context } from './context.js'
import { checkFeedbackMedia, checkLinks } from './feedback.js'
import type { Flow } from './flow.js'
import { withGivenMedia, type GivenMedia } from './given-media.js'
import type { ValidationHost } from './host.js'
import { removeEdge } from './links.js'
import { checkNodeMedia } from './node-media.js'

/** What media negotiation is told beside the graph. */
export interface MediaOptions { readonly mode?: NegotiateMode; readonly known?: ReadonlyMap<string, Media> }

/** Stage 12, second half: media along the edges between nodes that will run, then each node's own `validate`. */
export function checkMedia(c: Context, flow: Flow, o: MediaOptions, host: ValidationHost | undefined): Negotiation {
  const { graph, nodeIndex, edgeIndex, edges } = flow, brokenNodes = new Set<number>(), brokenEdges = new Set<number>()
  nodeIndex.forEach((n, i) => { if (c.sound(n) === undefined) brokenNodes.add(i) })
  if (c.brokenEdges.size > 0) edgeIndex.forEach((e, i) => { if (c.brokenEdges.has(e)) brokenEdges.add(i) })
  checkNodeMedia(c)
  const given = withGivenMedia(c, flow)
  const agreed = negotiatePorts(given?.graph ?? graph, c.registry, {
    ...o, mostConverters: c.limits.convertersPerEdge, brokenNodes, brokenEdges, ...(given === undefined && { edges }),
    params: (i) => c.params[nodeIndex[i]!] ?? {},
  })
  const solved = agreed.negotiation
  for (const diagnostic of solved.diagnostics) place(c, diagnostic, edgeIndex, given)
  checkFeedbackMedia(c, solved, edgeIndex)
  checkLinks(c, { nodeIndex, edgeIndex }, solved, host)
  nodeIndex.forEach((n, i) => {
    const definition = c.sound(n)
    if (definition?.validate === undefined) return
    const { id } = c.graph.nodes[n]!
    for (const found of ownFindings(definition, c.params[n] ?? {}, portMedia(agreed, i, id, definition))) {
      c.report('nodes', n, { ...placed(found, definition, c.graph.nodes[n]!, c.nodePointer(n)), stage: 12, node: id })
    }
  })
  return solved
}

/** A node's `validate` returns diagnostics; one that throws is the fault of its author and told as such. */
function ownFindings(definition: NodeDefinition, params: ParamValues, media: PortMedia): readonly Diagnostic[] {
  try {
    return ask(definition, 'validate', () => definition.validate!(params, media), (given) =>
      Array.isArray(given) && given.every((one) => typeof one?.message === 'string' && typeof one.code === 'string'))
  } catch (error) { return [internal(error)] }
}

/** A `validate` knows neither the node's id nor where it stands: a finding about a param gets both, and what the param allows. */
function placed(found: Diagnostic, { type, params }: NodeDefinition, { id, params: given = {} }: GraphNode, pointer: string): Diagnostic {
  const { port = '', message, hint } = found, param = Object.hasOwn(params, port) ? params[port] : undefined
  if (param === undefined || found.pointer !== undefined) return { pointer, ...found }
  const spelling = Object.keys(given).find((key) => key === port || paramNames(params).get(key) === port)
  return {
    ...found, message: message.replace(`Param ${type}.`, () => `Param ${id}.`), hint: hint === '' ? `Allowed: ${rangeText(param)}.` : hint,
    pointer: spelling === undefined ? pointer : `${pointer}/params/${escapePointer(spelling)}`,
  }
}

/** Edge positions are those of the graph that was solved; the document's are told. */
function place(c: Context, diagnostic: Diagnostic, edgeIndex: readonly number[], given: GivenMedia | undefined): void {
  const at = /^\/edges\/(\d+)$/.exec(diagnostic.pointer ?? '')
  const edge = at === null ? undefined : Number(at[1])
  const e = edge === undefined ? undefined : edgeIndex[edge]
  if (e !== undefined) {
    if (diagnostic.severity === 'error') c.brokenEdges.add(e)
    c.report('edges', e, ofEdge(c, diagnostic, e))
  } else if (diagnostic.code === 'INTERNAL' && diagnostic.node === undefined) {
    c.report('document', 0, { pointer: '', ...diagnostic, stage: 12 })
  } else if (given?.place(diagnostic, edge) !== true) {
    const node = c.indexOf.get(diagnostic.node ?? '') ?? 0
    c.report('nodes', node, { ...diagnostic, pointer: c.nodePointer(node) })
  }
}

/**
 * The diagnostic and its edits in the words of the document: an edge behind a bypassed node leads elsewhere, and may have another
 * name, in the graph that was solved (GR-51).
 */
function ofEdge(c: Context, diagnostic: Diagnostic, e: number): Diagnostic {
  const edge = c.edgeName(e), { from, to } = c.graph.edges[e]!, { suggestions } = diagnostic
  return {
    ...diagnostic, edge, pointer: c.edgePointer(e),
    ...(suggestions && {
      suggestions: suggestions.map((one) =>
        one.edit?.['op'] === 'remove-edge' ? removeEdge(c, e) : one.edit ? { ...one, edit: { ...one.edit, edge, from, to } } : one),
    }),
  }
}

/** Media of a node's ports as far as they are agreed; of a `multi` input's links all or none, so that who counts them counts right. */
function portMedia(
  { negotiation: { graph }, links, mediaOf }: NegotiatedPorts, node: number, id: string, { inputs, outputs }: NodeDefinition,
): Record<string, Media> {
  const own: Record<string, Media> = {}
  for (const link of links(node)) {
    const { input, name } = link.port, found = Object.hasOwn(input ? inputs : outputs, name) ? mediaOf(link) : undefined
    if (found !== undefined) own[link.name] = found
  }
  for (const port in inputs) {
    if (inputs[port]!.multi !== true) continue
    const mine = links(node).filter((link) => link.port.input && link.port.name === port)
    if (mine.length < (linksInto(graph).get(`${id}.${port}`) ?? 0) || mine.some(({ name }) => own[name] === undefined)) {
      for (const { name } of mine) delete own[name]
    }
  }
  return own
}

const counts = new WeakMap<Graph, ReadonlyMap<string, number>>()
/** How many edges and run-time inputs end at each port. */
function linksInto(graph: Graph): ReadonlyMap<string, number> {
  let found = counts.get(graph) as Map<string, number> | undefined
  if (found === undefined) {
    counts.set(graph, found = new Map())
    for (const to of [...graph.edges.map((edge) => edge.to), ...[...graph.inputs.values()].flatMap((input) => input.to)]) {
      found.set(to.join('.'), (found.get(to.join('.')) ?? 0) + 1)
    }
  }
  return found
}
