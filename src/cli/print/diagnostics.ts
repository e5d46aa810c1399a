import type { Diagnostic } from '../../errors/diagnostic.js'
import type { Terminal } from '../command.js'

/** One line per diagnostic with its hint beneath; errors first come as they are ordered. */
export function printDiagnostics(diagnostics: readonly Diagnostic[], terminal: Terminal): void {
  for (const d of diagnostics) {
    const where = d.line !== undefined ? ` (line ${d.line}, column ${d.column ?? 1})` : d.pointer ? ` (${d.pointer})` : ''
    terminal.err(`${d.severity} ${d.code}${where}: ${d.message}${d.hint ? `\n  ${d.hint}` : ''}`)
  }
}
