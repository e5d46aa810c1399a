import type { Diagnostic } from '../../errors/diagnostic.js'
import type { Terminal } from '../command.js'

/** One line per diagnostic with its hint beneath; errors first come as they are ordered. */
export function printDiagnostics(diagnostics: readonly Diagnostic[], terminal: Terminal): void {
  for (const d of diagnostics) {
    // A message of a text says line and column itself.
    const where = d.pointer ? d.line === undefined ? ` (${d.pointer})` : '' : d.node === undefined ? '' : ` (node ${d.node})`
    terminal.err(`${d.severity} ${d.code}${where}: ${d.message}${d.hint ? `\n  ${d.hint}` : ''}`)
  }
}
