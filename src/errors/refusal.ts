import type { Diagnostic } from './diagnostic.js'
import { MillraceError } from './millrace-error.js'

/** The first of some problems as an error that can be thrown; all of them are in `details.diagnostics`. `diagnostics` is not empty. */
export function refusal(diagnostics: readonly Diagnostic[]): MillraceError {
  const { code, message, hint, node, port, edge } = diagnostics[0]!
  return new MillraceError(message, {
    code, kind: 'validation', httpStatus: 400, hint, details: { diagnostics }, ...(node !== undefined && { nodeId: node }), ...(port !== undefined && { port }), ...(edge !== undefined && { edge }),
  })
}
