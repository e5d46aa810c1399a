import type { Diagnostic } from '../../errors/diagnostic.js'
import { ask } from '../ask.js'
import type { NodeDefinition, ParamValues, PortMedia } from '../node-definition.js'
import type { Tier } from '../tiers.js'

/** `node.port` of an output. */
export type ValueId = string

/** One link into a node. `link` is the port's name, or `port.n` for the nth link of a `multi` input. */
export interface LinkedInput {
  readonly link: string
  readonly port: string
  readonly from: ValueId | null
  /** Position of its edge in the graph. */
  readonly edge?: number
  /** The edge drives a param: number of its control record; −1 for a node written in TypeScript. Such links follow the inputs. */
  readonly control?: number
  /** Frames by which it comes later than its writer wrote it, those of the aliases in between included (GR-12). */
  readonly delay?: number
  /** Position of the feedback edge that makes it late: its own, or that of an alias before it. */
  readonly late?: number
}

/** A node with its params, media and links. In topological order; `index` is the position there. */
export interface LinkedNode {
  readonly index: number
  readonly id: string
  readonly definition: NodeDefinition
  readonly params: ParamValues
  /** By port or link name. */
  readonly media: PortMedia
  readonly inputs: readonly LinkedInput[]
  /** Tier of a kernel node; null for a node written in TypeScript. */
  readonly tier: Tier | null
  /** What only the driver can see to: kernels of unequal keys share no segment. Absent: nothing. */
  readonly driver?: string
  /** Links that carry lists. Absent: none. */
  readonly lists?: ReadonlySet<string>
  /** A list comes where one item is taken: the node is called once per item, and its outputs are lists. */
  readonly perItem?: boolean
}

/** Something that planning refuses, found where an edge or a run output stands. */
export interface LinkFault {
  readonly diagnostic: Diagnostic
  /** Position in the graph. */
  readonly edge?: number
  readonly output?: string
  /** It holds whatever media the graph's inputs turn out to have. */
  readonly sure?: boolean
}

/** Node id part of a value id. Node ids may contain dots; port names may not. */
export function nodeOf(value: ValueId): string { return value.slice(0, value.lastIndexOf('.')) }
/** Port part of a value id. */
export function portOf(value: ValueId): string { return value.slice(value.lastIndexOf('.') + 1) }
/** Name of the value that a port writes. */
export function valueId(node: string, port: string): ValueId { return `${node}.${port}` }

/** Nodes that no code runs for: they change nothing, or all that they give are views. */
export function needsNoCode(node: LinkedNode): boolean {
  const { definition } = node
  if (ask(definition, 'identity', () => definition.identity?.(node.params, node.media)) === true) return true
  const outputs = Object.entries(definition.outputs)
  return outputs.length > 0 && outputs.every(([port, output]) =>
    ask(definition, `outputs.${port}.view`, () => output.view?.(node.params, node.media)) !== undefined)
}

/**
 * Names of the control records in order: params that may change while running; with a `multi` input
 * param by param, `param.n` for its nth link.
 */
export function controlNames({ definition, inputs }: Pick<LinkedNode, 'definition' | 'inputs'>): string[] {
  const names = Object.entries(definition.params).filter(([, param]) => param.rate === 'sample' || param.rate === 'block').map(([name]) =>
    name)
  const links = inputs.filter((input) => definition.inputs[input.port]?.multi === true)
  return links.length === 0 ? names : names.flatMap((name) => links.map((_, n) => `${name}.${n}`))
}
