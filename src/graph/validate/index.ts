import type { Diagnostic } from '../../errors/diagnostic.js'
import { readDocument } from '../document/from-document.js'
import type { Graph } from '../graph.js'
import { resolveLimits, type Limits } from '../limits.js'
import type { Registry } from '../registry.js'
import { Context } from './context.js'
import { checkAcyclic, checkEnds } from './flow.js'
import { checkHost, type ValidationHost } from './host.js'
import { checkEndpoints, checkIds, checkSize } from './links.js'
import { checkMedia, type MediaOptions } from './media.js'
import { checkPorts } from './ports.js'
import { checkParams, checkTypes } from './types.js'

export type { ValidationHost } from './host.js'

/** Beside the host: limits, strictness towards unknown fields, and what negotiation is told. */
export interface ValidateOptions extends MediaOptions {
  readonly limits?: Partial<Limits>
  /** Unknown fields of a document are errors. */
  readonly strict?: boolean
}

/**
 * All problems of a graph or document, never only the first (GR-48): stages 1 to 12 of spec graph.md section 5, sorted by stage, then document order.
 * A stage skips only what an earlier one broke. Nothing is executed, read or probed: media of files stay open unless `known` tells them. Without `host`
 * stage 11 is left out. Never throws for anything in the data; iterative.
 * @example
 * const problems = validate(graph, registry).filter((one) => one.severity === 'error')
 */
export function validate(graph: Graph | object, registry: Registry, host?: ValidationHost, o: ValidateOptions = {}): Diagnostic[] {
  const limits = resolveLimits(o.limits)
  if (isGraph(graph)) return checkGraph(new Context(graph, registry, limits, { node: (n) => n, edge: (e) => e }), host, o, true)
  const reading = readDocument(graph, registry, { limits, ...(o.strict !== undefined && { strict: o.strict }) })
  if (reading.graph === undefined) return [...reading.diagnostics]
  const c = new Context(reading.graph, registry, limits, { node: (n) => reading.nodeIndex[n]!, edge: (e) => reading.edgeIndex[e]! })
  for (const diagnostic of reading.diagnostics) c.report('document', 0, diagnostic)
  reading.graph.nodes.forEach((node, n) => { if (reading.broken.has(node.id)) c.brokenNodes.add(n) })
  const { nodes } = graph as { readonly nodes?: unknown }
  return checkGraph(c, host, o, Array.isArray(nodes) && nodes.length === 0)
}

function checkGraph(c: Context, host: ValidationHost | undefined, o: ValidateOptions, sized: boolean): Diagnostic[] {
  if (sized) checkSize(c)
  checkIds(c)
  checkEndpoints(c)
  checkTypes(c)
  checkParams(c)
  checkAcyclic(c)
  const flow = checkEnds(c)
  if (host !== undefined) checkHost(c, flow.planned, host)
  checkPorts(c, flow.planned)
  checkMedia(c, flow, o)
  return c.sorted()
}

/** A graph in memory has its inputs and outputs in maps; a document has them in objects. */
function isGraph(value: Graph | object): value is Graph {
  const { nodes, edges, inputs, outputs } = value as Partial<Graph>
  return Array.isArray(nodes) && Array.isArray(edges) && inputs instanceof Map && outputs instanceof Map
}
