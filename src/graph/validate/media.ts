import { commonErrors } from '../../errors/common-errors.js'
import type { Diagnostic } from '../../errors/diagnostic.js'
import type { Media } from '../../media/media-type.js'
import { negotiate, type NegotiateMode } from '../negotiate/index.js'
import type { NodeDefinition, ParamValues, PortMedia } from '../node-definition.js'
import type { Context } from './context.js'
import type { Flow } from './flow.js'

/** What media negotiation is told beside the graph. */
export interface MediaOptions { readonly mode?: NegotiateMode; readonly known?: ReadonlyMap<string, Media> }

/** Stage 12, second half: media along the edges between nodes that will run, then each node's own `validate`. */
export function checkMedia(c: Context, { modes, edges, planned }: Flow, o: MediaOptions): void {
  const { graph, nodeIndex, edgeIndex } = modes
  const brokenNodes = new Set<number>(), brokenEdges = new Set<number>()
  nodeIndex.forEach((n, i) => { if (planned[n] === 0 || c.sound(n) === undefined) brokenNodes.add(i) })
  edgeIndex.forEach((e, i) => { if (c.brokenEdges.has(e)) brokenEdges.add(i) })
  const { media, diagnostics } = negotiate(graph, c.registry, { ...o, mostConverters: c.limits.convertersPerEdge, brokenNodes, brokenEdges, edges, params: (i) => c.params[nodeIndex[i]!] ?? {} })
  for (const diagnostic of diagnostics) place(c, diagnostic, edgeIndex)
  nodeIndex.forEach((n, i) => {
    const definition = brokenNodes.has(i) ? undefined : c.definitions[n]
    if (definition?.validate === undefined) return
    const { id } = c.graph.nodes[n]!
    const own = portMedia(media, id, [...Object.keys(definition.inputs), ...Object.keys(definition.outputs)])
    for (const found of ownFindings(definition, c.params[n] ?? {}, own)) {
      c.report('nodes', n, { ...found, stage: 12, node: id, pointer: found.pointer ?? c.nodePointer(n) })
    }
  })
}

/** A node's `validate` returns diagnostics; one that throws is the fault of its author and told as such. */
function ownFindings(definition: NodeDefinition, params: ParamValues, media: PortMedia): readonly Diagnostic[] {
  try {
    return definition.validate!(params, media)
  } catch (error) {
    return [commonErrors.INTERNAL.diagnostic({ what: `Node type ${definition.type}: validate failed: ${error instanceof Error ? error.message : String(error)}` })]
  }
}

/** Edge positions are those of the graph that was solved; the document's are told. */
function place(c: Context, diagnostic: Diagnostic, edgeIndex: readonly number[]): void {
  const at = /^\/edges\/(\d+)$/.exec(diagnostic.pointer ?? '')
  if (at !== null) {
    const e = edgeIndex[Number(at[1])]!
    c.report('edges', e, { ...diagnostic, pointer: c.edgePointer(e) })
    return
  }
  const node = c.indexOf.get(diagnostic.node ?? '') ?? 0
  c.report('nodes', node, { ...diagnostic, pointer: c.nodePointer(node) })
}

function portMedia(media: ReadonlyMap<string, Media>, id: string, ports: readonly string[]): Record<string, Media> {
  const own: Record<string, Media> = {}
  for (const port of ports) {
    const found = media.get(`${id}.${port}`)
    if (found !== undefined) own[port] = found
    for (let n = 0; ; n++) {
      const link = media.get(`${id}.${port}.${n}`)
      if (link === undefined) break
      own[`${port}.${n}`] = link
    }
  }
  return own
}
