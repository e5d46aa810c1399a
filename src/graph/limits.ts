import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import { defined } from './defined.js'

/** Bounds on what is read, checked before memory is taken (spec graph.md section 7). */
export interface Limits {
  readonly nodes: number
  readonly edges: number
  /** Bytes of UTF-8. */
  readonly documentBytes: number
  /** Bytes of one param, or of one `ui`, as JSON. */
  readonly paramBytes: number
  /** Objects and arrays within each other; the document itself counts 1. */
  readonly depth: number
  /** Characters (UTF-16 units) of one string as written between its quotes. */
  readonly stringLength: number
  readonly portsPerNode: number
  readonly linksPerInput: number
  readonly convertersPerEdge: number
  readonly subgraphDepth: number
  readonly expandedNodes: number
}

const KIB = 1_024, MIB = 1_024 * KIB

/** What holds when nothing is said. */
export const DEFAULT_LIMITS: Limits = {
  nodes: 10_000, edges: 100_000, documentBytes: 10 * MIB, paramBytes: MIB, depth: 64, stringLength: MIB, portsPerNode: 256,
  linksPerInput: 1_024, convertersPerEdge: 4, subgraphDepth: 16, expandedNodes: 10_000,
}
/** What no option may pass. */
export const HARD_LIMITS: Limits = {
  nodes: 100_000, edges: 1_000_000, documentBytes: 64 * MIB, paramBytes: 16 * MIB, depth: 256, stringLength: 16 * MIB, portsPerNode: 1_024,
  linksPerInput: 10_000, convertersPerEdge: 8, subgraphDepth: 64, expandedNodes: 100_000,
}

/**
 * Options laid over the defaults. Throws `CONFIG_INVALID` for an unknown name, no positive whole number, or a value above the hard limit.
 */
export function resolveLimits(given: Partial<Limits> = {}, source = 'limits'): Limits {
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue
    const hard = Object.hasOwn(HARD_LIMITS, key) ? HARD_LIMITS[key as keyof Limits] : undefined
    if (hard === undefined) {
      throw commonErrors.CONFIG_INVALID({
        key: `limits.${key}`, source, expected: `one of ${Object.keys(HARD_LIMITS).join(', ')}`, got: key,
      })
    }
    if (!Number.isInteger(value) || value < 1 || value > hard) {
      throw commonErrors.CONFIG_INVALID({ key: `limits.${key}`, source, expected: `a whole number from 1 to ${hard}`, got: show(value) })
    }
  }
  return { ...DEFAULT_LIMITS, ...defined(given) }
}
