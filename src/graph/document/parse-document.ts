import type { Diagnostic } from '../../errors/diagnostic.js'
import { resolveLimits, type Limits } from '../limits.js'
import { documentShape } from '../schema/document-shape.js'
import { fitShape } from '../schema/fit-shape.js'
import { checkDocument } from './check-document.js'
import type { Document } from './document.js'
import { migrateDocument } from './migrations.js'
import { readJson } from './read-json.js'

/** How a document is read. */
export interface ParseOptions {
  readonly limits?: Partial<Limits>
  /** Unknown fields outside `x-*` are errors instead of warnings. */
  readonly strict?: boolean
}
/** `document` is absent when the text stops at stage 1 or 2 (syntax, limits, version); with schema errors it is there, to be mended. */
export interface ParseResult { readonly document?: Document; readonly diagnostics: readonly Diagnostic[] }

/**
 * Reads a document from UTF-8 bytes or text (GR-01): syntax, limits, version, schema (stages 1 to 3 of spec graph.md section 5). What is
 * wrong comes back as diagnostics; no input makes it throw. A key written twice in one object is what JSON makes of it, the last:
 * `importDocument` refuses such a text. A document of an older major comes back as one of this (GR-06). Options are checked:
 * `CONFIG_INVALID` for a limit above the hard one.
 * @example
 * const { document, diagnostics } = parseDocument('{ "millrace": 1, "nodes": [] }')
 */
export function parseDocument(input: string | Uint8Array, o: ParseOptions = {}): ParseResult {
  const limits = resolveLimits(o.limits)
  const reading = readJson(input, limits, (value) => fitShape(documentShape, value, limits.depth) === 2)
  if ('fault' in reading) return { diagnostics: [reading.fault] }
  const value = migrateDocument(reading.value)
  const { usable, diagnostics } = checkDocument(value, { limits, strict: o.strict ?? false, bytes: reading.bytes, fits: reading.good })
  return usable ? { document: value as Document, diagnostics } : { diagnostics }
}
