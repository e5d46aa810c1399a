import { duplicateKeys } from '../graph/dialects/duplicate-keys.js'
import { keysWithin } from '../graph/document/scan-limits.js'
import { resolveLimits } from '../graph/limits.js'
import { parseDocument, type ParseOptions, type ParseResult } from '../index.js'

/**
 * As `parseDocument`, and tells keys that are written twice in one object, which a parser of JSON hides (GR-16):
 * a file is read once, so the scan may cost.
 */
export function parseText(bytes: Uint8Array, o: ParseOptions = {}): ParseResult {
  const result = parseDocument(bytes, o)
  if (result.document === undefined) return result
  const doubles = duplicateKeys(new TextDecoder().decode(bytes), keysWithin(result.document, resolveLimits(o.limits).depth))
  return doubles.length === 0 ? result : { ...result, diagnostics: [...result.diagnostics, ...doubles] }
}
