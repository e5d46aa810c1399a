import type { Diagnostic } from '../../errors/diagnostic.js'
import { graphErrors } from '../errors.js'
import { resolveLimits, type Limits } from '../limits.js'
import { checkDocument, exceeded } from './check-document.js'
import { decodeUtf8 } from './decode-utf8.js'
import type { Document } from './document.js'
import { findSyntaxFault, positionOf } from './json-syntax.js'
import { scanLimits } from './scan-limits.js'

/** How a document is read. */
export interface ParseOptions {
  readonly limits?: Partial<Limits>
  /** Unknown fields outside `x-*` are errors instead of warnings. */
  readonly strict?: boolean
}
/** `document` is absent when the text stops at stage 1 or 2 (syntax, limits, version); with schema errors it is there, to be mended. */
export interface ParseResult { readonly document?: Document; readonly diagnostics: readonly Diagnostic[] }

/**
 * Reads a document from UTF-8 bytes or text (GR-01): syntax, limits, version, schema (stages 1 to 3 of spec graph.md section 5). What is wrong comes
 * back as diagnostics; no input makes it throw. Options are checked: `CONFIG_INVALID` for a limit above the hard one.
 * @example
 * const { document, diagnostics } = parseDocument('{ "millrace": 1, "nodes": [] }')
 */
export function parseDocument(input: string | Uint8Array, o: ParseOptions = {}): ParseResult {
  const limits = resolveLimits(o.limits)
  const bytes = typeof input === 'string' ? textSize(input, limits.documentBytes) : input.length
  if (bytes > limits.documentBytes) return { diagnostics: [exceeded('Document bytes', limits.documentBytes, bytes)] }
  const text = typeof input === 'string' ? input.startsWith('\ufeff') ? input.slice(1) : input : decodeUtf8(input)
  if (typeof text !== 'string') {
    return { diagnostics: [syntax('UTF-8', `byte 0x${(input as Uint8Array)[text.offset]!.toString(16).padStart(2, '0')}`, positionOf(text.before, text.before.length))] }
  }
  const excess = scanLimits(text, limits)
  if (excess !== undefined) return { diagnostics: [exceeded(excess.what, excess.limit, excess.got)] }
  const parsed = parseJson(text)
  if ('fault' in parsed) return { diagnostics: [parsed.fault] }
  const { usable, diagnostics } = checkDocument(parsed.value, { limits, strict: o.strict ?? false, bytes })
  return usable ? { document: parsed.value as Document, diagnostics } : { diagnostics }
}

/** Bytes of text in UTF-8, at most: a text so short that it cannot pass the limit is not counted. */
function textSize(text: string, limit: number): number {
  if (text.length * 3 <= limit) return text.length * 3
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2
  }
  return bytes
}

function parseJson(text: string): { readonly value: unknown } | { readonly fault: Diagnostic } {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    const { offset, expected, found } = findSyntaxFault(text) ?? { offset: 0, expected: 'JSON', found: 'other text' }
    return { fault: syntax(expected, found, positionOf(text, offset)) }
  }
}

function syntax(token: string, found: string, place: { readonly line: number; readonly column: number }): Diagnostic {
  return graphErrors.JSON_SYNTAX.diagnostic({ token, found, ...place }, { expected: token, got: found, ...place })
}
