import type { Diagnostic } from '../errors/diagnostic.js'

/** Problems in a document: exit code 3. */
export class DiagnosticsError extends Error {
  readonly diagnostics: readonly Diagnostic[]
  constructor(diagnostics: readonly Diagnostic[]) {
    super(`${diagnostics.length} problems`)
    this.diagnostics = diagnostics
  }
}
