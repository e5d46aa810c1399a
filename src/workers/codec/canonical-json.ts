import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import { compareUtf8 } from '../../graph/utf8.js'

/** Levels of nesting that a message may have. */
export const JSON_DEPTH = 64

/**
 * JSON as canonical text (spec section 6): keys sorted by code point, no space, numbers as JavaScript prints them, fields that are undefined left out. Throws
 * `INVALID_ARGUMENT` for what JSON cannot hold and beyond 64 levels.
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > JSON_DEPTH) refuse(`at most ${JSON_DEPTH} levels`, 'more')
  if (value === undefined || value === null) return 'null'
  if (typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join()}]`
  const prototype: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined
  if (prototype !== Object.prototype && prototype !== null) return refuse('a JSON value', show(value))
  const record = value as Readonly<Record<string, unknown>>, keys = Object.keys(record).filter((key) => record[key] !== undefined)
  return `{${(keys.length > 1 ? keys.sort(compareUtf8) : keys).map((key) => `${JSON.stringify(key)}:${canonicalJson(record[key], depth + 1)}`).join()}}`
}

function refuse(expected: string, got: string): never { throw commonErrors.INVALID_ARGUMENT({ function: 'encodePacket', expected, got }) }
