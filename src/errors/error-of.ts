import type { Diagnostic } from './diagnostic.js'
import { ERROR_CODES } from './error-codes.js'
import { MillraceError } from './millrace-error.js'

/** A diagnostic as a throwable error: same code, text and hint; the whole diagnostic, and `others` if given, in `details`. */
export function errorOf(diagnostic: Diagnostic, others: readonly Diagnostic[] = []): MillraceError {
  const [kind, httpStatus] = ERROR_CODES[diagnostic.code] ?? ['validation', 400]
  const { node, port, edge } = diagnostic
  return new MillraceError(diagnostic.message, {
    code: diagnostic.code, kind, httpStatus, severity: diagnostic.severity, hint: diagnostic.hint,
    details: { diagnostic, ...(others.length === 0 ? {} : { diagnostics: others }) },
    ...(node === undefined ? {} : { nodeId: node }), ...(port === undefined ? {} : { port }), ...(edge === undefined ? {} : { edge }),
  })
}
