import type { Diagnostic } from './diagnostic.js'
import { kindOf } from './define-errors.js'
import { MillraceError } from './millrace-error.js'

/**
 * A diagnostic as a throwable error: same code, text and hint, the catalogue's kind and status; the whole diagnostic, and
 * `all` it was found with if given, in `details`.
 */
export function errorOf(diagnostic: Diagnostic, all: readonly Diagnostic[] = []): MillraceError {
  const { node, port, edge } = diagnostic, { kind, httpStatus } = kindOf(diagnostic.code)
  return new MillraceError(diagnostic.message, {
    code: diagnostic.code, kind, httpStatus, severity: diagnostic.severity, hint: diagnostic.hint,
    details: { diagnostic, ...(all.length === 0 ? {} : { diagnostics: all }) },
    nodeId: node, port, edge,
  })
}
