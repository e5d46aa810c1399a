import type { Diagnostic } from '../../errors/diagnostic.js'
import type { MediaConstraint } from '../../media/media-type.js'
import type { Graph, PortRef } from '../graph.js'
import { inputSource, LastEdges } from '../input-source.js'
import { escapePointer } from '../pointer.js'
import type { Context } from './context.js'
import type { Flow } from './flow.js'

/** A graph with a source for each port that a run-time input with declared `media` goes to, so that negotiation knows what will come. */
export interface GivenMedia {
  readonly graph: Graph
  /**
   * Reports what was found at a source, its edge or a converter behind it; false when it stands elsewhere. `edge`: the
   * position that the diagnostic's pointer names.
   */
  readonly place: (diagnostic: Diagnostic, edge: number | undefined) => boolean
}

interface Place {
  readonly index: number
  readonly pointer: string
  readonly media: MediaConstraint
  readonly source: string
  readonly name: string
  readonly ref: PortRef
}

/**
 * Puts sources behind the graph's nodes and edges, whose numbers stay; undefined when no input says its media. Inputs of
 * params need none: params have their own rules.
 */
export function withGivenMedia(c: Context, { graph, edges: { indexOf } }: Flow): GivenMedia | undefined {
  const at = [...c.graph.inputs].flatMap(([name, { media }], index) => media === undefined
    ? []
    : (graph.inputs.get(name)?.to ?? []).flatMap((ref): Place[] =>
      indexOf.has(ref[0]) && Object.hasOwn(c.sound(c.indexOf.get(ref[0])!)?.inputs ?? {}, ref[1])
        ? [{ index, pointer: `/inputs/${escapePointer(name)}/media`, media, source: `~${name}.${ref.join('.')}`, name, ref }]
        : []))
  if (at.length === 0) return undefined
  const nodes = [...graph.nodes], links = new LastEdges(graph.edges), inputs = new Map(graph.inputs)
  for (const { media, source, name, ref } of at) {
    const node = inputSource(source, media), input = inputs.get(name)!
    nodes.push(node)
    links.add([node.id, 'out'], ref)
    inputs.set(name, { ...input, to: input.to.filter((one) => one !== ref) })
  }
  return {
    graph: { ...graph, nodes, edges: links.edges, inputs },
    place: (diagnostic, edge) => {
      const own = edge === undefined ? at.find(({ source }) => source === diagnostic.node) : at[edge - graph.edges.length]
      if (own === undefined) return false
      c.report('inputs', own.index, named(diagnostic, own))
      return true
    },
  }
}

/** The diagnostic in the document's words: the input for its source and for converters behind that, and no edits, which would name them. */
function named({ suggestions: _edits, edge: _edge, ...found }: Diagnostic, { name, source, pointer, ref }: Place): Diagnostic {
  const converter = `Node ~${source}.out~`,
    say = (text: string): string => (text.startsWith(converter) ? `Input ${name}${text.slice(converter.length).replace(/^\d+/, '')}` : text)
      .replaceAll(`Edge ${source}.out`, () => `Input ${name}`).replaceAll(`${source}.out`, () => `input ${name}`)
  return { ...found, message: say(found.message), hint: say(found.hint), node: ref[0], port: ref[1], pointer }
}
