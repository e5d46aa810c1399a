import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import { graphErrors } from '../graph/errors.js'
import type { Graph, GraphNode } from '../graph/graph.js'
import { LastEdges } from '../graph/input-source.js'
import { allRun, applyModes } from '../graph/modes.js'
import { describeConstraint, describeMedia } from '../graph/negotiate/describe.js'
import type { InputDeclaration } from '../graph/node-definition.js'
import type { MediaConstraint } from '../media/media-type.js'
import { isPacket } from './packet-data.js'

/**
 * Makes a source node for a value given to a port, or nothing when the value is none of the media that `declared`, else the port, names.
 */
export type LiteralSource = (id: string, value: unknown, port?: InputDeclaration, declared?: MediaConstraint) => GraphNode | undefined

/**
 * Puts run-time values into a graph: a value for a param is set there, a value for a port becomes a source node. Defaults fill in what is
 * not given. Throws `INPUT_MISSING` for a required input without a value, `INPUT_OCCUPIED` for one that goes twice to one port,
 * `INVALID_ARGUMENT` for a name that the graph does not declare or a value that no source can carry.
 */
export function bindInputs(graph: Graph, values: Readonly<Record<string, unknown>>, source: LiteralSource): Graph {
  for (const name of Object.keys(values)) {
    if (!graph.inputs.has(name)) {
      throw commonErrors.INVALID_ARGUMENT({
        function: 'run inputs',
        expected: graph.inputs.size === 0 ? 'none: the graph declares no inputs' : `one of ${[...graph.inputs.keys()].join(', ')}`,
        got: name,
      })
    }
  }
  const nodes = [...graph.nodes], links = new LastEdges(graph.edges), ids = new Map<string, number[]>()
  nodes.forEach(({ id }, n) => { const same = ids.get(id); if (same) same.push(n); else ids.set(id, [n]) })
  for (const [name, input] of graph.inputs) {
    const value = Object.hasOwn(values, name) ? values[name] : input.default
    if (value === undefined) {
      if (input.required === false) continue
      throw graphErrors.INPUT_MISSING({ input: name, media: 'a value' })
    }
    const taken = new Set<string>()
    for (const [node, port] of input.to) {
      const places = ids.get(node) ?? [], definition = nodes[places[0] ?? -1]?.definition
      if (definition === undefined) continue
      if (Object.hasOwn(definition.params, port)) {
        for (const n of places) nodes[n] = { ...nodes[n]!, params: { ...nodes[n]!.params, [port]: value } }
        continue
      }
      const id = `~${name}.${node}.${port}`, said = `input ${name}`
      if (taken.has(id)) throw graphErrors.INPUT_OCCUPIED({ input: `${node}.${port}`, first: said, got: said }, { nodeId: node, port })
      taken.add(id)
      const declaration = definition.inputs[port], literal = source(id, value, declaration, input.media)
      if (literal === undefined) {
        throw commonErrors.INVALID_ARGUMENT({
          function: `run input ${name}`,
          expected: `${describeConstraint(input.media ?? declaration?.media ?? { kind: 'any' })} for ${node}.${port}`,
          got: describeValue(value),
        })
      }
      const first = ids.get(id)?.[0]
      if (first !== undefined) {
        throw graphErrors.DUPLICATE_ID({ thing: 'Node', id, first: `/nodes/${first}`, second: `/nodes/${nodes.length}` })
      }
      ids.set(id, [nodes.push(literal) - 1])
      links.add([literal.id, Object.keys(literal.definition!.outputs)[0]!], [node, port])
    }
  }
  return { ...graph, nodes, edges: links.edges, inputs: new Map() }
}

/** A value for a message: a packet by its media. */
function describeValue(value: unknown): string {
  try { return isPacket(value) ? `a packet of ${describeMedia(value.media)}` : show(value) } catch { return show(value) }
}

/**
 * The graph without sources of `given`'s inputs that no node reads once muted and skipped ones are
 * gone: they would be taken for run outputs.
 */
export function dropUnread(graph: Graph, { inputs }: Graph): Graph {
  if (inputs.size === 0 || allRun(graph)) return graph
  const bound = new Set([...inputs].flatMap(([name, { to }]) => to.map((ref) => `~${name}.${ref.join('.')}`)))
  const { edges, outputs } = applyModes(graph).graph
  const read = new Set<string>([...edges.map(({ from }) => from), ...outputs.values()].map(([id]) => id))
  const unread = (id: string): boolean => bound.has(id) && !read.has(id)
  return { ...graph, nodes: graph.nodes.filter(({ id }) => !unread(id)), edges: graph.edges.filter(({ from }) => !unread(from[0])) }
}
