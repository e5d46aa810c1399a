import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import { compareUtf8 } from '../../graph/utf8.js'

/** Levels of nesting that a message may have. */
export const JSON_DEPTH = 64

/**
 * JSON as canonical text (spec section 6): keys sorted by code point, no space, numbers as JavaScript prints them, fields that are
 * undefined left out. Throws `INVALID_ARGUMENT` for what JSON cannot hold and beyond 64 levels.
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > JSON_DEPTH) refuse(`at most ${JSON_DEPTH} levels`, 'more')
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (value === undefined || value === null) return 'null'
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (Array.isArray(value)) {
    let text = ''
    for (let i = 0; i < value.length; i++) text += (i === 0 ? '' : ',') + canonicalJson(value[i], depth + 1)
    return `[${text}]`
  }
  const prototype: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined
  if (prototype !== Object.prototype && prototype !== null) return refuse('a JSON value', show(value))
  const record = value as Readonly<Record<string, unknown>>, keys = Object.keys(record)
  if (!isSorted(keys)) keys.sort(compareUtf8)
  let text = ''
  for (const key of keys) {
    if (record[key] !== undefined) text += `${text === '' ? '' : ','}${quote(key)}:${canonicalJson(record[key], depth + 1)}`
  }
  return `{${text}}`
}

function isSorted(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i++) if (compareUtf8(keys[i - 1]!, keys[i]!) > 0) return false
  return true
}

/** Short text that needs no escape is only put into quotes: `JSON.stringify` costs more than looking. */
function quote(text: string): string {
  if (text.length > 32) return JSON.stringify(text)
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x20 || unit === 0x22 || unit === 0x5c || unit > 0x7e) return JSON.stringify(text)
  }
  return `"${text}"`
}

function refuse(expected: string, got: string): never { throw commonErrors.INVALID_ARGUMENT({ function: 'encodePacket', expected, got }) }
