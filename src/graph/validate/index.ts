import type { Diagnostic } from '../../errors/diagnostic.js'
import { isMillraceError } from '../../errors/millrace-error.js'
import { demandTypes, isGraph } from '../as-graph.js'
import { readDocument } from '../document/from-document.js'
import type { Graph } from '../graph.js'
import { resolveLimits } from '../limits.js'
import type { Registry } from '../registry.js'
import type { ValidationHost } from './host.js'
import { checkStages, readContext, validateGraph, type ValidateOptions } from './validate-graph.js'

export type { ValidationHost } from './host.js'
export type { ValidateOptions } from './validate-graph.js'

/**
 * All problems of a graph or document, never only the first (GR-48): stages 1 to 12 of spec graph.md section 5, sorted by stage, then
 * document order. A stage skips only what an earlier one broke. Nothing is executed, read or probed: media of files stay open unless
 * `known` tells them. Without `host` stage 11 is left out. Never throws for anything in the data, `INVALID_ARGUMENT` without a registry;
 * iterative.
 * @example
 * const problems = validate(graph, registry).filter((one) => one.severity === 'error')
 */
export function validate(graph: Graph | object, registry: Registry, host?: ValidationHost, o: ValidateOptions = {}): Diagnostic[] {
  demandTypes(registry, 'validate')
  if (isGraph(graph)) {
    try {
      return validateGraph(graph, registry, host, o)
    } catch (cause) {
      if (isMillraceError(cause) && cause.code === 'SCHEMA_INVALID') return [cause.details['diagnostic'] as Diagnostic]
      throw cause
    }
  }
  const limits = resolveLimits(o.limits)
  const reading = readDocument(graph, registry, { limits, ...(o.strict !== undefined && { strict: o.strict }) })
  if (reading.graph === undefined) return [...reading.diagnostics]
  const { nodes } = graph as { readonly nodes?: unknown }
  return checkStages(
    readContext(reading, registry, limits, undefined, true), host, o,
    Array.isArray(nodes) && nodes.length === 0 ? reading.graph : undefined,
  )
}
