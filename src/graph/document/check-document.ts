import type { Diagnostic } from '../../errors/diagnostic.js'
import { show } from '../../errors/show.js'
import { graphErrors } from '../errors.js'
import type { Limits } from '../limits.js'
import { checkShape, type Findings } from '../schema/check-shape.js'
import { documentShape, VERSION_TEXT } from '../schema/document-shape.js'
import { fitShape, isObject } from '../schema/fit-shape.js'
import { satisfies } from '../semver.js'
import { MILLRACE_VERSION } from '../version.js'
import { excessOf, jsonBytes } from './scan-limits.js'

/** What a document is measured by. */
export interface CheckOptions {
  readonly limits: Limits
  /** Unknown fields are errors (GR-03). */
  readonly strict: boolean
  /** Bytes of the text it came from, when known: spares measuring what cannot be too large. */
  readonly bytes?: number
  /** The value is known to fit the format exactly. */
  readonly fits?: boolean
}

/** Limits of the value (stage 1), version (2) and schema (3) of a parsed document. `usable` false: nothing more can be said about it. */
export function checkDocument(value: unknown, o: CheckOptions): { readonly usable: boolean; readonly diagnostics: readonly Diagnostic[] } {
  const limits = o.bytes === undefined ? memoryLimits(value, o.limits) : []
  if (limits.length > 0) return { usable: false, diagnostics: limits }
  const version = checkVersion(value)
  if (version !== undefined) return { usable: false, diagnostics: [version] }
  const sizes = checkSizes(value as Readonly<Record<string, unknown>>, o)
  // What there is too much of is not looked at one by one: that could be a finding for each.
  if (sizes.some(({ pointer }) => pointer === '/nodes' || pointer === '/edges')) return { usable: false, diagnostics: sizes }
  const findings: Findings = { diagnostics: sizes, strict: o.strict }
  if (o.fits !== true) checkShape(documentShape, value, '', findings)
  return { usable: sizes.every((d) => d.code !== 'LIMIT_EXCEEDED'), diagnostics: sizes.map(versionOfDefinition) }
}

/** A value that came from no text is measured itself; cycles show as depth. */
function memoryLimits(value: unknown, limits: Limits): Diagnostic[] {
  const excess = excessOf(value, { bytes: limits.documentBytes, depth: limits.depth, string: limits.stringLength })
  return excess === undefined ? [] : [exceeded(excess.what === 'Bytes' ? 'Document bytes' : excess.what, excess.limit, excess.got)]
}

function checkVersion(value: unknown): Diagnostic | undefined {
  if (!isObject(value)) {
    return graphErrors.SCHEMA_INVALID.diagnostic({ pointer: '', schema: 'an object (document)', got: value }, {
      pointer: '', constraint: 'type', expected: 'an object (document)',
    })
  }
  const given = Object.hasOwn(value, 'millrace') ? value['millrace'] : undefined
  if (given !== 1 && fitShape(VERSION_TEXT, given) === 0) {
    return graphErrors.VERSION_MISMATCH.diagnostic({ expected: '1', got: show(given) }, {
      pointer: '/millrace', expected: 1,
      ...(typeof given === 'string' || typeof given === 'number' ? { got: given } : {}),
    })
  }
  const range = isObject(value['engines']) ? value['engines']['millrace'] : undefined
  if (typeof range !== 'string' || satisfies(MILLRACE_VERSION, range)) return undefined
  return graphErrors.VERSION_MISMATCH.diagnostic({ expected: range, got: MILLRACE_VERSION }, {
    pointer: '/engines/millrace', expected: range, got: MILLRACE_VERSION,
  })
}

/** A definition of another format version is that (stage 2), not a fault of the schema. */
function versionOfDefinition(one: Diagnostic): Diagnostic {
  if (one.code !== 'SCHEMA_INVALID' || !/^(\/definitions\/[^/]+)+\/millrace$/.test(one.pointer!)) return one
  const { pointer, got } = one
  return graphErrors.VERSION_MISMATCH.diagnostic({ expected: '1', got: show(got) }, {
    pointer: pointer!, expected: 1, ...(got !== undefined && { got }),
  })
}

/** Counts, and sizes of params and `ui`; only a document larger than one of them can pass that limit. */
function checkSizes(document: Readonly<Record<string, unknown>>, { limits, bytes = Infinity }: CheckOptions): Diagnostic[] {
  const found: Diagnostic[] = []
  const count = (field: 'nodes' | 'edges'): readonly unknown[] => {
    const list = document[field]
    if (!Array.isArray(list)) return []
    if (list.length > limits[field]) found.push(exceeded(field === 'nodes' ? 'Nodes' : 'Edges', limits[field], list.length, `/${field}`))
    return list
  }
  const nodes = count('nodes')
  count('edges')
  if (found.length > 0 || bytes <= limits.paramBytes) return found
  const measure = (value: unknown, what: string, pointer: string): void => {
    const size = jsonBytes(value, limits.paramBytes)
    if (size > limits.paramBytes) found.push(exceeded(what, limits.paramBytes, size, pointer))
  }
  measure(document['ui'] ?? null, 'Bytes of ui', '/ui')
  nodes.forEach((node, i) => {
    if (!isObject(node)) return
    if (isObject(node['params'])) {
      for (const [name, value] of Object.entries(node['params'])) measure(value, `Bytes of param ${name}`, `/nodes/${i}/params/${name}`)
    }
    if (node['ui'] !== undefined) measure(node['ui'], 'Bytes of ui', `/nodes/${i}/ui`)
  })
  return found
}

/** What throws when it is read (a getter, a proxy). */
export function unreadable(cause: unknown): Diagnostic {
  return graphErrors.SCHEMA_INVALID.diagnostic({
    pointer: '', schema: 'values that can be read', got: cause instanceof Error ? cause.message : cause,
  }, { pointer: '', constraint: 'type' })
}

/** A limit as a diagnostic. */
export function exceeded(what: string, limit: number, got: number, pointer?: string): Diagnostic {
  return graphErrors.LIMIT_EXCEEDED.diagnostic({ what, limit, got }, {
    constraint: 'max', expected: limit, got, ...(pointer === undefined ? {} : { pointer }),
  })
}
