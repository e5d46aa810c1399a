import type { Diagnostic } from '../../errors/diagnostic.js'
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

/** Beside the host: limits, strictness towards unknown fields, and what negotiation is told. */
export interface ValidateOptions extends MediaOptions {
  readonly limits?: Partial<Limits>
  /** Unknown fields of a document are errors. */
  readonly strict?: boolean
}

/** {@link validate} for a graph in memory: what the engine needs, without the reading of documents. */
export function validateGraph(graph: Graph, registry: Registry, host?: ValidationHost, o: ValidateOptions = {}): Diagnostic[] {
  return checkStages(new Context(graph, registry, resolveLimits(o.limits), { node: (n) => n, edge: (e) => e }), host, o, true)
}

/** Stages 4 to 12 over a prepared context; `sized`: the counts were not checked while reading. */
export function checkStages(c: Context, host: ValidationHost | undefined, o: ValidateOptions, sized: boolean): Diagnostic[] {
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
