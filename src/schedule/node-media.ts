import { createGraph } from '../graph/graph.js'
import { inputSource } from '../graph/input-source.js'
import { negotiate } from '../graph/negotiate/index.js'
import { graphErrors } from '../graph/errors.js'
import type { NodeDefinition, ParamValues, PortMedia } from '../graph/node-definition.js'
import type { Media, MediaConstraint } from '../media/media-type.js'

/**
 * Media of every port of one node for given media of its inputs (by port, or `port.n` for a `multi` input), agreed by negotiation without
 * converters. Throws `NEGOTIATION_CONFLICT` or `TYPE_MISMATCH` when the node does not take them.
 */
export function nodeMedia(definition: NodeDefinition, params: ParamValues, inputs: PortMedia): PortMedia {
  const sources = Object.entries(inputs).map(([link, media]) => ({ link, media, id: `input ${link}` }))
  const graph = createGraph({
    nodes: [
      ...sources.map(({ id, media }) => inputSource(id, media as MediaConstraint)),
      { id: 'node', type: definition.type, definition, params },
    ],
    edges: sources.map(({ link, id }) => ({ from: [id, 'out'] as const, to: ['node', link.replace(/\.\d+$/, '')] as const })),
  })
  const { media, diagnostics } = negotiate(graph, { get: () => undefined, list: () => [] }, { mode: 'strict' })
  const fault = diagnostics.find((d) => d.severity === 'error')
  if (fault) {
    throw graphErrors.NEGOTIATION_CONFLICT({
      from: 'input', to: `${definition.type}.${fault.port ?? ''}`, field: fault.constraint ?? 'media', gives: String(fault.got),
      takes: String(fault.expected),
    })
  }
  const own: Record<string, Media> = {}
  for (const [id, m] of media) if (id.startsWith('node.')) own[id.slice('node.'.length)] = m
  return { ...own, ...inputs }
}
