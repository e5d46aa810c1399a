import type { MediaConstraint } from '../media/media-type.js'
import { edgeListOf } from './edge-list.js'
import { keepNodes, type DefinitionOf } from './ends.js'
import type { Graph, GraphEdge, GraphInput, GraphNode, PortRef } from './graph.js'
import type { NodeDefinition } from './node-definition.js'
import { orderOf } from './order.js'
import { reaching } from './reach.js'

/** A graph in which every node runs, and what became of those that do not. */
export interface ModesApplied {
  readonly graph: Graph
  /** Position in the given graph of each node and edge of the new one. */
  readonly nodeIndex: readonly number[]
  readonly edgeIndex: readonly number[]
  /** Muted nodes, and nodes left out because a required input of theirs came from one. Ids in topological order. */
  readonly muted: readonly string[]
  readonly skipped: readonly string[]
  readonly bypassed: readonly string[]
  /** Outputs of bypassed nodes that no input can stand for: who reads them is skipped (`BYPASS_IMPOSSIBLE`). */
  readonly impossible: readonly { readonly node: string; readonly ports: readonly string[] }[]
  /**
   * Feedback edges, by position in the given graph, that would now hold back a run-time input: those
   * that a bypassed node left. Absent: none.
   */
  readonly late?: readonly { readonly edge: number; readonly input: string }[]
  /** True: some declared output hands on a run-time input as it is. Absent: none. */
  readonly handsOn?: boolean
}

/** Where a port's value really comes from: another port, a run-time input, or nowhere any more. */
type Origin = { readonly port: PortRef; /** Comes later by this many frames: a feedback edge led there. */ readonly late?: number } | {
  readonly input: string
} | null

/**
 * Carries out `mode` (GR-08): `mute` takes a node out and skips its dependents, except where the input is optional; `bypass` forwards the
 * first linked input whose media type equals the output's. Pure; one pass in topological order. The same graph when every node runs.
 */
export function applyModes(graph: Graph, definitionOf: DefinitionOf = (node) => graph.nodes[node]!.definition): ModesApplied {
  if (allRun(graph)) {
    return {
      graph, nodeIndex: graph.nodes.map((_, n) => n), edgeIndex: graph.edges.map((_, e) => e), muted: [], skipped: [], bypassed: [],
      impossible: [],
    }
  }
  for (const starved = new Set<string>(); ;) {
    const applied = new ModePass(graph, definitionOf, starved).run()
    if (applied !== undefined) return applied
  }
}

/** True when no node is bypassed or muted. */
export function allRun({ nodes }: Graph): boolean { return nodes.every(({ mode }) => mode === undefined || mode === 'run') }

class ModePass {
  readonly #graph: Graph
  readonly #definitionOf: DefinitionOf
  /** New origins of outputs of nodes that are gone; outputs not listed stand. */
  readonly #origins = new Map<string, Map<string, Origin>>()
  readonly #edgesInto = new Map<string, number[]>()
  readonly #bound = new Map<string, string>()
  /** Outputs that an edge or a run output reads. */
  readonly #read: ReadonlySet<string>
  readonly #shown: ReadonlySet<string>
  readonly #edges: (GraphEdge | null)[]
  readonly #late: { readonly edge: number; readonly input: string }[] = []
  readonly #gone = new Set<string>()
  /** Run-time inputs that go to new places because a bypassed node stood between. */
  readonly #moved: [input: string, to: PortRef][] = []
  /** Nodes that only a feedback edge fed, from one that is gone: found behind them in the order. */
  readonly #starved: Set<string>

  constructor(graph: Graph, definitionOf: DefinitionOf, starved: Set<string>) {
    this.#starved = starved
    this.#graph = graph
    this.#definitionOf = definitionOf
    this.#edges = [...graph.edges]
    graph.edges.forEach(({ to }, e) => {
      const list = this.#edgesInto.get(to[0])
      if (list === undefined) this.#edgesInto.set(to[0], [e])
      else list.push(e)
    })
    for (const [name, input] of graph.inputs) for (const [node, port] of input.to) this.#bound.set(key(node, port), name)
    this.#shown = new Set([...graph.outputs.values()].map(([node, port]) => key(node, port)))
    this.#read = new Set([...graph.edges.map((edge) => edge.from), ...graph.outputs.values()].map(([node, port]) => key(node, port)))
  }

  /** Undefined: some node turned out to be starved, so once more. */
  run(): ModesApplied | undefined {
    const muted: string[] = [], skipped: string[] = [], bypassed: string[] = [], impossible: { node: string; ports: string[] }[] = []
    const { nodes } = this.#graph
    const edges = edgeListOf(this.#graph)
    const { order } = orderOf(edges)
    for (const index of order) {
      const node = nodes[index]!, definition = this.#definitionOf(index)
      const starved = this.#relink(node.id, definition) || this.#starved.has(node.id)
      if (starved) { this.#remove(node, definition, () => null); skipped.push(node.id) }
      else if (node.mode === 'mute') { this.#remove(node, definition, () => null); muted.push(node.id) }
      else if (node.mode === 'bypass') {
        const ports = this.#bypass(node, definition)
        bypassed.push(node.id)
        if (ports.length > 0) impossible.push({ node: node.id, ports })
      }
    }
    const before = this.#starved.size
    nodes.forEach(({ id }, n) => { if (!this.#gone.has(id) && this.#relink(id, this.#definitionOf(n))) this.#starved.add(id) })
    if (this.#starved.size > before) return undefined
    const graph = this.#result()
    const left = new Set(graph.nodes.map((node) => node.id)), kept = new Set(graph.edges)
    return {
      graph, nodeIndex: nodes.flatMap((node, n) => left.has(node.id) ? [n] : []),
      edgeIndex: this.#edges.flatMap((edge, e) => edge !== null && kept.has(edge) ? [e] : []),
      muted, skipped, bypassed, impossible, ...(this.#late.length > 0 && { late: this.#late }),
      ...([
        ...this.#graph.outputs.values(),
      ].some((ref) => { const origin = this.#originOf(ref); return origin != null && 'input' in origin }) && { handsOn: true }),
    }
  }

  /** Moves the node's input edges to where their values now come from; true when a required input lost all it had. */
  #relink(id: string, definition: NodeDefinition | undefined): boolean {
    const lost = new Set<string>(), held = new Set<string>()
    for (const e of this.#edgesInto.get(id) ?? []) {
      const edge = this.#edges[e]
      if (edge == null) {
        if (!this.#moved.some(([, to]) => to === this.#graph.edges[e]!.to)) lost.add(this.#graph.edges[e]!.to[1])
        continue
      }
      const origin = this.#originOf(edge.from)
      if (origin === undefined) held.add(edge.to[1])
      else if (origin === null) { this.#edges[e] = null; lost.add(edge.to[1]) }
      else if ('port' in origin) {
        this.#edges[e] = {
          ...edge, from: origin.port,
          ...(origin.late !== undefined && { delayFrames: origin.late + (edge.delayFrames ?? 0) }),
        }
        held.add(edge.to[1])
      } else {
        if (edge.delayFrames !== undefined) this.#late.push({ edge: e, input: origin.input })
        this.#edges[e] = null
        this.#moved.push([origin.input, edge.to])
        held.add(edge.to[1])
        this.#bound.set(key(id, edge.to[1]), origin.input)
      }
    }
    return [...lost].some((port) => !held.has(port) && definition !== undefined && Object.hasOwn(definition.inputs, port)
      && definition.inputs[port]!.optional !== true && !this.#bound.has(key(id, port)))
  }

  /** What a reference to an output means now; undefined = itself. */
  #originOf([node, port]: PortRef): Origin | undefined {
    if (!this.#gone.has(node)) return undefined
    let origin = this.#origins.get(node)?.get(port) ?? null, late = 0
    // What a feedback edge leads to may have gone after who reads it.
    for (let steps = 0; origin !== null && 'port' in origin && origin.late !== undefined; steps++) {
      late += origin.late
      const [next, output] = origin.port
      if (!this.#gone.has(next)) break
      origin = steps > this.#gone.size ? null : this.#origins.get(next)?.get(output) ?? null
    }
    return origin !== null && 'port' in origin && late > 0 ? { ...origin, late } : origin
  }

  #remove(node: GraphNode, definition: NodeDefinition | undefined, originOf: (port: string) => Origin): void {
    this.#gone.add(node.id)
    for (const e of this.#edgesInto.get(node.id) ?? []) this.#edges[e] = null
    this.#origins.set(node.id, new Map(Object.keys(definition?.outputs ?? {}).map((port) => [port, originOf(port)])))
  }

  /** Takes a node out and forwards what can be; returns the outputs that are read but have no stand-in. */
  #bypass(node: GraphNode, definition: NodeDefinition | undefined): string[] {
    const sources = this.#sourcesOf(node.id, definition)
    const impossible: string[] = []
    this.#remove(node, definition, (port) => {
      const media = definition!.outputs[port]!.media
      const input = Object.keys(definition!.inputs).find((name) => sources.has(name) && sameType(definition!.inputs[name]!.media, media))
      const source = input === undefined ? undefined : sources.get(input)!
      // Where a run output stands there is no edge to be late.
      if (source !== undefined && !(source !== null && 'late' in source && this.#shown.has(key(node.id, port)))) return source
      if (this.#read.has(key(node.id, port))) impossible.push(port)
      return null
    })
    return impossible
  }

  /** First source of each linked or bound input. */
  #sourcesOf(id: string, definition: NodeDefinition | undefined): Map<string, Origin> {
    const links = (this.#edgesInto.get(id) ?? []).filter((e) => this.#edges[e] !== null)
      .sort((a, b) => (this.#graph.edges[a]!.order ?? a) - (this.#graph.edges[b]!.order ?? b))
    const sources = new Map<string, Origin>()
    for (const e of links) {
      const { from, to, delayFrames } = this.#edges[e]!
      if (!sources.has(to[1])) sources.set(to[1], { port: from, ...(delayFrames !== undefined && { late: delayFrames }) })
    }
    for (const port of Object.keys(definition?.inputs ?? {})) {
      const name = this.#bound.get(key(id, port))
      if (name !== undefined && !sources.has(port)) sources.set(port, { input: name })
    }
    return sources
  }

  #result(): Graph {
    const graph = this.#graph
    const inputs = [...graph.inputs].map(([name, input]): [string, GraphInput] => [name, {
      ...input,
      to: [...input.to, ...this.#moved.filter(([from]) => from === name).map(([, to]) => to)].filter(([node]) => !this.#gone.has(node)),
    }])
    const outputs = [...graph.outputs].flatMap(([name, ref]): [string, PortRef][] => {
      const origin = this.#originOf(ref)
      return origin === undefined ? [[name, ref]] : origin !== null && 'port' in origin ? [[name, origin.port]] : []
    })
    const result: Graph = {
      ...graph,
      nodes: graph.nodes.filter((node) => !this.#gone.has(node.id)).map(({ mode: _mode, ...node }) => node),
      edges: this.#edges.filter((edge) => edge !== null), inputs: new Map(inputs.filter(([, input]) => input.to.length > 0)),
      outputs: new Map(outputs),
    }
    if (graph.outputs.size === 0 || outputs.length > 0) return result
    // All declared outputs are gone: what is left runs only for nodes that are kept for their own
    // sake, not because nobody reads their ports.
    const edges = edgeListOf(result)
    const kept = reaching(edges, result.nodes.flatMap((node, index) => node.output === true ? [index] : []))
    return keepNodes(result, (node) => kept[node] === 1)
  }
}

/** Equal media type: the same kind, the same type variable, or a shared kind of a union. */
function sameType(a: MediaConstraint, b: MediaConstraint): boolean {
  if (a.kind === 'match' || b.kind === 'match') return a.kind === 'match' && b.kind === 'match' && a.name === b.name
  if (a.kind === 'oneOf' || b.kind === 'oneOf') {
    const kinds = (one: MediaConstraint): string[] => one.kind === 'oneOf' ? one.options.map((option) => option.kind) : [one.kind]
    return kinds(a).join() === kinds(b).join()
  }
  return a.kind === b.kind
}

function key(node: string, port: string): string { return `${node}\u0000${port}` }
