import type { Diagnostic } from '../../errors/diagnostic.js'
import type { Graph, PortRef } from '../graph.js'
import { inputSource, LastEdges } from '../input-source.js'
import { escapePointer } from '../pointer.js'
import type { Context } from './context.js'

/** A graph with a source for each port that a run-time input with declared `media` goes to, so that negotiation knows what will come. */
export interface GivenMedia {
  readonly graph: Graph
  /** Reports what was found at a source, its edge or a converter behind it; false when it stands elsewhere. `edge`: the position that the diagnostic's pointer names. */
  readonly place: (diagnostic: Diagnostic, edge: number | undefined) => boolean
}

interface Place { readonly index: number; readonly pointer: string; readonly source: string; readonly name: string; readonly ref: PortRef }

/** Puts sources behind the graph's nodes and edges, whose numbers stay; undefined when no input says its media. Inputs of params need none: params have their own rules. */
export function withGivenMedia(c: Context, graph: Graph): GivenMedia | undefined {
  if (![...c.graph.inputs.values()].some(({ media }) => media !== undefined)) return undefined
  const at: Place[] = [], left = new Set<string>(graph.nodes.map(({ id }) => id)), inputs = new Map(graph.inputs)
  const nodes = [...graph.nodes], links = new LastEdges(graph.edges)
  let index = -1
  for (const [name, input] of c.graph.inputs) {
    index++
    if (input.media === undefined) continue
    const ports = (graph.inputs.get(name)?.to ?? []).filter(([id, port]) => left.has(id) && Object.hasOwn(c.sound(c.indexOf.get(id)!)?.inputs ?? {}, port))
    if (ports.length === 0) continue
    inputs.set(name, { ...input, to: (graph.inputs.get(name)?.to ?? []).filter((ref) => !ports.includes(ref)) })
    for (const ref of ports) {
      const source = `~${name}.${ref.join('.')}`
      nodes.push(inputSource(source, input.media))
      links.add([source as typeof ref[0], 'out'], ref)
      at.push({ index, pointer: `/inputs/${escapePointer(name)}/media`, source, name, ref })
    }
  }
  if (at.length === 0) return undefined
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
  const converter = `Node ~${source}.out~`, say = (text: string): string => (text.startsWith(converter) ? `Input ${name}${text.slice(converter.length).replace(/^\d+/, '')}` : text)
    .replaceAll(`Edge ${source}.out`, () => `Input ${name}`).replaceAll(`${source}.out`, () => `input ${name}`)
  return { ...found, message: say(found.message), hint: say(found.hint), node: ref[0], port: ref[1], pointer }
}
