import type { Diagnostic } from '../../errors/diagnostic.js'
import { edgeListOf, edgeName, type GraphEdgeList } from '../edge-list.js'
import type { Graph } from '../graph.js'
import type { Limits } from '../limits.js'
import { nearest } from '../nearest.js'
import { originOf } from '../subgraph/origin.js'
import type { NodeDefinition, ParamValues } from '../node-definition.js'
import { plainPasses, type GraphPasses } from '../passes.js'
import type { Registry } from '../registry.js'

/** Part of a document, in the order in which the canonical writer puts them. */
export type Section = 'document' | 'inputs' | 'nodes' | 'edges' | 'outputs'
const SECTIONS: readonly Section[] = ['document', 'inputs', 'nodes', 'edges', 'outputs']
/** Names looked up for hints per validation: each costs a pass over all names. */
const MOST_HINTS = 20

/** Where a graph's nodes and edges stand in the document that they were read from. */
export interface Positions { readonly node: (index: number) => number; readonly edge: (index: number) => number }

/** What the stages share: the graph, what is known to be broken, and what was found. */
export class Context {
  readonly graph: Graph
  readonly registry: Pick<Registry, 'get' | 'list'>
  readonly limits: Limits
  /** Who orders and finds cycles. */
  readonly passes: GraphPasses
  /** Numbered edges, broken ones included; those that name no node are left out. */
  readonly edges: GraphEdgeList
  /** Node id → document index; the first of equal ids. */
  readonly indexOf: ReadonlyMap<string, number>
  /** Nodes and edges that no later stage looks at. */
  readonly brokenNodes = new Set<number>()
  readonly brokenEdges = new Set<number>()
  /** By document index: the node's own definition, else the registry's. */
  readonly definitions: (NodeDefinition | undefined)[]
  readonly params: (ParamValues | undefined)[] = []
  readonly #positions: Positions
  readonly #found: { readonly diagnostic: Diagnostic; readonly section: number; readonly index: number }[] = []
  #hints = 0

  constructor(graph: Graph, registry: Pick<Registry, 'get' | 'list'>, limits: Limits, positions: Positions, passes = plainPasses) {
    this.passes = passes
    this.graph = graph
    this.registry = registry
    this.limits = limits
    this.#positions = positions
    this.edges = edgeListOf(graph)
    this.indexOf = this.edges.indexOf
    this.definitions = graph.nodes.map((node) => node.definition ?? registry.get(node.type))
  }

  /** Notes a problem that stands at entry `index` of a section. */
  report(section: Section, index: number, diagnostic: Diagnostic): void {
    this.#found.push({ diagnostic, section: SECTIONS.indexOf(section), index })
  }

  /** Everything found, by stage, then document order, then order of discovery. */
  sorted(): Diagnostic[] {
    return this.#found.sort((a, b) => a.diagnostic.stage - b.diagnostic.stage || a.section - b.section || a.index - b.index)
      .map((one) => one.diagnostic)
  }

  nodePointer(index: number): string { return originOf(this.graph.nodes[index]!) ?? `/nodes/${this.#positions.node(index)}` }
  edgePointer(index: number): string { return originOf(this.graph.edges[index]!) ?? `/edges/${this.#positions.edge(index)}` }
  edgeName(index: number): string { return edgeName(this.graph.edges[index]!) }

  /** Definition of a node that no stage has broken. */
  sound(index: number): NodeDefinition | undefined {
    return this.brokenNodes.size > 0 && this.brokenNodes.has(index) ? undefined : this.definitions[index]
  }

  /** The first node of the id of node `index`: itself, unless the id was given twice. */
  firstOf(index: number): number {
    return this.indexOf.size === this.graph.nodes.length ? index : this.indexOf.get(this.graph.nodes[index]!.id)!
  }

  /** Something found so far refuses the graph. */
  get refused(): boolean { return this.#found.some(({ diagnostic }) => diagnostic.severity === 'error') }

  /** Up to three names near the given one; nothing after the first twenty questions. */
  near(given: string, names: () => readonly string[]): readonly string[] {
    return this.#hints++ < MOST_HINTS ? nearest(given, names()) : []
  }
}
