import { commonErrors } from '../../errors/common-errors.js'
import type { Diagnostic } from '../../errors/diagnostic.js'
import type { Media } from '../../media/media-type.js'
import type { GraphNode } from '../graph.js'
import { negotiate, type NegotiateMode, type Negotiation } from '../negotiate/index.js'
import type { NodeDefinition, ParamValues, PortMedia } from '../node-definition.js'
import { rangeText } from '../param-range.js'
import { paramNames } from '../params.js'
import { escapePointer } from '../pointer.js'
import type { Context } from './context.js'
import { checkFeedbackMedia, checkLinks } from './feedback.js'
import type { Flow } from './flow.js'
import { withGivenMedia } from './given-media.js'
import type { ValidationHost } from './host.js'
import { checkNodeMedia } from './node-media.js'

/** What media negotiation is told beside the graph. */
export interface MediaOptions { readonly mode?: NegotiateMode; readonly known?: ReadonlyMap<string, Media> }

/** Stage 12, second half: media along the edges between nodes that will run, then each node's own `validate`. */
export function checkMedia(c: Context, { graph, nodeIndex, edgeIndex, edges }: Flow, o: MediaOptions, host: ValidationHost | undefined): Negotiation {
  const brokenNodes = new Set<number>(), brokenEdges = new Set<number>()
  nodeIndex.forEach((n, i) => { if (c.sound(n) === undefined) brokenNodes.add(i) })
  if (c.brokenEdges.size > 0) edgeIndex.forEach((e, i) => { if (c.brokenEdges.has(e)) brokenEdges.add(i) })
  checkNodeMedia(c)
  const given = withGivenMedia(c, graph)
  const solved = negotiate(given?.graph ?? graph, c.registry, { ...o, mostConverters: c.limits.convertersPerEdge, brokenNodes, brokenEdges, ...(given === undefined && { edges }), params: (i) => c.params[nodeIndex[i]!] ?? {} })
  for (const diagnostic of solved.diagnostics) if (given?.place(diagnostic) !== true) place(c, diagnostic, edgeIndex)
  checkFeedbackMedia(c, solved, edgeIndex)
  checkLinks(c, { nodeIndex, edgeIndex }, solved, host)
  nodeIndex.forEach((n) => {
    const definition = c.sound(n)
    if (definition?.validate === undefined) return
    const { id } = c.graph.nodes[n]!
    for (const found of ownFindings(definition, c.params[n] ?? {}, portMedia(solved.media, id, definition))) {
      c.report('nodes', n, { ...placed(found, definition, c.graph.nodes[n]!, c.nodePointer(n)), stage: 12, node: id })
    }
  })
  return solved
}

/** A node's `validate` returns diagnostics; one that throws is the fault of its author and told as such. */
function ownFindings(definition: NodeDefinition, params: ParamValues, media: PortMedia): readonly Diagnostic[] {
  try {
    return definition.validate!(params, media)
  } catch (error) {
    return [commonErrors.INTERNAL.diagnostic({ what: `Node type ${definition.type}: validate failed: ${error instanceof Error ? error.message : String(error)}` })]
  }
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
function place(c: Context, diagnostic: Diagnostic, edgeIndex: readonly number[]): void {
  const at = /^\/edges\/(\d+)$/.exec(diagnostic.pointer ?? '')
  if (at !== null) {
    const e = edgeIndex[Number(at[1])]!
    if (diagnostic.severity === 'error') c.brokenEdges.add(e)
    c.report('edges', e, { ...diagnostic, pointer: c.edgePointer(e) })
    return
  }
  const node = c.indexOf.get(diagnostic.node ?? '') ?? 0
  c.report('nodes', node, { ...diagnostic, pointer: c.nodePointer(node) })
}

function portMedia(media: ReadonlyMap<string, Media>, id: string, { inputs, outputs }: NodeDefinition): Record<string, Media> {
  const own: Record<string, Media> = {}
  const take = (port: string): boolean => {
    const found = media.get(`${id}.${port}`)
    if (found !== undefined) own[port] = found
    return found !== undefined
  }
  for (const port in inputs) if (inputs[port]!.multi !== true) take(port); else for (let n = 0; take(`${port}.${n}`); n++);
  for (const port in outputs) take(port)
  return own
}
