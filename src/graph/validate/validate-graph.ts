import type { Diagnostic } from '../../errors/diagnostic.js'
import { graphErrors } from '../errors.js'
import type { Graph } from '../graph.js'
import { resolveLimits, type Limits } from '../limits.js'
import type { GraphPasses } from '../passes.js'
import type { Registry } from '../registry.js'
import { errorOf } from '../../errors/error-of.js'
import { unreadable } from '../document/check-document.js'
import { checkGraph } from '../document/check-graph.js'
import type { DocumentReading } from '../document/from-document.js'
import { flattenGraph, type Flattened } from '../subgraph/flatten.js'
import { Context } from './context.js'
import { checkAcyclic, checkEnds } from './flow.js'
import { checkHost, type ValidationHost } from './host.js'
import { checkEndpoints, checkIds, checkSize } from './links.js'
import { checkMedia, type MediaOptions } from './media.js'
import type { Negotiation } from '../negotiate/index.js'
import { checkPorts } from './ports.js'
import { withDefinitions } from '../with-definitions.js'
import { checkParams, checkTypes } from './types.js'

/** Beside the host: limits, strictness towards unknown fields, and what negotiation is told. */
export interface ValidateOptions extends MediaOptions {
  readonly limits?: Partial<Limits>
  /** Unknown fields of a document are errors. */
  readonly strict?: boolean
}

/** {@link validate} for a graph in memory: what the engine needs, without the reading of documents. */
export function validateGraph(graph: Graph, registry: Registry, host?: ValidationHost, o: ValidateOptions = {}): Diagnostic[] {
  return examineGraph(graph, registry, host, o.limits, undefined, o.strict).settle(o).diagnostics
}

/** A graph of which everything was checked but the media, for who asks its sources in between. */
export interface Examined {
  /** What will run: modes carried out, without what no end needs. */
  readonly graph: Graph
  /** Nothing found so far refuses it. */
  readonly sound: boolean
  /** The rest of stage 12; all diagnostics, sorted, and the agreed media, so that nobody has to negotiate again. Call it once. */
  settle(o: MediaOptions): { readonly diagnostics: Diagnostic[]; readonly solved: Negotiation }
}

/** First half of {@link validateGraph}. `whole`: what is measured by the limits, without values of a run. */
export function examineGraph(
  graph: Graph, registry: Registry, host?: ValidationHost, given?: Partial<Limits>, passes?: GraphPasses, strict = false, whole = graph,
): Examined {
  const limits = resolveLimits(given)
  let reading: DocumentReading | undefined
  try { reading = checkGraph(graph, strict) } catch (cause) { throw errorOf(unreadable(cause)) }
  if (reading !== undefined) {
    return examine(readContext({ ...reading, graph: withDefinitions(reading.graph!, registry) }, registry, limits, passes), host, whole)
  }
  const flat = flattenGraph(withDefinitions(graph, registry), registry, { limits })
  const c = new Context(flat.graph, registry, limits, { node: (n) => n, edge: (e) => e }, passes)
  noteFlat(c, flat, graph)
  return examine(c, host, whole)
}

/**
 * The context of a document, or of a graph in which something breaks the format: what was found is noted, later stages skip what is broken.
 */
export function readContext(reading: DocumentReading, registry: Registry, limits: Limits, passes?: GraphPasses, checked = false): Context {
  const { graph, broken, nodeIndex, edgeIndex, diagnostics } = reading
  const flat = flattenGraph(graph!, registry, {
    limits, checked, broken, node: (n) => `/nodes/${nodeIndex[n]!}`, edge: (e) => `/edges/${edgeIndex[e]!}`,
  })
  const c = new Context(flat.graph, registry, limits, { node: (n) => nodeIndex[n]!, edge: (e) => edgeIndex[e]! }, passes)
  for (const diagnostic of diagnostics) c.report('document', 0, diagnostic)
  noteFlat(c, flat, graph!)
  return c
}

/** What flattening found (GR-07). */
function noteFlat(c: Context, { graph, diagnostics, broken }: Flattened, before: Graph): void {
  for (const diagnostic of diagnostics) c.report('document', 0, diagnostic)
  if (graph.nodes.length === 0 && before.nodes.length > 0) {
    c.report('document', 0, graphErrors.GRAPH_EMPTY.diagnostic({}, {
      pointer: '/definitions', constraint: 'minItems', expected: 1, got: 0,
    }))
  }
  if (broken.size > 0) c.graph.nodes.forEach((node, n) => { if (broken.has(node.id)) c.brokenNodes.add(n) })
}

/** Stages 4 to 12 over a prepared context; `whole`: the graph as it was given, when its counts were not checked while reading. */
export function checkStages(c: Context, host: ValidationHost | undefined, o: ValidateOptions, whole: Graph | undefined): Diagnostic[] {
  return examine(c, host, whole).settle(o).diagnostics
}

function examine(c: Context, host: ValidationHost | undefined, whole: Graph | undefined): Examined {
  if (whole !== undefined) checkSize(c, whole)
  checkIds(c)
  checkEndpoints(c)
  checkTypes(c)
  checkParams(c)
  checkAcyclic(c)
  const flow = checkEnds(c)
  if (host !== undefined) checkHost(c, flow.planned, host)
  checkPorts(c, flow.planned)
  return {
    graph: flow.graph, sound: !c.refused,
    settle: (o) => { const solved = checkMedia(c, flow, o, host); return { diagnostics: c.sorted(), solved } },
  }
}
